public import Catalogue
import GRDB
public import Primitives

/// The catalogue in one SQLite file, the embedded default.
///
/// WAL lets readers go on while a scan writes; `synchronous = NORMAL` never corrupts and can lose
/// at most the last commits after a power cut, which the next scan repeats
/// (sqlite.org/pragma.html#pragma_synchronous).
public final class SQLiteStore: CatalogueStore {
    private let pool: DatabasePool

    /// Opens the catalogue at `path`, creating or migrating it first.
    ///
    /// - Parameter path: The file; its directory must exist.
    /// - Throws: ``CatalogueError``: `.unusable` for a file that is not a catalogue of ours or
    ///   is damaged, `.unavailable` when it cannot be opened.
    public init(path: String) throws(CatalogueError) {
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
            let pool = try DatabasePool(path: path, configuration: configuration)
            try Schema.migrator.migrate(pool)
            return pool
        }
    }

    /// Closes every connection; later calls fail.
    ///
    /// - Throws: ``CatalogueError``.
    public func close() throws(CatalogueError) {
        try Self.translating("close the catalogue") { try pool.close() }
    }

    public func contents() async throws(CatalogueError) -> CatalogueContents {
        try await read("read the library") { database in
            CatalogueContents(
                shows: try ShowRows.all(database),
                episodes: try EpisodeRows.all(database),
                files: try FileRows.all(database),
                askedSeconds: try ShowRows.askedSeconds(database)
            )
        }
    }

    public func apply(_ change: FileChange) async throws(CatalogueError) {
        try await write("record scanned files") { database in
            for id in change.gone { try FileRows.delete(id, database) }
            try FileRows.upsert(change.records, database)
        }
    }

    @discardableResult
    public func save(
        _ draft: ShowDraft,
        replacing id: Int64?,
        episodes: [Episode]
    ) async throws(CatalogueError) -> Show {
        try await write("save the show '\(draft.systemName)'") { database in
            let show = try ShowRows.save(draft, replacing: id, database)
            if let details = show.details {
                try EpisodeRows.replace(episodes, ofShow: details.tmdbID, database)
            }
            return show
        }
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
