import MilvusClient
import StandIns
import Testing

@Suite struct TLSTests {
    private static func settings(
        _ front: TLSFront,
        host: String = "localhost",
        trusting authorities: String?
    ) -> MilvusServer {
        var server = MilvusServer(host: host, port: front.port)
        server.transport = .tls(authorities: authorities)
        return server
    }

    /// A server behind TLS with a certificate for `name`.
    private static func withFront<Result: Sendable>(
        for name: String = "DNS:localhost",
        alpn: String = "h2",
        _ body: (TLSFront) async throws -> Result
    ) async throws -> Result {
        let server = try await MilvusLite(version: .v2)
        defer { server.stop() }
        let front = try await TLSFront(to: server.port, name: name, alpn: alpn)
        defer { front.stop() }
        return try await body(front)
    }

    @Test(arguments: [("DNS:localhost", "localhost"), ("IP:127.0.0.1", "127.0.0.1")])
    func aTrustedServerDoesEverything(_ name: String, _ host: String) async throws {
        try await Self.withFront(for: name) { front in
            let client = MilvusClient(
                Self.settings(front, host: host, trusting: front.certificate)
            )
            try await client.createCollection("c", fields: Scene.fields)
            try await client.createIndex(on: "vector", in: "c", metric: .euclidean)
            try await client.load("c")
            // Many TLS records in both directions.
            try await client.upsert(Scene.rows(1...5000), into: "c")
            #expect(try await client.query("c", fields: ["path", "document"]).count == 5000)
            await client.close()
        }
    }

    @Test func anUntrustedCertificateIsRefusedWithAWayToMendIt() async throws {
        let error = try await Self.withFront { front in
            let client = MilvusClient(Self.settings(front, trusting: nil))
            return await #expect(throws: MilvusError.self) { try await client.connect() }
        }
        #expect(error?.code == .unauthorised)
        #expect(error?.description.contains("self-signed certificate") == true)
        #expect(error?.description.contains("name a file") == true)
    }

    @Test(arguments: [("DNS:milvus.example", "localhost"), ("DNS:localhost", "127.0.0.1")])
    func aCertificateForAnotherHostIsRefused(_ name: String, _ host: String) async throws {
        let error = try await Self.withFront(for: name) { front in
            let settings = Self.settings(front, host: host, trusting: front.certificate)
            let client = MilvusClient(settings)
            return await #expect(throws: MilvusError.self) { try await client.connect() }
        }
        #expect(error?.code == .unauthorised)
        #expect(error?.description.contains("mismatch") == true)
    }

    @Test func aServerWithoutHTTP2IsMalformed() async throws {
        let error = try await Self.withFront(alpn: "http/1.1") { front in
            let client = MilvusClient(Self.settings(front, trusting: front.certificate))
            return await #expect(throws: MilvusError.self) { try await client.connect() }
        }
        #expect(error?.code == .malformed)
    }

    @Test func aFileOfAuthoritiesThatIsMissingIsNamed() async throws {
        let error = try await Self.withFront { front in
            let client = MilvusClient(Self.settings(front, trusting: "/nowhere/ca.pem"))
            return await #expect(throws: MilvusError.self) { try await client.connect() }
        }
        #expect(error?.code == .unauthorised)
        #expect(error?.description.contains("trusted authorities") == true)
    }

    @Test func aPlainServerAskedOverTLSIsMalformed() async throws {
        let server = try await MilvusLite(version: .v2)
        defer { server.stop() }
        var settings = MilvusServer.loopback(server.port)
        settings.transport = .tls()
        let client = MilvusClient(settings)
        #expect(await code { _ = try await client.connect() } == .malformed)
    }

    @Test func aServerThatWantsTLSAskedWithoutItGetsAHint() async throws {
        let error = try await Self.withFront { front in
            let client = MilvusClient(.loopback(front.port))
            return await #expect(throws: MilvusError.self) { try await client.connect() }
        }
        #expect(error?.description.contains("TLS") == true)
    }
}
