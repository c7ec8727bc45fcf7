import StandIns
import Testing

@testable import Transfer

/// The small things beside the channels: what ssh's words mean, what a key file holds.
@Suite struct ChannelWordsTests {
    private static let words: [(String, ConnectionError.Code)] = [
        ("ssh: Could not resolve hostname box: Name or service not known", .unreachable),
        ("ssh: connect to host box port 22: Connection refused", .unreachable),
        ("ssh: connect to host box port 22: Connection timed out", .unreachable),
        ("ssh: connect to host box port 22: No route to host", .unreachable),
        ("kex_exchange_identification: read: Connection reset by peer", .unreachable),
        ("Connection closed by 10.0.0.1 port 22", .unreachable),
        ("me@box: Permission denied (publickey,password).", .loginRefused),
        ("Received disconnect from 10.0.0.1: Too many authentication failures", .loginRefused),
        ("Host key verification failed.", .hostKeyUnknown),
        (
            "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n"
                + "Host key verification failed.", .hostKeyChanged
        ),
        (
            "Unable to negotiate with 10.0.0.1 port 22: no matching cipher found. Their offer: x",
            .protocolViolation
        ),
        ("subsystem request failed on channel 0", .protocolViolation),
        ("Timeout, server box not responding.", .closed),
        ("", .closed),
    ]

    @Test(arguments: words)
    func wordsOfSSHBecomeCodes(_ text: String, _ code: ConnectionError.Code) {
        var complaints = Complaints()
        complaints.add("debug1: Authentications that can continue: publickey\r\n".utf8)
        complaints.add("\(text)\r\n".utf8)
        let error = complaints.error(for: RemoteAccount(host: "box", user: "me"))
        #expect(error.code == code)
    }

    @Test func theHostKeyIsTakenFromTheDebugLines() {
        var complaints = Complaints()
        complaints.add("debug1: Server host key: ssh-ed25519 SHA256:abc\r\n".utf8)
        complaints.add("Host key verification failed.\r\n".utf8)
        let error = complaints.error(for: RemoteAccount(host: "box"))
        #expect(error.message.contains("ssh-ed25519 SHA256:abc"))
    }

    @Test func aTalkativeServerFillsNoMemory() {
        var complaints = Complaints()
        complaints.add([UInt8](repeating: 65, count: 10_000_000))
        for _ in 0..<10_000 { complaints.add("banner\n".utf8) }
        #expect(complaints.lines.count <= 40)
        #expect(complaints.lines.allSatisfy { $0.utf8.count <= 1024 })
    }

    /// RFC 4648 §10.
    @Test func base64IsAsInTheRFC() {
        let vectors = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foobar": "Zm9vYmFy"]
        for (plain, coded) in vectors {
            #expect(Base64.encoded(plain.utf8, padded: true) == coded)
            #expect(Base64.decoded(coded.utf8) == Array(plain.utf8))
        }
        #expect(Base64.encoded("f".utf8, padded: false) == "Zg")
    }

    @Test func aKeyFileTellsItsKindWithoutBeingUnlocked() throws {
        let box = try Seedbox()
        let plain = try box.makeKey("plain", type: "rsa")
        let locked = try box.makeKey("locked", type: "rsa", passphrase: "geheim")
        #expect(try IdentityFile(plain).isRSA == true)
        #expect(try !IdentityFile(plain).isLocked)
        #expect(try IdentityFile(locked).isRSA == true)
        #expect(try IdentityFile(locked).isLocked)
        #expect(try IdentityFile(box.keyPath).isRSA == false)
    }

    @Test func theArgumentsOfSSHProtectPathsAndIdentity() throws {
        let box = try Seedbox()
        let odd = try box.makeKey("a key with 100%d \"quotes\"", type: "ed25519")
        var account = RemoteAccount(host: "box", port: 2222, user: "me")
        account.identityFile = odd
        let words = try OpenSSHChannel.arguments(account)
        #expect(words.suffix(4) == ["-s", "--", "box", "sftp"])
        #expect(words.contains("IdentitiesOnly=yes"))
        #expect(words.contains { $0.hasSuffix("/a key with 100%%d \\\"quotes\\\"\"") })
    }
}
