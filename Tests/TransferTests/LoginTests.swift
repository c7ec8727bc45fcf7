import Glibc
import Primitives
import StandIns
import Testing

@testable import Transfer

/// Who is let in, whom we trust, and what people are told otherwise.
@Suite struct LoginTests {
    @Test(arguments: bothTransports)
    func anUnknownHostKeyIsRefusedAndShown(_ transport: RemoteAccount.Transport) async throws {
        let box = try Seedbox()
        try TemporaryFile.write("", box.knownHostsPath)
        let pool = box.pool(transport)
        try await withPool(pool) { pool in
            do throws(ConnectionError) {
                try await pool.connect()
                Issue.record("an unknown host was trusted")
            } catch {
                #expect(error.code == .hostKeyUnknown)
                #expect(error.message.contains("ssh-ed25519 SHA256:"))
                #expect(error.message.contains("--accept-new-host-key"))
            }
        }
        #expect(TemporaryFile.read(box.knownHostsPath) == "")
    }

    @Test(arguments: bothTransports)
    func anAcceptedHostKeyIsRemembered(_ transport: RemoteAccount.Transport) async throws {
        let box = try Seedbox()
        let path = "\(box.folder.path)/new/known_hosts"
        try await withPool(
            box.pool(transport) {
                $0.knownHostsFile = path
                $0.acceptNewHostKey = true
            }
        ) { try await $0.connect() }
        var info = stat()
        #expect(stat(path, &info) == 0)
        #expect(info.st_mode & 0o777 == 0o600)
        #expect(stat("\(box.folder.path)/new", &info) == 0)
        #expect(info.st_mode & 0o777 == 0o700)
        // The other transport reads what this one wrote.
        for other in bothTransports {
            try await withPool(box.pool(other) { $0.knownHostsFile = path }) {
                try await $0.connect()
            }
        }
    }

    @Test(arguments: bothTransports)
    func aChangedHostKeyIsRefusedEvenWhenNewOnesAreAccepted(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let box = try Seedbox()
        let other = try box.makeKey("other", type: "ed25519")
        let key = TemporaryFile.read("\(other).pub").split(separator: " ")
        let line = "[\(box.host)]:\(box.port) \(key[0]) \(key[1])\n"
        try TemporaryFile.write(line, box.knownHostsPath)
        try await withPool(box.pool(transport) { $0.acceptNewHostKey = true }) { pool in
            #expect(await connectionCode { try await pool.connect() } == .hostKeyChanged)
        }
        #expect(TemporaryFile.read(box.knownHostsPath) == line)
    }

    @Test(arguments: bothTransports)
    func theKeyTypeOnFileIsAskedFor(_ transport: RemoteAccount.Transport) async throws {
        var options = Seedbox.Options()
        options.hasRSAHostKey = true
        // libssh2 1.10 knows RSA host keys with SHA-1 only.
        options.configuration = ["HostKeyAlgorithms +ssh-rsa"]
        let box = try Seedbox(options)
        let lines = TemporaryFile.read(box.knownHostsPath).split(separator: "\n")
        let rsa = lines.filter { $0.contains("ssh-rsa") }.joined(separator: "\n") + "\n"
        try TemporaryFile.write(rsa, box.knownHostsPath)
        try await withPool(box.pool(transport)) { try await $0.connect() }
    }

    @Test(arguments: bothTransports)
    func aForeignKeyIsRefused(_ transport: RemoteAccount.Transport) async throws {
        let box = try Seedbox()
        let foreign = try box.makeKey("foreign", type: "ed25519", isAuthorized: false)
        try await withPool(box.pool(transport) { $0.identityFile = foreign }) { pool in
            do throws(ConnectionError) {
                try await pool.connect()
                Issue.record("a foreign key was accepted")
            } catch {
                #expect(error.code == .loginRefused)
                #expect(error.message.contains("publickey"))
            }
            // Told at once, not after the time a server may need to come back.
            let file = box.file("film.mkv", size: 1)
            let code = await sourceCode { try await pool.read(ByteRange(0, 1), of: file) }
            #expect(code == .unavailable)
        }
    }

    @Test(arguments: bothTransports)
    func anUnusableKeyFileIsTold(_ transport: RemoteAccount.Transport) async throws {
        let box = try Seedbox()
        let locked = try box.makeKey("locked", type: "ed25519", passphrase: "geheim")
        for path in ["\(box.folder.path)/none", "\(box.keyPath).pub", locked] {
            try await withPool(box.pool(transport) { $0.identityFile = path }) { pool in
                #expect(await connectionCode { try await pool.connect() } == .keyUnusable)
            }
        }
    }

    @Test func aPassphraseUnlocksTheKey() async throws {
        let box = try Seedbox()
        for type in ["ed25519", "ecdsa"] {
            let locked = try box.makeKey("locked_\(type)", type: type, passphrase: "geheim")
            let pool = box.pool(.automatic) {
                $0.identityFile = locked
                $0.passphrase = Secret("geheim")
            }
            try await withPool(pool) { pool in
                try await pool.connect()
                #expect(pool.status.transport == .libssh2)
            }
        }
    }

