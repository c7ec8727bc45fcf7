import Logging
import Primitives
import Synchronization
import Testing

@testable import Transfer

/// The pool over servers in memory: whom it asks, how often, and what it says.
@Suite struct PoolTests {
    private static let file = RemoteFile(
        path: RemotePath("/film.mkv"),
        size: 10_000_000,
        modifiedSeconds: 5
    )

    private static func honest(_ request: SeenRequest) -> [UInt8] {
        switch request.type {
        case PacketType.open: Reply.handle(request.id)
        case PacketType.read:
            Reply.data(request.id, [UInt8](repeating: 9, count: Int(request.range.count)))
        case PacketType.fstat: Reply.attributes(request.id, size: 10_000_000, mtime: 5)
        case _: Reply.status(request.id, SFTPStatus.noSuchFile)
        }
    }

    /// `channel` is called with the number of the attempt, from 1.
    private func pool(
        connections: Int = 4,
        logger: Logger = .quiet,
        _ channel: @escaping @Sendable (Int) throws(ConnectionError) -> ScriptedChannel
    ) -> SFTPPool {
        let attempts = Mutex(0)
        var settings = SFTPPool.Settings()
        settings.connections = connections
        settings.readTimeout = .seconds(600)
        return SFTPPool(
            RemoteAccount(host: "scripted"),
            settings: settings,
            logger: logger
        ) { _ throws(ConnectionError) in
            let attempt = attempts.withLock { attempts in
                attempts += 1
                return attempts
            }
            return try channel(attempt)
        }
    }

    @Test func aReadIsRepeatedOnceOnAnotherConnection() async throws {
        let pool = pool { attempt in
            ScriptedChannel { request in
                attempt == 1 && request.type == PacketType.read
                    ? Reply.data(request.id, []) : Self.honest(request)
            }
        }
        try await withPool(pool) { pool in
            let bytes = try await pool.read(ByteRange(0, 100), of: Self.file)
            #expect(bytes == [UInt8](repeating: 9, count: 100))
        }
    }

    @Test(.timeLimit(.minutes(5)))
    func aServerThatAllowsOneConnectionIsUsedWithOne() async throws {
        let pool = pool { attempt throws(ConnectionError) in
            guard attempt == 1 else { throw ConnectionError(.unreachable, "one is enough") }
            return ScriptedChannel(Self.honest)
        }
        try await withPool(pool) { pool in
            for _ in 0..<3 {
                let bytes = try await pool.read(ByteRange(0, 5_000_000), of: Self.file)
                #expect(bytes.count == 5_000_000)
            }
            #expect(pool.status.connected == 1)
            #expect(!pool.status.isOffline)
        }
    }

    @Test(.timeLimit(.minutes(5)), arguments: [(allowed: 4, connected: 2), (1, 1)])
    func aPoolIsPreparedForReaders(allowed: Int, connected: Int) async throws {
        let pool = pool(connections: allowed) { _ in ScriptedChannel(Self.honest) }
        try await withPool(pool) { pool in
            await pool.prepareForReaders()
            while pool.status.connected < connected {
                try await Task.sleep(for: .milliseconds(1))
            }
            await pool.prepareForReaders()
            await pool.prepareForReaders()
            #expect(pool.status.connected == connected)
        }
    }

    @Test func aServerThatIsAwayIsNoTroubleForWhoeverPrepares() async throws {
        let pool = pool { _ throws(ConnectionError) in
            throw ConnectionError(.unreachable, "nobody is there")
        }
        try await withPool(pool) { pool in
            await pool.prepareForReaders()
            #expect(pool.status.connected == 0)
        }
    }

    @Test func aBrokenProtocolIsLoggedInOneLinePerConnection() async throws {
        let lines = CapturedLines()
        let pool = pool(connections: 1, logger: lines.logger) { _ in
            ScriptedChannel { request in
                request.type == PacketType.read ? Reply.data(request.id, []) : Self.honest(request)
            }
        }
        try await withPool(pool) { pool in
            let reads = 20
            await withTaskGroup(of: Void.self) { group in
                for index in 0..<reads {
                    group.addTask {
                        let range = ByteRange(offset: UInt64(index), count: 10)
                        _ = try? await pool.read(range, of: Self.file)
                    }
                }
            }
        }
        let lost = lines.all.filter { $0.contains("lost a connection") }
        // Twenty readers, at most two tries each, but far fewer connections.
        #expect(!lost.isEmpty)
        #expect(Set(lost).count == 1)
        #expect(lost.allSatisfy { $0.contains("0 bytes where 10 were asked") })
    }

    @Test func aRefusedLoginIsNotRepeatedByReaders() async throws {
        let attempts = Atomic<Int>(0)
        let pool = pool { _ throws(ConnectionError) in
            attempts.add(1, ordering: .relaxed)
            throw ConnectionError(.loginRefused, "no")
        }
        try await withPool(pool) { pool in
            for _ in 0..<20 {
                let code = await sourceCode {
                    try await pool.read(ByteRange(0, 10), of: Self.file)
                }
                #expect(code == .unavailable)
            }
            #expect(attempts.load(ordering: .relaxed) == 1)
            #expect(await connectionCode { try await pool.connect() } == .loginRefused)
            #expect(attempts.load(ordering: .relaxed) == 2)
        }
    }

    @Test func anEmptyRangeNeedsNoServer() async throws {
        let pool = pool { _ throws(ConnectionError) in throw ConnectionError(.unreachable, "no") }
        try await withPool(pool) { pool in
            let bytes = try await pool.read(ByteRange(7, 7), of: Self.file)
            #expect(bytes.isEmpty)
            #expect(pool.status.connected == 0)
        }
    }

    @Test func cancellationWhileConnectingReturns() async throws {
        let pool = pool { _ throws(ConnectionError) in throw ConnectionError(.unreachable, "no") }
        try await withPool(pool) { pool in
            let task = Task {
                await sourceCode { try await pool.read(ByteRange(0, 1), of: Self.file) }
            }
            while pool.status.failure == nil { await Task.yield() }
            task.cancel()
            #expect(await task.value == .cancelled)
        }
    }
}

/// What was logged, for one test.
final class CapturedLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: CapturedLines
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.lines.withLock { $0.append("\(event.message)") }
        }
    }
}
