public import Catalogue
import Foundation
public import Primitives

/// The catalogue in a PostgreSQL database, which several machines may share.
public final class PostgresStore: CatalogueStore {
    private let settings: PostgresSettings
    private let session: PostgresSession
    private let listener: PostgresListener
    private let journalLimits: JournalLimits

    /// Connects, and makes or migrates the tables.
    ///
    /// - Parameters:
    ///   - settings: Which server.
    ///   - journalLimits: How long the journal remembers.
    ///   - mayBeAway: Whether a server that does not answer now is no error yet.
    /// - Throws: ``CatalogueError``: `.unavailable` when the server does not answer, `.unusable`
    ///   when it refuses us or holds tables of another program.
    public init(
        _ settings: PostgresSettings,
        journalLimits: JournalLimits = JournalLimits(),
        mayBeAway: Bool = false
    ) async throws(CatalogueError) {
        self.settings = settings
        self.journalLimits = journalLimits
        session = PostgresSession(settings)
        listener = PostgresListener(settings)
        do throws(CatalogueError) {
            // Connecting is what makes or migrates the tables.
            try await session.run { _ in }
        } catch {
            guard mayBeAway, error.code == .unavailable else {
                session.close()
                throw error
            }
        }
    }

    public func close() {
        session.close()
        listener.stop()
    }

    public func contents() async throws(CatalogueError) -> CatalogueContents {
        try await session.transaction { connection throws(CatalogueError) in
            try connection.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            let state = try PostgresJournal.state(connection)
            return CatalogueContents(
                shows: try PostgresShows.all(connection),
                episodes: try PostgresEpisodes.all(connection),
                files: try PostgresFiles.all(connection),
                revision: state.revision,
                nextShowID: state.nextShowID,
                nextFileID: state.nextFileID
            )
        }
    }

    public func commit(_ change: CatalogueChange) async throws(CatalogueError) {
        let limits = journalLimits
        let inverse = StoredJSON.begun(change.entry.inverse)
        try await session.transaction { connection throws(CatalogueError) in
            try PostgresJournal.advance(change, connection)
            let edits = change.edits
            // What others refer to is put before them and goes after them.
            try PostgresFiles.delete(edits.removedFiles, connection)
            try PostgresEpisodes.delete(edits.removedEpisodes, connection)
            try PostgresShows.put(edits.shows, connection)
            try PostgresEpisodes.put(edits.episodes, connection)
            try PostgresFiles.put(edits.files, change.after, connection)
            try PostgresShows.delete(edits.removedShows, connection)
            let counted = edits.episodes.map(\.showTMDBID) + edits.removedEpisodes.map(\.showTMDBID)
            try PostgresShows.count(Set(counted), connection)
            try PostgresJournal.add(change.entry, try inverse.wait().get(), limits, connection)
            try connection.run("NOTIFY \(PostgresListener.channel)")
        }
    }

    public func noteAsked(
        _ seconds: Int64,
        about tmdbID: Int
    ) async throws(CatalogueError) {
        try await session.run { connection throws(CatalogueError) in
            _ = try connection.run(
                "UPDATE tv_shows SET asked_seconds = $1 WHERE tmdb_id = $2",
                [.integer(seconds), .integer(Int64(tmdbID))]
            )
        }
    }

    public func revision() async throws(CatalogueError) -> Int64 {
        try await session.run { connection throws(CatalogueError) in
            try PostgresJournal.state(connection).revision
        }
    }

    public func waitForChange(since revision: Int64) async throws(CatalogueError) {
        let changes = listener.changes()
        // What happened before the listener listened is not told any more.
        guard try await self.revision() == revision else { return }
        for await _ in changes {
            guard !Task.isCancelled, try await self.revision() == revision else { return }
        }
    }

    public func journal(
        before revision: Int64?,
        count: Int
    ) async throws(CatalogueError) -> [JournalEntry] {
        try await session.run { connection throws(CatalogueError) in
            try PostgresJournal.all(before: revision, count, connection)
        }
    }

    public func lease(
        _ name: String,
        to holder: String,
        seconds: Int64
    ) async throws(CatalogueError) -> String? {
        try await session.run { connection throws(CatalogueError) in
            try PostgresLeases.take(name, holder, seconds, connection)
        }
    }

    public func endLease(_ name: String, of holder: String) async throws(CatalogueError) {
        try await session.run { connection throws(CatalogueError) in
            _ = try connection.run(
                "DELETE FROM leases WHERE name = $1 AND holder = $2",
                [.text(name), .text(holder)]
            )
        }
    }
}

// MARK: What is kept beside the library

