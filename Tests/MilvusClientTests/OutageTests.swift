import MilvusClient
import StandIns
import Testing

/// Servers that stand still, die and come back.
@Suite struct OutageTests {
    private static func prepared(_ server: MilvusLite) async throws -> MilvusClient {
        var settings = MilvusServer.loopback(server.port)
        settings.callTimeout = .seconds(20)
        let client = MilvusClient(settings)
        try await client.createCollection("c", fields: Scene.fields)
        try await client.createIndex(on: "vector", in: "c", metric: .euclidean)
        try await client.load("c")
        try await client.upsert(Scene.rows(1...10), into: "c")
        return client
    }

    @Test(arguments: MilvusLite.Version.allCases)
    func aServerKilledInMidCallIsUsedAgainWhenItIsBack(_ version: MilvusLite.Version) async throws {
        let server = try await MilvusLite(version: version)
        defer { server.stop() }
        let client = try await Self.prepared(server)
        try server.pause()
        async let broken = code { _ = try await client.count(of: "c") }
        async let other = code { try await client.upsert(Scene.rows([11]), into: "c") }
        try await Task.sleep(for: .milliseconds(200))
        server.kill()
        #expect(await broken == .unavailable)
        #expect(await other == .unavailable)
        #expect(await code { _ = try await client.count(of: "c") } == .unavailable)
        try await server.start()
        #expect(try await client.rows(Array(1...10), of: "c", fields: ["path"]).count == 10)
    }

    @Test(arguments: MilvusLite.Version.allCases)
    func aServerRestartedBetweenTwoCallsIsNotNoticed(_ version: MilvusLite.Version) async throws {
        let server = try await MilvusLite(version: version)
        defer { server.stop() }
        let client = try await Self.prepared(server)
        server.kill()
        try await server.start()
        #expect(try await client.count(of: "c") == 10)
    }

    @Test(arguments: MilvusLite.Version.allCases)
    func aServerThatStandsStillIsGivenUpAtTheDeadline(_ version: MilvusLite.Version) async throws {
        let server = try await MilvusLite(version: version)
        defer { server.stop() }
        _ = try await Self.prepared(server)
        var settings = MilvusServer.loopback(server.port)
        settings.callTimeout = .milliseconds(500)
        let client = MilvusClient(settings)
        _ = try await client.connect()
        try server.pause()
        let began = ContinuousClock.now
        #expect(await code { _ = try await client.count(of: "c") } == .timedOut)
        #expect(.now - began < .seconds(2))
        server.proceed()
        #expect(try await client.hasCollection("c"))
    }

    @Test(arguments: MilvusLite.Version.allCases)
    func aCancelledCallEndsAtOnce(_ version: MilvusLite.Version) async throws {
        let server = try await MilvusLite(version: version)
        defer { server.stop() }
        let client = try await Self.prepared(server)
        try server.pause()
        let call = Task { await code { _ = try await client.count(of: "c") } }
        try await Task.sleep(for: .milliseconds(200))
        let began = ContinuousClock.now
        call.cancel()
        #expect(await call.value == .cancelled)
        #expect(.now - began < .seconds(1))
        server.proceed()
        #expect(try await client.count(of: "c") == 10)
    }

    @Test func aTaskCancelledBeforeItsCallSendsNothing() async throws {
        let client = MilvusClient(.loopback(1))
        let call = Task {
            while !Task.isCancelled { await Task.yield() }
            return await code { _ = try await client.connect() }
        }
        call.cancel()
        #expect(await call.value == .cancelled)
    }
}
