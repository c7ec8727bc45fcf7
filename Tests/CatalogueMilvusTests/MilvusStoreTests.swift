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
        try await withStores(version) { store, _ in try await body(store) }
    }

    /// And another of the same collections, as another machine has.
    private func withStores(
        _ version: MilvusLite.Version,
        _ body: (MilvusStore, MilvusStore) async throws -> Void
    ) async throws {
        let port = try #require(MilvusServers.running[version]).port
        let server = MilvusServer(host: "127.0.0.1", port: port)
        let prefix = "t\(UUID().uuidString.filter { $0 != "-" })_"
        let limits = StoreRule.journalLimits
        let store = try await MilvusStore(server, prefix: prefix, journalLimits: limits)
        let other = try await MilvusStore(server, prefix: prefix, journalLimits: limits)
        try await body(store, other)
        await store.close()
        await other.close()
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

    /// A change is made before its rows are there: whoever reads waits for them.
    @Test(arguments: MilvusLite.Version.allCases)
    func aBigChangeIsSeenWholeByAllAtOnce(_ version: MilvusLite.Version) async throws {
        try await withStores(version) { store, other in
            for round in 0..<5 {
                try await store.change { draft throws(CatalogueError) in
                    try draft.save(
                        ShowDraft(systemName: "S", details: ShowDetails(tmdbID: 7, name: "S")),
                        replacing: nil,
                        episodes: (1...3_000).map { number in
                            Episode(
                                showTMDBID: 7,
                                tmdbID: number,
                                season: 1,
                                number: number,
                                absolute: number,
                                name: "round \(round)"
                            )
                        },
                        seconds: 0
                    )
                }
                for reader in [other, store] {
                    #expect(try await reader.revision() == Int64(round + 1))
                    let seen = try await reader.contents()
                    #expect(seen.revision == Int64(round + 1))
                    #expect(seen.episodes.count == 3_000)
                    #expect(seen.episodes.allSatisfy { $0.name == "round \(round)" })
                    let last = try await reader.journal(before: nil, count: 1)
                    #expect(last.first?.revision == Int64(round + 1))
                }
            }
        }
    }
}
