/// A 64-bit FNV-1a hash (RFC draft-eastlake-fnv), which is the same in every run.
public struct Fingerprint: Sendable {
    @usableFromInline var state: UInt64 = 0xcbf2_9ce4_8422_2325

    @inlinable public init() {}

    @inlinable public var value: UInt64 { state }

    @inlinable
    public mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            state = (state ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        // Ends every part, so that "ab" + "c" is not "a" + "bc".
        state = (state ^ 0xFF) &* 0x100_0000_01b3
    }

    @inlinable
    public mutating func add(_ number: UInt64) {
        add((0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) })
    }
}
