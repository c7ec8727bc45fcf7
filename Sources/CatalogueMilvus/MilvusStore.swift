public import Catalogue
import Foundation
public import MilvusClient
public import Primitives

/// The catalogue in a Milvus server, whose vectors find what is alike.
public final class MilvusStore: CatalogueStore {
    private let collections: MilvusCollections
    private let writer: MilvusWriter
    private let journalLimits: JournalLimits

    /// How often another process's commits are looked for: a query of one row.
    private static let lookEvery = Duration.milliseconds(250)
    private static let tries = 200

    /// Connects, and makes the collections that are not there.
    ///
    /// - Parameters:
    ///   - server: Which server.
    ///   - prefix: Stands before the name of every collection.
    ///   - journalLimits: How long the journal remembers.
    ///   - mayBeAway: Whether a server that does not answer now is no error yet: for who knows that
    ///     the collections are there.
    /// - Throws: ``CatalogueError``.
    public init(
        _ server: MilvusServer,
        prefix: String = "",
        journalLimits: JournalLimits = JournalLimits(),
        mayBeAway: Bool = false
    ) async throws(CatalogueError) {
        self.journalLimits = journalLimits
        let client = MilvusClient(server)
        collections = MilvusCollections(client, prefix: prefix)
        writer = MilvusWriter(collections, journalLimits)
        let collections = collections
        do throws(CatalogueError) {
            try await translated { () throws(MilvusError) in
                _ = try await client.connect()
                try await collections.create()
            }
            try await writer.mend()
        } catch {
            guard mayBeAway, error.code == .unavailable else { throw error }
        }
    }

    public func close() async {
        await writer.release()
        await collections.client.close()
    }

    public func contents() async throws(CatalogueError) -> CatalogueContents {
        for _ in 0..<Self.tries {
            // In this order: a change that begins after the second look is seen by the last.
            let state = try await collections.readState()
            guard state.isBeingReplaced == nil else { throw .halfMoved }
            guard try await !writer.hasPending() else {
                try await writer.mend()
                continue
            }
            let contents = try await collections.contents(state)
            if try await collections.readState().revision == state.revision { return contents }
        }
        throw CatalogueError(.unavailable, "others change the catalogue all the time; try again")
    }

    public func commit(_ change: CatalogueChange) async throws(CatalogueError) {
        try await writer.commit(change)
    }

    public func noteAsked(
        _ seconds: Int64,
        about tmdbID: Int
    ) async throws(CatalogueError) {
        try await writer.noteAsked(seconds, about: tmdbID)
    }

    public func revision() async throws(CatalogueError) -> Int64 {
        let state = try await collections.readState()
        guard state.isBeingReplaced == nil else { throw .halfMoved }
        return state.revision
    }

    public func waitForChange(since revision: Int64) async throws(CatalogueError) {
        while !Task.isCancelled {
            do throws(CatalogueError) {
                guard try await self.revision() == revision else { return }
            } catch {
                guard Task.isCancelled else { throw error }
            }
            // Fails only when the task is cancelled, which ends the loop.
            try? await Task.sleep(for: Self.lookEvery)
        }
    }

    public func journal(
        before revision: Int64?,
        count: Int
    ) async throws(CatalogueError) -> [JournalEntry] {
        try await writer.mend()
        return try await collections.entries(before: revision, count: count, journalLimits)
    }

    public func lease(
        _ name: String,
        to holder: String,
        seconds: Int64
    ) async throws(CatalogueError) -> String? {
        try await writer.lease(name, to: holder, seconds: seconds)
    }

    public func endLease(_ name: String, of holder: String) async throws(CatalogueError) {
        try await writer.endLease(name, of: holder)
    }

    public func keptAnswer(
        of source: String,
        to question: String
    ) async throws(CatalogueError) -> KeptAnswer? {
        try await collections.answer(source, question)
    }

    public func keptAnswers() async throws(CatalogueError) -> [KeptAnswer] {
        try await collections.allAnswers()
    }

    public func keep(_ answer: KeptAnswer) async throws(CatalogueError) {
        try await collections.keep(answer)
    }

    public func directoryStamps() async throws(CatalogueError) -> [UInt64: DirectoryStamp] {
        try await translated { () throws(MilvusError) in try await collections.stamps.all() }
    }

    public func saveDirectoryStamps(
        _ changed: [UInt64: DirectoryStamp],
        removed: [UInt64]
    ) async throws(CatalogueError) {
        try await translated { () throws(MilvusError) in
            if !removed.isEmpty { try await collections.stamps.delete(removed) }
            try await collections.stamps.put(changed)
        }
    }

    public func vectors(of embedder: String) async throws(CatalogueError) -> [ShowVector] {
        try await writer.mend()
        return try await collections.vectors(of: embedder)
    }

    public func save(
        _ vectors: [ShowVector],
        of embedder: String
    ) async throws(CatalogueError) {
        try await writer.mend()
        try await collections.save(vectors, of: embedder)
    }

    public func nearest(
        to vector: [Float],
        of embedder: String,
        count: Int
    ) async throws(CatalogueError) -> [NearShow] {
        try await writer.mend()
        return try await collections.nearest(to: vector, of: embedder, count: count)
    }

    public func replaceAll(with copy: CatalogueCopy) async throws(CatalogueError) {
        try await writer.replaceAll(with: copy) { _ in }
    }

    /// What is there already tells how far it is: the mark is not needed.
    public func moveIn(
        _ copy: CatalogueCopy,
        mark: String,
        progress: @Sendable @escaping (Int) -> Void
    ) async throws(CatalogueError) {
        try await writer.replaceAll(with: copy, progress)
    }

    public func isHalfMoved() async throws(CatalogueError) -> Bool {
        try await collections.readState().isBeingReplaced != nil
    }

    /// Milvus saves its data itself, all of them: a catalogue alone is exported.
    public func backUp(to path: String) async throws(CatalogueError) -> Bool { false }

    public func restore(from path: String) async throws(CatalogueError) {
        throw CatalogueError(.rejected, "'\(path)' is nothing that Milvus restores")
    }

    public func problems(quick: Bool) async throws(CatalogueError) -> [String] {
        await writer.settle()
        if quick {
            return try await writer.hasPending()
                ? ["a change is being made, or was broken off"] : []
        }
        // Reading all of it is what finds a row that cannot be read.
        let contents = try await contents()
        let counts = try await translated { () throws(MilvusError) in
            try await collections.counts()
        }
        let found = [contents.shows.count, contents.episodes.count, contents.files.count]
        return zip(counts, found).compactMap { counted, found in
            counted.rows == found
                ? nil : "\(counted.name): \(counted.rows) rows, of which \(found) can be read"
        }
    }

    public func statistics() async throws(CatalogueError) -> [(name: String, value: String)] {
        let server = collections.client.server
        let version = try await translated { () throws(MilvusError) in
            try await collections.client.connect()
        }
        var lines: [(name: String, value: String)] = [
            ("database", "Milvus \(version), \(server.host):\(server.port)"),
            ("revision", "\(try await revision())"),
        ]
        await writer.settle()
        let counts = try await translated { () throws(MilvusError) in
            try await collections.counts()
        }
        lines += counts.map { ($0.name, "\($0.rows) rows") }
        return lines
    }
}
