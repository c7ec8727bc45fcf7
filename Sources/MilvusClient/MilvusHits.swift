/// What a search found, the nearest first.
public struct MilvusHits: Sendable, Equatable {
    public let rows: MilvusRows
    /// One for each row; what it means depends on the ``MilvusMetric``.
    public let scores: [Float]
}
