import Catalogue
import CatalogueConformance
import CatalogueMilvus
import Foundation
import MilvusClient
import Primitives
import StandIns
import Testing

@Suite(.milvusServers, .serialized) struct MilvusStoreTests {
    /// A store with collections of its own, which are gone after `body`.
    private func withStore(
        _ version: MilvusLite.Version,
        _ body: (MilvusStore) async throws -> Void
    ) async throws {
        let port = try #require(MilvusServers.running[version]).port
        let server = MilvusServer(host: "127.0.0.1", port: port)
        let prefix = "t\(UUID().uuidString.filter { $0 != "-" })_"
        let store = try await MilvusStore(
            server,
            prefix: prefix,
            journalLimits: StoreRule.journalLimits
        )
        try await body(store)
        await store.close()
        let client = MilvusClient(server)
        for name in try await client.listCollections() where name.hasPrefix(prefix) {
            try await client.drop(name)
        }
        await client.close()
    }

    @Test(arguments: StoreRule.all) func keepsOnTwo(_ rule: StoreRule) async throws {
        try await withStore(.v2, rule.check)
    }

    @Test(arguments: StoreRule.all) func keepsOnThree(_ rule: StoreRule) async throws {
        try await withStore(.v3, rule.check)
    }
}
