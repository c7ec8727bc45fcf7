import Glibc
import Logging
import Primitives
import Synchronization

/// Makes the channel of a connection, on the connection's own thread.
typealias ChannelMaker = @Sendable (BoundedWait) throws(ConnectionError) -> any ByteChannel

/// What a connection tells while it works; read from any thread at any time.
final class ConnectionMeter: Sendable {
    /// Bytes of SFTP packets, headers included.
    let bytesReceived = Atomic<UInt64>(0)
    /// Bytes asked for and not delivered, small requests counted as ``smallRequest``.
    let load = Atomic<Int>(0)
    /// 0 until measured.
    let roundTripNanoseconds = Atomic<Int64>(0)
    let openFiles = Mutex<Set<RemoteFile>>([])
    /// Bytes that fill the way to the server and back; 0 until ready.
    let window = Atomic<Int>(0)
    /// Bytes that were on the way at the highest rate of late; 0 until measured.
    let held = Atomic<Int>(0)
    /// Whether it is one more session on a connection that another made.
    let isShared = Atomic<Bool>(false)

    static let smallRequest = 4096

    func measured(_ roundTrip: Duration) {
        let old = roundTripNanoseconds.load(ordering: .relaxed)
        let new = roundTrip.nanoseconds
        // The smoothing of RFC 6298 §2.
        roundTripNanoseconds.store(old == 0 ? new : (7 * old + new) / 8, ordering: .relaxed)
    }
}

/// One SFTP connection and the thread that it lives on.
///
/// Any task may ask; the thread alone touches channel and engine. When the connection ends,
/// everything outstanding fails with the same error, later requests fail at once, and the
/// object is of no more use.
final class SFTPConnection: Sendable {
    private struct Inbox {
        var commands: [Command] = []
        var isClosing = false
        var failure: ConnectionError?
    }

    let meter = ConnectionMeter()
    private let label: String
    private let limits: RemoteAccount.TimeLimits
    private let handleLimit: Int
    private let makeChannel: ChannelMaker
    private let wake: EventDescriptor
    private let inbox = Mutex(Inbox())
    private let ready = Pending<Void>()
    private let over = Pending<ConnectionError>()

    /// - Parameters:
    ///   - label: The server, for messages.
    ///   - limits: The longest waits.
    ///   - handleLimit: Files kept open for the next read.
    ///   - makeChannel: Called once, by ``open()``.
    /// - Throws: ``ConnectionError`` `.closed` when there are no descriptors left.
    init(
        label: String,
        limits: RemoteAccount.TimeLimits,
        handleLimit: Int,
        makeChannel: @escaping ChannelMaker
    ) throws(ConnectionError) {
        self.label = label
        self.limits = limits
        self.handleLimit = handleLimit
        self.makeChannel = makeChannel
        wake = try EventDescriptor()
    }

    /// Connects, logs in and agrees on the protocol; only once.
    ///
    /// ``close()`` makes it fail at once.
    func open() async throws(ConnectionError) {
        do {
            try OwnThread.start { self.run() }
        } catch {
            over.finish(.success(error))
            throw error
        }
        do {
            try await ready.value()
        } catch {
            switch error {
            case .connection(let error): throw error
            case .cancelled:
                close()
                throw ConnectionError(.closed, "connecting to '\(label)' was cancelled")
            }
        }
    }

    /// Waits until the thread has ended and everything it held is freed; for one task only.
    func ended() async -> ConnectionError {
        do {
            return try await over.value()
        } catch {
            return ConnectionError(.closed, "cancelled")
        }
    }

    /// Why it is of no more use; nil while it is.
    var failure: ConnectionError? { inbox.withLock { $0.failure } }

    /// Asks the thread to end.
    ///
    /// Returns at once.
    func close() {
        inbox.withLock { $0.isClosing = true }
        wake.signal()
    }

    // MARK: Requests

    /// Sends `requests` together and returns their replies in the same order.
    func replies(to requests: [SFTPRequest]) async throws(RequestFailure) -> [SFTPReply] {
        let pending = Pending<[SFTPReply]>()
        let load = requests.count * ConnectionMeter.smallRequest
        meter.load.add(load, ordering: .relaxed)
        defer { meter.load.subtract(load, ordering: .relaxed) }
        submit(.batch(requests, pending))
        return try await pending.value()
    }

    func reply(to request: SFTPRequest) async throws(RequestFailure) -> SFTPReply {
        try await replies(to: [request])[0]
    }

    func read(
        _ range: ByteRange,
        of file: RemoteFile,
        priority: ReadPriority
    ) async throws(RequestFailure) -> ReadOutcome {
        let pending = Pending<ReadOutcome>()
        let load = Int(range.count) + ConnectionMeter.smallRequest
        meter.load.add(load, ordering: .relaxed)
        defer { meter.load.subtract(load, ordering: .relaxed) }
        submit(.read(range, of: file, priority, pending))
        return try await pending.value()
    }

    /// Opens `file` for the read that may come.
    func expect(_ file: RemoteFile) {
        submit(.read(ByteRange(0, 0), of: file, .prefetch, Pending()))
    }

    /// Gives a handle back without waiting for the answer.
    func discard(handle: [UInt8]) {
        submit(.batch([.close(handle: handle)], Pending()))
    }

    private func submit(_ command: Command) {
        let (failure, isFirst): (ConnectionError?, Bool) = inbox.withLock { inbox in
            guard inbox.failure == nil else { return (inbox.failure, false) }
            inbox.commands.append(command)
            return (nil, inbox.commands.count == 1)
        }
        if let failure { command.fail(failure) }
        if isFirst { wake.signal() }
    }

    // MARK: The thread

    private func run() {
        var engine: SFTPEngine?
        let failure: ConnectionError
        do throws(ConnectionError) {
            let wait = BoundedWait(
                interrupt: wake,
                deadline: .now + limits.connect,
                purpose: "connect to '\(label)'"
            )
            let channel = try makeChannel(wait)
            defer { channel.close() }
            meter.isShared.store(channel.isShared, ordering: .relaxed)
            var loop = ConnectionLoop(
                channel: channel,
                engine: SFTPEngine(
                    outstandingLimit: channel.outstandingLimit,
                    handleLimit: handleLimit
                ),
                label: label,
                limits: limits,
                meter: meter
            )
            failure = drive(&loop)
            engine = loop.engine
        } catch {
            failure = error
        }
        let unheard = inbox.withLock { inbox in
            inbox.failure = failure
            defer { inbox.commands = [] }
            return inbox.commands
        }
        for command in unheard { command.fail(failure) }
        engine?.ended(failure)
        ready.finish(.failure(.connection(failure)))
        over.finish(.success(failure))
    }

    private func drive(_ loop: inout ConnectionLoop) -> ConnectionError {
        var isReady = false
        do throws(ConnectionError) {
            while true {
                let (commands, isClosing) = inbox.withLock { inbox in
                    defer { inbox.commands.removeAll(keepingCapacity: true) }
                    return (inbox.commands, inbox.isClosing)
                }
                if isClosing {
                    for command in commands { loop.engine.submitted(command) }
                    throw ConnectionError(.closed, "the connection to '\(label)' was closed by us")
                }
                try loop.turn(commands, wake)
                if !isReady, loop.engine.phase != .version {
                    isReady = true
                    ready.finish(.success(()))
                }
            }
        } catch {
            return error
        }
    }
}
