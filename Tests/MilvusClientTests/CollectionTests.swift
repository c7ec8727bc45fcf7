import MilvusClient
import StandIns
import Testing

/// Everything that is asked of real servers that stay up.
@Suite(.milvusServers) enum RealServerTests {}

extension RealServerTests {
    @Suite struct CollectionTests {
        @Test(arguments: MilvusLite.Version.allCases)
        func aServerAnswersWithItsVersion(_ version: MilvusLite.Version) async throws {
            let server = try #require(MilvusServers.running[version])
            let client = MilvusClient(.loopback(server.port))
            let words = try await client.connect()
            #expect(words == (version == .v2 ? "" : "milvus_lite-3.2.2"))
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func aCollectionIsThereUntilItIsDropped(_ version: MilvusLite.Version) async throws {
            let scene = try await Scene(version)
            #expect(try await scene.client.hasCollection(scene.name))
            #expect(try await scene.client.listCollections().contains(scene.name))
            try await scene.client.drop(scene.name)
            #expect(try await !scene.client.hasCollection(scene.name))
            #expect(try await !scene.client.listCollections().contains(scene.name))
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func droppingWhatIsNotThereIsNoError(_ version: MilvusLite.Version) async throws {
            let scene = try await Scene(version)
            try await scene.client.drop("nothing_of_this_name")
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func indexAndLoadMayBeRepeated(_ version: MilvusLite.Version) async throws {
            let scene = try await Scene(version)
            try await scene.client.createIndex(on: "vector", in: scene.name, metric: .euclidean)
            try await scene.client.load(scene.name)
        }

        /// Milvus Lite 2 lets it pass.
        @Test func aSecondIndexOfAnotherMetricIsRejected() async throws {
            let scene = try await Scene(.v3)
            let code = await code {
                try await scene.client.createIndex(on: "vector", in: scene.name, metric: .cosine)
            }
            #expect(code == .rejected)
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func aWrongCollectionIsNotFoundByAnyCall(_ version: MilvusLite.Version) async throws {
            let client = try await Scene(version).client
            let name = "nothing_of_this_name"
            let rows = Scene.rows([1])
            #expect(await code { _ = try await client.query(name, fields: []) } == .notFound)
            #expect(await code { _ = try await client.count(of: name) } == .notFound)
            #expect(await code { try await client.upsert(rows, into: name) } == .notFound)
            #expect(await code { try await client.delete(ids: [1], from: name) } == .notFound)
            #expect(await code { try await client.load(name) } == .notFound)
            #expect(
                await code {
                    try await client.createIndex(on: "vector", in: name, metric: .cosine)
                } == .notFound
            )
            #expect(
                await code {
                    _ = try await client.search(
                        name,
                        field: "vector",
                        nearest: [1, 0],
                        metric: .cosine,
                        count: 1
                    )
                } == .notFound
            )
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func aBrokenFilterIsRejectedWithTheServersWords(_ version: MilvusLite.Version) async throws
        {
            let scene = try await Scene(version)
            let error = await #expect(throws: MilvusError.self) {
                try await scene.client.query(scene.name, where: "path ===", fields: ["path"])
            }
            #expect(error?.code == .rejected)
            #expect(error?.description.contains("cannot query '\(scene.name)'") == true)
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func aClosedClientTakesNoCalls(_ version: MilvusLite.Version) async throws {
            let scene = try await Scene(version)
            await scene.client.close()
            #expect(await code { _ = try await scene.client.listCollections() } == .cancelled)
        }
    }
}
