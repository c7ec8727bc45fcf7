import Catalogue
import Foundation
import Primitives

/// Shows as rows of `tv_shows` and `show_aliases`.
enum PostgresShows {
    private static let table = PostgresTable(
        name: "tv_shows",
        columns: [
            "id", "sys_name", "sys_path", "tmdb_id", "tmdb_name", "tmdb_aliases", "tmdb_overview",
            "tmdb_first_aired", "tmdb_last_aired", "tmdb_year", "tmdb_status", "tmdb_external_ids",
            "original_name", "countries", "content_rating", "artwork", "genres", "keywords",
            "cast_names", "asked_seconds",
        ],
        key: ["id"],
        also: "fetched_at = now()"
    )

    static func all(_ connection: PostgresConnection) throws(CatalogueError) -> [Show] {
        let titles = try connection.rows(
            "SELECT show_id, title FROM show_aliases ORDER BY show_id, title COLLATE \"C\""
        ) { ($0.integer(0), $0.text(1)) }
        let aliases = Dictionary(grouping: titles) { $0.0 }
        return try connection.rows(
            "SELECT \(table.columns.joined(separator: ", ")) FROM tv_shows ORDER BY id"
        ) { row in
            let folder = row.text(2)
            return Show(
                id: row.integer(0),
                systemName: row.text(1),
                details: details(row),
                aliases: (aliases[row.integer(0)] ?? []).map(\.1),
                folder: folder.isEmpty ? nil : folder,
                askedSeconds: row.optionalInteger(19)
            )
        }
    }

    private static func details(_ row: PostgresRow) -> ShowDetails? {
        guard let tmdbID = row.optionalInteger(3) else { return nil }
        return ShowDetails(
            tmdbID: Int(tmdbID),
            name: row.text(4),
            originalName: row.text(12),
            overview: row.text(6),
            firstAired: row.optionalText(7),
            lastAired: row.optionalText(8),
            status: row.text(10),
            countries: StoredJSON.value(row.text(13)) ?? [],
            externalIDs: StoredJSON.value(row.text(11)) ?? [:],
            contentRating: row.optionalText(14),
            artwork: StoredJSON.value(row.text(15)) ?? [:],
            genres: StoredJSON.value(row.text(16)) ?? [],
            keywords: StoredJSON.value(row.text(17)) ?? [],
            cast: StoredJSON.value(row.text(18)) ?? []
        )
    }

    static func put(_ shows: [Show], _ connection: PostgresConnection) throws(CatalogueError) {
        guard !shows.isEmpty else { return }
        var rows: [[PostgresValue]] = []
        for show in shows { rows.append(try values(show)) }
        try table.put(rows, connection)
        for show in shows {
            try connection.run("DELETE FROM show_aliases WHERE show_id = $1", [.integer(show.id)])
        }
        let titles = shows.flatMap { show in
            show.aliases.map { [PostgresValue.integer(show.id), .text($0)] }
        }
        try connection.copy("COPY show_aliases (show_id, title) FROM STDIN", titles)
    }

    private static func values(_ show: Show) throws(CatalogueError) -> [PostgresValue] {
        let details = show.details
        return [
            .integer(show.id), .text(show.systemName), .text(show.folder ?? ""),
            PostgresValue(details?.tmdbID), PostgresValue(details?.name),
            .text(show.aliases.joined(separator: ",")), PostgresValue(details?.overview),
            PostgresValue(details?.firstAired), PostgresValue(details?.lastAired),
            PostgresValue(details?.year), PostgresValue(details?.status),
            details == nil ? .null : .text(try StoredJSON.text(details?.externalIDs ?? [:])),
            .text(details?.originalName ?? ""),
            .text(try StoredJSON.text(details?.countries ?? [])),
            PostgresValue(details?.contentRating),
            .text(try StoredJSON.text(details?.artwork ?? [:])),
            .text(try StoredJSON.text(details?.genres ?? [])),
            .text(try StoredJSON.text(details?.keywords ?? [])),
            .text(try StoredJSON.text(details?.cast ?? [])), PostgresValue(show.askedSeconds),
        ]
    }

    static func delete(_ ids: [Int64], _ connection: PostgresConnection) throws(CatalogueError) {
        for id in ids { try connection.run("DELETE FROM tv_shows WHERE id = $1", [.integer(id)]) }
    }

    /// Counts, for people who query them, what the show now has.
    static func count(
        _ tmdbIDs: Set<Int>,
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        for id in tmdbIDs.sorted() {
            try connection.run(
                """
                UPDATE tv_shows SET tmdb_episodes_fetched_at = fetched_at,
                    tmdb_episode_count = counted.episodes, tmdb_season_count = counted.seasons
                FROM (SELECT count(*)::integer AS episodes, count(DISTINCT season)::integer AS seasons
                    FROM episodes WHERE tmdb_id = $1 AND season > 0) AS counted
                WHERE tmdb_id = $1
                """,
                [.integer(Int64(id))]
            )
        }
    }
}

