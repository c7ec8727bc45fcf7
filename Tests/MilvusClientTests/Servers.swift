import Foundation
import MilvusClient
import StandIns
import Testing

extension MilvusServer {
    static func loopback(_ port: UInt16) -> MilvusServer {
        MilvusServer(host: "127.0.0.1", port: port)
    }
}

/// A collection of its own for one test, indexed and loaded, with a client.
struct Scene {
    static let fields = [
        MilvusField("path", .text(mostBytes: 1000)), MilvusField("size", .int64),
        MilvusField("rating", .double), MilvusField("document", .json),
        MilvusField("vector", .vector(dimensions: 2)),
    ]

    let client: MilvusClient
    let name = "c_" + UUID().uuidString.replacing("-", with: "_")

    init(_ version: MilvusLite.Version, metric: MilvusMetric = .euclidean) async throws {
        let server = try #require(MilvusServers.running[version])
        client = MilvusClient(.loopback(server.port))
        try await client.createCollection(name, fields: Self.fields)
        try await client.createIndex(on: "vector", in: name, metric: metric)
        try await client.load(name)
    }

    /// Rows with these keys, whose other fields follow from them.
    static func rows(_ ids: some Sequence<Int64>) -> MilvusRows {
        let ids = Array(ids)
        return MilvusRows(
            ids: ids,
            columns: [
                "path": .text(ids.map { "/tv/Show \($0)/S01E01.mkv" }),
                "size": .int64(ids.map { $0 &* 1_000_003 }),
                "rating": .double(ids.map { Double($0) / 7 }),
                "document": .json(ids.map { Data("{\"n\":\($0)}".utf8) }),
                "vector": .vectors(ids.flatMap { [Float($0), 1] }, dimensions: 2),
            ]
        )
    }
}

/// The code of the error that `body` ends with, nil for none.
func code(_ body: () async throws -> Void) async -> MilvusError.Code? {
    do {
        try await body()
        return nil
    } catch {
        if !(error is MilvusError) { Issue.record(error) }
        return (error as? MilvusError)?.code
    }
}
