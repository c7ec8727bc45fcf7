/// Which server, and as whom; what is nil is left to libpq, which knows the usual environment
/// variables and `~/.pgpass` (postgresql.org/docs/current/libpq-envars.html).
public struct PostgresSettings: Sendable, CustomStringConvertible {
    public var host: String?
    public var port: Int?
    public var database: String?
    public var user: String?
    public var password: String?
    /// libpq's word: "prefer", "require", "verify-full" ….
    public var sslMode: String?
    /// A file with the certificates that are trusted.
    public var sslRootCertificate: String?
    /// A server that says nothing for so long is away, though its machine answers.
    public var silence = Duration.seconds(75)

    public init(
        host: String? = nil,
        port: Int? = nil,
        database: String? = nil,
        user: String? = nil,
        password: String? = nil,
        sslMode: String? = nil,
        sslRootCertificate: String? = nil
    ) {
        self.host = host
        self.port = port
        self.database = database
        self.user = user
        self.password = password
        self.sslMode = sslMode
        self.sslRootCertificate = sslRootCertificate
    }

    /// "postgres@nas:5432/sync2nas", without the password.
    public var description: String {
        (user.map { $0 + "@" } ?? "") + (host ?? "localhost") + ":\(port ?? 5432)"
            + "/\(database ?? user ?? "")"
    }

    /// Seconds to connect in.
    private static let connectSeconds = 5
    /// No statement of ours takes longer.
    private static let statementSeconds = 60

    var keywords: [(String, String)] {
        let options = "-c statement_timeout=\(Self.statementSeconds)s -c lock_timeout=30s"
        let all: [(String, String?)] = [
            ("host", host), ("port", port.map(String.init)), ("dbname", database), ("user", user),
            ("password", password), ("sslmode", sslMode), ("sslrootcert", sslRootCertificate),
            ("connect_timeout", "\(Self.connectSeconds)"), ("client_encoding", "UTF8"),
            ("application_name", "sync2nas"), ("options", options),
            // A server whose machine has gone says nothing more.
            ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "30000"),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }
}
