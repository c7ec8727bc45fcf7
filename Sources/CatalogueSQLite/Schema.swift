import Catalogue
import GRDB

/// The tables, and how older ones become today's.
///
/// `tv_shows`, `episodes` and `downloaded_files` have the names and columns that users of the
/// original program query; columns of ours come behind them. Migrations are appended, never
/// edited.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1: shows, episodes, files, directory times") { database in
            try refuseForeign(database)
            try database.execute(sql: shows)
            try database.execute(sql: episodes)
            try database.execute(sql: files)
            try database.execute(sql: stamps)
        }
        migrator.registerMigration("2: content ratings and posters") { database in
            try database.execute(
                sql: """
                    ALTER TABLE tv_shows ADD COLUMN content_rating TEXT;
                    ALTER TABLE tv_shows ADD COLUMN poster_path TEXT;
                    """
            )
        }
        migrator.registerMigration("3: pictures, genres, people, kept answers") { database in
            try database.execute(
                sql: """
                    ALTER TABLE tv_shows ADD COLUMN artwork TEXT NOT NULL DEFAULT '{}';
                    ALTER TABLE tv_shows ADD COLUMN genres TEXT NOT NULL DEFAULT '[]';
                    ALTER TABLE tv_shows ADD COLUMN keywords TEXT NOT NULL DEFAULT '[]';
                    ALTER TABLE tv_shows ADD COLUMN cast_names TEXT NOT NULL DEFAULT '[]';
                    UPDATE tv_shows SET artwork = json_object('poster', poster_path)
                        WHERE poster_path IS NOT NULL;
                    ALTER TABLE tv_shows DROP COLUMN poster_path;
                    """
            )
            try database.execute(sql: keptAnswers)
        }
        migrator.registerMigration("4: journal, state, leases, the original's other tables") {
            database in
            try database.execute(sql: journal)
        }
        migrator.registerMigration("5: how far a move is") { database in
            try database.execute(
                sql: """
                    ALTER TABLE catalogue_state ADD COLUMN move_mark TEXT;
                    ALTER TABLE catalogue_state ADD COLUMN move_parts INTEGER NOT NULL DEFAULT 0;
                    """
            )
        }
        return migrator
    }

    /// Somebody else's tables under our names would be overlaid silently otherwise.
    private static func refuseForeign(_ database: Database) throws {
        let tables = try String.fetchAll(
            database,
            sql: """
                SELECT name FROM sqlite_master
                WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'grdb_migrations'
                """
        )
        // Another process makes it at this moment: it is looked at once more.
        let others = try Int.fetchOne(database, sql: "SELECT count(*) FROM grdb_migrations") ?? 0
        guard others == 0 else { throw DatabaseError(resultCode: .SQLITE_BUSY) }
        guard tables.isEmpty else {
            throw CatalogueError(
                .unusable,
                "the file already holds tables of another program (\(tables.joined(separator: ", ")));"
                    + " name another file with --data-dir or [SQLite] db_file; what the original"
                    + " Sync2NAS kept is taken in with import-sync2nas"
            )
        }
    }

    private static let shows = """
        CREATE TABLE tv_shows (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            sys_name TEXT NOT NULL,
            sys_path TEXT NOT NULL DEFAULT '',
            tmdb_name TEXT,
            tmdb_aliases TEXT,
            tmdb_id INTEGER UNIQUE,
            tmdb_first_aired DATETIME,
            tmdb_last_aired DATETIME,
            tmdb_year INTEGER,
            tmdb_overview TEXT,
            tmdb_season_count INTEGER,
            tmdb_episode_count INTEGER,
            tmdb_episode_groups TEXT,
            tmdb_episodes_fetched_at DATETIME,
            tmdb_status TEXT,
            tmdb_external_ids TEXT,
            fetched_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
            original_name TEXT NOT NULL DEFAULT '',
            countries TEXT NOT NULL DEFAULT '[]'
        );
        CREATE TABLE show_aliases (
            show_id INTEGER NOT NULL REFERENCES tv_shows (id) ON DELETE CASCADE,
            title TEXT NOT NULL,
            PRIMARY KEY (show_id, title)
        ) WITHOUT ROWID;
        """

    private static let episodes = """
        CREATE TABLE episodes (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            tmdb_id INTEGER NOT NULL REFERENCES tv_shows (tmdb_id) ON UPDATE CASCADE ON DELETE CASCADE,
            season INTEGER NOT NULL,
            episode INTEGER NOT NULL,
            abs_episode INTEGER,
            absolute_episode INTEGER GENERATED ALWAYS AS (abs_episode) VIRTUAL,
            episode_type TEXT,
            episode_id INTEGER,
            air_date DATETIME,
            fetched_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
            name TEXT NOT NULL,
            overview TEXT NOT NULL DEFAULT '',
            UNIQUE (tmdb_id, season, episode)
        );
        """

    private static let files = """
        CREATE TABLE downloaded_files (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            remote_path TEXT NOT NULL UNIQUE,
            current_path TEXT,
            previous_path TEXT,
            size INTEGER NOT NULL,
            modified_time DATETIME NOT NULL,
            fetched_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
            is_dir BOOLEAN NOT NULL DEFAULT 0,
            status TEXT NOT NULL,
            file_type TEXT NOT NULL,
            file_provided_hash_value TEXT,
            file_hash_value TEXT,
            file_hash_algo TEXT,
            hash_calculated_at DATETIME,
            show_name TEXT,
            season INTEGER,
            episode INTEGER,
            confidence REAL,
            reasoning TEXT,
            tmdb_id INTEGER,
            routing_attempts INTEGER NOT NULL DEFAULT 0,
            last_routing_attempt DATETIME,
            error_message TEXT,
            metadata TEXT,
            modified_seconds INTEGER NOT NULL,
            show_id INTEGER REFERENCES tv_shows (id),
            decision TEXT NOT NULL
        );
        CREATE INDEX idx_downloaded_files_status ON downloaded_files (status);
        CREATE INDEX idx_downloaded_files_current_path ON downloaded_files (current_path);
        CREATE INDEX idx_downloaded_files_show ON downloaded_files (show_id);
        """

    private static let journal = """
        ALTER TABLE tv_shows ADD COLUMN asked_seconds INTEGER;
        UPDATE tv_shows SET asked_seconds = CAST(strftime('%s', fetched_at) AS INTEGER)
            WHERE tmdb_id IS NOT NULL;
        CREATE TABLE catalogue_state (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            revision INTEGER NOT NULL,
            next_show INTEGER NOT NULL,
            next_file INTEGER NOT NULL
        );
        INSERT INTO catalogue_state VALUES (1, 0,
            1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'tv_shows'), 0),
            1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'downloaded_files'), 0));
        CREATE TABLE journal (
            revision INTEGER PRIMARY KEY,
            seconds INTEGER NOT NULL,
            author TEXT NOT NULL,
            operation TEXT NOT NULL,
            reason TEXT NOT NULL,
            inverse TEXT NOT NULL
        );
        CREATE INDEX idx_journal_seconds ON journal (seconds);
        CREATE TABLE show_vectors (
            show_id INTEGER NOT NULL REFERENCES tv_shows (id) ON DELETE CASCADE,
            embedder TEXT NOT NULL,
            text_print INTEGER NOT NULL,
            vector BLOB NOT NULL,
            PRIMARY KEY (show_id, embedder)
        );
        CREATE TABLE leases (
            name TEXT PRIMARY KEY,
            holder TEXT NOT NULL,
            until_seconds INTEGER NOT NULL
        );
        CREATE INDEX idx_episodes_absolute ON episodes (tmdb_id, absolute_episode);
        CREATE VIEW sftp_temp_files AS
            SELECT id, name, size, modified_time, remote_path AS path, fetched_at, is_dir
            FROM downloaded_files;
        CREATE VIEW anime_tv_inventory AS
            SELECT id, name, size, modified_time,
                show_name || '/' || printf('Season %02d', season) || '/' || name AS path,
                fetched_at, is_dir
            FROM downloaded_files WHERE show_id IS NOT NULL;
        """

    private static let keptAnswers = """
        CREATE TABLE kept_answers (
            id INTEGER PRIMARY KEY,
            source TEXT NOT NULL,
            question TEXT NOT NULL,
            tag TEXT,
            answer BLOB NOT NULL,
            kept_seconds INTEGER NOT NULL,
            UNIQUE (source, question)
        );
        """

    private static let stamps = """
        CREATE TABLE directory_stamps (
            node INTEGER PRIMARY KEY,
            listing INTEGER NOT NULL,
            modified_seconds INTEGER NOT NULL
        );
        """
}
