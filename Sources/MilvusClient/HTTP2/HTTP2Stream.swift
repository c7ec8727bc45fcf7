import CNGHTTP2

/// What a session keeps of one exchange under way.
final class HTTP2Stream {
    /// Bytes of names and values, all header blocks of an answer together.
    ///
    /// gRPC's own libraries take 8 or 16 KiB unless told otherwise.
    static let mostHeaderBytes = 64 << 10

    let exchange: HTTP2Exchange
    var answer = HTTP2Answer()
    /// What we found wrong ourselves; it explains more than the error code of the reset.
    var failure: MilvusError?
    private var bodyBytesSent = 0
    private var headerBytes = 0

    init(_ exchange: HTTP2Exchange) {
        self.exchange = exchange
    }

    var isSentWhole: Bool { bodyBytesSent == exchange.request.body.count }

    /// Copies the next bytes of the request's body.
    ///
    /// - Returns: How many.
    func readBody(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let body = exchange.request.body
        let count = min(buffer.count, body.count - bodyBytesSent)
        buffer.copyBytes(from: body[bodyBytesSent..<bodyBytesSent + count])
        bodyBytesSent += count
        return count
    }

    /// - Returns: Whether it is within the limit; if not, `failure` says so.
    func received(header name: String, _ value: String) -> Bool {
        headerBytes += name.utf8.count + value.utf8.count
        guard headerBytes <= Self.mostHeaderBytes else {
            let limit = "its headers are longer than \(Self.mostHeaderBytes) bytes"
            failure = failure ?? MilvusError(.malformed, limit)
            return false
        }
        answer.headers[name] = value
        return true
    }

    /// - Returns: Whether it is within the limit; if not, `failure` says so.
    func received(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard answer.body.count + bytes.count <= exchange.mostBytes else {
            let limit = "its answer is longer than \(exchange.mostBytes) bytes"
            failure = failure ?? MilvusError(.malformed, limit)
            return false
        }
        answer.body.append(contentsOf: bytes)
        return true
    }

    /// What the end of the stream means.
    ///
    /// - Parameter errorCode: Of RFC 9113, section 7.
    /// - Returns: A failure, as an answer that came whole is settled before the end.
    func outcome(_ errorCode: UInt32) -> HTTP2Exchange.Outcome {
        if let failure { return .failed(failure) }
        let word = String(cString: nghttp2_http2_strerror(errorCode))
        let error = MilvusError(.unavailable, "the server broke the call off (\(word))")
        // Only sent for a request that was not looked at (RFC 9113, section 8.7).
        return errorCode == NGHTTP2_REFUSED_STREAM.rawValue ? .refused(error) : .failed(error)
    }
}
