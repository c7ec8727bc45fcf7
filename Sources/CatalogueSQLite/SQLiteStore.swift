public import Catalogue
import Foundation
import GRDB
import Glibc
public import Primitives

/// The catalogue in one SQLite file, the embedded default.
///
/// WAL lets readers go on while a scan writes; `synchronous = NORMAL` never corrupts and can lose
/// at most the last commits after a power cut, which the next scan repeats
/// (sqlite.org/pragma.html#pragma_synchronous).
public final class SQLiteStore: CatalogueStore {
    private let pool: DatabasePool
    private let path: String
    private let journalLimits: JournalLimits

    /// Opens the catalogue at `path`, creating or migrating it first.
    ///
    /// - Parameters:
    ///   - path: The file; its directory must exist.
    ///   - journalLimits: How long the journal remembers.
    /// - Throws: ``CatalogueError``: `.unusable` for a file that is not a catalogue of ours or
    ///   is damaged, `.unavailable` when it cannot be opened.
    public init(
        path: String,
        journalLimits: JournalLimits = JournalLimits()
    ) throws(CatalogueError) {
        self.path = path
        self.journalLimits = journalLimits
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        // Long enough for another process's scan to commit.
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { database in
            try database.execute(
                sql: """
                    PRAGMA synchronous = NORMAL;
                    PRAGMA cache_size = 10000;
                    PRAGMA temp_store = MEMORY;
                    """
            )
        }
        pool = try Self.translating("open the catalogue '\(path)'") {
            try Self.openedAndMigrated(path, configuration)
        }
    }

    private static let openingTries = 40

    /// Two processes that open a new file at once both begin to make it and its tables; the one
    /// that comes too late finds them made when it looks again.
    private static func openedAndMigrated(
        _ path: String,
        _ configuration: Configuration
    ) throws -> DatabasePool {
        var attempt = 1
        while true {
            do {
                let pool = try DatabasePool(path: path, configuration: configuration)
                try Schema.migrator.migrate(pool)
                return pool
            } catch let error as DatabaseError {
                let isHopeless = [.SQLITE_NOTADB, .SQLITE_CORRUPT, .SQLITE_FULL, .SQLITE_CANTOPEN]
                    .contains(error.resultCode)
                guard !isHopeless, attempt < openingTries else { throw error }
                attempt += 1
                // Opening blocks anyhow, and only a file that is just being made comes here.
                usleep(50_000)
            }
        }
    }

    /// Makes a catalogue as an earlier version of this program did, for tests of what becomes of it.
    package static func make(_ path: String, version: Int) throws {
        let queue = try DatabaseQueue(path: path)
        let names = Schema.migrator.migrations
        try Schema.migrator.migrate(queue, upTo: names[version - 1])
        try queue.close()
    }

    public func close() {
        // What is under way ends first; all that is committed is in the file.
        try? pool.close()
    }

    public func contents() async throws(CatalogueError) -> CatalogueContents {
        try await read("read the library") { database in
            let state = try JournalRows.state(database)
            return CatalogueContents(
                shows: try ShowRows.all(database),
                episodes: try EpisodeRows.all(database),
                files: try FileRows.all(database),
                revision: state.revision,
                nextShowID: state.nextShowID,
                nextFileID: state.nextFileID
            )
        }
    }

    public func commit(_ change: CatalogueChange) async throws(CatalogueError) {
        let limits = journalLimits
        let inverse = StoredJSON.begun(change.entry.inverse)
        try await write("save '\(change.entry.origin.operation)'") { database in
            try JournalRows.advance(change, database)
            let edits = change.edits
            // What others refer to is put before them and goes after them.
            try FileRows.delete(edits.removedFiles, database)
            try EpisodeRows.delete(edits.removedEpisodes, database)
            try ShowRows.put(edits.shows, database)
            try EpisodeRows.put(edits.episodes, database)
            try FileRows.put(edits.files, database)
            try ShowRows.delete(edits.removedShows, database)
            let counted = edits.episodes.map(\.showTMDBID) + edits.removedEpisodes.map(\.showTMDBID)
            try ShowRows.count(Set(counted), database)
            try JournalRows.add(change.entry, try inverse.wait().get(), limits, database)
        }
    }

