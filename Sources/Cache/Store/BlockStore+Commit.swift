internal import Dispatch
internal import Logging
public import Primitives

extension BlockStore {
    /// Sees to it that a commit comes: soon, or at once when much is waiting for it.
    func scheduleCommit(written bytes: UInt64) {
        guard let interval = environment.commitInterval else { return }
        let (isDue, isFirst) = state.withLock { state in
            defer { state.isCommitScheduled = true }
            let waiting = state.uncommittedBytes
            let isDue =
                waiting >= BlockStore.commitBytes && waiting - bytes < BlockStore.commitBytes
            return (isDue, !state.isCommitScheduled)
        }
        if isDue { committer.async { [self] in commit() } }
        if isFirst { committer.asyncAfter(deadline: .now() + interval) { [self] in commit() } }
    }

    /// One group commit: what was published so far becomes durable.
    ///
    /// On the committer's queue.
    func commit() {
        let (batch, read, files) = state.withLock { state in
            defer {
                state.uncommitted = [:]
                state.uncommittedBytes = 0
                state.readSinceNoted = []
                state.isCommitScheduled = false
            }
            let files = state.uncommitted.keys.compactMap { state.loaded[$0] }
            return (state.uncommitted, state.readSinceNoted, files)
        }
        for file in files {
            guard let error = commitError(file) else { continue }
            log.error(
                "cannot commit blocks; they are dropped",
                metadata: ["path": "\(file.file.path)", "cause": "\(error)"]
            )
        }
        for (key, bytes) in batch { measure(key, covers: bytes) }
        letGo(files)
        for key in read.union(batch.keys).subtracting(files.map(\.key)) {
            touched.note(key)
            keepLastRead(of: key)
        }
    }

    /// Has the disk know when the version was last read.
    func keepLastRead(of key: VersionKey) {
        guard let lastRead = state.withLock({ $0.index.entries[key]?.lastRead }) else { return }
        directory.setLastRead(lastRead, of: key)
    }

    /// Closes those of `files` that nobody uses just now.
    func letGo(_ files: [StoredFile]) {
        let idle = state.withLock { state in files.filter { !state.index.isInUse($0.key) } }
        for file in idle { file.letGo() }
    }

    /// Checks every stored block of `file`.
    ///
    /// Blocking; reads all of it from the disk.
    public func verify(_ file: RemoteFile) -> VerifyCounts {
        stored(file).map { verify($0) } ?? VerifyCounts()
    }

    /// Checks every stored block of every version.
    ///
    /// Blocking; reads the whole cache.
    ///
    /// - Parameter progress: Told before each version what was found so far, and how many versions
    ///   there are.
    /// - Returns: What was found.
    public func verifyAll(
        progress: (VerifyCounts, _ versions: Int) -> Void = { _, _ in }
    ) -> VerifyCounts {
        var counts = VerifyCounts()
        let keys = state.withLock { Array($0.index.entries.keys) }
        for key in keys {
            progress(counts, keys.count)
            guard !removeIfTorn(key) else {
                counts.torn += 1
                continue
            }
            guard let stored = load(key) else { continue }
            let found = verify(stored)
            letGo([stored])
            counts.files += 1
            counts.blocks += found.blocks
            counts.bad += found.bad
        }
        return counts
    }

    /// Removes a version whose map on the disk is damaged, also when it is right in memory.
    private func removeIfTorn(_ key: VersionKey) -> Bool {
        // Behind what is just being made.
        writer.sync {
            guard let isSound = try? StoredFile.isSound(key, in: directory), !isSound else {
                return false
            }
            log.warning("removed a torn or corrupt map", metadata: ["key": "\(key.name)"])
            remove(key)
            return true
        }
    }

    private func verify(_ stored: StoredFile) -> VerifyCounts {
        var counts = VerifyCounts()
        counts.files = 1
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(Block.size),
            alignment: 4_096
        )
        defer { buffer.deallocate() }
        for block in 0..<Block.count(inFileOf: stored.file.size) where stored.holds(block) {
            let range = Block.bytes(of: block, inFileOf: stored.file.size)
            switch stored.read(range, into: buffer) {
            case .served: counts.blocks += 1
            case .missing: continue
            case .bad(let blocks):
                counts.blocks += 1
                counts.bad += 1
                reportBad(blocks, of: stored)
            }
        }
        if counts.bad > 0, let error = committer.sync(execute: { commitError(stored) }) {
            log.warning("cannot note bad blocks", metadata: ["cause": "\(error)"])
        }
        return counts
    }
}
