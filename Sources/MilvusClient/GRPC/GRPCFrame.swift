import Foundation

/// How gRPC puts one message into a body, and what the headers around it mean.
enum GRPCFrame {
    /// One byte for compression, four for the length, big-endian.
    static let prefixBytes = 5

    static func framed(_ message: [UInt8]) -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(prefixBytes + message.count)
        body.append(0)
        withUnsafeBytes(of: UInt32(message.count).bigEndian) { body.append(contentsOf: $0) }
        return body + message
    }

    /// The one message of a unary call's answer.
    ///
    /// - Throws: ``MilvusError`` for a status other than OK; `.malformed` for what is no gRPC.
    static func message(
        in answer: HTTP2Answer,
        mostBytes: Int
    ) throws(MilvusError) -> ArraySlice<UInt8> {
        try checkHTTP(answer)
        try checkStatus(answer)
        let body = answer.body
        guard body.count >= prefixBytes else {
            throw MilvusError(.malformed, "the answer has no message (\(body.count) bytes)")
        }
        guard body[0] == 0 else {
            throw MilvusError(.malformed, "the answer is compressed, which was not asked for")
        }
        let length = body[1..<prefixBytes].reduce(0) { $0 << 8 | Int($1) }
        guard length == body.count - prefixBytes else {
            let there = body.count - prefixBytes
            throw MilvusError(.malformed, "the answer announces \(length) bytes and has \(there)")
        }
        return body[prefixBytes...]
    }

    /// A proxy, or a server that is no gRPC server, answers in plain HTTP.
    private static func checkHTTP(_ answer: HTTP2Answer) throws(MilvusError) {
        let status = answer.headers[":status"] ?? ""
        let isGRPC = answer.headers["content-type"]?.hasPrefix("application/grpc") ?? false
        guard status != "200" || !isGRPC else { return }
        let code: MilvusError.Code =
            switch status {
            case "401", "403": .unauthorised
            case "429", "502", "503", "504": .unavailable
            default: .malformed
            }
        let type = answer.headers["content-type"] ?? "nothing"
        throw MilvusError(
            code,
            "no gRPC server: HTTP status \(status.prefix(3)), \(type.prefix(50))"
        )
    }

    private static func checkStatus(_ answer: HTTP2Answer) throws(MilvusError) {
        guard let text = answer.headers["grpc-status"], let number = Int(text) else {
            throw MilvusError(.malformed, "the answer ends without a gRPC status")
        }
        guard number != 0 else { return }
        let raw = answer.headers["grpc-message"] ?? ""
        let words = (raw.removingPercentEncoding ?? raw).prefix(500)
        throw MilvusError(code(number), "the server says '\(words)' (gRPC status \(number))")
    }

    /// Numbers of doc/statuscodes.md of the gRPC project.
    private static func code(_ number: Int) -> MilvusError.Code {
        switch number {
        // CANCELLED by the server, ABORTED, UNAVAILABLE.
        case 1, 10, 14: .unavailable
        case 4: .timedOut
        case 5: .notFound
        case 7, 16: .unauthorised
        default: .rejected
        }
    }
}