    public func noteAsked(
        _ seconds: Int64,
        about tmdbID: Int
    ) async throws(CatalogueError) {
        try await write("note when TMDB was asked") { database in
            try database.execute(
                sql: "UPDATE tv_shows SET asked_seconds = ? WHERE tmdb_id = ?",
                arguments: [seconds, tmdbID]
            )
        }
    }

    public func revision() async throws(CatalogueError) -> Int64 {
        try await read("read the revision") { try JournalRows.state($0).revision }
    }

    /// How often another process's commits are looked for: a query of 50 µs.
    private static let lookEvery = Duration.milliseconds(250)

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
        try await read("read the journal") { database in
            try JournalRows.all(before: revision, count, database)
        }
    }

    public func lease(
        _ name: String,
        to holder: String,
        seconds: Int64
    ) async throws(CatalogueError) -> String? {
        try await write("take the lease '\(name)'") { database in
            try LeaseRows.take(name, holder, seconds, database)
        }
    }

    public func endLease(_ name: String, of holder: String) async throws(CatalogueError) {
        try await write("end the lease '\(name)'") { try LeaseRows.end(name, holder, $0) }
    }

    public func keptAnswer(
        of source: String,
        to question: String
    ) async throws(CatalogueError) -> KeptAnswer? {
        try await read("read what \(source) answered") { database in
            try AnswerRows.find(source, question, database)
        }
    }

    public func keep(_ answer: KeptAnswer) async throws(CatalogueError) {
        try await write("keep what \(answer.source) answered") { database in
            try AnswerRows.keep(answer, database)
        }
    }

    public func keptAnswers() async throws(CatalogueError) -> [KeptAnswer] {
        try await read("read what services answered") { try AnswerRows.all($0) }
    }

    public func vectors(of embedder: String) async throws(CatalogueError) -> [ShowVector] {
        try await read("read vectors") { try VectorRows.all(embedder, $0) }
    }

    public func save(
        _ vectors: [ShowVector],
        of embedder: String
    ) async throws(CatalogueError) {
        try await write("keep vectors") { try VectorRows.put(vectors, embedder, $0) }
    }

    public func replaceAll(with copy: CatalogueCopy) async throws(CatalogueError) {
        try await write("replace the catalogue") { database in
            try MovedRows.clear(database)
            try MovedRows.put(copy, database)
            try MovedRows.end(copy, database)
        }
    }

    public func directoryStamps() async throws(CatalogueError) -> [UInt64: DirectoryStamp] {
        try await read("read directory times") { try StampRows.all($0) }
    }

    public func saveDirectoryStamps(
        _ changed: [UInt64: DirectoryStamp],
        removed: [UInt64]
    ) async throws(CatalogueError) {
        try await write("record directory times") { database in
            try StampRows.save(changed, removed: removed, database)
        }
    }
}

// MARK: Moving in

extension SQLiteStore: MoveTarget {
    public func beginMove(_ mark: String) async throws(CatalogueError) -> Int {
        try await write("begin a move") { try MovedRows.begin(mark, $0) }
    }

    public func put(
        _ part: CatalogueCopy,
        of whole: CatalogueCopy,
        _ step: MoveStep
    ) async throws(CatalogueError) {
        try await write("put what moves in") { database in
            try MovedRows.take(step, database)
            try MovedRows.put(part, database)
        }
    }

    public func endMove(
        _ whole: CatalogueCopy,
        _ step: MoveStep
    ) async throws(CatalogueError) {
        try await write("end a move") { database in
            try MovedRows.take(step, database)
            try MovedRows.end(whole, database)
        }
    }

