import Catalogue
import Foundation
import Glibc
import Synchronization

/// Hears by LISTEN and NOTIFY when anybody commits, on a connection and a thread of its own.
///
/// It begins with the first that waits. While there is no connection it tells those who wait,
/// now and then, to look for themselves.
final class PostgresListener: Sendable {
    static let channel = "sync2nas_catalogue"

    private struct State {
        var waiting: [Int: AsyncStream<Void>.Continuation] = [:]
        var next = 0
        var isRunning = false
        var isStopped = false
    }

    /// So often those who wait look for themselves, in case a notification got lost.
    private static let longestWait: Int32 = 5_000
    private static let slice: Int32 = 250
    /// Between two tries to connect; the thread is the listener's own.
    private static let pauseMicroseconds: UInt32 = 1_000_000

    private let settings: PostgresSettings
    private let state = Mutex(State())

    init(_ settings: PostgresSettings) {
        self.settings = settings
    }

    /// Tells of commits from now on, some of them perhaps our own, and ends when the task is
    /// cancelled.
    func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(
            bufferingPolicy: .bufferingNewest(1)
        )
        let (number, isFirst) = state.withLock { state in
            state.next += 1
            state.waiting[state.next] = continuation
            defer { state.isRunning = true }
            return (state.next, !state.isRunning)
        }
        continuation.onTermination = { [weak self] _ in
            _ = self?.state.withLock { $0.waiting.removeValue(forKey: number) }
        }
        if isFirst { Thread.detachNewThread { self.listen() } }
        return stream
    }

    func stop() {
        let waiting = state.withLock { state in
            state.isStopped = true
            return Array(state.waiting.values)
        }
        for continuation in waiting { continuation.finish() }
    }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    private func tell() {
        for continuation in state.withLock({ Array($0.waiting.values) }) { continuation.yield() }
    }

    private func listen() {
        while !isStopped {
            do throws(CatalogueError) {
                let connection = try PostgresConnection(settings)
                try connection.run("LISTEN \(Self.channel)")
                tell()
                try listen(on: connection)
            } catch {
                // Those who wait find out by themselves what is wrong.
                tell()
                usleep(Self.pauseMicroseconds)
            }
        }
    }

    private func listen(on connection: PostgresConnection) throws(CatalogueError) {
        var silent: Int32 = 0
        while !isStopped {
            var wanted = pollfd(fd: connection.socket, events: Int16(POLLIN), revents: 0)
            let isReady = poll(&wanted, 1, Self.slice) > 0
            if isReady, try connection.takeNotifications() { tell() }
            silent = isReady ? 0 : silent + Self.slice
            if silent >= Self.longestWait {
                silent = 0
                tell()
            }
        }
    }
}
