import CFuse3
import Glibc
import Primitives

/// Whether the kernel reads complete files itself, at the speed of the disk.
public enum Passthrough: Equatable, Sendable {
    case on
    /// With the reason, for people.
    case off(String)
}

extension FuseServer {
    /// Finds out whether the kernel takes local files; to be called once the mount answers.
    ///
    /// - Parameter directory: Where the local files are.
    public func probePassthrough(in directory: String) {
        let found = probed(in: directory)
        passthroughState.withLock { $0 = found }
    }

    /// Whether complete files are read by the kernel itself.
    public var passthrough: Passthrough { passthroughState.withLock { $0 } }

    private func probed(in directory: String) -> Passthrough {
        guard options.passthrough else { return .off("switched off by the setting") }
        let granted = sync2nas_fuse_granted()
        guard granted.passthrough else {
            return .off("the kernel does not offer it; it came with Linux 6.9")
        }
        guard granted.direct_io_mmap else {
            return .off("the kernel cannot map uncached files; that came with Linux 6.6")
        }
        var path = Array((directory + "/probe-XXXXXX").utf8CString)
        let descriptor = mkstemp(&path)
        guard descriptor >= 0 else {
            return .off("cannot write to '\(directory)': \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        unlink(path)
        switch register(descriptor) {
        case .success(let backing):
            unregister(backing)
            return .on
        case .failure(let failure): return .off(failure.reason)
        }
    }

    struct RegisterFailure: Error {
        let number: Int32

        var reason: String {
            switch number {
            case EPERM: "it needs root (CAP_SYS_ADMIN)"
            case ELOOP: "the cache directory is on a stacked file system, as a container's own is"
            default: String(cString: strerror(number))
            }
        }
    }

    /// Tells the kernel of a local file that it may read in place of one of ours.
    func register(_ descriptor: Int32) -> Result<Int32, RegisterFailure> {
        guard let session = session.withLock({ $0 })?.raw else {
            return .failure(RegisterFailure(number: ENOTCONN))
        }
        let backing = sync2nas_fuse_backing_open(session, descriptor)
        return backing > 0 ? .success(backing) : .failure(RegisterFailure(number: -backing))
    }

    func unregister(_ backing: Int32) {
        // Under the lock: the session may be ending.
        session.withLock { session in
            if let session { sync2nas_fuse_backing_close(session.raw, backing) }
        }
    }

    /// Unregisters what nobody uses, now.
    func letGoOfIdle() {
        for backing in handles.takeIdle(endedBy: nil).backings { unregister(backing) }
    }

    /// Unregisters what nobody uses, each once its time is over and at most as long again after.
    func letGoLater() {
        let isNew = letsGoLater.withLock { isRunning in
            defer { isRunning = true }
            return !isRunning
        }
        guard isNew else { return }
        Task { [weak self] in
            var hasMore = true
            while hasMore {
                // A timer: nothing happens when a time is over. Not until the next one's end,
                // because one that ends before it may become idle meanwhile.
                try? await Task.sleep(for: OpenModes.idleTime)
                guard let self else { return }
                hasMore = letGoOfEnded()
            }
        }
    }

    private func letGoOfEnded() -> Bool {
        let (backings, hasMore) = letsGoLater.withLock { isRunning in
            let taken = handles.takeIdle(endedBy: .now)
            isRunning = taken.hasMore
            return taken
        }
        for backing in backings { unregister(backing) }
        return hasMore
    }
}
