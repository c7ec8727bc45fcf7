import CPQ

/// One row of a result in libpq's binary format, valid until its result is cleared.
struct PostgresRow {
    let result: OpaquePointer
    let number: Int32

    func isNull(_ column: Int32) -> Bool { PQgetisnull(result, number, column) == 1 }

    /// A smallint, integer or bigint; 0 for NULL.
    func integer(_ column: Int32) -> Int64 {
        var value: Int64 = 0
        let bytes = self.bytes(column)
        for (index, byte) in bytes.enumerated() {
            // Network byte order; the first byte carries the sign.
            value = index == 0 ? Int64(Int8(bitPattern: byte)) : value << 8 | Int64(byte)
        }
        return value
    }

    func optionalInteger(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

    func text(_ column: Int32) -> String { String(decoding: bytes(column), as: UTF8.self) }

    func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

    func bytes(_ column: Int32) -> UnsafeBufferPointer<UInt8> {
        let count = Int(PQgetlength(result, number, column))
        guard count > 0, let start = PQgetvalue(result, number, column) else {
            return UnsafeBufferPointer(start: nil, count: 0)
        }
        return start.withMemoryRebound(to: UInt8.self, capacity: count) {
            UnsafeBufferPointer(start: $0, count: count)
        }
    }
}