    @Test func aWrongPassphraseIsToldAndNotShown() async throws {
        let box = try Seedbox()
        let locked = try box.makeKey("locked", type: "ed25519", passphrase: "geheim")
        let pool = box.pool(.libssh2) {
            $0.identityFile = locked
            $0.passphrase = Secret("falsch")
        }
        try await withPool(pool) { pool in
            do throws(ConnectionError) {
                try await pool.connect()
                Issue.record("a wrong passphrase unlocked the key")
            } catch {
                #expect(error.code == .keyUnusable)
                #expect(!error.description.contains("falsch"))
            }
        }
    }

    private static let passwordLogins: [Seedbox.PasswordLogin] = [.password, .keyboardInteractive]

    @Test(
        .enabled(if: Seedbox.canHavePassword, "needs root and mount namespaces"),
        arguments: passwordLogins
    )
    func aPasswordOpensTheDoor(_ login: Seedbox.PasswordLogin) async throws {
        var options = Seedbox.Options()
        options.passwordLogin = login
        let box = try Seedbox(options)
        let pool = box.pool(.automatic) {
            $0.identityFile = nil
            $0.password = Secret(Seedbox.password)
        }
        try await withPool(pool) { try await $0.connect() }
    }

    @Test(
        .enabled(if: Seedbox.canHavePassword, "needs root and mount namespaces"),
        arguments: passwordLogins
    )
    func aWrongPasswordIsRefusedAndNotShown(_ login: Seedbox.PasswordLogin) async throws {
        var options = Seedbox.Options()
        options.passwordLogin = login
        let box = try Seedbox(options)
        let pool = box.pool(.automatic) {
            $0.identityFile = nil
            $0.password = Secret("close sesame")
        }
        try await withPool(pool) { pool in
            do throws(ConnectionError) {
                try await pool.connect()
                Issue.record("a wrong password was accepted")
            } catch {
                #expect(error.code == .loginRefused)
                #expect(!error.description.contains("close sesame"))
            }
        }
    }

    @Test func anRSAKeyWorksThroughOpenSSH() async throws {
        let box = try Seedbox()
        let rsa = try box.makeKey("id_rsa", type: "rsa")
        try await withPool(box.pool(.openSSH) { $0.identityFile = rsa }) { try await $0.connect() }
    }

    @Test func anRSAKeyRefusedToLibSSH2IsExplained() async throws {
        let box = try Seedbox()
        let rsa = try box.makeKey("id_rsa", type: "rsa")
        try await withPool(box.pool(.libssh2) { $0.identityFile = rsa }) { pool in
            do throws(ConnectionError) {
                // A libssh2 from 1.11 on can do it.
                try await pool.connect()
            } catch {
                #expect(error.code == .loginRefused)
                #expect(error.message.contains("ed25519"))
                #expect(error.message.contains("transport=openssh"))
            }
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: bothTransports)
    func aClosedPortIsUnreachable(_ transport: RemoteAccount.Transport) async throws {
        let box = try Seedbox()
        box.stopServer()
        try await withPool(box.pool(transport)) { pool in
            #expect(await connectionCode { try await pool.connect() } == .unreachable)
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: bothTransports)
    func anUnknownNameIsUnreachable(_ transport: RemoteAccount.Transport) async throws {
        let box = try Seedbox()
        // RFC 6761 §6.4: never a real name.
        try await withPool(box.pool(transport) { $0.host = "seedbox.invalid" }) { pool in
            #expect(await connectionCode { try await pool.connect() } == .unreachable)
        }
    }

    @Test(arguments: ["-oProxyCommand=touch /tmp/owned", "", "a b", "a\nb"])
    func aHostThatLooksLikeAnOptionIsRefused(_ host: String) throws {
        let account = RemoteAccount(host: host, user: "me")
        #expect(throws: ConnectionError.self) { try OpenSSHChannel.arguments(account) }
        let other = RemoteAccount(host: "seedbox", user: host)
        #expect(throws: ConnectionError.self) { try OpenSSHChannel.arguments(other) }
    }

    @Test func secretsAreNeverPrinted() {
        var account = RemoteAccount(host: "seedbox", user: "me")
        account.password = Secret("geheim")
        account.passphrase = Secret("geheim")
        var dumped = ""
        dump(account, to: &dumped)
        #expect(!"\(account) \(String(reflecting: account)) \(dumped)".contains("geheim"))
        #expect("\(Secret("geheim"))" == "•••")
    }

    @Test func withASecretTheBuiltInTransportIsChosen() {
        var account = RemoteAccount(host: "seedbox")
        #expect(account.chosenTransport == .openSSH)
        account.password = Secret("geheim")
        #expect(account.chosenTransport == .libssh2)
    }

    @Test func aServerThatAllowsNoSFTPIsTold() async throws {
        var options = Seedbox.Options()
        options.configuration = ["MaxSessions 0"]
        let box = try Seedbox(options)
        for transport in bothTransports {
            try await withPool(box.pool(transport)) { pool in
                #expect(await connectionCode { try await pool.connect() } != nil)
            }
        }
    }
}

enum TemporaryFile {
    static func write(_ text: String, _ path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(descriptor) }
        #expect(Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count)
    }

    static func read(_ path: String) -> String {
        String(decoding: SmallFile.contents(of: path, limit: 1 << 20) ?? [], as: UTF8.self)
    }
}