    public func isHalfMoved() async throws(CatalogueError) -> Bool {
        try await read("look for a move") { try MovedRows.mark($0) != nil }
    }
}

// MARK: Looking after it

extension SQLiteStore {
    public func backUp(to path: String) async throws(CatalogueError) -> Bool {
        try Self.translating("save the catalogue to '\(path)'") {
            let copy = try DatabaseQueue(path: path)
            try pool.backup(to: copy)
            // A file by itself, without a write-ahead log beside it.
            try copy.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
            try copy.close()
        }
        let saved = try SQLiteStore(path: path)
        let problems = try await saved.problems(quick: false)
        _ = try await saved.contents()
        saved.close()
        for suffix in ["-wal", "-shm"] { unlink(path + suffix) }
        if let first = problems.first {
            throw CatalogueError(.unusable, "'\(path)' is not what was saved: \(first)")
        }
        return true
    }

    public func restore(from path: String) async throws(CatalogueError) {
        // From a copy: an older file is renewed as it is opened.
        let copy = self.path + ".restoring"
        unlink(copy)
        defer { for suffix in ["", "-wal", "-shm"] { unlink(copy + suffix) } }
        try Self.translating("read '\(path)'") {
            try FileManager.default.copyItem(atPath: path, toPath: copy)
        }
        let saved = try SQLiteStore(path: copy)
        let everything = try await saved.copy()
        saved.close()
        try await replaceAll(with: everything)
    }

    public func problems(quick: Bool) async throws(CatalogueError) -> [String] {
        try await read("check the catalogue") { database in
            let check = quick ? "quick_check" : "integrity_check"
            var problems = try String.fetchAll(database, sql: "PRAGMA \(check)")
                .filter { $0 != "ok" }
            problems += try Row.fetchAll(database, sql: "PRAGMA foreign_key_check").map { row in
                let (table, row): (String, Int64) = (row[0], row[1] ?? 0)
                return "row \(row) of \(table) refers to a row that is not there"
            }
            return problems
        }
    }

    public func statistics() async throws(CatalogueError) -> [(name: String, value: String)] {
        let path = self.path
        return try await read("read the statistics") { database in
            try Statistics.lines(path, database)
        }
    }
}

extension SQLiteStore {
    private func read<Value: Sendable>(
        _ what: String,
        _ body: @Sendable @escaping (Database) throws -> Value
    ) async throws(CatalogueError) -> Value {
        do {
            return try await pool.read(body)
        } catch {
            throw Self.translated(error, what)
        }
    }

    private func write<Value: Sendable>(
        _ what: String,
        _ body: @Sendable @escaping (Database) throws -> Value
    ) async throws(CatalogueError) -> Value {
        do {
            return try await pool.write(body)
        } catch {
            throw Self.translated(error, what)
        }
    }

    private static func translating<Value>(
        _ what: String,
        _ body: () throws -> Value
    ) throws(CatalogueError) -> Value {
        do {
            return try body()
        } catch {
            throw translated(error, what)
        }
    }

    private static func translated(_ error: any Error, _ what: String) -> CatalogueError {
        if let error = error as? CatalogueError { return error }
        guard let error = error as? DatabaseError else {
            return CatalogueError(.unavailable, "cannot \(what)", cause: error)
        }
        let code: CatalogueError.Code =
            switch error.resultCode {
            case .SQLITE_NOTADB, .SQLITE_CORRUPT: .unusable
            case .SQLITE_FULL: .full
            case .SQLITE_CONSTRAINT, .SQLITE_ERROR, .SQLITE_MISMATCH, .SQLITE_RANGE: .rejected
            default: .unavailable
            }
        let remedy =
            code == .unusable
            ? "; it is damaged or not a Sync2NAS catalogue: restore a backup, or move it away to start anew"
            : ""
        return CatalogueError(code, "cannot \(what)\(remedy)", cause: error)
    }
}
