import Foundation
import Glibc

/// A real sshd on loopback, with keys, known hosts and files of its own in a temporary directory.
public final class Seedbox: Sendable {
    public let directory: String
    public let port: UInt16
    /// An address of loopback that no other seedbox of this process has: a port that is free again
    /// is soon another's.
    public let host: String
    private let process = MutexBox<ChildProcess?>(nil)
    private let options: [String]

    /// Starts it; `options` are further lines for sshd's configuration.
    public init(options: [String] = []) throws {
        self.options = options
        directory = try Self.temporaryDirectory()
        port = try Self.freePort()
        let number = Self.count.value
        Self.count.value = number + 1
        host = "127.\(1 + Int(getpid()) % 250).\(1 + number / 250 % 250).\(1 + number % 250)"
        try FileManager.default.createDirectory(
            atPath: root,
            withIntermediateDirectories: true
        )
        try run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", keyPath])
        try run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", directory + "/host_key"])
        try FileManager.default.copyItem(atPath: keyPath + ".pub", toPath: authorizedKeys)
        try writeKnownHosts()
        try start()
    }

    deinit { stop() }

    private static let count = MutexBox(0)

    public var root: String { directory + "/files" }
    public var keyPath: String { directory + "/key" }
    public var knownHosts: String { directory + "/known_hosts" }
    public var authorizedKeys: String { directory + "/authorized_keys" }
    public var user: String { NSUserName() }
    public var url: String { "sftp://\(user)@\(host):\(port)\(root)" }

    /// Makes a file below ``root`` with its directories; `modified` is in seconds since 1970.
    public func write(_ path: String, _ bytes: [UInt8], modified: Int = 1_700_000_000) throws {
        let full = root + "/" + path
        try FileManager.default.createDirectory(
            atPath: (full as NSString).deletingLastPathComponent,
            withIntermediateDirectories: true
        )
        try Data(bytes).write(to: URL(fileURLWithPath: full))
        setTime(full, modified)
    }

    /// Makes a file of holes.
    public func writeSparse(_ path: String, size: Int, modified: Int = 1_700_000_000) throws {
        try write(path, [])
        let full = root + "/" + path
        guard truncate(full, size) == 0 else { throw StandInError("cannot grow \(full)") }
        setTime(full, modified)
    }

    private func setTime(_ path: String, _ seconds: Int) {
        let time = timespec(tv_sec: seconds, tv_nsec: 0)
        var times = [time, time]
        utimensat(AT_FDCWD, path, &times, 0)
    }

    public func start() throws {
        let config = """
            Port \(port)
            ListenAddress \(host)
            HostKey \(directory)/host_key
            AuthorizedKeysFile \(authorizedKeys)
            PidFile none
            StrictModes no
            PasswordAuthentication no
            KbdInteractiveAuthentication no
            UsePAM no
            MaxStartups 100
            Subsystem sftp internal-sftp
            """ + "\n" + options.joined(separator: "\n") + "\n"
        try config.write(toFile: directory + "/sshd_config", atomically: true, encoding: .utf8)
        if getuid() == 0 { mkdir("/run/sshd", 0o755) }
        process.value = try ChildProcess(
            "/usr/sbin/sshd",
            ["-D", "-f", directory + "/sshd_config", "-E", directory + "/sshd.log"]
        )
        guard isListening(within: 10) else {
            let log = (try? String(contentsOfFile: directory + "/sshd.log", encoding: .utf8)) ?? ""
            throw StandInError("sshd does not listen: \(log)")
        }
    }

    /// Ends sshd and every session of it, as a crash does.
    public func kill() {
        guard let process = process.value else { return }
        for child in family(of: process.pid) { Glibc.kill(child, SIGKILL) }
        process.wait()
        self.process.value = nil
    }

    /// The network goes silent: connections stay, nothing answers.
    public func pause() { signalAll(SIGSTOP) }
    public func resume() { signalAll(SIGCONT) }

    public func stop() {
        resume()
        kill()
        try? FileManager.default.removeItem(atPath: directory)
    }

    private func signalAll(_ number: Int32) {
        guard let process = process.value else { return }
        for child in family(of: process.pid) { Glibc.kill(child, number) }
    }

    private func isListening(within seconds: Double) -> Bool {
        let end = Date().addingTimeInterval(seconds)
        while Date() < end {
            if Self.canConnect(host, port) { return true }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return false
    }

    public func writeKnownHosts() throws {
        let key = try String(contentsOfFile: directory + "/host_key.pub", encoding: .utf8)
        let words = key.split(separator: " ").prefix(2).joined(separator: " ")
        try "[\(host)]:\(port) \(words)\n"
            .write(toFile: knownHosts, atomically: true, encoding: .utf8)
    }

    // MARK: Helpers that other stand-ins use

    public static func temporaryDirectory() throws -> String {
        let path = NSTemporaryDirectory() + "sync2nas-\(UUID().uuidString.prefix(8))"
        try FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o755]
        )
        return path
    }

    public static func freePort() throws -> UInt16 {
        let server = try HTTPServer { _ in .init(body: []) }
        defer { server.stop() }
        return server.port
    }

    static func canConnect(_ host: String, _ port: UInt16) -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        inet_pton(AF_INET, host, &address.sin_addr)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }
}

/// A process and all that it started, and they in turn.
func family(of process: pid_t) -> [pid_t] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    var parents: [pid_t: pid_t] = [:]
    for name in names {
        guard let number = pid_t(name),
            let text = try? String(contentsOfFile: "/proc/\(name)/stat", encoding: .utf8),
            let end = text.lastIndex(of: ")")
        else { continue }
        let fields = text[end...].split(separator: " ")
        if fields.count > 2, let parent = pid_t(fields[2]) { parents[number] = parent }
    }
    var found = [process]
    var index = 0
    while index < found.count {
        found += parents.filter { $0.value == found[index] }.keys
        index += 1
    }
    return found
}

private func run(_ program: String, _ arguments: [String]) throws {
    let code = try ChildProcess(program, arguments).wait()
    guard code == 0 else { throw StandInError("\(program) failed with \(code)") }
}

/// A value behind a lock, for classes of Foundation that cannot be sent.
final class MutexBox<Value>: @unchecked Sendable {
    private let lock = NSLock()
    private var stored: Value

    init(_ value: Value) {
        stored = value
    }

    var value: Value {
        get { lock.withLock { stored } }
        set { lock.withLock { stored = newValue } }
    }
}
