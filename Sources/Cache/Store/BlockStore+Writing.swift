internal import Dispatch
internal import Logging
internal import Primitives

/// Everything here runs on the writer's queue, except where it says otherwise.
extension BlockStore {
    /// Stores `bytes` as `blocks` of `file` and makes them readable.
    ///
    /// May be called anywhere; returns when the bytes are readable or will not be. Blocks
    /// that are there already are left alone.
    ///
    /// - Returns: Whether all of `blocks` are there now.
    @discardableResult
    func write(_ bytes: Bytes, as blocks: Range<Int>, of file: RemoteFile) async -> Bool {
        await withCheckedContinuation { continuation in
            writer.async { [self] in
                continuation.resume(returning: writeNow(bytes, as: blocks, of: file))
            }
        }
    }

    func writeNow(_ bytes: Bytes, as blocks: Range<Int>, of file: RemoteFile) -> Bool {
        guard file.size <= Block.largestFile,
            file.path.bytes.count <= MapHeader.longestPath
        else { return false }
        let whole = Block.bytes(of: blocks, inFileOf: file.size)
        let missing = stored(file)?.runs(in: blocks, present: false) ?? [blocks]
        var isStored = true
        for run in missing {
            let part = Block.bytes(of: run, inFileOf: file.size)
            let start = Int(part.lowerBound - whole.lowerBound)
            let isRunStored = bytes.withUnsafeBytes { buffer in
                write(
                    UnsafeRawBufferPointer(rebasing: buffer[start..<start + Int(part.count)]),
                    asMissing: run,
                    of: file
                )
            }
            if !isRunStored { noteNotCached(part.count) }
            isStored = isStored && isRunStored
        }
        return isStored
    }

    private func write(
        _ bytes: UnsafeRawBufferPointer,
        asMissing run: Range<Int>,
        of file: RemoteFile
    ) -> Bool {
        let key = VersionKey(file)
        guard makeWay(key, for: file) else { return false }
        let isNew = state.withLock { $0.index.entries[key] == nil }
        // File systems give out pages of 4 KiB.
        let map = isNew ? (MapHeader(file).mapSize + 4_095) / 4_096 * 4_096 : 0
        let reserved = (UInt64(bytes.count) + 4_095) / 4_096 * 4_096 + map
        guard reserve(reserved, for: key) else { return false }
        touched.note(key)
        while true {
            do {
                try target(file).publish(bytes, at: run, by: direct.value)
                succeeded(key, reserved)
                return true
            } catch {
                if error.isOutOfSpace, let victim = anyVictim(sparing: key) {
                    evict(victim)
                    continue
                }
                failed(key, reserved, error)
                return false
            }
        }
    }

    /// The version to write to, made when it is not there.
    private func target(_ file: RemoteFile) throws(SystemError) -> StoredFile {
        if let stored = stored(file) { return stored }
        do {
            let made = try StoredFile(creating: file, in: directory)
            let isKept = state.withLock { state in
                state.install(made)
                return state.index.entries[made.key]?.isKept ?? false
            }
            if isKept { directory.setKept(true, of: made.key) }
            return made
        } catch {
            directory.remove(VersionKey(file))
            throw error
        }
    }

    /// Removes what stands under the key when it belongs to another remote file, or to nobody.
    ///
    /// - Returns: Whether the key may be written to. Not, when the disk does not let us look.
    private func makeWay(_ key: VersionKey, for file: RemoteFile) -> Bool {
        let isThere = state.withLock { $0.index.entries[key] != nil }
        guard isThere, stored(file) == nil else { return true }
        do {
            if try StoredFile(opening: key, in: directory)?.file == file { return true }
            log.warning("removed a foreign stored file", metadata: ["key": "\(key.name)"])
        } catch {
            guard error.isMissingFile else { return false }
        }
        remove(key)
        return true
    }

    private func succeeded(_ key: VersionKey, _ reserved: UInt64) {
        state.withLock { state in
            state.index.written(reserved)
            state.uncommitted[key, default: 0] += reserved
            state.uncommittedBytes += reserved
            state.isWriteFailing = false
        }
        scheduleCommit(written: reserved)
    }

