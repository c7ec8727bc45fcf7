/// What a show is about, as an embedder's vector.
public struct ShowVector: Hashable, Sendable, Codable {
    public let showID: Int64
    /// A fingerprint of the text that was embedded: when that changes, so does the vector.
    public let text: UInt64
    /// Of length 1.
    public let vector: [Float]

    public init(showID: Int64, text: UInt64, vector: [Float]) {
        self.showID = showID
        self.text = text
        self.vector = vector
    }

    /// The vector as bytes: its numbers in little-endian order.
    public var bytes: [UInt8] {
        vector.flatMap { number in
            withUnsafeBytes(of: number.bitPattern.littleEndian) { Array($0) }
        }
    }

    /// - Parameter bytes: As ``bytes`` gives them; what is too short for a number is left out.
    /// - Returns: The numbers.
    public static func vector(of bytes: some Collection<UInt8>) -> [Float] {
        let bytes = Array(bytes)
        return stride(from: 0, to: bytes.count - 3, by: 4).map { start in
            let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << ($1 * 8) }
            return Float(bitPattern: bits)
        }
    }
}

/// A show that is near to what was asked for.
public struct NearShow: Hashable, Sendable {
    public let showID: Int64
    /// The cosine: 1 for the same direction, 0 for nothing in common.
    public let nearness: Float

    public init(showID: Int64, nearness: Float) {
        self.showID = showID
        self.nearness = nearness
    }
}

extension CatalogueStore {
    /// Compares the vector with all that are kept: a millisecond for a thousand shows.
    public func nearest(
        to vector: [Float],
        of embedder: String,
        count: Int
    ) async throws(CatalogueError) -> [NearShow] {
        let all = try await vectors(of: embedder).filter { $0.vector.count == vector.count }
        let near = all.map { known in
            NearShow(
                showID: known.showID,
                nearness: zip(known.vector, vector).reduce(0) { $0 + $1.0 * $1.1 }
            )
        }
        return Array(near.sorted { $0.nearness > $1.nearness }.prefix(count))
    }
}
