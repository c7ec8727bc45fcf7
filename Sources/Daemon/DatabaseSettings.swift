public import Catalogue
public import CataloguePostgres
import CatalogueSQLite
import Foundation

/// Which database holds the catalogue.
public enum DatabaseSettings: Sendable, CustomStringConvertible {
    /// A file; absolute.
    case sqlite(String)
    case postgres(PostgresSettings)

    /// In words, without a secret.
    public var description: String {
        switch self {
        case .sqlite(let file): "SQLite, \(file)"
        case .postgres(let settings): "PostgreSQL, \(settings)"
        }
    }

    /// - Parameters:
    ///   - values: All that was said.
    ///   - type: The kind; nil for what `[Database] type` says.
    ///   - directory: Where an SQLite file is made when none is named.
    /// - Throws: ``Settings/Problem``.
    init(
        _ values: SettingValues,
        type: String? = nil,
        directory: String
    ) throws(Settings.Problem) {
        switch (type ?? values["database", "type"] ?? "sqlite").lowercased() {
        case "sqlite":
            self = .sqlite(
                values["sqlite", "db_file"].map(Settings.absolute) ?? directory + "/catalogue.db"
            )
        case "postgres", "postgresql": self = .postgres(try Self.postgres(values))
        case let other:
            throw Settings.Problem(
                "[Database] type = \(other): there are sqlite and postgres (or postgresql)"
            )
        }
    }

    private static func postgres(
        _ values: SettingValues
    ) throws(Settings.Problem) -> PostgresSettings {
        let section = "postgresql"
        var password = values[section, "password"]
        if let file = values[section, "password_file"].map(Settings.absolute) {
            password = try Settings.firstLine(of: file)
        }
        return PostgresSettings(
            host: values[section, "host"],
            port: try values.number(section, "port", in: 1...65_535),
            database: values[section, "database"],
            user: values[section, "user"],
            password: password,
            sslMode: values[section, "sslmode"],
            sslRootCertificate: values[section, "sslrootcert"].map(Settings.absolute)
        )
    }

    /// Opens the catalogue, making or migrating it first.
    ///
    /// One more kind of database is one more line here.
    ///
    /// - Parameter limits: How long the journal remembers.
    /// - Returns: The store.
    /// - Throws: ``CatalogueError``.
    public func open(_ limits: JournalLimits) async throws(CatalogueError) -> any CatalogueStore {
        switch self {
        case .sqlite(let file):
            try Self.makeDirectory(of: file)
            return try SQLiteStore(path: file, journalLimits: limits)
        case .postgres(let settings):
            return try await PostgresStore(settings, journalLimits: limits)
        }
    }

    private static func makeDirectory(of file: String) throws(CatalogueError) {
        let directory = (file as NSString).deletingLastPathComponent
        do {
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw CatalogueError(
                .unavailable,
                "cannot make the directory '\(directory)'",
                cause: error
            )
        }
    }
}
