import CNGHTTP2

/// The protocol of one HTTP/2 connection without its socket: bytes in, bytes out.
///
/// For one thread. libnghttp2 does the framing, HPACK and flow control; it calls back only from
/// within the methods here.
final class HTTP2Session {
    /// Bytes that a server may send ahead in one answer, and in all together.
    ///
    /// With HTTP/2's own 64 KiB every 64 KiB cost a round trip.
    private static let answerWindow: UInt32 = 4 << 20
    private static let connectionWindow: Int32 = 16 << 20

    private var raw: OpaquePointer?
    private(set) var streams: [Int32: HTTP2Stream] = [:]
    /// Whether the server's SETTINGS came, its first word.
    var isGreeted = false
    /// The server wants no new streams on this connection.
    var isGoingAway = false
    /// What nghttp2 found wrong with the peer's bytes.
    var complaint: String?

    /// - Throws: ``MilvusError`` `.unavailable` when memory is out.
    init() throws(MilvusError) {
        var callbacks: OpaquePointer?
        nghttp2_session_callbacks_new(&callbacks)
        defer { nghttp2_session_callbacks_del(callbacks) }
        Self.setCallbacks(callbacks)
        let context = Unmanaged.passUnretained(self).toOpaque()
        guard nghttp2_session_client_new(&raw, callbacks, context) == 0 else {
            throw MilvusError(.unavailable, "cannot set HTTP/2 up: no memory")
        }
        let settings = [
            (NGHTTP2_SETTINGS_ENABLE_PUSH, 0),
            (NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, Self.answerWindow),
            (NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, UInt32(HTTP2Stream.mostHeaderBytes)),
        ].map { nghttp2_settings_entry(settings_id: Int32($0.rawValue), value: $1) }
        nghttp2_submit_settings(raw, 0, settings, settings.count)
        nghttp2_session_set_local_window_size(raw, 0, 0, Self.connectionWindow)
    }

    deinit {
        nghttp2_session_del(raw)
    }

    /// Nothing can follow, in either direction.
    var isOver: Bool {
        nghttp2_session_want_read(raw) == 0 && nghttp2_session_want_write(raw) == 0
    }

    var earliestDeadline: ContinuousClock.Instant? {
        streams.values.lazy.map(\.exchange.deadline).min()
    }

    /// Queues a request.
    func begin(_ exchange: HTTP2Exchange) {
        var body = nghttp2_data_provider(
            source: nghttp2_data_source(ptr: nil),
            read_callback: Self.readBody
        )
        let id = HeaderPairs(exchange.request.headers).withPairs { pairs in
            nghttp2_submit_request(raw, nil, pairs.baseAddress, pairs.count, &body, nil)
        }
        guard id > 0 else {
            let reason = String(cString: nghttp2_strerror(id))
            return exchange.finish(.refused(MilvusError(.unavailable, reason)))
        }
        streams[id] = HTTP2Stream(exchange)
    }

    /// Takes bytes that the server sent.
    ///
    /// - Throws: ``MilvusError`` `.malformed`; the connection is of no more use.
    func received(_ bytes: UnsafeRawBufferPointer) throws(MilvusError) {
        let start = bytes.bindMemory(to: UInt8.self).baseAddress
        let count = nghttp2_session_mem_recv(raw, start, bytes.count)
        guard count < 0 else { return }
        let reason = complaint ?? String(cString: nghttp2_strerror(Int32(count)))
        throw MilvusError(.malformed, "it breaks the rules of HTTP/2 (\(reason))")
    }

    /// Appends bytes for the server to `outbox` until it has `goal` or there are no more.
    func takeOutgoing(_ outbox: inout [UInt8], goal: Int) {
        while outbox.count < goal {
            var bytes: UnsafePointer<UInt8>?
            let count = nghttp2_session_mem_send(raw, &bytes)
            guard count > 0 else { return }
            outbox.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
        }
    }

    /// Ends a stream whose caller has `outcome`; the server is told unless it has ended it too.
    func settle(_ id: Int32, _ outcome: HTTP2Exchange.Outcome, resets: Bool) {
        guard let stream = streams.removeValue(forKey: id) else { return }
        if resets {
            nghttp2_submit_rst_stream(raw, 0, id, NGHTTP2_CANCEL.rawValue)
        }
        stream.exchange.finish(outcome)
    }

    /// Ends every stream; the session is of no more use.
    func settleAll(_ error: MilvusError) {
        for id in streams.keys { settle(id, .failed(error), resets: false) }
    }
}
