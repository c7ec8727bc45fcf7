import Synchronization

/// One HTTP/2 connection to a server, seen by the tasks that use it.
///
/// Any task may hand over a request; the connection's own thread alone touches the socket, TLS
/// and nghttp2, and never blocks but in `poll`. When the connection ends, every exchange under
/// way fails with the same error, and the object is of no more use.
final class HTTP2Connection: Sendable {
    private struct Inbox {
        var arrived: [HTTP2Exchange] = []
        /// No more exchanges; those under way may end.
        var isRetired = false
        var isStopping = false
        var hasEnded = false
        var endWaiters: [CheckedContinuation<Void, Never>] = []
    }

    let server: MilvusServer
    /// Signalled when there is something for the thread to look at.
    let wake: EventDescriptor
    private let inbox = Mutex(Inbox())

    init(_ server: MilvusServer) throws(MilvusError) {
        self.server = server
        wake = try EventDescriptor()
    }

    /// Connects in the background; exchanges may be handed over before and meanwhile.
    func start() {
        do throws(MilvusError) {
            try OwnThread.start { [self] in
                var loop = HTTP2Loop(self)
                loop.run()
            }
        } catch {
            end(error)
        }
    }

    /// Whether it is worth handing an exchange over.
    var takesExchanges: Bool { inbox.withLock { !$0.isRetired } }

    /// Whether the thread is done.
    var hasEnded: Bool { inbox.withLock { $0.hasEnded } }

    /// Sends the request and waits for the whole answer, until the exchange's deadline.
    ///
    /// On cancellation the stream is reset and the outcome is a failure with `.cancelled`.
    func perform(_ exchange: HTTP2Exchange) async -> HTTP2Exchange.Outcome {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                exchange.setWaiter(continuation)
                let isTaken = inbox.withLock { inbox in
                    guard !inbox.isRetired else { return false }
                    inbox.arrived.append(exchange)
                    return true
                }
                guard isTaken else {
                    let error = MilvusError(.unavailable, "'\(server.authority)' left")
                    return exchange.finish(.refused(error))
                }
                wake.signal()
            }
        } onCancel: {
            exchange.cancel()
            wake.signal()
        }
    }

    /// Takes no more exchanges; the thread ends with the last of those that are under way.
    func retire() {
        let isNew = inbox.withLock { inbox in
            defer { inbox.isRetired = true }
            return !inbox.isRetired
        }
        if isNew { wake.signal() }
    }

    /// Has the thread end; what is under way fails with `.cancelled`.
    func stop() {
        inbox.withLock { $0.isStopping = true }
        wake.signal()
    }

    /// Returns when the thread is done and the socket closed.
    func waitForEnd() async {
        await withCheckedContinuation { continuation in
            let hasEnded = inbox.withLock { inbox in
                if !inbox.hasEnded { inbox.endWaiters.append(continuation) }
                return inbox.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }
}

/// For the thread.
extension HTTP2Connection {
    /// Exchanges handed over since the last call.
    ///
    /// - Throws: ``MilvusError`` `.cancelled` when the thread is to end.
    func takeArrived() throws(MilvusError) -> [HTTP2Exchange] {
        let (arrived, isStopping) = inbox.withLock { inbox in
            defer { if !inbox.isStopping { inbox.arrived = [] } }
            return (inbox.arrived, inbox.isStopping)
        }
        guard !isStopping else { throw MilvusError(.cancelled, "the client was closed") }
        return arrived
    }

    /// The thread's last words.
    func end(_ error: MilvusError) {
        let (arrived, waiters) = inbox.withLock { inbox in
            inbox.isRetired = true
            inbox.hasEnded = true
            defer { (inbox.arrived, inbox.endWaiters) = ([], []) }
            return (inbox.arrived, inbox.endWaiters)
        }
        for exchange in arrived { exchange.finish(.refused(error)) }
        for waiter in waiters { waiter.resume() }
    }
}
