/// Bytes of a file from `lowerBound` up to, not including, `upperBound`.
public struct ByteRange: Hashable, Sendable {
    public let lowerBound: UInt64
    public let upperBound: UInt64

    /// - Parameters:
    ///   - lowerBound: Offset of the first byte.
    ///   - upperBound: Offset behind the last byte; a value below `lowerBound` gives an
    ///     empty range at `lowerBound`.
    public init(_ lowerBound: UInt64, _ upperBound: UInt64) {
        self.lowerBound = lowerBound
        self.upperBound = max(lowerBound, upperBound)
    }

    /// `count` bytes from `offset`, cut where offsets end.
    public init(offset: UInt64, count: UInt64) {
        let (end, overflow) = offset.addingReportingOverflow(count)
        self.init(offset, overflow ? .max : end)
    }

    public var count: UInt64 { upperBound - lowerBound }
    public var isEmpty: Bool { lowerBound == upperBound }

    /// Whether all of `other` lies inside.
    public func contains(_ other: ByteRange) -> Bool {
        lowerBound <= other.lowerBound && other.upperBound <= upperBound
    }

    /// The part of this range that lies inside a file of `size` bytes.
    public func clipped(to size: UInt64) -> ByteRange {
        ByteRange(min(lowerBound, size), min(upperBound, size))
    }
}

extension ByteRange: CustomStringConvertible {
    public var description: String { "\(lowerBound)..<\(upperBound)" }
}
