import Glibc
import Synchronization

/// A real OpenSSH server on loopback with a folder of files, as a stand-in for a seedbox.
///
/// Its account is the user who runs the tests, root or not; it has its own configuration, keys
/// and port. Everything it started or wrote is gone after `stop`, which `deinit` calls as well.
public final class Seedbox: Sendable {
    public struct Options: Sendable {
        /// Further lines of sshd_config, before the usual ones, so that they win.
        public var configuration: [String] = []
        /// Whether sessions are served by sshd itself or by the program `sftp-server`.
        public var usesInternalSFTP = true
        /// Arguments of the SFTP server: `-P open` refuses every open.
        public var serverArguments: [String] = []
        /// Whether the server has an RSA host key beside ed25519.
        public var hasRSAHostKey = false
        /// Whether the account can log in with ``Seedbox/password``: asked for by sshd itself, or
        /// by PAM as keyboard-interactive.
        ///
        /// Only where ``canHavePassword``.
        public var passwordLogin = PasswordLogin.none

        public init() {}
    }

    public enum PasswordLogin: Sendable {
        case none
        case password
        case keyboardInteractive
    }

    private struct State {
        var server: ProcessTree?
    }

    public static let password = "open sesame"
    /// `openssl passwd -6 -salt sync2nas` of it.
    private static let passwordHash =
        "$6$sync2nas$yFrA7vaRa5sHaTn58IERiWotL97L6RALqQQxhiF4cr3hU36HnLFlF8Y3ptCODpBePZ0rack11bivT6X"
        + "3L7sz8/"

    /// Whether sshd can be shown another /etc/shadow, in a mount namespace of its own; the
    /// system's accounts are never touched.
    public static var canHavePassword: Bool {
        guard geteuid() == 0, let folder = try? TemporaryFolder() else { return false }
        let words = ["/usr/bin/unshare", "-m", "/bin/true"]
        return (try? ProcessTree.run(words, log: "\(folder.path)/log")) != nil
    }

    public let host = "127.0.0.1"
    public let port: UInt16
    public let user: String
    /// A private key without passphrase that the server accepts, ed25519.
    public let keyPath: String
    /// Known hosts with this server's key.
    public let knownHostsPath: String
    /// The folder of the files, as server and test see it.
    public let root: String
    /// Everything else: keys, configuration, log.
    public let folder: TemporaryFolder
    private let options: Options
    private let state = Mutex(State())

    public init(_ options: Options = Options()) throws {
        self.options = options
        folder = try TemporaryFolder()
        root = "\(folder.path)/files"
        keyPath = "\(folder.path)/id_ed25519"
        knownHostsPath = "\(folder.path)/known_hosts"
        guard let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name else {
            throw SeedboxError("this user has no name")
        }
        user = String(cString: name)
        port = try Seedbox.freePort()
        mkdir(root, 0o755)
        _ = try makeKey("id_ed25519", type: "ed25519")
        try makeHostKeys()
        try writeConfiguration()
        try start()
    }

    deinit {
        stop()
    }

    // MARK: Files

    /// Writes `file`, a path below `root`, with its folders.
    ///
    /// - Parameters:
    ///   - file: The path.
    ///   - bytes: All of its contents.
    ///   - mtime: Seconds since 1970.
    /// - Throws: ``SeedboxError``.
    public func write(_ file: String, _ bytes: [UInt8], mtime: Int64 = 1_600_000_000) throws {
        try TemporaryFolder.write(bytes, to: path(file))
        try touch(file, mtime: mtime)
    }

    /// Makes `file` a file of `size` zeros that takes no space.
    public func writeSparse(_ file: String, size: Int64, mtime: Int64 = 1_600_000_000) throws {
        try TemporaryFolder.write([], to: path(file))
        guard truncate(path(file), off_t(size)) == 0 else {
            throw SeedboxError("cannot extend \(file): \(String(cString: strerror(errno)))")
        }
        try touch(file, mtime: mtime)
    }

    public func touch(_ file: String, mtime: Int64) throws {
        let time = timeval(tv_sec: time_t(mtime), tv_usec: 0)
        guard utimes(path(file), [time, time]) == 0 else {
            throw SeedboxError("cannot touch \(file): \(String(cString: strerror(errno)))")
        }
    }

    public func link(_ file: String, to target: String) throws {
        guard symlink(target, path(file)) == 0 else {
            throw SeedboxError("cannot link \(file): \(String(cString: strerror(errno)))")
        }
    }

    public func path(_ file: String) -> String { "\(root)/\(file)" }

    /// The programs `ssh` that are connected, or connecting, to this server.
    public var clients: Int { ProcessTree.commands(with: ["\(port)", host]).count }

    /// What sshd has logged.
    public var log: String { TemporaryFolder.text(of: "\(folder.path)/log") ?? "" }

    // MARK: Keys

    /// Makes another private key and returns its path.
    ///
    /// - Parameters:
    ///   - name: The file's name.
    ///   - type: As for `ssh-keygen -t`.
    ///   - passphrase: Empty for none.
    ///   - isAuthorized: Whether the server accepts it from now on.
    /// - Returns: The path of the private key.
    /// - Throws: ``SeedboxError``.
    public func makeKey(
        _ name: String,
        type: String,
        passphrase: String = "",
        isAuthorized: Bool = true
    ) throws -> String {
        let path = "\(folder.path)/\(name)"
        let words = ["/usr/bin/ssh-keygen", "-q", "-t", type, "-N", passphrase, "-f", path]
        try ProcessTree.run(words, log: "\(folder.path)/keygen-log")
        if isAuthorized {
            let list = "\(folder.path)/authorized_keys"
            let keys = TemporaryFolder.bytes(of: list) ?? []
            let key = TemporaryFolder.bytes(of: "\(path).pub") ?? []
            try TemporaryFolder.write(keys + key, to: list, mode: 0o600)
        }
        return path
    }

