import Synchronization

/// Unary gRPC calls to one server, over one connection that is made anew when it is lost.
///
/// Source: "gRPC over HTTP2", doc/PROTOCOL-HTTP2.md of the gRPC project.
final class GRPCChannel: Sendable {
    private struct State {
        /// The last is in use; on others calls may still be under way.
        var connections: [HTTP2Connection] = []
        var isClosed = false
    }

    private let server: MilvusServer
    private let state = Mutex(State())

    init(_ server: MilvusServer) {
        self.server = server
    }

    deinit {
        for connection in state.withLock({ $0.connections }) { connection.stop() }
    }

    /// Makes one call; any number may be under way.
    ///
    /// - Parameters:
    ///   - path: `/package.Service/Method`.
    ///   - message: Encoded.
    /// - Returns: The answer's message, encoded.
    /// - Throws: ``MilvusError``.
    func call(_ path: String, _ message: [UInt8]) async throws(MilvusError) -> ArraySlice<UInt8> {
        let deadline = ContinuousClock.now + server.callTimeout
        var isRepeated = false
        while true {
            let exchange = HTTP2Exchange(
                request(path, message, deadline),
                deadline: deadline,
                mostBytes: server.mostAnswerBytes + GRPCFrame.prefixBytes
            )
            let connection = try connection()
            switch await connection.perform(exchange) {
            case .answered(let answer):
                return try GRPCFrame.message(in: answer, mostBytes: server.mostAnswerBytes)
            case .failed(let error):
                throw error
            case .refused(let error):
                guard !isRepeated else { throw error }
                isRepeated = true
                // Its thread may not yet have said that the server is leaving.
                connection.retire()
            }
        }
    }

    /// Ends every connection; what is under way and every later call fail with `.cancelled`.
    func close() async {
        let connections = state.withLock { state in
            state.isClosed = true
            return state.connections
        }
        for connection in connections { connection.stop() }
        for connection in connections { await connection.waitForEnd() }
    }

    /// The connection in use, or a new one.
    private func connection() throws(MilvusError) -> HTTP2Connection {
        if let known = state.withLock({ $0.connections.last }), known.takesExchanges {
            return known
        }
        let fresh = try HTTP2Connection(server)
        // Another call may have made one meanwhile; then ours, not yet started, is dropped.
        let chosen: HTTP2Connection? = state.withLock { state in
            guard !state.isClosed else { return nil }
            if let last = state.connections.last, last.takesExchanges { return last }
            state.connections.removeAll(where: \.hasEnded)
            state.connections.append(fresh)
            return fresh
        }
        guard let chosen else { throw MilvusError(.cancelled, "the client was closed") }
        if chosen === fresh { fresh.start() }
        return chosen
    }

    private func request(
        _ path: String,
        _ message: [UInt8],
        _ deadline: ContinuousClock.Instant
    ) -> HTTP2Request {
        var isSecure = false
        if case .tls = server.transport { isSecure = true }
        let left = max(1, Int((deadline - .now) / .milliseconds(1)))
        var headers = [
            (name: ":method", value: "POST"),
            (":scheme", isSecure ? "https" : "http"),
            (":path", path),
            (":authority", server.authority),
            ("te", "trailers"),
            // At most eight digits.
            ("grpc-timeout", "\(min(left, 99_999_999))m"),
            ("content-type", "application/grpc+proto"),
            ("user-agent", "Sync2NAS"),
        ]
        if let secret = server.authorization { headers.append(("authorization", secret)) }
        return HTTP2Request(headers: headers, body: GRPCFrame.framed(message))
    }
}
