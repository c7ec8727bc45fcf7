import CSystem
import Foundation
import Glibc
import Logging
import Primitives
import Synchronization

/// One connection to the seedbox, with a thread of its own that alone touches the channel.
///
/// Requests of any number of tasks are under way at once and are answered in any order.
final class SFTPConnection: Sendable {
    enum Work: Sendable {
        case simple(SimpleOperation)
        case read(ReadOperation)
        case cancelled(ReadOperation)
    }

    struct Inbox: Sendable {
        var work: [Work] = []
        var isClosing = false
        /// Set once, when the thread has ended.
        var end: ConnectionError?
    }

    let inbox = Mutex(Inbox())
    /// Wakes the thread out of `poll`.
    let wakeup: Int32
    /// Bytes asked for and not here yet: what a new request would have to wait behind.
    let load = Atomic(0)
    let bytesReceived = Atomic<UInt64>(0)
    /// A moving average, microseconds; 0 before the first measurement.
    let roundTripMicroseconds = Atomic(0)
    private let transportName = Mutex("")

    private init() {
        wakeup = sync2nas_eventfd()
    }

    deinit { close(wakeup) }

    /// Connects, logs in and exchanges versions.
    ///
    /// - Parameters:
    ///   - opener: Makes the channel, on the new thread.
    ///   - replyTimeout: How long the server may be silent while an answer is due.
    ///   - log: Where the end of the connection is told.
    /// - Returns: A connection that can be used.
    /// - Throws: ``ConnectionError``; nothing is left open then.
    static func open(
        _ opener: any ChannelOpening,
        replyTimeout: Duration,
        log: Logger
    ) async throws(ConnectionError) -> SFTPConnection {
        let connection = SFTPConnection()
        let ready = Promise<Void>()
        let thread = Thread {
            connection.run(opener, replyTimeout: replyTimeout, ready: ready, log: log)
        }
        thread.name = "sftp"
        thread.start()
        switch await ready.result() {
        case .success: return connection
        case .failure(.connection(let error)): throw error
        case .failure: throw ConnectionError(.closed, "the connection was given up")
        }
    }

    var transport: String { transportName.withLock { $0 } }

    /// Why the connection ended; nil while it can be used.
    var endReason: ConnectionError? { inbox.withLock { $0.end } }

    /// Sends one request.
    ///
    /// - Throws: ``OperationFailure``.
    func send(_ request: SFTPRequest) async throws(OperationFailure) -> SFTPReply {
        let operation = SimpleOperation(request)
        submit(.simple(operation))
        return try await withTaskCancellationHandler {
            await operation.promise.result()
        } onCancel: {
            operation.promise.fulfil(.failure(.cancelled))
        }.get()
    }

    /// Reads a range; opens the file when this connection has not yet.
    ///
    /// - Throws: ``OperationFailure``.
    func read(
        _ range: ByteRange,
        of file: RemoteFile
    ) async throws(OperationFailure) -> [UInt8] {
        let operation = ReadOperation(range, of: file)
        submit(.read(operation))
        return try await withTaskCancellationHandler {
            await operation.promise.result()
        } onCancel: {
            operation.isCancelled.store(true, ordering: .relaxed)
            operation.promise.fulfil(.failure(.cancelled))
            submit(.cancelled(operation))
        }.get()
    }

    /// Ends the connection; what is under way fails.
    func shutDown() {
        inbox.withLock { $0.isClosing = true }
        wake()
    }

    private func submit(_ work: Work) {
        let end = inbox.withLock { inbox in
            if inbox.end == nil { inbox.work.append(work) }
            return inbox.end
        }
        if let end {
            Self.fail(work, .connection(end))
        } else {
            wake()
        }
    }

    static func fail(_ work: Work, _ failure: OperationFailure) {
        switch work {
        case .simple(let operation): operation.promise.fulfil(.failure(failure))
        case .read(let operation): operation.promise.fulfil(.failure(failure))
        case .cancelled: break
        }
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(wakeup, &one, 8)
    }

    private func run(
        _ opener: any ChannelOpening,
        replyTimeout: Duration,
        ready: Promise<Void>,
        log: Logger
    ) {
        let channel: any ByteChannel
        do throws(ConnectionError) {
            channel = try opener.open()
        } catch {
            finish(error)
            ready.fulfil(.failure(.connection(error)))
            return
        }
        transportName.withLock { $0 = channel.name }
        let loop = ConnectionLoop(self, channel, replyTimeout: replyTimeout)
        do throws(ConnectionError) {
            try loop.start()
            ready.fulfil(.success(()))
            try loop.serve()
        } catch {
            finish(error)
            loop.failAll(error)
            ready.fulfil(.failure(.connection(error)))
            if error.code == .protocolViolation {
                log.warning("gave up a connection: \(error)")
            } else {
                log.debug("a connection ended: \(error)")
            }
        }
        channel.close()
    }

    private func finish(_ error: ConnectionError) {
        let left = inbox.withLock { inbox in
            inbox.end = error
            defer { inbox.work = [] }
            return inbox.work
        }
        for work in left { Self.fail(work, .connection(error)) }
        load.store(0, ordering: .relaxed)
    }
}
