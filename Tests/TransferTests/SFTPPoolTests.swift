import Foundation
import Logging
import Primitives
import StandIns
import Testing

@testable import Transfer

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// The rules that hold over either channel, against a real sshd.
@Suite(.serialized) struct SFTPPoolTests {
    static let transports: [RemoteAccount.Transport] = [.openssh, .libssh2]

    private func account(_ seedbox: Seedbox, _ transport: RemoteAccount.Transport) -> RemoteAccount
    {
        var account = RemoteAccount(user: seedbox.user, host: seedbox.host, port: seedbox.port)
        account.identityFile = seedbox.keyPath
        account.knownHostsFile = seedbox.knownHosts
        account.transport = transport
        account.connectTimeout = .seconds(10)
        return account
    }

    private func pattern(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 131 &+ $0 >> 9) }
    }

    private func remote(
        _ seedbox: Seedbox,
        _ path: String,
        _ size: Int,
        modified: Int64 = 1_700_000_000
    ) -> RemoteFile {
        RemoteFile(
            path: RemotePath(seedbox.root + "/" + path),
            size: UInt64(size),
            modifiedSeconds: modified
        )
    }

    @Test(arguments: transports) func rangesAreByteForByteRight(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let seedbox = try Seedbox()
        let bytes = pattern(3_000_000)
        try seedbox.write("a b/é.mkv", bytes)
        let pool = SFTPPool(account(seedbox, transport), log: quiet)
        let file = remote(seedbox, "a b/é.mkv", bytes.count)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for start in stride(from: 0, to: 3_000_000, by: 123_457) {
                group.addTask {
                    let range = ByteRange(offset: UInt64(start), count: 700_001).clipped(
                        to: file.size
                    )
                    let read = try await pool.read(range, of: file)
                    #expect(read == Array(bytes[start..<Int(range.upperBound)]))
                }
            }
            try await group.waitForAll()
        }
        #expect(pool.state.transport == (transport == .openssh ? "OpenSSH" : "libssh2"))
        await pool.shutdown()
    }

    @Test(arguments: transports) func aBigDirectoryIsListedWhole(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let seedbox = try Seedbox()
        for number in 0..<2500 { try seedbox.write("d/\(number).mkv", [1]) }
        try seedbox.write("d/sub/x", [])
        let pool = SFTPPool(account(seedbox, transport), log: quiet)
        let entries = try await pool.entries(of: RemotePath(seedbox.root + "/d"), limit: 100_000)
        #expect(entries.count == 2501)
        #expect(Set(entries.map(\.name)).count == 2501)
        #expect(entries.first { $0.kind == .directory }?.name == Array("sub".utf8))
        #expect(
            entries.filter { $0.kind == .file }.allSatisfy {
                $0.size == 1 && $0.modifiedSeconds == 1_700_000_000
            }
        )
        let some = try await pool.entries(of: RemotePath(seedbox.root + "/d"), limit: 10)
        #expect(some.count == 10)
        await pool.shutdown()
    }

    @Test(arguments: transports) func whatIsNotThereIsSaidAtOnce(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let seedbox = try Seedbox()
        let pool = SFTPPool(account(seedbox, transport), log: quiet)
        let missing = await #expect(throws: SourceError.self) {
            try await pool.read(ByteRange(0, 5), of: self.remote(seedbox, "none", 5))
        }
        #expect(missing?.code == .notFound)
        let directory = await #expect(throws: SourceError.self) {
            try await pool.entries(of: RemotePath(seedbox.root + "/none"), limit: 5)
        }
        #expect(directory?.code == .notFound)
        await pool.shutdown()
    }

    @Test(arguments: transports) func aChangedFileIsNeverRead(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let seedbox = try Seedbox()
        try seedbox.write("a", pattern(1000))
        let pool = SFTPPool(account(seedbox, transport), log: quiet)
        for file in [
            remote(seedbox, "a", 999), remote(seedbox, "a", 1001),
            remote(seedbox, "a", 1000, modified: 5),
        ] {
            let error = await #expect(throws: SourceError.self) {
                try await pool.read(ByteRange(0, file.size), of: file)
            }
            #expect(error?.code == .changed)
        }
        // Also when it changes under an open handle.
        let file = remote(seedbox, "a", 1000)
        _ = try await pool.read(ByteRange(0, 10), of: file)
        try seedbox.write("a", pattern(1000).reversed(), modified: 1_700_000_001)
        let error = await #expect(throws: SourceError.self) {
            try await pool.read(ByteRange(0, 10), of: file)
        }
        #expect(error?.code == .changed)
        await pool.shutdown()
    }

    @Test(arguments: transports) func theEndOfABigFileMovesOnlyItself(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let seedbox = try Seedbox()
        let size = 10 << 30
        try seedbox.writeSparse("big", size: size)
        let pool = SFTPPool(account(seedbox, transport), log: quiet)
        _ = try await pool.read(
            ByteRange(UInt64(size - 65536), UInt64(size)),
            of: remote(seedbox, "big", size)
        )
        #expect(pool.state.bytesReceived < 80_000)
        await pool.shutdown()
    }

    @Test(arguments: transports) func anUnknownHostKeyIsRefused(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let seedbox = try Seedbox()
        try "".write(toFile: seedbox.knownHosts, atomically: true, encoding: .utf8)
        let pool = SFTPPool(account(seedbox, transport), log: quiet)
        let error = await #expect(throws: ConnectionError.self) { try await pool.connect() }
        #expect(error?.code == .hostKeyUnknown)
        #expect(error?.message.contains("--accept-new-host-key") ?? false)
        await pool.shutdown()
    }

    @Test(arguments: transports) func aNewHostKeyIsRememberedWhenAskedFor(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let seedbox = try Seedbox()
        try FileManager.default.removeItem(atPath: seedbox.knownHosts)
        var account = account(seedbox, transport)
        account.acceptNewHostKey = true
        let first = SFTPPool(account, log: quiet)
        try await first.connect()
        await first.shutdown()
        account.acceptNewHostKey = false
        let second = SFTPPool(account, log: quiet)
        try await second.connect()
        await second.shutdown()
    }

    @Test(arguments: transports) func aChangedHostKeyIsAlwaysRefused(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let seedbox = try Seedbox()
        let other = try Seedbox()
        let key = try String(contentsOfFile: other.directory + "/host_key.pub", encoding: .utf8)
            .split(separator: " ").prefix(2).joined(separator: " ")
        try "[\(seedbox.host)]:\(seedbox.port) \(key)\n".write(
            toFile: seedbox.knownHosts,
            atomically: true,
            encoding: .utf8
        )
        var account = account(seedbox, transport)
        account.acceptNewHostKey = true
        let pool = SFTPPool(account, log: quiet)
        let error = await #expect(throws: ConnectionError.self) { try await pool.connect() }
        #expect(error?.code == .hostKeyChanged)
        await pool.shutdown()
    }

    @Test(arguments: transports) func aWrongKeyIsRefusedWithAReason(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let seedbox = try Seedbox()
        try "".write(toFile: seedbox.authorizedKeys, atomically: true, encoding: .utf8)
        let pool = SFTPPool(account(seedbox, transport), log: quiet)
        let error = await #expect(throws: ConnectionError.self) { try await pool.connect() }
        #expect(error?.code == .loginRefused)
        await pool.shutdown()
    }

    @Test(arguments: transports) func aClosedPortIsSaidToBeUnreachable(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let seedbox = try Seedbox()
        seedbox.kill()
        let pool = SFTPPool(account(seedbox, transport), log: quiet)
        let error = await #expect(throws: ConnectionError.self) { try await pool.connect() }
        #expect(error?.code == .unreachable)
        await pool.shutdown()
    }

    @Test(arguments: transports) func aServerThatDiesAndComesBackIsUsedAgain(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let seedbox = try Seedbox()
        try seedbox.write("a", pattern(1000))
        let pool = SFTPPool(account(seedbox, transport), readTimeout: .seconds(2), log: quiet)
        let file = remote(seedbox, "a", 1000)
        _ = try await pool.read(ByteRange(0, 10), of: file)
        seedbox.kill()
        let error = await #expect(throws: SourceError.self) {
            try await pool.read(ByteRange(0, 10), of: file)
        }
        #expect(error?.code == .unavailable)
        try seedbox.start()
        try await pool.connect()
        #expect(try await pool.read(ByteRange(0, 10), of: file) == Array(pattern(10)))
        await pool.shutdown()
    }

    @Test(arguments: transports) func aSilentServerIsGivenUpInTime(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let seedbox = try Seedbox()
        try seedbox.write("a", pattern(1000))
        var account = account(seedbox, transport)
        account.replyTimeout = .milliseconds(500)
        account.connectTimeout = .seconds(1)
        let pool = SFTPPool(account, readTimeout: .seconds(2), log: quiet)
        let file = remote(seedbox, "a", 1000)
        _ = try await pool.read(ByteRange(0, 10), of: file)
        seedbox.pause()
        let error = await #expect(throws: SourceError.self) {
            try await pool.read(ByteRange(0, 10), of: file)
        }
        #expect(error?.code == .unavailable)
        seedbox.resume()
        await pool.shutdown()
    }

    @Test(arguments: transports) func aCancelledReadReturnsAtOnce(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let seedbox = try Seedbox()
        try seedbox.write("a", pattern(1000))
        let pool = SFTPPool(account(seedbox, transport), log: quiet)
        let file = remote(seedbox, "a", 1000)
        _ = try await pool.read(ByteRange(0, 10), of: file)
        seedbox.pause()
        let reader = Task { try await pool.read(ByteRange(0, 10), of: file) }
        reader.cancel()
        let error = await #expect(throws: SourceError.self) { try await reader.value }
        #expect(error?.code == .cancelled)
        seedbox.resume()
        await pool.shutdown()
    }

    @Test func linksAreResolvedByTheServer() async throws {
        let seedbox = try Seedbox()
        try seedbox.write("real/a", [1, 2])
        try FileManager.default.createSymbolicLink(
            atPath: seedbox.root + "/link",
            withDestinationPath: "real/a"
        )
        try FileManager.default.createSymbolicLink(
            atPath: seedbox.root + "/loop",
            withDestinationPath: "loop"
        )
        let pool = SFTPPool(account(seedbox, .openssh), log: quiet)
        let (target, entry) = try await pool.resolve(RemotePath(seedbox.root + "/link"))
        #expect(target.text.hasSuffix("/real/a"))
        #expect(entry.size == 2)
        await #expect(throws: SourceError.self) {
            try await pool.resolve(RemotePath(seedbox.root + "/loop"))
        }
        await pool.shutdown()
    }

    @Test func secretsAreNeverPrinted() {
        let secret = Secret("hunter2")
        var account = RemoteAccount(user: "me", host: "h")
        account.password = secret
        #expect(!"\(secret) \(String(reflecting: secret)) \(account)".contains("hunter2"))
        var dumped = ""
        dump(account, to: &dumped)
        #expect(!dumped.contains("hunter2"))
    }

    @Test(arguments: ["-oProxyCommand=x", "", "-l"]) func aHostThatIsAnOptionIsRefused(
        _ host: String
    ) {
        #expect(throws: ConnectionError.self) {
            try OpenSSHChannel.arguments(RemoteAccount(user: "me", host: host))
        }
    }
}
