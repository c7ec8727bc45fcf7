internal import Dispatch
internal import Logging
public import Primitives

extension BlockStore {
    /// Reads `range` if all of it is there and passes its check.
    ///
    /// Waits for nothing but the local disk.
    ///
    /// - Parameters:
    ///   - range: Clipped to the file's size.
    ///   - file: The version wanted.
    ///   - buffer: At least `range.count` bytes; undefined unless the result is true.
    /// - Returns: Whether the bytes stand in `buffer`.
    public func cached(
        _ range: ByteRange,
        of file: RemoteFile,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard !range.isEmpty else { return true }
        guard range.upperBound <= min(file.size, Block.largestFile),
            UInt64(buffer.count) >= range.count, let stored = stored(file)
        else { return false }
        switch stored.read(range, into: buffer) {
        case .served:
            noteRead(stored.key, hits: UInt64(Block.indices(of: range).count))
            return true
        case .missing:
            return false
        case .bad(let blocks):
            reportBad(blocks, of: stored)
            return false
        }
    }

    /// Bytes of `file` were read from memory.
    func noteRead(_ file: RemoteFile) { noteRead(VersionKey(file), hits: 0) }

    private func noteRead(_ key: VersionKey, hits: UInt64) {
        let now = environment.now()
        state.withLock { state in
            state.statistics.hits += hits
            state.index.read(key, at: now)
            state.readSinceNoted.insert(key)
        }
    }

    func noteMisses(_ blocks: Int) {
        state.withLock { $0.statistics.misses += UInt64(blocks) }
    }

    func noteFromSource(_ bytes: Int) {
        state.withLock { $0.statistics.bytesFromSource += UInt64(bytes) }
    }

    func reportBad(_ blocks: [Int], of stored: StoredFile) {
        state.withLock { $0.statistics.badBlocks += UInt64(blocks.count) }
        log.warning(
            "dropped bad blocks; they will be fetched again",
            metadata: ["path": "\(stored.file.path)", "blocks": "\(blocks)"]
        )
    }

    /// Runs of blocks that are not there.
    ///
    /// Answers from memory alone: a version whose map is not loaded counts as empty.
    func missing(in blocks: Range<Int>, of file: RemoteFile) -> [Range<Int>] {
        guard let stored = loaded(file) else { return [blocks] }
        return stored.runs(in: blocks, present: false)
    }

    /// Whether ``stored(_:)`` would have to read the disk.
    func needsLoading(_ file: RemoteFile) -> Bool {
        let key = VersionKey(file)
        return state.withLock { $0.loaded[key] == nil && $0.index.entries[key] != nil }
    }

    /// The stored version of `file`, from memory, else from the disk; nil when there is none.
    func stored(_ file: RemoteFile) -> StoredFile? {
        let key = VersionKey(file)
        let stored = state.withLock { $0.loaded[key] } ?? load(key)
        // Another file with the same key.
        return stored?.file == file ? stored : nil
    }

    /// The stored version of `file`, if its map is in memory.
    func loaded(_ file: RemoteFile) -> StoredFile? {
        let key = VersionKey(file)
        let stored = state.withLock { $0.loaded[key] }
        return stored?.file == file ? stored : nil
    }

    /// Loads the version of `key`, whichever file it belongs to.
    func load(_ key: VersionKey) -> StoredFile? {
        guard let serial = state.withLock({ $0.index.entries[key]?.serial }) else { return nil }
        let opened: StoredFile?
        do {
            opened = try StoredFile(opening: key, in: directory)
        } catch {
            // Most often its first block is just being written, or it is being removed.
            log.debug("cannot open a stored file", metadata: ["cause": "\(error)"])
            return nil
        }
        guard let opened else {
            discard(key, serial)
            return nil
        }
        return state.withLock { state in
            if let other = state.loaded[key] { return other }
            // Removed, and perhaps made again, while we were reading.
            guard state.index.entries[key]?.serial == serial else { return nil }
            if state.proven.remove(key) != nil { opened.prove() }
            state.install(opened)
            return opened
        }
    }

    private func discard(_ key: VersionKey, _ serial: UInt64) {
        writer.async { [self] in
            // A torn map may be one whose making has since been finished.
            guard state.withLock({ $0.index.entries[key]?.serial == serial }),
                let reopened = try? StoredFile.isSound(key, in: directory), !reopened
            else { return }
            log.warning("removed a torn or corrupt map", metadata: ["key": "\(key.name)"])
            remove(key)
        }
    }
}

extension BlockStore.State {
    /// Puts a version into memory, and when they take too much of it, lets go of idle ones.
    mutating func install(_ stored: StoredFile) {
        unload(stored.key)
        loaded[stored.key] = stored
        footprint += stored.footprint
        guard footprint > footprintLimit else { return }
        let idle = loaded.values.filter { $0 !== stored && !index.isInUse($0.key) }
            .map { ($0, index.entries[$0.key]?.lastRead ?? 0) }
        // More than must go, so that it need not be done again soon.
        for (old, _) in idle.sorted(by: { $0.1 < $1.1 }) {
            guard footprint > footprintLimit / 4 * 3 else { return }
            unload(old.key)
            if old.isProven { proven.insert(old.key) }
        }
    }

    mutating func unload(_ key: VersionKey) {
        footprint -= loaded.removeValue(forKey: key)?.footprint ?? 0
    }
}
