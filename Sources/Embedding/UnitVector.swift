extension [Float] {
    /// The vector of length 1 in the same direction; nil when there is no direction.
    func unit() -> [Float]? {
        let length = reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        guard length > 0, length.isFinite else { return nil }
        return map { Float(Double($0) / length) }
    }
}

/// How near two vectors of length 1 are: 1 for the same direction, 0 for nothing in common.
///
/// - Parameters:
///   - one: Made by some ``Embedder``.
///   - other: Made by the same.
/// - Returns: -1 to 1; 0 when the vectors have not the same dimension, as then they say nothing
///   about each other.
public func cosine(_ one: [Float], _ other: [Float]) -> Float {
    guard one.count == other.count else { return 0 }
    return one.withUnsafeBufferPointer { one in
        other.withUnsafeBufferPointer { other in
            var sum: Float = 0
            for place in 0..<one.count { sum += one[place] * other[place] }
            return sum
        }
    }
}
