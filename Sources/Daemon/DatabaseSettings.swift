public import Catalogue
import CatalogueMilvus
public import CataloguePostgres
import CatalogueSQLite
import Foundation
public import MilvusClient

/// Which database holds the catalogue.
public enum DatabaseSettings: Sendable, CustomStringConvertible {
    /// A file; absolute.
    case sqlite(String)
    case postgres(PostgresSettings)
    /// A server, and what stands before the names of its collections.
    case milvus(MilvusServer, prefix: String)

    /// In words, without a secret.
    public var description: String {
        switch self {
        case .sqlite(let file): "SQLite, \(file)"
        case .postgres(let settings): "PostgreSQL, \(settings)"
        case .milvus(let server, let prefix):
            "Milvus, \(server.host):\(server.port)" + (prefix.isEmpty ? "" : " \(prefix)")
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
        case "milvus": self = try Self.milvus(values)
        case let other:
            throw Settings.Problem(
                "[Database] type = \(other): there are sqlite, postgres (or postgresql) and milvus"
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

    private static func milvus(
        _ values: SettingValues
    ) throws(Settings.Problem) -> DatabaseSettings {
        let section = "milvus"
        var server = MilvusServer(host: values[section, "host"] ?? "localhost")
        server.port = UInt16(try values.number(section, "port", in: 1...65_535) ?? 19_530)
        server.database = values[section, "database"] ?? ""
        if try values.flag(section, "tls") {
            server.transport = .tls(authorities: values[section, "ca_file"].map(Settings.absolute))
        }
        var password = values[section, "password"]
        if let file = values[section, "password_file"].map(Settings.absolute) {
            password = try Settings.firstLine(of: file)
        }
        if let token = values[section, "token"] {
            server.login = .token(token)
        } else if let user = values[section, "user"], let password {
            server.login = .password(user: user, password: password)
        }
        let prefix = values[section, "prefix"] ?? ""
        guard prefix.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }),
            prefix.first?.isNumber != true
        else {
            throw Settings.Problem(
                "[Milvus] prefix = \(prefix): Milvus wants letters, digits and _, a letter first"
            )
        }
        return .milvus(server, prefix: prefix)
    }

    /// Opens the catalogue, making or migrating it first.
    ///
    /// One more kind of database is one more line here.
    ///
    /// - Parameters:
    ///   - limits: How long the journal remembers.
    ///   - mayBeAway: Whether a server that does not answer now is no error yet.
    /// - Returns: The store.
    /// - Throws: ``CatalogueError``.
    public func open(
        _ limits: JournalLimits,
        mayBeAway: Bool = false
    ) async throws(CatalogueError) -> any CatalogueStore {
        switch self {
        case .sqlite(let file):
            try Self.makeDirectory(of: file)
            return try SQLiteStore(path: file, journalLimits: limits)
        case .postgres(let settings):
            return try await PostgresStore(settings, journalLimits: limits, mayBeAway: mayBeAway)
        case .milvus(let server, let prefix):
            return try await MilvusStore(
                server,
                prefix: prefix,
                journalLimits: limits,
                mayBeAway: mayBeAway
            )
        }
    }

    /// Whether it is on a server, which may be away.
    var isRemote: Bool {
        switch self {
        case .sqlite: false
        case .postgres, .milvus: true
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
