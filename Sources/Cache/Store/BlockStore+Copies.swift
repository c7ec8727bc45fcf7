internal import Dispatch
public import Primitives

/// Local files that the kernel reads by itself, where no check can be made.
extension BlockStore {
    /// A complete file no bigger than this is checked while its opener waits: a few milliseconds.
    private static let checkedAtOnce: UInt64 = 8 << 20

    /// Calls `body` with a descriptor of the plain bytes of a complete file, for the kernel to
    /// read itself.
    ///
    /// Nobody checks what is read through it, so there is none before every block was written by
    /// this process or has passed its check: a big file that is not known to be right is checked
    /// in the background, for the next time. The caller has reported ``opened(_:)`` before the
    /// call and reports ``released(_:)`` after the last use: until then nothing is cut out of the
    /// file. The descriptor itself is valid during the call.
    ///
    /// - Parameters:
    ///   - file: The version wanted.
    ///   - body: Called at most once, on the caller's thread.
    /// - Returns: What `body` returned; nil, uncalled, when any block is missing, not yet on the
    ///   disk, or not yet checked.
    public func withCompleteData<Result>(
        of file: RemoteFile,
        _ body: (Int32, LocalCopy) -> Result
    ) -> Result? {
        guard file.size > 0, let stored = stored(file), stored.isDurable else { return nil }
        if !stored.isProven {
            if file.size <= BlockStore.checkedAtOnce {
                _ = verify(file)
            } else {
                checkLater(stored)
            }
        }
        // Before the question whether it is still the one that is stored.
        guard let data = try? stored.data.opened() else { return nil }
        let copy = state.withLock { state in
            state.loaded[stored.key] === stored ? state.completeData(stored) : nil
        }
        return copy.map { copy in withExtendedLifetime(data) { body(data.number, copy) } }
    }

    /// The file that ``withCompleteData(of:_:)`` would give, as far as that is known without the
    /// disk.
    ///
    /// The caller has reported ``opened(_:)`` as well.
    public func completeData(of file: RemoteFile) -> LocalCopy? {
        let key = VersionKey(file)
        return state.withLock { state in
            guard let stored = state.loaded[key], stored.file == file else { return nil }
            return state.completeData(stored)
        }
    }

    private func checkLater(_ stored: StoredFile) {
        let isNew = state.withLock { $0.beingChecked.insert(stored.key).inserted }
        guard isNew else { return }
        checker.async { [self] in
            _ = verify(stored.file)
            state.withLock { _ = $0.beingChecked.remove(stored.key) }
        }
    }

    /// From now on, what is evicted goes as a whole and never in part.
    ///
    /// For a process that took over a mount whose kernel may still read local files of versions
    /// that nobody knows any more: a file that is removed stays whole for those who have it open,
    /// one that is cut does not.
    public func keepOpenCopiesWhole() {
        state.withLock { $0.trimsNothing = true }
    }
}

extension BlockStore.State {
    /// The plain bytes of `stored`, one that is in memory; nil while they may not be lent.
    fileprivate func completeData(_ stored: StoredFile) -> LocalCopy? {
        // An eviction that began before the caller's `opened` would punch holes into what the
        // kernel is about to read, and a hole reads as zeros.
        guard stored.isProven, let entry = index.entries[stored.key], !entry.isBeingEvicted else {
            return nil
        }
        return LocalCopy(number: entry.serial)
    }
}
