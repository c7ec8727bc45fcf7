import CNGHTTP2

/// Headers in the form that nghttp2 takes.
struct HeaderPairs {
    private var bytes: [UInt8] = []
    private var parts: [(name: Int, value: Int, isSecret: Bool)] = []

    init(_ headers: [(name: String, value: String)]) {
        for (name, value) in headers {
            bytes += name.utf8
            bytes += value.utf8
            parts.append((name.utf8.count, value.utf8.count, name == "authorization"))
        }
    }

    /// The pointers are good only during `body`.
    func withPairs<Result>(_ body: (UnsafeBufferPointer<nghttp2_nv>) -> Result) -> Result {
        var bytes = bytes
        return bytes.withUnsafeMutableBufferPointer { buffer in
            var next = buffer.baseAddress
            let pairs = parts.map { part in
                let name = next
                let value = name?.advanced(by: part.name)
                next = value?.advanced(by: part.value)
                // A secret stays out of the compression table (RFC 7541, section 7.1.3).
                let flag = part.isSecret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE
                return nghttp2_nv(
                    name: name,
                    value: value,
                    namelen: part.name,
                    valuelen: part.value,
                    flags: UInt8(flag.rawValue)
                )
            }
            return pairs.withUnsafeBufferPointer(body)
        }
    }
}
