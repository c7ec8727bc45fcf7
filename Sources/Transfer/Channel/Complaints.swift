import Glibc

/// What `ssh` says on standard error, and what it means.
struct Complaints {
    /// Whether standard error has ended.
    private(set) var isOver = false
    /// Lines for people, the latest; debug lines are left out.
    private(set) var lines: [String] = []
    /// `ssh-ed25519 SHA256:…`, once the server has shown its key.
    private(set) var hostKey: String?
    private var unfinished: [UInt8] = []

    /// Takes what is there without waiting.
    mutating func read(_ descriptor: Int32) {
        var part = [UInt8](repeating: 0, count: 4096)
        while !isOver {
            let count = Glibc.read(descriptor, &part, part.count)
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN { return }
            if count <= 0 { isOver = true } else { add(part[..<count]) }
        }
    }

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            if byte != UInt8(ascii: "\n") {
                // A line longer than this says nothing we would understand.
                if unfinished.count < 1024 { unfinished.append(byte) }
                continue
            }
            add(line: String(decoding: unfinished.filter { $0 >= 32 }, as: UTF8.self))
            unfinished.removeAll(keepingCapacity: true)
        }
    }

    private mutating func add(line: String) {
        let keyMark = "debug1: Server host key: "
        if line.hasPrefix(keyMark) { hostKey = String(line.dropFirst(keyMark.count)) }
        let noise = line.isEmpty || line.hasPrefix("debug") || line.hasPrefix("OpenSSH_")
        guard !noise else { return }
        lines.append(line)
        // A banner may be long; the reason of the end is at the end.
        if lines.count > 40 { lines.removeFirst() }
    }

    private func line(containing words: String) -> String? {
        lines.last { $0.contains(words) }
    }

    func error(for account: RemoteAccount) -> ConnectionError {
        hostKeyError(account) ?? loginError(account) ?? networkError(account)
            ?? ConnectionError(
                .closed,
                "ssh to '\(account.label)' ended" + (lines.last.map { ": \($0)" } ?? "")
            )
    }

    private func hostKeyError(_ account: RemoteAccount) -> ConnectionError? {
        if line(containing: "IDENTIFICATION HAS CHANGED") != nil
            || line(containing: "REVOKED HOST KEY") != nil
        {
            return .hostKeyChanged(account, hostKey)
        }
        guard line(containing: "Host key verification failed") != nil else { return nil }
        return .hostKeyUnknown(account, hostKey)
    }

    private func loginError(_ account: RemoteAccount) -> ConnectionError? {
        let refused = line(containing: "Permission denied (") ?? line(containing: "Too many auth")
        guard let refused else { return nil }
        if let file = account.identityFile {
            if let line = line(containing: "UNPROTECTED PRIVATE KEY FILE")
                ?? line(containing: "Load key")
            {
                return ConnectionError(
                    .keyUnusable,
                    "ssh does not accept identity file '\(file)': \(line)"
                )
            }
            if let identity = try? IdentityFile(file), identity.isLocked {
                return ConnectionError(
                    .keyUnusable,
                    "identity file '\(file)' needs a passphrase: add it to an agent with"
                        + " 'ssh-add \(file)'"
                )
            }
        }
        return ConnectionError(.loginRefused, "'\(account.label)' refused the login: \(refused)")
    }

    private func networkError(_ account: RemoteAccount) -> ConnectionError? {
        let unusable = [
            "no matching", "subsystem request failed", "Protocol major versions",
            "Bad configuration option", "bad configuration options",
        ]
        for words in unusable {
            guard let line = line(containing: words) else { continue }
            return ConnectionError(.protocolViolation, "no SFTP with '\(account.label)': \(line)")
        }
        let unreachable = [
            "Could not resolve hostname", "Connection refused", "timed out", "No route to host",
            "Network is unreachable", "kex_exchange_identification", "banner exchange",
            "Connection reset", "Connection closed by", "ssh: connect to host",
        ]
        for words in unreachable {
            guard let line = line(containing: words) else { continue }
            return ConnectionError(.unreachable, "cannot reach '\(account.label)': \(line)")
        }
        return nil
    }
}