    private func makeHostKeys() throws {
        var types = ["ed25519"]
        if options.hasRSAHostKey { types.append("rsa") }
        var lines = ""
        for type in types {
            let path = try makeKey("host_\(type)", type: type, isAuthorized: false)
            let words = (TemporaryFolder.text(of: "\(path).pub") ?? "").split(separator: " ")
            guard words.count >= 2 else { throw SeedboxError("no public key in \(path).pub") }
            lines += "[\(host)]:\(port) \(words[0]) \(words[1])\n"
        }
        try TemporaryFolder.write(Array(lines.utf8), to: knownHostsPath, mode: 0o600)
    }

    // MARK: The server

    private func writeConfiguration() throws {
        let program = options.usesInternalSFTP ? "internal-sftp" : "/usr/lib/openssh/sftp-server"
        let server = ([program] + options.serverArguments).joined(separator: " ")
        var lines = options.configuration
        lines += [
            "UsePAM \(options.passwordLogin == .keyboardInteractive ? "yes" : "no")",
            "PasswordAuthentication \(options.passwordLogin == .password ? "yes" : "no")",
            "KbdInteractiveAuthentication"
                + " \(options.passwordLogin == .keyboardInteractive ? "yes" : "no")",
            "ListenAddress \(host):\(port)", "HostKey \(folder.path)/host_ed25519",
            "AuthorizedKeysFile \(folder.path)/authorized_keys", "PidFile none",
            "StrictModes no",
            // bash takes itself for one inside another and reads no start file of the user: killed
            // in the middle of that, it may leave something locked for all that follow.
            "SetEnv SHLVL=2",
            "PermitRootLogin yes", "MaxStartups 100", "Subsystem sftp \(server)",
        ]
        if options.hasRSAHostKey { lines.append("HostKey \(folder.path)/host_rsa") }
        let text = lines.joined(separator: "\n") + "\n"
        try TemporaryFolder.write(Array(text.utf8), to: "\(folder.path)/sshd_config", mode: 0o600)
    }

    private func start() throws {
        // sshd insists on this folder when it is root.
        if geteuid() == 0 { mkdir("/run/sshd", 0o755) }
        var words = ["/usr/sbin/sshd", "-D", "-e", "-f", "\(folder.path)/sshd_config"]
        if options.passwordLogin != .none { words = try wordsWithPassword(words) }
        let server = try ProcessTree.start(words, log: "\(folder.path)/log")
        state.withLock { $0.server = server }
        while !isListening {
            var status: Int32 = 0
            guard waitpid(server.root, &status, WNOHANG) == 0 else {
                state.withLock { $0.server = nil }
                throw SeedboxError("sshd ended: \(log)")
            }
            poll(nil, 0, 5)
        }
    }

    private func wordsWithPassword(_ words: [String]) throws -> [String] {
        let shadow = "\(folder.path)/shadow"
        let line = "\(user):\(Seedbox.passwordHash):19000:0:99999:7:::\n"
        try TemporaryFolder.write(Array(line.utf8), to: shadow, mode: 0o600)
        let script = "mount --bind '\(shadow)' /etc/shadow && exec \(words.joined(separator: " "))"
        return ["/usr/bin/unshare", "-m", "/bin/sh", "-c", script]
    }

    private var isListening: Bool {
        guard let descriptor = Seedbox.socket() else { return false }
        defer { close(descriptor) }
        return Seedbox.withAddress(port) { connect(descriptor, $0, $1) } == 0
    }

    /// Ends sshd and all sessions.
    ///
    /// Connections break as if the host had rebooted.
    public func stopServer() {
        let server = state.withLock { state in
            defer { state.server = nil }
            return state.server
        }
        server?.end()
    }

    /// Ends everything and removes the files.
    public func stop() {
        stopServer()
        folder.remove()
    }

    /// Ends sshd and all sessions, and listens on the same port again.
    public func restart() throws {
        stopServer()
        try start()
    }

    /// Kills everything but the process that listens.
    public func killSessions() {
        guard let server = state.withLock({ $0.server }) else { return }
        for pid in server.members where pid != server.root { kill(pid, SIGKILL) }
    }

    /// Freezes sshd and all sessions: connections stay, nothing answers.
    public func pause() {
        state.withLock { $0.server }?.stopped()
    }

    public func resume() {
        state.withLock { $0.server }?.signal(SIGCONT)
    }

    // MARK: Ports

    private static func freePort() throws -> UInt16 {
        guard let descriptor = socket() else { throw SeedboxError("no socket") }
        defer { close(descriptor) }
        guard withAddress(0, { bind(descriptor, $0, $1) }) == 0 else {
            throw SeedboxError("cannot bind: \(String(cString: strerror(errno)))")
        }
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &length)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func socket() -> Int32? {
        let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return descriptor
    }

    private static func withAddress(
        _ port: UInt16,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
