import CSSH2
import Glibc

/// A host's public key as the server showed it.
struct HostKey {
    /// As in known hosts: `ssh-ed25519`.
    let type: String
    let base64: String
    /// As `ssh-keygen -l` prints it: `SHA256:…`.
    let fingerprint: String
}

/// The host keys on file, in OpenSSH's format: plain and hashed names as libssh2 reads them, and
/// patterns, which it does not know; no certificates.
final class KnownHosts {
    enum Verdict {
        case trusted
        case unknown
        case changed
    }

    /// The key types that libssh2 1.10 can check, strongest first.
    static let types: [(name: String, mask: Int32)] = [
        ("ssh-ed25519", LIBSSH2_KNOWNHOST_KEY_ED25519),
        ("ecdsa-sha2-nistp256", LIBSSH2_KNOWNHOST_KEY_ECDSA_256),
        ("ecdsa-sha2-nistp384", LIBSSH2_KNOWNHOST_KEY_ECDSA_384),
        ("ecdsa-sha2-nistp521", LIBSSH2_KNOWNHOST_KEY_ECDSA_521),
        ("ssh-rsa", LIBSSH2_KNOWNHOST_KEY_SSHRSA),
    ]

    private let hosts: OpaquePointer
    private var revoked: Set<String> = []
    private let name: String

    /// Reads every file of `paths` that exists.
    init(
        _ session: OpaquePointer,
        host: String,
        port: UInt16,
        paths: [String]
    ) throws(ConnectionError) {
        guard let hosts = libssh2_knownhost_init(session) else {
            throw ConnectionError(.closed, "no memory for known hosts")
        }
        self.hosts = hosts
        name = KnownHosts.name(host: host, port: port)
        for path in paths { read(path) }
    }

    deinit {
        libssh2_knownhost_free(hosts)
    }

    /// `host` at the usual port, `[host]:port` elsewhere, as sshd(8) writes them.
    static func name(host: String, port: UInt16) -> String {
        port == 22 ? host.lowercased() : "[\(host.lowercased())]:\(port)"
    }

    /// Line by line, since libssh2's own reader gives up at the first line it cannot parse.
    private func read(_ path: String) {
        // 16 MiB holds a hundred thousand keys.
        guard let bytes = SmallFile.contents(of: path, limit: 16 << 20) else { return }
        for line in bytes.split(separator: UInt8(ascii: "\n")) {
            let text = String(decoding: line, as: UTF8.self)
            let words = text.split(whereSeparator: \.isWhitespace)
            if words.first == "@revoked", words.count > 3 { revoked.insert(String(words[3])) }
            guard let first = words.first, !first.hasPrefix("@"),
                let plain = plainLine(text, names: first)
            else { continue }
            _ = libssh2_knownhost_readline(
                hosts,
                plain,
                plain.utf8.count,
                LIBSSH2_KNOWNHOST_FILE_OPENSSH
            )
        }
    }

    /// A line without patterns that says of our host what `text` says.
    ///
    /// - Returns: nil when the line excludes our host.
    private func plainLine(_ text: String, names: Substring) -> String? {
        guard names.contains(where: { "*?!".contains($0) }) else { return text }
        let patterns = names.lowercased().split(separator: ",")
        let excludes = patterns.contains { $0.first == "!" && Self.matches(name, $0.dropFirst()) }
        guard !excludes, patterns.contains(where: { Self.matches(name, $0) }) else { return nil }
        return name + text.drop(while: \.isWhitespace).dropFirst(names.count)
    }

