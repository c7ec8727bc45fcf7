import Catalogue
import MilvusClient

/// Vectors of shows: one collection for each embedder, as all of one have as many numbers.
extension MilvusCollections {
    /// Milvus allows letters, digits and lines.
    private func collection(of embedder: String) -> String {
        let plain = embedder.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" }
        let key = String(Self.key(of: embedder), radix: 36)
        return shows.collection + "_vectors_" + String(plain.prefix(60)) + "_" + key
    }

    func vectors(of embedder: String) async throws(CatalogueError) -> [ShowVector] {
        let name = collection(of: embedder)
        let rows = try await translated { () throws(MilvusError) -> MilvusRows in
            guard try await client.hasCollection(name) else { return MilvusRows() }
            return try await client.query(name, fields: ["text_print", "vector"])
        }
        guard !rows.isEmpty, case .vectors(let numbers, let dimensions) = rows.columns["vector"]
        else { return [] }
        let texts = try await translated { () throws(MilvusError) in
            try rows.int64("text_print")
        }
        return rows.ids.indices.map { index in
            ShowVector(
                showID: rows.ids[index],
                text: UInt64(bitPattern: texts[index]),
                vector: Array(numbers[index * dimensions..<(index + 1) * dimensions])
            )
        }
    }

    func save(_ vectors: [ShowVector], of embedder: String) async throws(CatalogueError) {
        guard let dimensions = vectors.first?.vector.count else { return }
        let name = collection(of: embedder)
        try await translated { () throws(MilvusError) in
            let there = Set(try await shows.documents().map(\.key))
            let kept = vectors.filter { there.contains($0.showID) && $0.vector.count == dimensions }
            guard !kept.isEmpty else { return }
            let fields = [
                MilvusField("text_print", .int64),
                MilvusField("vector", .vector(dimensions: dimensions)),
            ]
            try await RecordTable.create(name, fields, client)
            for start in stride(from: 0, to: kept.count, by: 500) {
                let some = kept[start...].prefix(500)
                let rows = MilvusRows(
                    ids: some.map(\.showID),
                    columns: [
                        "text_print": .int64(some.map { Int64(bitPattern: $0.text) }),
                        "vector": .vectors(some.flatMap(\.vector), dimensions: dimensions),
                    ]
                )
                try await client.upsert(rows, into: name)
            }
        }
    }

    /// Takes the vectors of shows that are no more out of every embedder's collection.
    func dropVectors(of ids: [Int64]) async throws(MilvusError) {
        guard !ids.isEmpty else { return }
        let prefix = shows.collection + "_vectors_"
        for name in try await client.listCollections() where name.hasPrefix(prefix) {
            try await client.delete(ids: ids, from: name)
        }
    }

    func nearest(
        to vector: [Float],
        of embedder: String,
        count: Int
    ) async throws(CatalogueError) -> [NearShow] {
        let name = collection(of: embedder)
        return try await translated { () throws(MilvusError) -> [NearShow] in
            guard try await client.hasCollection(name) else { return [] }
            let hits = try await client.search(
                name,
                field: "vector",
                nearest: vector,
                metric: .cosine,
                count: count
            )
            return zip(hits.rows.ids, hits.scores).map { NearShow(showID: $0, nearness: $1) }
        }
    }
}
