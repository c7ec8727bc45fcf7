import Foundation
import Logging
import Primitives
import Synchronization

/// Publishes written blocks, many in one go: `fdatasync` costs the same for one as for hundreds.
final class Committer: Sendable {
    /// The most work that a power cut may lose.
    private static let interval = 0.2
    private static let mostBytes = 32 << 20

    private struct State {
        var files: [ObjectIdentifier: BlockFile] = [:]
        var bytes = 0
        var isScheduled = false
    }

    private let log: Logger
    private let state = Mutex(State())
    /// One at a time, and never on a thread that readers wait for.
    private let queue = DispatchQueue(label: "sync2nas.cache.commit", qos: .utility)

    init(log: Logger) {
        self.log = log
    }

    func add(_ file: BlockFile, bytes: Int) {
        let (schedule, atOnce) = state.withLock { state in
            state.files[ObjectIdentifier(file)] = file
            state.bytes += bytes
            let atOnce = state.bytes >= Self.mostBytes
            defer { state.isScheduled = true }
            return (!state.isScheduled || atOnce, atOnce)
        }
        guard schedule else { return }
        if atOnce {
            queue.async { self.commit() }
        } else {
            queue.asyncAfter(deadline: .now() + Self.interval) { self.commit() }
        }
    }

    /// Publishes everything before it returns.
    func flush() { queue.sync { commit() } }

    private func commit() {
        let files = state.withLock { state in
            defer { state = State() }
            return state.files.values
        }
        for file in files where !file.publish() {
            log.warning("cannot write the cache's map of '\(file.file.path.printable)'")
        }
    }
}
