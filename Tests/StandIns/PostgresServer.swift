import Foundation
import Glibc
import Synchronization

/// A real PostgreSQL server on loopback with a cluster of its own, gone with its owner.
///
/// It never runs as root: PostgreSQL refuses that, so root's tests run it as `postgres`.
public final class PostgresServer: Sendable {
    public let port: UInt16
    public let directory: String
    private let folder: TemporaryFolder
    private let arguments: [String]
    private let tree = MutexBox<ProcessTree?>(nil)
    private let count = Mutex(0)

    /// Made at its first use, for all tests of the process that do not stop it.
    public static let shared: Result<PostgresServer, any Error> = {
        let server = Result { try PostgresServer() }
        atexit { if case .success(let server) = PostgresServer.shared { server.stop() } }
        return server
    }()

    /// - Parameters:
    ///   - tls: Whether it takes connections with TLS only, with a certificate for 127.0.0.1 that
    ///     ``certificate`` holds.
    ///   - isDurable: Whether a commit waits for the disk, as people's servers do.
    /// - Throws: ``StandInError`` when PostgreSQL is not installed or does not start.
    public init(tls: Bool = false, isDurable: Bool = false) throws {
        folder = try TemporaryFolder()
        directory = folder.path
        port = try FreePort.next()
        var words = [
            "-D", directory + "/data", "-p", "\(port)", "-k", directory,
            "-c", "listen_addresses=127.0.0.1", "-c", "fsync=\(isDurable ? "on" : "off")",
            "-c", "max_connections=200",
        ]
        if tls {
            words += [
                "-c", "ssl=on", "-c", "ssl_cert_file=\(directory)/server.crt",
                "-c", "ssl_key_file=\(directory)/server.key",
            ]
        }
        arguments = words
        chmod(directory, 0o755)
        if let user = Self.user, let entry = getpwnam(user) {
            chown(directory, entry.pointee.pw_uid, entry.pointee.pw_gid)
        }
        if tls { try makeCertificate() }
        try run([
            "initdb", "-D", directory + "/data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
            "--locale=C.UTF-8", "--no-sync",
        ])
        if tls {
            let rules =
                "local all all trust\nhostnossl all all all reject\nhostssl all all all trust\n"
            try rules.write(
                toFile: directory + "/data/pg_hba.conf",
                atomically: false,
                encoding: .utf8
            )
        }
        try start()
    }

    deinit { stop() }

    public var certificate: String { directory + "/server.crt" }

    /// Root's stand-in; nil when the tests do not run as root.
    private static var user: String? { geteuid() == 0 ? "postgres" : nil }

    private static func words(_ program: String, _ arguments: [String]) throws -> [String] {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql"))
        guard let version = (versions ?? []).max(by: { Int($0) ?? 0 < Int($1) ?? 0 }) else {
            throw StandInError("PostgreSQL is not installed: apt-get install postgresql")
        }
        let command = ["/usr/lib/postgresql/\(version)/bin/\(program)"] + arguments
        // setpriv(1) becomes the program, so that it is our own child, which we can wait for.
        return user.map {
            ["/usr/bin/setpriv", "--reuid", $0, "--regid", $0, "--clear-groups"] + command
        } ?? command
    }

    private func run(_ words: [String]) throws {
        try ProcessTree.run(
            Self.words(words[0], Array(words.dropFirst())),
            log: directory + "/tools.log"
        )
    }

    private func makeCertificate() throws {
        try ProcessTree.run(
            [
                "/usr/bin/openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                "-keyout", directory + "/server.key", "-out", certificate,
            ],
            log: directory + "/tools.log"
        )
        chmod(directory + "/server.key", 0o600)
        if let user = Self.user, let entry = getpwnam(user) {
            chown(directory + "/server.key", entry.pointee.pw_uid, entry.pointee.pw_gid)
        }
    }

    /// Starts it, again after ``stop()`` on the same data and port.
    public func start() throws {
        let log = directory + "/server.log"
        tree.value = try ProcessTree.start(Self.words("postgres", arguments), log: log)
        for _ in 0..<600 {
            if isAnswering { return }
            usleep(20_000)
        }
        throw StandInError("PostgreSQL does not start: \(TemporaryFolder.text(of: log) ?? "")")
    }

    private var isAnswering: Bool {
        (try? run(["pg_isready", "-q", "-h", directory, "-p", "\(port)", "-U", "postgres"])) != nil
    }

    /// Ends it at once, as a power cut would.
    public func stop() {
        tree.value?.end()
        tree.value = nil
    }

    /// Stops every process of it without ending them: it answers nothing until ``thaw()``.
    public func freeze() { tree.value?.stopped() }

    public func thaw() { tree.value?.signal(SIGCONT) }

    /// Makes an empty database and returns its name.
    public func database() throws -> String {
        let number = count.withLock { count in
            count += 1
            return count
        }
        let name = "test_\(number)"
        _ = try query("CREATE DATABASE \(name)", in: "postgres")
        return name
    }

    /// Runs SQL with psql; rows are lines, columns parted by a bar.
    public func query(_ sql: String, in database: String) throws -> String {
        let output = directory + "/answer-\(UInt64.random(in: 0 ... .max))"
        let words = try Self.words(
            "psql",
            [
                "-h", directory, "-p", "\(port)", "-U", "postgres", "-d", database, "-qAtX",
                "-v", "ON_ERROR_STOP=1", "-c", sql,
            ]
        )
        let psql = try ChildProcess(
            words[0],
            Array(words.dropFirst()),
            output: output,
            errors: output + ".err"
        )
        guard psql.wait() == 0 else {
            throw StandInError("psql: \(TemporaryFolder.text(of: output + ".err") ?? "")")
        }
        return try String(contentsOfFile: output, encoding: .utf8)
    }
}
