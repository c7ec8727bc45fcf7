import Primitives
import StandIns
import Testing

@testable import Transfer

/// Several sessions on one `ssh` connection, against a real sshd.
@Suite struct SharedConnectionsTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// A pool that takes every server for a far one, and every session for one that fills its
    /// window.
    private func pool(
        _ box: Seedbox,
        connections: Int,
        fullSession: Int = 0
    ) -> SFTPPool {
        var settings = SFTPPool.Settings()
        settings.connections = connections
        settings.readTimeout = .seconds(600)
        settings.sharingDirectory = folder.path + "/ssh"
        settings.farRoundTrip = .zero
        settings.fullSession = fullSession
        return SFTPPool(box.account(.openSSH), settings: settings, logger: .quiet)
    }

    /// Reads the same bytes eight times at once until the pool has so many sessions.
    private func read(
        _ pool: SFTPPool,
        _ file: RemoteFile,
        _ want: [UInt8],
        untilSessions count: Int
    ) async throws {
        repeat {
            let wrong = try await withThrowingTaskGroup(of: Bool.self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await pool.read(ByteRange(0, UInt64(want.count)), of: file) != want
                    }
                }
                return try await group.contains(true)
            }
            try #require(!wrong)
        } while pool.status.sessions < count
    }

    @Test func sessionsShareAConnectionAndOneLogin() async throws {
        let box = try Seedbox()
        let bytes = pattern(300_000)
        try box.write("film.mkv", bytes)
        let pool = pool(box, connections: 1)
        try await withPool(pool) { pool in
            let file = box.file("film.mkv", size: bytes.count)
            try await read(pool, file, bytes, untilSessions: 2)
            #expect(pool.status.connected == 1)
            #expect(box.log.split(separator: "\n").count { $0.contains("Accepted publickey") } == 1)
        }
    }

    @Test func onASlowWayThereAreNoMoreSessionsThanConnections() async throws {
        let box = try Seedbox()
        let bytes = pattern(300_000)
        try box.write("film.mkv", bytes)
        let pool = pool(box, connections: 2, fullSession: .max)
        try await withPool(pool) { pool in
            let file = box.file("film.mkv", size: bytes.count)
            for _ in 0..<10 { try await read(pool, file, bytes, untilSessions: 2) }
            #expect(pool.status.sessions == 2)
        }
    }

    @Test func aServerThatAllowsOneSessionGetsConnections() async throws {
        var options = Seedbox.Options()
        options.configuration = ["MaxSessions 1"]
        let box = try Seedbox(options)
        let bytes = pattern(300_000)
        try box.write("film.mkv", bytes)
        let pool = pool(box, connections: 2)
        try await withPool(pool) { pool in
            let file = box.file("film.mkv", size: bytes.count)
            try await read(pool, file, bytes, untilSessions: 2)
            #expect(pool.status.connected == 2)
        }
    }
}

@Suite struct SeatTests {
    private let folder: TemporaryFolder
    private let shared: SharedConnections

    init() throws {
        folder = try TemporaryFolder()
        shared = try #require(SharedConnections(directory: folder.path + "/ssh", limit: 2))
        #expect(
            shared.usefulSessions(isFar: true, areFull: true) == 2
                * SharedConnections.sessionsPerConnection
        )
    }

    @Test func aConnectionIsJoinedOnceItIsThereAndHasRoom() throws {
        let first = try #require(shared.seat())
        #expect(first.isFirst)
        #expect(shared.seat()?.isFirst == true)
        #expect(shared.seat() == nil)
        shared.opened(first)
        for _ in 1..<SharedConnections.sessionsPerConnection {
            let joined = try #require(shared.seat())
            #expect(!joined.isFirst && joined.socket == first.socket)
        }
        #expect(shared.seat() == nil)
    }

    @Test func furtherOnesAreWorthHavingOnceThoseThereAreFull() throws {
        #expect(shared.usefulSessions(isFar: true, areFull: false) == 2)
        #expect(shared.usefulSessions(isFar: false, areFull: true) == 2)
    }

    @Test func nearTheServerEachHasItsOwn() throws {
        #expect(shared.usefulSessions(isFar: false, areFull: false) == 2)
        shared.opened(try #require(shared.seat()))
        #expect(shared.seat()?.isFirst == true)
    }

    @Test func aSeatThatWasLeftIsTakenAgain() throws {
        shared.opened(try #require(shared.seat()))
        shared.left(try #require(shared.seat()))
        #expect(shared.seat()?.isFirst == false)
    }

    @Test func nobodyJoinsAConnectionWhoseFirstSessionHasEnded() throws {
        let first = try #require(shared.seat())
        shared.opened(first)
        _ = shared.seat()
        shared.left(first)
        #expect(shared.seat()?.isFirst == true)
    }

    @Test func aRefusalEndsSharing() throws {
        shared.opened(try #require(shared.seat()))
        shared.refused()
        #expect(shared.usefulSessions(isFar: true, areFull: true) == 2)
        #expect(shared.seat()?.isFirst == true)
    }

    @Test func aPathTooLongForASocketSharesNothing() {
        let long = "/" + String(repeating: "a", count: 90)
        #expect(SharedConnections(directory: long, limit: 2) == nil)
    }
}
