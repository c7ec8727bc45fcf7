/// A field of a collection beside its primary key, which is always the Int64 field `id`.
public struct MilvusField: Sendable, Hashable {
    public enum Kind: Sendable, Hashable {
        case int64
        case double
        /// Text of at most so many bytes of UTF-8, 65,535 at the most.
        case text(mostBytes: Int)
        /// One JSON document, 65,536 bytes of UTF-8 at the most.
        case json
        case vector(dimensions: Int)
    }

    /// The name of every collection's primary key.
    public static let primaryKey = "id"

    public let name: String
    public let kind: Kind

    public init(_ name: String, _ kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

/// How far apart two vectors are.
public enum MilvusMetric: String, Sendable {
    /// By their angle; the score is 1 for the same direction, and more is nearer.
    case cosine = "COSINE"
    /// By the square of their distance; the score is 0 for the same vector, and less is nearer.
    case euclidean = "L2"
}
