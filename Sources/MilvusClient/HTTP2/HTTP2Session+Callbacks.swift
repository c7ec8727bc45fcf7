import CNGHTTP2

/// What nghttp2 tells, and where it goes.
extension HTTP2Session {
    private static func from(_ context: UnsafeMutableRawPointer?) -> HTTP2Session? {
        context.map { Unmanaged<HTTP2Session>.fromOpaque($0).takeUnretainedValue() }
    }

    static func setCallbacks(_ callbacks: OpaquePointer?) {
        setContentCallbacks(callbacks)
        setEndCallbacks(callbacks)
    }

    private static func setContentCallbacks(_ callbacks: OpaquePointer?) {
        nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _,
            frame,
            name,
            nameCount,
            value,
            valueCount,
            _,
            context in
            guard let session = HTTP2Session.from(context), let id = frame?.pointee.hd.stream_id
            else { return NGHTTP2_ERR_CALLBACK_FAILURE.rawValue }
            let name = String(
                decoding: UnsafeBufferPointer(start: name, count: nameCount),
                as: UTF8.self
            )
            let value = UnsafeBufferPointer(start: value, count: valueCount)
            return session.received(id, name, String(decoding: value, as: UTF8.self))
        }
        nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _,
            _,
            id,
            bytes,
            count,
            context in
            HTTP2Session.from(context)?.received(
                id,
                UnsafeRawBufferPointer(start: bytes, count: count)
            )
            return 0
        }
        nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, context in
            if let frame { HTTP2Session.from(context)?.received(frame.pointee) }
            return 0
        }
    }

    private static func setEndCallbacks(_ callbacks: OpaquePointer?) {
        nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) {
            _,
            frame,
            code,
            context in
            let id = frame?.pointee.hd.stream_id ?? 0
            HTTP2Session.from(context)?.receivedInvalid(id, String(cString: nghttp2_strerror(code)))
            return 0
        }
        nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) {
            _,
            id,
            code,
            context in
            HTTP2Session.from(context)?.closed(id, code)
            return 0
        }
        nghttp2_session_callbacks_set_error_callback2(callbacks) { _, _, text, count, context in
            let words = UnsafeRawBufferPointer(start: text, count: count)
            HTTP2Session.from(context)?.complaint = String(decoding: words, as: UTF8.self)
            return 0
        }
    }

    static let readBody: nghttp2_data_source_read_callback = {
        _,
        id,
        buffer,
        size,
        flags,
        _,
        context in
        guard let stream = HTTP2Session.from(context)?.streams[id] else {
            return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        let count = stream.readBody(into: UnsafeMutableRawBufferPointer(start: buffer, count: size))
        if stream.isSentWhole { flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
        return count
    }

    private func received(_ id: Int32, _ name: String, _ value: String) -> Int32 {
        // A stream we gave up may still hear; its headers must be unpacked all the same.
        guard let stream = streams[id], !stream.received(header: name, value) else { return 0 }
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
    }

    private func received(_ id: Int32, _ bytes: UnsafeRawBufferPointer) {
        guard let stream = streams[id], !stream.received(bytes) else { return }
        settle(id, stream.outcome(0), resets: true)
    }

    private func received(_ frame: nghttp2_frame) {
        switch UInt32(frame.hd.type) {
        case NGHTTP2_SETTINGS.rawValue: isGreeted = true
        case NGHTTP2_GOAWAY.rawValue: isGoingAway = true
        default: break
        }
        let isLast = UInt32(frame.hd.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
        let isPart = [NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue].contains(
            UInt32(frame.hd.type)
        )
        guard isPart, isLast, let stream = streams[frame.hd.stream_id] else { return }
        // A server that refuses a long request answers before it has all of it.
        settle(frame.hd.stream_id, .answered(stream.answer), resets: !stream.isSentWhole)
    }

    private func receivedInvalid(_ id: Int32, _ reason: String) {
        guard let stream = streams[id], stream.failure == nil else { return }
        let words = complaint ?? reason
        stream.failure = MilvusError(.malformed, "it breaks the rules of HTTP/2 (\(words))")
    }

    private func closed(_ id: Int32, _ code: UInt32) {
        guard let stream = streams[id] else { return }
        settle(id, stream.outcome(code), resets: false)
    }
}
