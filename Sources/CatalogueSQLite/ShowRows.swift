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
        return try Row.fetchAll(database, sql: select).map { row in
            let id: Int64 = row[0]
            let folder: String = row[12]
            return Show(
                id: id,
                systemName: row[1],
                details: details(row),
                aliases: (aliases[id] ?? []).map { $0[1] },
                folder: folder.isEmpty ? nil : folder,
                askedSeconds: row[17]
            )
        }
    }

    private static let select = """
        SELECT id, sys_name, tmdb_id, tmdb_name, original_name, tmdb_overview, tmdb_first_aired,
            tmdb_last_aired, tmdb_status, countries, tmdb_external_ids, content_rating,
            sys_path, artwork, genres, keywords, cast_names, asked_seconds
        FROM tv_shows ORDER BY id
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
            countries: StoredJSON.value(row[9]) ?? [],
            externalIDs: StoredJSON.value(row[10]) ?? [:],
            contentRating: row[11],
            artwork: StoredJSON.value(row[13]) ?? [:],
            genres: StoredJSON.value(row[14]) ?? [],
            keywords: StoredJSON.value(row[15]) ?? [],
            cast: StoredJSON.value(row[16]) ?? []
        )
    }

    static func put(_ shows: [Show], _ database: Database) throws {
        let statement = try database.cachedStatement(sql: upsert)
        let clear = try database.cachedStatement(sql: "DELETE FROM show_aliases WHERE show_id = ?")
        let add = try database.cachedStatement(
            sql: "INSERT INTO show_aliases (show_id, title) VALUES (?, ?)"
        )
        for show in shows {
            try statement.execute(arguments: values(show))
            try clear.execute(arguments: [show.id])
            for title in show.aliases { try add.execute(arguments: [show.id, title]) }
        }
    }

    private static func values(_ show: Show) throws -> StatementArguments {
        let details = show.details
        return [
            show.id, show.systemName, show.folder ?? "", details?.tmdbID, details?.name,
            show.aliases.joined(separator: ","), details?.overview, details?.firstAired,
            details?.lastAired, details?.year, details?.status,
            try details.map { try StoredJSON.text($0.externalIDs) }, details?.originalName ?? "",
            try StoredJSON.text(details?.countries ?? []), details?.contentRating,
            try StoredJSON.text(details?.artwork ?? [:]),
            try StoredJSON.text(details?.genres ?? []),
            try StoredJSON.text(details?.keywords ?? []), try StoredJSON.text(details?.cast ?? []),
            show.askedSeconds,
        ]
    }

    private static let upsert = """
        INSERT INTO tv_shows (id, sys_name, sys_path, tmdb_id, tmdb_name, tmdb_aliases,
            tmdb_overview, tmdb_first_aired, tmdb_last_aired, tmdb_year, tmdb_status,
            tmdb_external_ids, original_name, countries, content_rating, artwork, genres, keywords,
            cast_names, asked_seconds, fetched_at)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18,
            ?19, ?20, coalesce(datetime(?20, 'unixepoch'), CURRENT_TIMESTAMP))
        ON CONFLICT (id) DO UPDATE SET sys_name = excluded.sys_name, sys_path = excluded.sys_path,
            tmdb_id = excluded.tmdb_id, tmdb_name = excluded.tmdb_name,
            tmdb_aliases = excluded.tmdb_aliases, tmdb_overview = excluded.tmdb_overview,
            tmdb_first_aired = excluded.tmdb_first_aired,
            tmdb_last_aired = excluded.tmdb_last_aired, tmdb_year = excluded.tmdb_year,
            tmdb_status = excluded.tmdb_status, tmdb_external_ids = excluded.tmdb_external_ids,
            original_name = excluded.original_name, countries = excluded.countries,
            content_rating = excluded.content_rating, artwork = excluded.artwork,
            genres = excluded.genres, keywords = excluded.keywords,
            cast_names = excluded.cast_names, asked_seconds = excluded.asked_seconds,
            fetched_at = excluded.fetched_at
        """

    static func delete(_ ids: [Int64], _ database: Database) throws {
        let statement = try database.cachedStatement(sql: "DELETE FROM tv_shows WHERE id = ?")
        for id in ids { try statement.execute(arguments: [id]) }
    }

    /// Counts, for people who query them, what the show now has.
    static func count(_ tmdbIDs: Set<Int>, _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                UPDATE tv_shows SET tmdb_episodes_fetched_at = fetched_at,
                    tmdb_episode_count = (SELECT count(*) FROM episodes WHERE tmdb_id = ?1 AND season > 0),
                    tmdb_season_count =
                        (SELECT count(DISTINCT season) FROM episodes WHERE tmdb_id = ?1 AND season > 0)
                WHERE tmdb_id = ?1
                """
        )
        for id in tmdbIDs.sorted() { try statement.execute(arguments: [id]) }
    }
}
