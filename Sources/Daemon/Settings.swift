public import Catalogue
public import Foundation
import Glibc
public import Primitives
public import Transfer
public import VirtualTree

/// All that a run needs to know, from the command line, the environment and the configuration
/// file; in this order the first that says something wins.
public struct Settings: Sendable {
    public var account: RemoteAccount
    /// Absolute.
    public var roots: [RemotePath]
    public var dataDirectory: String
    public var cache: CacheSettings
    public var database: DatabaseSettings
    public var journalLimits: JournalLimits
    /// The catalogue in words, as the status shows it.
    public var catalogue: String { database.description }
    public var allowOther: Bool
    public var mountOptions: [String]
    /// Whether the kernel may read complete files itself.
    public var allowsPassthrough: Bool
    public var tmdbKey: String
    public var tmdbBaseURL: String?
    public var tmdbLanguage: String
    /// Which of several files of one episode comes first.
    public var preference: VersionPreference
    /// nil when no language model is to be asked.
    public var model: ModelSettings?
    var embedding: EmbeddingSettings
    public var scanInterval: Duration
    public var readTimeout: Duration
    /// Connections at once; many hosts allow few.
    public var connectionLimit: Int
    /// Bytes per second that may come from the seedbox.
    public var rateLimit: RateSchedule
    /// Whether a file that is played is fetched to its end.
    public var finishesPlayed: Bool
    /// What a person should hear of: misspelt keys and the like.
    public var warnings: [String]

    /// What the command line said.
    public struct Arguments: Sendable {
        /// `sftp://user@host[:port]/path`.
        public var remote: String?
        public var configFile: String?
        public var identityFile: String?
        public var knownHostsFile: String?
        public var acceptNewHostKey = false
        public var passwordFile: String?
        public var dataDirectory: String?
        public var cacheDirectory: String?
        public var allowOther = false
        public var mountOptions: [String] = []

        public init() {}
    }

    /// Why the settings cannot be used.
    public struct Problem: Error, Sendable, CustomStringConvertible {
        public let description: String

        public init(_ description: String) {
            self.description = description
        }
    }

    /// Collects the settings.
    ///
    /// - Parameters:
    ///   - arguments: What the command line said.
    ///   - environment: Variables `SYNC2NAS_<SECTION>_<KEY>`, and XDG's.
    /// - Throws: ``Problem`` that says what, where and how to mend it.
    public init(
        _ arguments: Arguments,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(Problem) {
        let values = try SettingValues(file: arguments.configFile, environment: environment)
        warnings = values.warnings
        let data = try Self.directory(
            arguments.dataDirectory,
            environment,
            xdg: "XDG_DATA_HOME",
            standard: ".local/share"
        )
        dataDirectory = data
        cache = try CacheSettings(arguments, values, environment)
        let remembered = Self.remembered(in: data)
        let remote = try RemoteAddress(arguments.remote, values, remembered: remembered)
        roots = remote.paths
        account = try Self.account(remote, arguments, values)
        database = try DatabaseSettings(values, directory: data)
        let days = try values.number("database", "journal_days", in: 1...36_500) ?? 90
        let entries = try values.number("database", "journal_entries", in: 1...1_000_000) ?? 10_000
        journalLimits = JournalLimits(age: Int64(days) * 86_400, entries: Int64(entries))
        let allows = try values.flag("mount", "allow_other")
        allowOther = arguments.allowOther || allows
        mountOptions =
            (values["mount", "options"].map { [$0] } ?? []) + arguments.mountOptions
        allowsPassthrough = try values.flag("mount", "passthrough", unset: true)
        tmdbKey = values["tmdb", "api_key"] ?? ""
        tmdbBaseURL = values["tmdb", "base_url"]
        tmdbLanguage = values["tmdb", "language"] ?? "en-US"
        preference = try Self.preference(values)
        model = try ModelSettings(values, warnings: &warnings)
        embedding = try EmbeddingSettings(values)
        scanInterval = try values.duration("scan", "interval") ?? .seconds(300)
        readTimeout = try values.duration("sftp", "read_timeout") ?? .seconds(30)
        connectionLimit = try values.number("sftp", "connections", in: 1...32) ?? 4
        rateLimit = try values.rateSchedule("sftp", "rate_limit") ?? .unlimited
        finishesPlayed = try values.flag("cache", "finish_played", unset: true)
    }

    private static func preference(_ values: SettingValues) throws(Problem) -> VersionPreference {
        guard let text = values["library", "prefer"] else { return VersionPreference() }
        var order: [VersionPreference.Trait] = []
        for word in text.lowercased().split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            guard let trait = VersionPreference.Trait(rawValue: String(word)) else {
                throw Problem(
                    "[Library] prefer = \(text): '\(word)' is none of resolution, source, proper and"
                        + " version"
                )
            }
            order.append(trait)
        }
        return VersionPreference(order)
    }

