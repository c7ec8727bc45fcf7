import Catalogue
import GRDB

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
    static func put(_ episodes: [Episode], _ database: Database) throws {
        var row = try BulkStatement(
            """
            INSERT INTO episodes (tmdb_id, season, episode, abs_episode, episode_type,
                episode_id, air_date, name, overview) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (tmdb_id, season, episode) DO UPDATE SET
                abs_episode = excluded.abs_episode, episode_type = excluded.episode_type,
                episode_id = excluded.episode_id, air_date = excluded.air_date,
                name = excluded.name, overview = excluded.overview,
                fetched_at = CURRENT_TIMESTAMP
            """,
            database
        )
        for episode in episodes {
            row.add(episode.showTMDBID)
            row.add(episode.season)
            row.add(episode.number)
            row.add(episode.absolute)
            row.add(episode.type)
            row.add(episode.tmdbID)
            row.add(episode.airDate)
            row.add(episode.name)
            row.add(episode.overview)
            try row.run()
        }
    }

    static func delete(_ keys: [EpisodeKey], _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: "DELETE FROM episodes WHERE tmdb_id = ? AND season = ? AND episode = ?"
        )
        for key in keys {
            try statement.execute(arguments: [key.showTMDBID, key.season, key.number])
        }
    }
}