    private func failed(_ key: VersionKey, _ reserved: UInt64, _ error: SystemError) {
        state.withLock { $0.index.written(reserved) }
        measure(key, covers: reserved)
        let isFirst = state.withLock { state in
            defer { state.isWriteFailing = true }
            return !state.isWriteFailing
        }
        guard isFirst else { return }
        log.error("cannot write to the cache; serving without it", metadata: ["cause": "\(error)"])
    }

    private func noteNotCached(_ bytes: UInt64) {
        state.withLock { $0.statistics.bytesNotCached += bytes }
    }

    // MARK: Space

    private func reserve(_ bytes: UInt64, for key: VersionKey) -> Bool {
        while true {
            let space = environment.space.map { $0() } ?? directory.freeSpace()
            let now = environment.now()
            let decision = state.withLock {
                $0.index.reserve(bytes, for: key, space: space, at: now)
            }
            switch decision {
            case .granted: return true
            case .refused: return false
            case .evict(let victim): evict(victim)
            }
        }
    }

    private func anyVictim(sparing key: VersionKey) -> StoreIndex.Victim? {
        state.withLock { $0.index.victim(sparing: key) }
    }

    /// Sets new limits, and evicts down to them as far as files in use and kept ones allow.
    ///
    /// May be called anywhere. Blocking.
    public func setLimits(_ limits: CacheLimits) {
        writer.sync {
            let space = environment.space.map { $0() } ?? directory.freeSpace()
            state.withLock { state in
                state.index.rules = SpaceRules(limits, used: state.index.total, space: space)
            }
            while let victim = victimAboveLimit() { evict(victim) }
        }
    }

    private func victimAboveLimit() -> StoreIndex.Victim? {
        state.withLock { state in
            guard state.index.total > state.index.rules.maxBytes else { return nil }
            return state.index.victim(sparing: nil)
        }
    }

    private func evict(_ victim: StoreIndex.Victim) {
        let key = victim.key
        let trimsNothing = state.withLock { state in
            state.statistics.evictions += 1
            return state.trimsNothing
        }
        guard victim.keepsHeadAndTail, !trimsNothing, let stored = load(key) else {
            remove(key)
            return
        }
        let middle = stored.dropMiddle()
        do {
            // The map first: a crash in between leaves bytes that nobody refers to.
            if let error = committer.sync(execute: { commitError(stored) }) { throw error }
            if !middle.isEmpty { try stored.data.opened().punch(middle) }
            state.withLock { $0.index.trimmed(key) }
            measure(key, covers: 0)
        } catch {
            // File systems without holes; or a disk so full that the map cannot be written.
            remove(key)
        }
    }

    // Swift 6.3.1 crashes on a closure with a typed throw that is passed to Dispatch.
    func commitError(_ stored: StoredFile) -> SystemError? {
        touched.note(stored.key)
        // Writing the map sets its time to now, which is not when it was read.
        defer { keepLastRead(of: stored.key) }
        do {
            try stored.commit()
            return nil
        } catch {
            return error
        }
    }

    /// Removes a version from the disk.
    ///
    /// Readers in the middle of it keep their descriptors.
    func remove(_ key: VersionKey) {
        direct.value.letGo()
        touched.note(key)
        directory.remove(key)
        state.withLock { state in
            state.index.removed(key)
            state.unload(key)
            state.uncommittedBytes -= state.uncommitted.removeValue(forKey: key) ?? 0
            state.proven.remove(key)
            state.readSinceNoted.remove(key)
        }
        whenRemoving.withLock { $0 }?()
    }

    /// May be called on either queue.
    func measure(_ key: VersionKey, covers bytes: UInt64) {
        let allocated =
            (FileStatus(at: directory.data(key))?.allocated ?? 0)
            + (FileStatus(at: directory.map(key))?.allocated ?? 0)
        state.withLock { $0.index.measured(key, allocated: allocated, covers: bytes) }
    }
}
