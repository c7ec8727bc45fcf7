import Catalogue
import Foundation
import GRDB

/// Shows as rows of `tv_shows` and `show_aliases`.
enum ShowRows {
    static func all(_ database: Database) throws -> [Show] {
        let aliases = try Dictionary(
            grouping: Row.fetchAll(
                database,
                sql: "SELECT show_id, title FROM show_aliases ORDER BY show_id, title"
            ),
            by: { row -> Int64 in row[0] }
        )
        return try Row.fetchAll(database, sql: "\(select) ORDER BY id").map { row in
            let id: Int64 = row[0]
            return Show(
                id: id,
                systemName: row[1],
                details: details(row),
                aliases: (aliases[id] ?? []).map { $0[1] },
                folder: folder(row)
            )
        }
    }

    private static func folder(_ row: Row) -> String? {
        let folder: String = row[12]
        return folder.isEmpty ? nil : folder
    }

    /// When TMDB was last asked, by its numbers.
    static func askedSeconds(_ database: Database) throws -> [Int: Int64] {
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT tmdb_id, CAST(strftime('%s', fetched_at) AS INTEGER) FROM tv_shows
                WHERE tmdb_id IS NOT NULL
                """
        )
        return Dictionary(
            rows.compactMap { row -> (Int, Int64)? in
                guard let seconds: Int64 = row[1] else { return nil }
                return (row[0], seconds)
            }
        ) { first, _ in first }
    }

    /// Adds the show, or updates the one meant by `id` or by the TMDB number.
    static func save(_ draft: ShowDraft, replacing id: Int64?, _ database: Database) throws -> Show
    {
        let known = try id ?? find(draft, database)
        let number: Int64
        if let known {
            try update(known, draft, database)
            number = known
        } else {
            try database.execute(
                sql: "INSERT INTO tv_shows (sys_name) VALUES (?)",
                arguments: [draft.systemName]
            )
            number = database.lastInsertedRowID
            try update(number, draft, database)
        }
        if draft.replacesAliases {
            try database.execute(
                sql: "DELETE FROM show_aliases WHERE show_id = ?",
                arguments: [number]
            )
        }
        for alias in draft.aliases {
            try database.execute(
                sql: "INSERT OR IGNORE INTO show_aliases (show_id, title) VALUES (?, ?)",
                arguments: [number, alias]
            )
        }
        let aliases = try String.fetchAll(
            database,
            sql: "SELECT title FROM show_aliases WHERE show_id = ? ORDER BY title",
            arguments: [number]
        )
        if let folder = draft.folder {
            try database.execute(
                sql: "UPDATE tv_shows SET sys_path = ? WHERE id = ?",
                arguments: [folder, number]
            )
        }
        let folder = try String.fetchOne(
            database,
            sql: "SELECT sys_path FROM tv_shows WHERE id = ?",
            arguments: [number]
        )
        return Show(
            id: number,
            systemName: draft.systemName,
            details: draft.details,
            aliases: aliases,
            folder: folder.flatMap { $0.isEmpty ? nil : $0 }
        )
    }

    /// A draft with details is the show with its TMDB number; one without is the show without
    /// details that bears the same name.
    private static func find(_ draft: ShowDraft, _ database: Database) throws -> Int64? {
        if let details = draft.details {
            return try Int64.fetchOne(
                database,
                sql: "SELECT id FROM tv_shows WHERE tmdb_id = ?",
                arguments: [details.tmdbID]
            )
        }
        return try Int64.fetchOne(
            database,
            sql: "SELECT id FROM tv_shows WHERE tmdb_id IS NULL AND sys_name = ?",
            arguments: [draft.systemName]
        )
    }

    private static func update(_ id: Int64, _ draft: ShowDraft, _ database: Database) throws {
        let details = draft.details
        try database.execute(
            sql: """
                UPDATE tv_shows SET sys_name = ?, tmdb_id = ?, tmdb_name = ?, tmdb_overview = ?,
                    tmdb_first_aired = ?, tmdb_last_aired = ?, tmdb_year = ?, tmdb_status = ?,
                    tmdb_external_ids = ?, original_name = ?, countries = ?, tmdb_aliases = ?,
                    content_rating = ?, artwork = ?, genres = ?, keywords = ?, cast_names = ?,
                    fetched_at = CURRENT_TIMESTAMP
                WHERE id = ?
                """,
            arguments: [
                draft.systemName, details?.tmdbID, details?.name, details?.overview,
                details?.firstAired, details?.lastAired, details?.year, details?.status,
                try details.map { try json($0.externalIDs) }, details?.originalName ?? "",
                try json(details?.countries ?? []), draft.aliases.joined(separator: ","),
                details?.contentRating, try json(details?.artwork ?? [:]),
                try json(details?.genres ?? []), try json(details?.keywords ?? []),
                try json(details?.cast ?? []), id,
            ]
        )
        guard database.changesCount == 1 else {
            throw CatalogueError(.notFound, "no show has the number \(id)")
        }
    }

    private static let select = """
        SELECT id, sys_name, tmdb_id, tmdb_name, original_name, tmdb_overview, tmdb_first_aired,
            tmdb_last_aired, tmdb_status, countries, tmdb_external_ids, content_rating,
            sys_path, artwork, genres, keywords, cast_names
        FROM tv_shows
        """

    private static func details(_ row: Row) -> ShowDetails? {
        guard let tmdbID: Int = row[2] else { return nil }
        return ShowDetails(
            tmdbID: tmdbID,
            name: row[3] ?? row[1],
            originalName: row[4] ?? "",
            overview: row[5] ?? "",
            firstAired: row[6],
            lastAired: row[7],
            status: row[8] ?? "",
            countries: parsed(row[9]) ?? [],
            externalIDs: parsed(row[10]) ?? [:],
            contentRating: row[11],
            artwork: parsed(row[13]) ?? [:],
            genres: parsed(row[14]) ?? [],
            keywords: parsed(row[15]) ?? [],
            cast: parsed(row[16]) ?? []
        )
    }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private static func parsed<Value: Decodable>(_ text: String?) -> Value? {
        text.flatMap { try? JSONDecoder().decode(Value.self, from: Data($0.utf8)) }
    }
}

/// Episodes as rows of `episodes`.
enum EpisodeRows {
    static func all(_ database: Database) throws -> [Episode] {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT tmdb_id, episode_id, season, episode, abs_episode, name, overview, air_date,
                    episode_type
                FROM episodes ORDER BY tmdb_id, season, episode
                """
        )
        var episodes: [Episode] = []
        while let row = try rows.next() {
            episodes.append(
                Episode(
                    showTMDBID: row[0],
                    tmdbID: row[1] ?? 0,
                    season: row[2],
                    number: row[3],
                    absolute: row[4],
                    name: row[5],
                    overview: row[6],
                    airDate: row[7],
                    type: row[8] ?? "standard"
                )
            )
        }
        return episodes
    }

    /// Rows keep their `id` while TMDB keeps the episode.
    static func replace(_ episodes: [Episode], ofShow tmdbID: Int, _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO episodes (tmdb_id, season, episode, abs_episode, episode_type,
                    episode_id, air_date, name, overview) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (tmdb_id, season, episode) DO UPDATE SET
                    abs_episode = excluded.abs_episode, episode_type = excluded.episode_type,
                    episode_id = excluded.episode_id, air_date = excluded.air_date,
                    name = excluded.name, overview = excluded.overview,
                    fetched_at = CURRENT_TIMESTAMP
                """
        )
        for episode in episodes {
            try statement.execute(arguments: [
                tmdbID, episode.season, episode.number, episode.absolute, episode.type,
                episode.tmdbID, episode.airDate, episode.name, episode.overview,
            ])
        }
        let wanted = Set(episodes.map { [$0.season, $0.number] })
        let rows = try Row.fetchAll(
            database,
            sql: "SELECT id, season, episode FROM episodes WHERE tmdb_id = ?",
            arguments: [tmdbID]
        )
        for row in rows where !wanted.contains([row[1], row[2]]) {
            let id: Int64 = row[0]
            try database.execute(sql: "DELETE FROM episodes WHERE id = ?", arguments: [id])
        }
        try database.execute(
            sql: """
                UPDATE tv_shows SET tmdb_episodes_fetched_at = CURRENT_TIMESTAMP,
                    tmdb_episode_count = (SELECT count(*) FROM episodes WHERE tmdb_id = ?1 AND season > 0),
                    tmdb_season_count =
                        (SELECT count(DISTINCT season) FROM episodes WHERE tmdb_id = ?1 AND season > 0)
                WHERE tmdb_id = ?1
                """,
            arguments: [tmdbID]
        )
    }
}