extension PostgresStore {
    public func keptAnswer(
        of source: String,
        to question: String
    ) async throws(CatalogueError) -> KeptAnswer? {
        try await session.run { connection throws(CatalogueError) in
            try PostgresAnswers.find(source, question, connection)
        }
    }

    public func keep(_ answer: KeptAnswer) async throws(CatalogueError) {
        try await session.transaction { connection throws(CatalogueError) in
            try PostgresAnswers.keep(answer, connection)
        }
    }

    public func keptAnswers() async throws(CatalogueError) -> [KeptAnswer] {
        try await session.run { connection throws(CatalogueError) in
            try PostgresAnswers.all(connection)
        }
    }

    public func vectors(of embedder: String) async throws(CatalogueError) -> [ShowVector] {
        try await session.run { connection throws(CatalogueError) in
            try PostgresVectors.all(embedder, connection)
        }
    }

    public func save(
        _ vectors: [ShowVector],
        of embedder: String
    ) async throws(CatalogueError) {
        try await session.transaction { connection throws(CatalogueError) in
            try PostgresVectors.put(vectors, embedder, connection)
        }
    }

    public func replaceAll(with copy: CatalogueCopy) async throws(CatalogueError) {
        try await session.transaction { connection throws(CatalogueError) in
            try PostgresMove.clear(mark: nil, connection)
            try PostgresMove.put(copy, of: copy, connection)
            try PostgresMove.end(copy, connection)
        }
    }

    public func directoryStamps() async throws(CatalogueError) -> [UInt64: DirectoryStamp] {
        try await session.run { connection throws(CatalogueError) in
            try PostgresStamps.all(connection)
        }
    }

    public func saveDirectoryStamps(
        _ changed: [UInt64: DirectoryStamp],
        removed: [UInt64]
    ) async throws(CatalogueError) {
        guard !changed.isEmpty || !removed.isEmpty else { return }
        try await session.transaction { connection throws(CatalogueError) in
            try PostgresStamps.save(changed, removed: removed, connection)
        }
    }
}

// MARK: Moving in

extension PostgresStore: MoveTarget {
    public func beginMove(_ mark: String) async throws(CatalogueError) -> Int {
        try await session.transaction { connection throws(CatalogueError) in
            try PostgresMove.begin(mark, connection)
        }
    }

    public func put(
        _ part: CatalogueCopy,
        of whole: CatalogueCopy,
        _ step: MoveStep
    ) async throws(CatalogueError) {
        try await session.transaction { connection throws(CatalogueError) in
            try PostgresMove.take(step, connection)
            try PostgresMove.put(part, of: whole, connection)
        }
    }

    public func endMove(
        _ whole: CatalogueCopy,
        _ step: MoveStep
    ) async throws(CatalogueError) {
        try await session.transaction { connection throws(CatalogueError) in
            try PostgresMove.take(step, connection)
            try PostgresMove.end(whole, connection)
        }
    }

    public func isHalfMoved() async throws(CatalogueError) -> Bool {
        try await session.run { connection throws(CatalogueError) in
            try PostgresMove.progress(connection).mark != nil
        }
    }
}

// MARK: Looking after it

extension PostgresStore {
    public func backUp(to path: String) async throws(CatalogueError) -> Bool {
        let settings = settings
        return try await session.run { _ throws(CatalogueError) in
            try PostgresDump.write(to: path, settings)
        }
    }

    public func restore(from path: String) async throws(CatalogueError) {
        // Also of one that holds half of a move.
        let before = try await session.run { connection throws(CatalogueError) in
            try connection.rows("SELECT revision FROM catalogue_state") { $0.integer(0) }.first ?? 0
        }
        let settings = settings
        try await session.run { _ throws(CatalogueError) in
            try PostgresDump.restore(from: path, settings)
        }
        // Whoever knew the catalogue before sees that it is another.
        try await session.transaction { connection throws(CatalogueError) in
            try PostgresSchema.migrate(connection)
            try connection.run(
                "UPDATE catalogue_state SET revision = greatest(revision, $1) + 1",
                [.integer(before)]
            )
            try connection.run("NOTIFY \(PostgresListener.channel)")
        }
    }

    public func problems(quick: Bool) async throws(CatalogueError) -> [String] {
        try await session.run { connection throws(CatalogueError) in
            try PostgresCare.problems(connection, quick: quick)
        }
    }

    public func statistics() async throws(CatalogueError) -> [(name: String, value: String)] {
        let place = settings.description
        return try await session.run { connection throws(CatalogueError) in
            try PostgresCare.statistics(place, connection)
        }
    }
}
