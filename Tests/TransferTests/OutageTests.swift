import Glibc
import Primitives
import StandIns
import Testing

@testable import Transfer

/// What happens when the server goes away, on both transports.
@Suite struct OutageTests {
    private func boxWithFilm() throws -> (Seedbox, RemoteFile, [UInt8]) {
        let box = try Seedbox()
        let bytes = pattern(2_000_000)
        try box.write("film.mkv", bytes)
        return (box, box.file("film.mkv", size: bytes.count), bytes)
    }

    private func impatientPool(
        _ box: Seedbox,
        _ transport: RemoteAccount.Transport,
        readTimeout: Duration = .seconds(3)
    ) -> SFTPPool {
        var account = box.account(transport)
        account.timeLimits.reply = .seconds(3)
        var settings = SFTPPool.Settings()
        settings.readTimeout = readTimeout
        return SFTPPool(account, settings: settings, logger: .quiet)
    }

    @Test(.timeLimit(.minutes(5)), arguments: bothTransports)
    func aServerThatIsGoneIsUnavailable(_ transport: RemoteAccount.Transport) async throws {
        let (box, file, _) = try boxWithFilm()
        try await withPool(impatientPool(box, transport)) { pool in
            try await pool.connect()
            _ = try await pool.read(ByteRange(0, 10), of: file)
            box.stopServer()
            let code = await sourceCode { try await pool.read(ByteRange(0, 10), of: file) }
            #expect(code == .unavailable)
            #expect(pool.status.isOffline)
            #expect(pool.status.failure != nil)
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: bothTransports)
    func aServerThatFreezesIsUnavailable(_ transport: RemoteAccount.Transport) async throws {
        let (box, file, _) = try boxWithFilm()
        try await withPool(impatientPool(box, transport)) { pool in
            try await pool.connect()
            _ = try await pool.read(ByteRange(0, 10), of: file)
            box.pause()
            let code = await sourceCode { try await pool.read(ByteRange(0, 10), of: file) }
            box.resume()
            #expect(code == .unavailable)
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: bothTransports)
    func aServerThatComesBackIsUsedAgain(_ transport: RemoteAccount.Transport) async throws {
        let (box, file, bytes) = try boxWithFilm()
        let pool = impatientPool(box, transport, readTimeout: .seconds(30))
        try await withPool(pool) { pool in
            #expect(try await pool.read(ByteRange(0, 10), of: file) == Array(bytes[..<10]))
            try box.restart()
            #expect(try await pool.read(ByteRange(0, 2_000_000), of: file) == bytes)
            #expect(!pool.status.isOffline)
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: bothTransports)
    func aReadWaitsForTheServerToComeBack(_ transport: RemoteAccount.Transport) async throws {
        let (box, file, bytes) = try boxWithFilm()
        let pool = impatientPool(box, transport, readTimeout: .seconds(30))
        try await withPool(pool) { pool in
            _ = try await pool.read(ByteRange(0, 10), of: file)
            box.stopServer()
            async let read = pool.read(ByteRange(0, 2_000_000), of: file)
            while !pool.status.isOffline { await Task.yield() }
            try box.restart()
            pool.reconnectNow()
            #expect(try await read == bytes)
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: bothTransports)
    func cancellationReturnsWhileTheServerIsFrozen(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let (box, file, bytes) = try boxWithFilm()
        try await withPool(box.pool(transport, connections: 1)) { pool in
            _ = try await pool.read(ByteRange(0, 10), of: file)
            box.pause()
            let task = Task { await sourceCode { try await pool.read(ByteRange(0, 10), of: file) } }
            task.cancel()
            #expect(await task.value == .cancelled)
            box.resume()
            // The late reply of the cancelled read must not be taken for this one's.
            #expect(try await pool.read(ByteRange(5, 15), of: file) == Array(bytes[5..<15]))
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: bothTransports)
    func shutdownLeavesNoProcessAndFailsWhoWaits(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let (box, file, _) = try boxWithFilm()
        let pool = box.pool(transport)
        _ = try await pool.read(ByteRange(0, 10), of: file)
        box.pause()
        async let waiting = sourceCode { try await pool.read(ByteRange(0, 10), of: file) }
        while pool.load == 0 { await Task.yield() }
        #expect(transport == .libssh2 || box.clients > 0)
        await pool.shutdown()
        #expect(box.clients == 0)
        box.resume()
        #expect(await waiting == .unavailable)
        let late = await sourceCode { try await pool.read(ByteRange(0, 10), of: file) }
        #expect(late == .unavailable)
    }
}