    private static func account(
        _ remote: RemoteAddress,
        _ arguments: Arguments,
        _ values: SettingValues
    ) throws(Problem) -> RemoteAccount {
        var account = RemoteAccount(host: remote.host, port: remote.port, user: remote.user)
        account.identityFile = (arguments.identityFile ?? values["sftp", "ssh_key_path"])
            .map(absolute)
        account.knownHostsFile = (arguments.knownHostsFile ?? values["sftp", "known_hosts"])
            .map(absolute)
        let accepts = try values.flag("sftp", "accept_new_host_key")
        account.acceptNewHostKey = arguments.acceptNewHostKey || accepts
        if let file = (arguments.passwordFile ?? values["sftp", "password_file"]).map(absolute) {
            account.password = Secret(try Self.firstLine(of: file))
        } else if let password = values["sftp", "password"] {
            account.password = Secret(password)
        }
        if let text = values["sftp", "transport"] {
            guard let transport = RemoteAccount.Transport(rawValue: text.lowercased()) else {
                throw Problem("[SFTP] transport = \(text): there are auto, openssh and libssh2")
            }
            account.transport = transport
        }
        if let limit = try values.duration("sftp", "connect_timeout") {
            account.timeLimits.connect = limit
        }
        if let limit = try values.duration("sftp", "reply_timeout") {
            account.timeLimits.reply = limit
        }
        return account
    }

    static func firstLine(of file: String) throws(Problem) -> String {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw Problem("the file '\(file)', which holds a secret, cannot be read")
        }
        guard let line = text.split(maxSplits: 1, whereSeparator: \.isNewline).first else {
            throw Problem("the file '\(file)' is empty; its first line is the secret")
        }
        return String(line)
    }

    static func directory(
        _ given: String?,
        _ environment: [String: String],
        xdg: String,
        standard: String
    ) throws(Problem) -> String {
        if let given { return absolute(given) }
        if let base = environment[xdg], base.hasPrefix("/") { return base + "/sync2nas" }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw Problem("there is no HOME: give --data-dir and --cache-dir")
        }
        return "\(home)/\(standard)/sync2nas"
    }

    /// `~` and relative paths as a shell would take them.
    public static func absolute(_ path: String) -> String {
        let expanded = (path as NSString).expandingTildeInPath
        let full =
            expanded.hasPrefix("/")
            ? expanded : FileManager.default.currentDirectoryPath + "/" + expanded
        // realpath(3) asks readlink(2) of each component and nothing else, so it does not wait for
        // a mount at `path` that nobody serves; Foundation's standardizing asks for attributes.
        let plain = "/" + full.split(separator: "/").joined(separator: "/")
        guard let real = realpath(plain, nil) else { return plain }
        defer { free(real) }
        return String(cString: real)
    }
}

/// The remote that the last mount used, so that commands work on its catalogue without naming it.
extension Settings {
    private static func rememberedFile(in directory: String) -> String { directory + "/remote" }

    static func remembered(in directory: String) -> String? {
        (try? String(contentsOfFile: rememberedFile(in: directory), encoding: .utf8))
            .map { $0.trimmingCharacters(in: .newlines) }
    }

    /// "sftp://user@host:port/path" for each root, a line each.
    public var remoteText: String {
        roots.map { account.address + RemoteAddress.encoded($0) }.joined(separator: "\n")
    }

    /// Whether the catalogue is of this remote.
    public var isRemembered: Bool { Self.remembered(in: dataDirectory) == remoteText }

    func remember() {
        try? (remoteText + "\n").write(
            toFile: Self.rememberedFile(in: dataDirectory),
            atomically: true,
            encoding: .utf8
        )
    }
}
