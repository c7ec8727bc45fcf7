import Glibc

/// The thread of one connection: it connects, then carries bytes between socket and session.
///
/// It waits in `poll` only, and is woken for every new exchange and every cancellation; deadlines
/// of exchanges hold while it looks a name up, connects and shakes hands, too.
struct HTTP2Loop {
    /// Bytes moved by one call to the kernel.
    private static let portion = 64 << 10
    /// Portions read before something else has its turn.
    private static let portionsInTurn = 16

    private let connection: HTTP2Connection
    let connectDeadline: ContinuousClock.Instant
    private var lastHeard = ContinuousClock.now
    private var outbox: [UInt8] = []
    private var outboxSent = 0
    private var inbox = [UInt8](repeating: 0, count: Self.portion)

    var server: MilvusServer { connection.server }

    init(_ connection: HTTP2Connection) {
        self.connection = connection
        connectDeadline = .now + connection.server.connectTimeout
    }

    /// Returns when the connection has ended and everybody who waits knows.
    mutating func run() {
        do throws(MilvusError) {
            let session = try HTTP2Session()
            let reason = work(session)
            // First, so that who wakes up from a failed call finds a new connection.
            connection.retire()
            session.settleAll(reason)
            connection.end(reason)
        } catch {
            connection.end(error)
        }
    }

    /// - Returns: Why it ended.
    private mutating func work(_ session: HTTP2Session) -> MilvusError {
        do throws(MilvusError) {
            let channel = try connect(session)
            return serve(session, channel)
        } catch {
            return error
        }
    }

    private mutating func serve(
        _ session: HTTP2Session,
        _ channel: any ByteChannel
    ) -> MilvusError {
        let name = server.authority
        lastHeard = .now
        do throws(MilvusError) {
            while !session.isOver {
                try turn(session, channel)
            }
        } catch {
            guard error.code == .unavailable, session.complaint == nil else {
                return session.complaint.map(stranger) ?? error
            }
            let hint = session.isGreeted ? "" : " before its first word; it may want TLS"
            return MilvusError(.unavailable, "'\(name)' is gone\(hint)", cause: error)
        }
        guard session.isGoingAway else { return stranger(session.complaint ?? "no reason") }
        return MilvusError(.unavailable, "'\(name)' closed the connection")
    }

    private func stranger(_ complaint: String) -> MilvusError {
        let words = "'\(server.authority)' breaks the rules of HTTP/2; it may be another service"
        return MilvusError(.malformed, "\(words) (\(complaint))")
    }

    private mutating func turn(
        _ session: HTTP2Session,
        _ channel: any ByteChannel
    ) throws(MilvusError) {
        try tend(session)
        let blocked = try flush(session, channel)
        if session.isGoingAway { connection.retire() }
        // What was written may have been our goodbye; nothing would wake us then.
        guard !session.isOver else { return }
        // One that we outlived was about a single stream.
        session.complaint = nil
        if session.streams.isEmpty, !connection.takesExchanges {
            throw MilvusError(.unavailable, "another connection is used")
        }
        guard session.isGreeted || .now < connectDeadline else {
            let limit = server.connectTimeout
            let silence = "'\(server.authority)' took the connection and said nothing in \(limit)"
            throw MilvusError(.unavailable, silence)
        }
        let limit = session.isGreeted ? nil : connectDeadline
        let now = channel.hasPending ? ContinuousClock.now : limit
        let ready = try poll(session, channel.descriptor, Int16(POLLIN) | blocked, until: now)
        if ready != 0 || channel.hasPending { try receive(session, channel) }
    }

    /// - Returns: What to poll for before the rest can be written; 0 when all is.
    private mutating func flush(
        _ session: HTTP2Session,
        _ channel: any ByteChannel
    ) throws(MilvusError) -> Int16 {
        while true {
            if outboxSent == outbox.count {
                outbox.removeAll(keepingCapacity: true)
                outboxSent = 0
                session.takeOutgoing(&outbox, goal: Self.portion)
                guard !outbox.isEmpty else { return 0 }
            }
            let written = try outbox.withUnsafeBytes { bytes in
                let rest = UnsafeRawBufferPointer(rebasing: bytes[outboxSent...])
                return Result { () throws(MilvusError) in try channel.write(rest) }
            }.get()
            guard case .bytes(let count) = written else { return channel.awaited }
            outboxSent += count
        }
    }

    private mutating func receive(
        _ session: HTTP2Session,
        _ channel: any ByteChannel
    ) throws(MilvusError) {
        for _ in 0..<Self.portionsInTurn {
            let read = try inbox.withUnsafeMutableBytes { buffer in
                Result { () throws(MilvusError) in try channel.read(into: buffer) }
            }.get()
            switch read {
            case .waits: return
            case .ended: throw MilvusError(.unavailable, "it closed the connection")
            case .bytes(let count):
                lastHeard = .now
                try inbox.withUnsafeBytes { bytes in
                    let new = UnsafeRawBufferPointer(rebasing: bytes[..<count])
                    return Result { () throws(MilvusError) in try session.received(new) }
                }.get()
                guard !session.isOver else { return }
            }
        }
    }

    /// Begins what arrived, and ends what was given up or is late.
    func tend(_ session: HTTP2Session) throws(MilvusError) {
        for exchange in try connection.takeArrived() { session.begin(exchange) }
        let now = ContinuousClock.now
        for (id, stream) in session.streams {
            let exchange = stream.exchange
            if exchange.isCancelled {
                let error = MilvusError(.cancelled, "the task was cancelled")
                session.settle(id, .failed(error), resets: true)
            } else if exchange.deadline <= now {
                // It may hang for ever on a connection whose other end is gone; the next call
                // finds out with a new one. Others may wait for a slow answer on this one.
                if lastHeard < exchange.begun { connection.retire() }
                let limit = exchange.deadline - exchange.begun
                let error = MilvusError(
                    .timedOut,
                    "no answer from '\(server.authority)' in \(limit)"
                )
                session.settle(id, .failed(error), resets: true)
            }
        }
    }

    /// Waits for `events` of `descriptor`, for something to look at, or for a deadline.
    ///
    /// - Returns: The events that came, 0 for none.
    func poll(
        _ session: HTTP2Session,
        _ descriptor: Int32,
        _ events: Int16,
        until limit: ContinuousClock.Instant?
    ) throws(MilvusError) -> Int16 {
        let deadline = [limit, session.earliestDeadline].compactMap { $0 }.min()
        let time = deadline.map { ($0 - .now).pollMilliseconds } ?? -1
        var both = [
            pollfd(fd: descriptor, events: events, revents: 0),
            pollfd(fd: connection.wake.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        let count = Glibc.poll(&both, 2, time)
        guard count >= 0 || errno == EINTR else {
            throw MilvusError(.unavailable, "poll failed", cause: SystemError())
        }
        if both[1].revents != 0 { connection.wake.clear() }
        return both[0].revents
    }
}
