import Catalogue
import MilvusClient

/// Episodes, each a row whose key is made of the show, the season and the number.
struct EpisodeTable: Sendable {
    let client: MilvusClient
    let collection: String

    private static let rowsAtOnce = 2_000
    private static let numbers = ["tmdb_id", "episode_id", "season", "episode", "abs_episode"]
    private static let texts = ["name", "overview", "air_date", "episode_type"]
    /// Milvus Lite 2.5.1 has no NULL.
    private static let none: Int64 = .min
    private static let noDate = "-"

    func create() async throws(MilvusError) {
        try await RecordTable.create(
            collection,
            Self.numbers.map { MilvusField($0, .int64) }
                + Self.texts.map { MilvusField($0, .text(mostBytes: 65_535)) }
                + [RecordTable.noVector],
            client
        )
    }

    /// 24 bits for the show, 13 for the season, 15 for the number.
    ///
    /// - Throws: ``CatalogueError`` with code `.rejected` for what no show has.
    static func id(_ key: EpisodeKey) throws(CatalogueError) -> Int64 {
        guard (0..<1 << 24).contains(key.showTMDBID), (0..<1 << 13).contains(key.season),
            (0..<1 << 15).contains(key.number)
        else {
            throw CatalogueError(
                .rejected,
                "tmdb:\(key.showTMDBID) season \(key.season) episode \(key.number) is beyond all"
                    + " numbers"
            )
        }
        return Int64(key.showTMDBID << 28 | key.season << 15 | key.number)
    }

    /// More than Milvus takes, with room for what it counts otherwise.
    private static let longestText = 60_000

    /// Whether all can be put.
    ///
    /// - Throws: ``CatalogueError`` with code `.rejected`, naming the first that cannot.
    static func check(_ episodes: [Episode]) throws(CatalogueError) {
        for episode in episodes {
            _ = try id(episode.key)
            let texts = [episode.name, episode.overview, episode.airDate ?? "", episode.type]
            guard texts.allSatisfy({ $0.utf8.count <= longestText }) else {
                throw CatalogueError(
                    .rejected,
                    "tmdb:\(episode.showTMDBID) season \(episode.season) episode \(episode.number)"
                        + " has a text longer than Milvus takes"
                )
            }
        }
    }

    /// Readers may see some of them before the rest, and miss others for a moment.
    func put(_ episodes: [Episode]) async throws(CatalogueError) {
        // The server works on one part while another is made ready.
        async let second = putEveryOther(of: episodes, from: Self.rowsAtOnce)
        let first = await putEveryOther(of: episodes, from: 0)
        try first.get()
        try await second.get()
    }

    private func putEveryOther(
        of episodes: [Episode],
        from first: Int
    ) async -> Result<Void, CatalogueError> {
        do throws(CatalogueError) {
            for start in stride(from: first, to: episodes.count, by: 2 * Self.rowsAtOnce) {
                let rows = try Self.rows(of: episodes[start...].prefix(Self.rowsAtOnce))
                try await translated { () throws(MilvusError) in
                    try await client.replace(rows, in: collection)
                }
            }
            return .success(())
        } catch {
            return .failure(error)
        }
    }

    private static func rows(
        of episodes: ArraySlice<Episode>
    ) throws(CatalogueError) -> MilvusRows {
        var ids: [Int64] = []
        for episode in episodes { ids.append(try id(episode.key)) }
        return MilvusRows(
            ids: ids,
            columns: [
                "tmdb_id": .int64(episodes.map { Int64($0.showTMDBID) }),
                "episode_id": .int64(episodes.map { Int64($0.tmdbID) }),
                "season": .int64(episodes.map { Int64($0.season) }),
                "episode": .int64(episodes.map { Int64($0.number) }),
                "abs_episode": .int64(episodes.map { $0.absolute.map(Int64.init) ?? none }),
                "name": .text(episodes.map(\.name)),
                "overview": .text(episodes.map(\.overview)),
                "air_date": .text(episodes.map { $0.airDate ?? noDate }),
                "episode_type": .text(episodes.map(\.type)),
                "vector": RecordTable.noVectors(episodes.count),
            ]
        )
    }

    func delete(_ keys: [EpisodeKey]) async throws(CatalogueError) {
        guard !keys.isEmpty else { return }
        var ids: [Int64] = []
        for key in keys { ids.append(try Self.id(key)) }
        let gone = ids
        try await translated { () throws(MilvusError) in
            try await client.delete(ids: gone, from: collection)
        }
    }

    func all() async throws(MilvusError) -> [Episode] {
        let rows = try await client.query(collection, fields: Self.numbers + Self.texts)
        let (shows, ids) = (try rows.int64("tmdb_id"), try rows.int64("episode_id"))
        let (seasons, numbers) = (try rows.int64("season"), try rows.int64("episode"))
        let absolutes = try rows.int64("abs_episode")
        let (names, overviews) = (try rows.text("name"), try rows.text("overview"))
        let (dates, types) = (try rows.text("air_date"), try rows.text("episode_type"))
        return rows.ids.indices.map { index in
            Episode(
                showTMDBID: Int(shows[index]),
                tmdbID: Int(ids[index]),
                season: Int(seasons[index]),
                number: Int(numbers[index]),
                absolute: absolutes[index] == Self.none ? nil : Int(absolutes[index]),
                name: names[index],
                overview: overviews[index],
                airDate: dates[index] == Self.noDate ? nil : dates[index],
                type: types[index]
            )
        }
    }

    func count() async throws(MilvusError) -> Int { try await client.count(of: collection) }
}

/// When directories changed, each a row whose key is the node's number.
struct StampTable: Sendable {
    let client: MilvusClient
    let collection: String

    private static let rowsAtOnce = 5_000

    func create() async throws(MilvusError) {
        try await RecordTable.create(
            collection,
            [
                MilvusField("listing", .int64), MilvusField("modified_seconds", .int64),
                RecordTable.noVector,
            ],
            client
        )
    }

    func put(_ stamps: [UInt64: DirectoryStamp]) async throws(MilvusError) {
        let all = Array(stamps)
        for start in stride(from: 0, to: all.count, by: Self.rowsAtOnce) {
            let some = all[start...].prefix(Self.rowsAtOnce)
            let rows = MilvusRows(
                ids: some.map { Int64(bitPattern: $0.key) },
                columns: [
                    "listing": .int64(some.map { Int64(bitPattern: $0.value.listing) }),
                    "modified_seconds": .int64(some.map(\.value.modifiedSeconds)),
                    "vector": RecordTable.noVectors(some.count),
                ]
            )
            try await client.upsert(rows, into: collection)
        }
    }

    func delete(_ nodes: [UInt64]) async throws(MilvusError) {
        try await client.delete(ids: nodes.map { Int64(bitPattern: $0) }, from: collection)
    }

    func all() async throws(MilvusError) -> [UInt64: DirectoryStamp] {
        let rows = try await client.query(collection, fields: ["listing", "modified_seconds"])
        let (listings, times) = (try rows.int64("listing"), try rows.int64("modified_seconds"))
        var stamps: [UInt64: DirectoryStamp] = [:]
        for index in rows.ids.indices {
            stamps[UInt64(bitPattern: rows.ids[index])] = DirectoryStamp(
                listing: UInt64(bitPattern: listings[index]),
                modifiedSeconds: times[index]
            )
        }
        return stamps
    }

    func count() async throws(MilvusError) -> Int { try await client.count(of: collection) }
}
