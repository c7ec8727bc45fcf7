public import Catalogue
import Primitives

/// What was done, and taking it back.
extension Library {
    /// - Returns: The latest first.
    /// - Throws: ``CatalogueError``.
    public func journal(count: Int) async throws(CatalogueError) -> [JournalEntry] {
        try await store.journal(before: nil, count: count)
    }

    /// Takes a change back.
    ///
    /// - Parameter revision: The change's number.
    /// - Returns: The change.
    /// - Throws: ``CatalogueError``: `.notFound` when the journal has it no more, `.rejected` when
    ///   a later change touched the same.
    public func undo(_ revision: Int64) async throws(CatalogueError) -> JournalEntry {
        try await exclusively { () async throws(CatalogueError) in
            try await self.undoAlone(revision)
        }
    }

    private func undoAlone(_ revision: Int64) async throws(CatalogueError) -> JournalEntry {
        // Only it and what came after it.
        let count = max(0, contents.revision - revision + 1)
        let known = try await store.journal(before: nil, count: Int(clamping: count))
        guard let entry = known.first(where: { $0.revision == revision }) else {
            throw CatalogueError(.notFound, "the history has no change \(revision)")
        }
        if let later = known.last(where: {
            $0.revision > revision && $0.inverse.overlaps(entry.inverse)
        }) {
            throw CatalogueError(
                .rejected,
                "change \(later.revision) (\(later.origin.operation)) touched the same; undo that"
                    + " first"
            )
        }
        let origin = Origin(.person, "undo \(revision)", reason: entry.origin.operation)
        return try await change(origin) { draft throws(CatalogueError) in
            draft.apply(entry.inverse)
            if let contradiction = draft.contradiction {
                throw CatalogueError(
                    .rejected,
                    "later changes stand in its way: \(contradiction); undo those first"
                )
            }
            return entry
        }
    }

    /// Takes the right to scan, which one machine has at a time.
    ///
    /// - Returns: Who has it, when it is another.
    /// - Throws: ``CatalogueError``.
    public func takeScan(
        as holder: String,
        seconds: Int64
    ) async throws(CatalogueError) -> String? {
        try await store.lease(scanLease, to: holder, seconds: seconds)
    }

    /// Gives the right to scan back.
    public func endScan(of holder: String) async {
        // It ends by itself, too.
        try? await store.endLease(scanLease, of: holder)
    }

    private var scanLease: String { "scan " + roots.map(\.text).joined(separator: " ") }

    /// - Returns: The vectors that an embedder made of shows.
    /// - Throws: ``CatalogueError``.
    public nonisolated func vectors(
        of embedder: String
    ) async throws(CatalogueError) -> [ShowVector] {
        try await store.vectors(of: embedder)
    }

    /// Keeps vectors of shows.
    ///
    /// - Throws: ``CatalogueError``.
    public nonisolated func save(
        _ vectors: [ShowVector],
        of embedder: String
    ) async throws(CatalogueError) {
        try await store.save(vectors, of: embedder)
    }

    /// The shows whose vectors are nearest, the nearest first.
    ///
    /// - Throws: ``CatalogueError``.
    public nonisolated func nearest(
        to vector: [Float],
        of embedder: String,
        count: Int
    ) async throws(CatalogueError) -> [NearShow] {
        try await store.nearest(to: vector, of: embedder, count: count)
    }
}
