import CSSH2
import Foundation
import Glibc

/// The lists of server keys that `ssh` keeps, for connections without it.
///
/// Source of the format: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
struct HostKeys {
    let account: RemoteAccount

    static func unknown(_ place: String, key: String?) -> ConnectionError {
        ConnectionError(
            .hostKeyUnknown,
            "the host key of \(place) is not known" + (key.map { " (\($0))" } ?? "")
                + ": compare it with your provider's, then connect once with --accept-new-host-key"
                + " or add it with ssh-keyscan"
        )
    }

    static func changed(_ place: String, file: String?) -> ConnectionError {
        ConnectionError(
            .hostKeyChanged,
            "the host key of \(place) has CHANGED: somebody may be listening in. If your provider"
                + " confirms the new key, remove the old one with 'ssh-keygen -R' from"
                + " '\(file ?? "~/.ssh/known_hosts")'"
        )
    }

    private var home: String { NSHomeDirectory() }
    private var ownFile: String { account.knownHostsFile ?? "\(home)/.ssh/known_hosts" }

    private var files: [String] {
        if let file = account.knownHostsFile { return [file] }
        return [ownFile, "\(home)/.ssh/known_hosts2", "/etc/ssh/ssh_known_hosts"]
    }

    /// Asks for the kinds of key that are on the list, since a good server looks changed when it
    /// shows another kind.
    func prefer(in session: OpaquePointer) {
        let kinds = files.flatMap { file -> [String] in
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            return text.split(separator: "\n").compactMap { line in
                let words = line.split(separator: " ")
                guard words.count > 2, names(String(words[0])) else { return nil }
                return String(words[1])
            }
        }
        guard !kinds.isEmpty else { return }
        let all = kinds + ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"]
        var seen: Set<String> = []
        let list = all.filter { seen.insert($0).inserted }.joined(separator: ",")
        _ = libssh2_session_method_pref(session, LIBSSH2_METHOD_HOSTKEY, list)
    }

    /// Hashed names cannot be told apart here; libssh2 compares them later.
    private func names(_ patterns: String) -> Bool {
        let wanted = account.port == 22 ? account.host : "[\(account.host)]:\(account.port)"
        return patterns.hasPrefix("|1|") || patterns.split(separator: ",").contains { $0 == wanted }
    }

    /// Compares the server's key with the lists.
    ///
    /// - Throws: ``ConnectionError``: `.hostKeyUnknown` or `.hostKeyChanged`.
    func verify(_ session: OpaquePointer) throws(ConnectionError) {
        var length = 0
        var kind: Int32 = 0
        guard let key = libssh2_session_hostkey(session, &length, &kind),
            let hosts = libssh2_knownhost_init(session)
        else {
            throw ConnectionError(.protocolViolation, "\(account.address) shows no host key")
        }
        defer { libssh2_knownhost_free(hosts) }
        for file in files {
            _ = libssh2_knownhost_readfile(hosts, file, LIBSSH2_KNOWNHOST_FILE_OPENSSH)
        }
        let result = libssh2_knownhost_checkp(
            hosts,
            account.host,
            Int32(account.port),
            key,
            length,
            LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW,
            nil
        )
        switch result {
        case LIBSSH2_KNOWNHOST_CHECK_MATCH: return
        case LIBSSH2_KNOWNHOST_CHECK_MISMATCH:
            throw Self.changed(account.address, file: ownFile)
        default:
            let bytes = Data(bytes: key, count: length)
            guard account.acceptNewHostKey else {
                throw Self.unknown(account.address, key: describe(bytes, session))
            }
            try remember(bytes)
        }
    }

    private func describe(_ key: Data, _ session: OpaquePointer) -> String {
        guard let hash = libssh2_hostkey_hash(session, LIBSSH2_HOSTKEY_HASH_SHA256) else {
            return Self.kind(of: key)
        }
        let digest = Data(bytes: hash, count: 32).base64EncodedString().prefix { $0 != "=" }
        return "\(Self.kind(of: key)) SHA256:\(digest)"
    }

    /// A key begins with its kind as a counted string (RFC 4253 section 6.6).
    private static func kind(of key: Data) -> String {
        let length = key.prefix(4).reduce(0) { $0 << 8 | Int($1) }
        return String(decoding: key.dropFirst(4).prefix(min(length, 64)), as: UTF8.self)
    }

    private func remember(_ key: Data) throws(ConnectionError) {
        let host = account.port == 22 ? account.host : "[\(account.host)]:\(account.port)"
        let line = "\(host) \(Self.kind(of: key)) \(key.base64EncodedString())\n"
        let directory = (ownFile as NSString).deletingLastPathComponent
        mkdir(directory, 0o700)
        let descriptor = open(ownFile, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        let written = descriptor < 0 ? -1 : write(descriptor, line, line.utf8.count)
        if descriptor >= 0 { close(descriptor) }
        guard written == line.utf8.count else {
            throw ConnectionError(
                .invalid,
                "cannot add the host key of \(account.address) to '\(ownFile)': \(lastErrno())"
            )
        }
    }
}
