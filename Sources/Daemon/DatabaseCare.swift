public import Catalogue
import CataloguePostgres
import CatalogueSQLite
import Foundation
import Ingest
public import Logging
import Primitives

/// Looking after the database itself: making, checking, saving, moving it.
///
/// None of it needs a seedbox or a mount, and all but restoring may run beside one.
public struct DatabaseCare: Sendable {
    public let database: DatabaseSettings
    private let values: SettingValues
    private let directory: String
    private let limits = JournalLimits(age: .max / 2, entries: .max / 2)

    /// - Parameter arguments: Name the configuration and the data directory.
    /// - Throws: ``Settings/Problem``.
    public init(_ arguments: Settings.Arguments) throws(Settings.Problem) {
        let environment = ProcessInfo.processInfo.environment
        values = try SettingValues(file: arguments.configFile, environment: environment)
        directory = try Settings.directory(
            arguments.dataDirectory,
            environment,
            xdg: "XDG_DATA_HOME",
            standard: ".local/share"
        )
        database = try DatabaseSettings(values, directory: directory)
    }

    private func with<Value>(
        _ database: DatabaseSettings,
        _ body: (any CatalogueStore) async throws(CatalogueError) -> Value
    ) async throws(CatalogueError) -> Value {
        let store = try await database.open(limits)
        do throws(CatalogueError) {
            let value = try await body(store)
            await store.close()
            return value
        } catch {
            await store.close()
            throw error
        }
    }

    /// Makes the tables, or renews those of an earlier version.
    ///
    /// - Returns: What is there now.
    /// - Throws: ``CatalogueError``.
    public func initialise() async throws(CatalogueError) -> String {
        try await with(database) { store throws(CatalogueError) in
            "\(database) is ready, revision \(try await store.revision())"
        }
    }

    /// - Parameter quick: Whether only what is soon found is looked for.
    /// - Returns: What is wrong, a line each; none when nothing is.
    /// - Throws: ``CatalogueError``.
    public func problems(quick: Bool) async throws(CatalogueError) -> [String] {
        try await with(database) { store throws(CatalogueError) in
            guard try await !store.isHalfMoved() else { return [CatalogueError.halfMoved.message] }
            let problems = try await store.problems(quick: quick)
            if quick { return problems }
            return problems + Self.contradictions(try await store.contents())
        }
    }

    /// What no database can see: rows that contradict each other.
    private static func contradictions(_ contents: CatalogueContents) -> [String] {
        let shows = Set(contents.shows.map(\.id))
        var problems = contents.files.compactMap { file -> String? in
            guard let id = file.decision.placement?.showID, !shows.contains(id) else { return nil }
            return "file \(file.id) stands in show \(id), which is not there"
        }
        let known = Set(contents.shows.compactMap(\.details?.tmdbID))
        let orphans = Set(contents.episodes.map(\.showTMDBID)).subtracting(known)
        problems += orphans.sorted().map { "episodes of tmdb:\($0), which is not there" }
        if Set(contents.files.map(\.file.path)).count < contents.files.count {
            problems.append("a path on the seedbox is recorded twice")
        }
        return problems
    }

    /// - Returns: Names and values.
    /// - Throws: ``CatalogueError``.
    public func statistics() async throws(CatalogueError) -> [(name: String, value: String)] {
        try await with(database) { store throws(CatalogueError) in try await store.statistics() }
    }
}

// MARK: Saving

extension DatabaseCare {
    /// Saves the catalogue into a file and reads that back.
    ///
    /// - Parameters:
    ///   - file: Where; nil for a new one below the data directory.
    ///   - isPortable: Whether it shall be a file that every kind of database can restore, and not
    ///     the database's own form.
    /// - Returns: The file and what it holds.
    /// - Throws: ``CatalogueError``; no file is left then.
    public func backUp(
        to file: String?,
        isPortable: Bool
    ) async throws(CatalogueError) -> String {
        let path = if let file { Settings.absolute(file) } else { try standardBackup(isPortable) }
        guard !FileManager.default.fileExists(atPath: path) else {
            throw CatalogueError(.rejected, "'\(path)' is there already; name another file")
        }
        return try await with(database) { store throws(CatalogueError) in
            do throws(CatalogueError) {
                if !isPortable, try await store.backUp(to: path) {
                    return "\(path): revision \(try await store.revision()), read back"
                }
                let copy = try await store.copy()
                try copy.write(to: path)
                guard try CatalogueCopy(contentsOf: path).tallies == copy.tallies else {
                    throw CatalogueError(.unusable, "'\(path)' does not hold what was written")
                }
                return "\(path): \(Self.words(copy)), read back and compared"
            } catch {
                try? FileManager.default.removeItem(atPath: path)
                throw error
            }
        }
    }

