/// Reads the fields of SSH packets and never beyond the bytes that are there.
///
/// The bytes come from a server that may lie: every length is compared with what is left
/// before it is used. Valid only inside the closure that the buffer belongs to.
struct PacketReader {
    private var rest: Slice<UnsafeRawBufferPointer>

    init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes[...]
    }

    var count: Int { rest.count }
    var isEmpty: Bool { rest.isEmpty }

    mutating func bytes(_ count: Int) throws(ConnectionError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= rest.count else {
            throw ConnectionError(
                .protocolViolation,
                "a field of \(count) bytes in a packet with \(rest.count) left"
            )
        }
        defer { rest = rest.dropFirst(count) }
        return UnsafeRawBufferPointer(rebasing: rest.prefix(count))
    }

    mutating func uint8() throws(ConnectionError) -> UInt8 {
        try bytes(1).load(as: UInt8.self)
    }

    mutating func uint32() throws(ConnectionError) -> UInt32 {
        UInt32(bigEndian: try bytes(4).loadUnaligned(as: UInt32.self))
    }

    mutating func uint64() throws(ConnectionError) -> UInt64 {
        UInt64(bigEndian: try bytes(8).loadUnaligned(as: UInt64.self))
    }

    /// A length of four bytes and that many bytes.
    mutating func string() throws(ConnectionError) -> UnsafeRawBufferPointer {
        try bytes(Int(try uint32()))
    }
}

extension [UInt8] {
    mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    mutating func append(sshString bytes: some Collection<UInt8>) {
        append(bigEndian: UInt32(truncatingIfNeeded: bytes.count))
        append(contentsOf: bytes)
    }
}