    /// Whether a name fits a pattern with `*` and `?` (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT").
    static func matches(_ name: some StringProtocol, _ pattern: some StringProtocol) -> Bool {
        // Row by row: which beginnings of the name the pattern so far fits. Linear in both, where
        // trying each place of each star is not.
        let name = Array(name.utf8)
        var fits = [true] + [Bool](repeating: false, count: name.count)
        for sign in pattern.utf8 {
            var next = [Bool](repeating: false, count: name.count + 1)
            let isStar = sign == UInt8(ascii: "*")
            if isStar { next[0] = fits[0] }
            for index in name.indices {
                next[index + 1] =
                    isStar
                    ? fits[index + 1] || next[index]
                    : fits[index] && (sign == UInt8(ascii: "?") || sign == name[index])
            }
            fits = next
        }
        return fits.last ?? false
    }

    private func check(_ base64: String, _ mask: Int32) -> Int32 {
        libssh2_knownhost_checkp(
            hosts,
            name,
            -1,
            base64,
            base64.utf8.count,
            cssh2_type_plain_base64 | mask,
            nil
        )
    }

    /// The types of which a key of this host is on file.
    var knownTypes: [String] {
        // No key is one zero byte, so any entry for the host is a mismatch.
        KnownHosts.types.filter { check("AA==", $0.mask) == LIBSSH2_KNOWNHOST_CHECK_MISMATCH }
            .map(\.name)
    }

    func verdict(_ key: HostKey) -> Verdict {
        guard !revoked.contains(key.base64),
            let mask = KnownHosts.types.first(where: { $0.name == key.type })?.mask
        else { return .changed }
        if check(key.base64, mask) == LIBSSH2_KNOWNHOST_CHECK_MATCH { return .trusted }
        // A key of another type on file makes this one suspicious, not new: we asked the
        // server for the types on file first.
        return knownTypes.isEmpty ? .unknown : .changed
    }

    // MARK: Adding

    /// Makes an empty file that only its owner may read, and its folder, where there is none.
    static func create(_ path: String) throws(ConnectionError) {
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
            .joined(separator: "/")
        if !folder.isEmpty { mkdir(folder, 0o700) }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw cannotWrite(path) }
        close(descriptor)
    }

    private static func cannotWrite(_ path: String) -> ConnectionError {
        ConnectionError(
            .hostKeyUnknown,
            "cannot write the host key to '\(path)'",
            cause: SystemError()
        )
    }

    /// Appends one line in one write, so that two processes do not mix theirs.
    static func append(
        _ key: HostKey,
        host: String,
        port: UInt16,
        to path: String
    ) throws(ConnectionError) {
        try create(path)
        let unended = SmallFile.contents(of: path, limit: 16 << 20)?.last.map { $0 != 10 } ?? false
        let line =
            "\(unended ? "\n" : "")\(name(host: host, port: port)) \(key.type) \(key.base64)\n"
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, write(descriptor, line, line.utf8.count) == line.utf8.count else {
            throw cannotWrite(path)
        }
    }
}

extension RemoteAccount {
    var knownHostsPath: String { knownHostsFile ?? "\(HomeDirectory.path)/.ssh/known_hosts" }
}

extension ConnectionError {
    static func hostKeyUnknown(_ account: RemoteAccount, _ key: String?) -> ConnectionError {
        let port = account.port.map { " -p \($0)" } ?? ""
        return ConnectionError(
            .hostKeyUnknown,
            "the host key of '\(account.label)'\(key.map { ", \($0)," } ?? "") is not in"
                + " '\(account.knownHostsPath)'. Compare it with what the provider publishes, then"
                + " start with --accept-new-host-key or add the output of"
                + " 'ssh-keyscan\(port) \(account.host)' to that file"
        )
    }

    static func hostKeyChanged(_ account: RemoteAccount, _ key: String?) -> ConnectionError {
        ConnectionError(
            .hostKeyChanged,
            "the host key of '\(account.label)' is now\(key.map { " \($0)" } ?? " another one"), which"
                + " is not the one in '\(account.knownHostsPath)': somebody may be in between. If the"
                + " provider confirms the change, remove the old line with"
                + " 'ssh-keygen -f \(account.knownHostsPath) -R"
                + " \"\(KnownHosts.name(host: account.host, port: account.port ?? 22))\"'"
        )
    }
}