    private func standardBackup(_ isPortable: Bool) throws(CatalogueError) -> String {
        let folder = directory + "/backups"
        do {
            try FileManager.default.createDirectory(
                atPath: folder,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw CatalogueError(.unavailable, "cannot make '\(folder)'", cause: error)
        }
        let time = Date().ISO8601Format(.iso8601(timeZone: .gmt, dateSeparator: .omitted))
        let name = time.filter { $0.isNumber || $0 == "T" }
        let ending =
            switch database {
            case .sqlite where !isPortable: "db"
            case .postgres where !isPortable: "dump"
            case .sqlite, .postgres, .milvus: "jsonl"
            }
        return "\(folder)/catalogue-\(name).\(ending)"
    }

    /// Puts what was saved in place of all that the catalogue holds.
    ///
    /// - Parameters:
    ///   - file: Made by ``backUp(to:isPortable:)``; a portable one of any kind of database.
    ///   - isForced: Whether a catalogue that holds something is replaced.
    /// - Returns: What it holds now.
    /// - Throws: ``CatalogueError``; nothing is changed then.
    public func restore(
        from file: String,
        isForced: Bool
    ) async throws(CatalogueError) -> String {
        let path = Settings.absolute(file)
        let copy = Self.isPortable(path) ? try CatalogueCopy(contentsOf: path) : nil
        return try await with(database) { store throws(CatalogueError) in
            if !isForced { try await Self.refuseToReplace(store, database) }
            guard let copy else {
                try await store.restore(from: path)
                return "\(database) holds \(Self.words(try await store.copy()))"
            }
            try await store.replaceAll(with: copy)
            guard try await store.copy().tallies == copy.tallies else {
                throw CatalogueError(.unusable, "\(database) does not hold what was restored")
            }
            return "\(database) holds \(Self.words(copy))"
        }
    }

    private static func isPortable(_ path: String) -> Bool {
        guard let file = FileHandle(forReadingAtPath: path) else { return true }
        defer { try? file.close() }
        let beginning = (try? file.read(upToCount: CatalogueCopy.beginning.utf8.count)) ?? nil
        return beginning == Data(CatalogueCopy.beginning.utf8)
    }

    private static func refuseToReplace(
        _ store: any CatalogueStore,
        _ database: DatabaseSettings
    ) async throws(CatalogueError) {
        // Half of a library is worth nothing.
        guard try await !store.isHalfMoved() else { return }
        let before = try await store.copy()
        guard before.contents.isEmpty else {
            throw CatalogueError(
                .rejected,
                "\(database) holds \(words(before)); save it with backup-db, then say --force to"
                    + " replace it"
            )
        }
    }

    private static func words(_ copy: CatalogueCopy) -> String { words(copy.tallies) }

    private static func words(_ tallies: [CatalogueCopy.Tally]) -> String {
        tallies.map { "\($0.rows) \($0.name)" }.joined(separator: ", ")
    }
}

// MARK: Moving house

extension DatabaseCare {
    /// What a move did, or would do.
    public struct Move: Sendable {
        public let from: String
        public let to: String
        /// What was there, and after the move is in both.
        public let tallies: [CatalogueCopy.Tally]
        public let isDone: Bool
    }

    /// How far a move is.
    public enum Progress: Sendable {
        /// What is begun now.
        case step(String)
        case rows(Int, of: Int)
    }

    /// Copies everything into a database of another kind and compares both, row by row.
    ///
    /// The source is only read. What was cut off goes on where it stopped, unless the source was
    /// changed since.
    ///
    /// - Parameters:
    ///   - type: "sqlite", "postgres" or "milvus", as configured in its own section.
    ///   - isDry: Only read and say what there is.
    ///   - isForced: Whether a target that holds something is replaced.
    ///   - progress: Told how far it is.
    /// - Returns: What was moved.
    /// - Throws: ``CatalogueError`` or ``Settings/Problem``.
    public func move(
        to type: String,
        isDry: Bool,
        isForced: Bool,
        progress: @Sendable @escaping (Progress) -> Void
    ) async throws -> Move {
        let target = try DatabaseSettings(values, type: type, directory: directory)
        guard "\(target)" != "\(database)" else {
            throw Settings.Problem("the catalogue is \(database) already")
        }
        progress(.step("reading \(database)"))
        let copy = try await with(database) { store throws(CatalogueError) in
            try await store.copy()
        }
        let tallies = copy.tallies
        guard !isDry else {
            return Move(from: "\(database)", to: "\(target)", tallies: tallies, isDone: false)
        }
        try await with(target) { store throws(CatalogueError) in
            if !isForced { try await Self.refuseToReplace(store, target) }
            progress(.step("writing \(Self.words(tallies)) to \(target)"))
            try await store.moveIn(copy, mark: Self.mark(tallies)) {
                progress(.rows($0, of: copy.rows))
            }
            progress(.step("comparing"))
            for (wanted, found) in zip(tallies, try await store.copy().tallies)
            where wanted != found {
                throw CatalogueError(
                    .unusable,
                    "\(found.name) differ: \(wanted.rows) were read, \(found.rows) arrived"
                )
            }
        }
        return Move(from: "\(database)", to: "\(target)", tallies: tallies, isDone: true)
    }

    /// Tells what is moved from everything else.
    private static func mark(_ tallies: [CatalogueCopy.Tally]) -> String {
        tallies.map { String($0.fingerprint, radix: 16) }.joined(separator: "-")
    }
}

// MARK: Moving in

extension DatabaseCare {
    /// Takes in the shows, episodes and files of an original Sync2NAS database.
    ///
    /// - Parameters:
    ///   - file: Its SQLite file, which is only read.
    ///   - log: Where warnings go.
    /// - Returns: What was new, and a line for each thing that makes no sense there.
    /// - Throws: ``CatalogueError``; nothing is changed then.
    public func importOriginal(
        _ file: String,
        log: Logger
    ) async throws(CatalogueError) -> (summary: String, problems: [String]) {
        let path = Settings.absolute(file)
        let imported = try OriginalDatabase.read(path)
        return try await with(database) { store throws(CatalogueError) in
            let library = Library(store: store, roots: [], log: log)
            try await library.load()
            let origin = Origin(.import, "import-sync2nas", reason: path)
            let new = try await library.take(imported, origin)
            let summary =
                "\(imported.shows.count) shows, of which \(new.shows) are new, \(new.episodes) new"
                + " episodes, \(imported.files.count) files, of which \(new.files) are new"
            return (summary, imported.problems)
        }
    }
}