/// Episodes as rows of `episodes`.
enum PostgresEpisodes {
    private static let table = PostgresTable(
        name: "episodes",
        columns: [
            "tmdb_id", "episode_id", "season", "episode", "abs_episode", "name", "overview",
            "air_date", "episode_type",
        ],
        key: ["tmdb_id", "season", "episode"],
        also: "fetched_at = now()"
    )

    static func all(_ connection: PostgresConnection) throws(CatalogueError) -> [Episode] {
        var episodes: [Episode] = []
        try connection.stream(
            "SELECT \(table.columns.joined(separator: ", ")) FROM episodes"
                + " ORDER BY tmdb_id, season, episode"
        ) { row in
            episodes.append(
                Episode(
                    showTMDBID: Int(row.integer(0)),
                    tmdbID: Int(row.integer(1)),
                    season: Int(row.integer(2)),
                    number: Int(row.integer(3)),
                    absolute: row.optionalInteger(4).map(Int.init),
                    name: row.text(5),
                    overview: row.text(6),
                    airDate: row.optionalText(7),
                    type: row.text(8)
                )
            )
        }
        return episodes
    }

    static func put(
        _ episodes: [Episode],
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        let rows = episodes.map { episode -> [PostgresValue] in
            [
                .integer(Int64(episode.showTMDBID)), .integer(Int64(episode.tmdbID)),
                .integer(Int64(episode.season)), .integer(Int64(episode.number)),
                PostgresValue(episode.absolute), .text(episode.name), .text(episode.overview),
                PostgresValue(episode.airDate), .text(episode.type),
            ]
        }
        try table.put(rows, connection)
    }

    static func delete(
        _ keys: [EpisodeKey],
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        for key in keys {
            try connection.run(
                "DELETE FROM episodes WHERE tmdb_id = $1 AND season = $2 AND episode = $3",
                [key.showTMDBID, key.season, key.number].map { .integer(Int64($0)) }
            )
        }
    }
}

/// Files as rows of `downloaded_files`.
enum PostgresFiles {
    private static let table = PostgresTable(
        name: "downloaded_files",
        columns: [
            "id", "name", "remote_path", "size", "modified_seconds", "modified_time", "status",
            "file_type", "show_id", "show_name", "tmdb_id", "season", "episode", "confidence",
            "reasoning", "decision", "last_routing_attempt",
        ],
        key: ["id"],
        also: "routing_attempts = downloaded_files.routing_attempts + 1"
    )

    static func all(_ connection: PostgresConnection) throws(CatalogueError) -> [LibraryFile] {
        var files: [LibraryFile] = []
        try connection.stream(
            "SELECT id, remote_path, size, modified_seconds, file_type, decision"
                + " FROM downloaded_files ORDER BY id"
        ) { row throws(CatalogueError) in
            guard let kind = FileKind(rawValue: row.text(4)) else { return }
            files.append(
                LibraryFile(
                    id: row.integer(0),
                    file: RemoteFile(
                        path: RemotePath(row.text(1)),
                        size: UInt64(clamping: row.integer(2)),
                        modifiedSeconds: row.integer(3)
                    ),
                    kind: kind,
                    decision: try StoredJSON.value(
                        Data(row.bytes(5)),
                        of: "the decision of file \(row.integer(0))"
                    )
                )
            )
        }
        return files
    }

    // The shows are those that the files are placed in.
    static func put(
        _ files: [LibraryFile],
        _ shows: CatalogueContents,
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        let now = Date().ISO8601Format()
        var rows: [[PostgresValue]] = []
        for file in files {
            let decision = file.decision
            let place = decision.placement
            let show = place.flatMap { shows.show($0.showID) }
            rows.append([
                .integer(file.id), .text(RemotePath.escaped(file.file.path.lastComponent)),
                .text(file.file.path.text), .integer(Int64(clamping: file.file.size)),
                .integer(file.file.modifiedSeconds), .text(Self.time(file.file.modifiedSeconds)),
                .text(place == nil ? "downloaded" : "routed"), .text(file.kind.rawValue),
                PostgresValue(place?.showID), PostgresValue(show?.name),
                PostgresValue(show?.details?.tmdbID), PostgresValue(place?.season),
                PostgresValue(place?.episodes.first), .real(decision.confidence),
                .text(decision.rule), .text(try StoredJSON.text(decision)), .text(now),
            ])
        }
        try table.put(rows, connection)
    }

    /// A time that the server takes, whatever a seedbox claims.
    private static func time(_ seconds: Int64) -> String {
        let sane = min(max(seconds, -62_000_000_000), 250_000_000_000)
        return Date(timeIntervalSince1970: Double(sane)).ISO8601Format()
    }

    static func delete(_ ids: [Int64], _ connection: PostgresConnection) throws(CatalogueError) {
        for id in ids {
            try connection.run("DELETE FROM downloaded_files WHERE id = $1", [.integer(id)])
        }
    }
}
