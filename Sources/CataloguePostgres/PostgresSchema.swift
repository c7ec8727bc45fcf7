import Catalogue

/// The tables, and how older ones become today's.
///
/// They have the names and columns of the SQLite catalogue, for the same reason. Steps are
/// appended, never edited.
enum PostgresSchema {
    /// Makes or renews the tables; two machines that start at once do it one after the other.
    static func migrate(_ connection: PostgresConnection) throws(CatalogueError) {
        // A server that only reads is as good as any for that.
        guard try version(connection) != steps.count else { return }
        try refuseOtherEncodings(connection)
        try connection.run("BEGIN")
        do throws(CatalogueError) {
            // Any number, as long as nobody else's lock has it.
            try connection.run("SELECT pg_advisory_xact_lock(7302611)::text")
            let version = try version(connection)
            guard version <= steps.count else {
                throw CatalogueError(
                    .unusable,
                    "the catalogue was made by a newer Sync2NAS (schema \(version), known are"
                        + " \(steps.count)): update this one"
                )
            }
            for step in steps[version...] { try connection.script(step) }
            try connection.run(
                "UPDATE catalogue_state SET schema_version = $1::integer",
                [.integer(Int64(steps.count))]
            )
            try connection.run("COMMIT")
        } catch {
            if !connection.isBroken { try connection.run("ROLLBACK") }
            throw error
        }
    }

    private static func refuseOtherEncodings(
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        let encoding =
            try connection.rows("SELECT current_setting('server_encoding')") {
                $0.text(0)
            }.first ?? ""
        guard ["UTF8", "SQL_ASCII"].contains(encoding) else {
            throw CatalogueError(
                .unusable,
                "the database is in \(encoding), which has no letters for most titles: make one with"
                    + " createdb -E UTF8 -T template0"
            )
        }
    }

    private static func version(
        _ connection: PostgresConnection
    ) throws(CatalogueError) -> Int {
        let tables = try connection.rows(
            "SELECT table_name::text FROM information_schema.tables"
                + " WHERE table_schema = current_schema()"
        ) { $0.text(0) }
        guard tables.contains("catalogue_state") else {
            let foreign = tables.filter {
                ["tv_shows", "episodes", "downloaded_files"].contains($0)
            }
            guard foreign.isEmpty else {
                throw CatalogueError(
                    .unusable,
                    "the database already holds tables of another program"
                        + " (\(foreign.sorted().joined(separator: ", "))); name another database"
                )
            }
            return 0
        }
        let versions = try connection.rows("SELECT schema_version FROM catalogue_state") {
            Int($0.integer(0))
        }
        return versions.first ?? 0
    }

    private static let steps = [tables, moves]

    private static let moves = """
        ALTER TABLE catalogue_state ADD COLUMN move_mark TEXT,
            ADD COLUMN move_parts INTEGER NOT NULL DEFAULT 0;
        """

    private static let tables = """
        CREATE TABLE catalogue_state (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            schema_version INTEGER NOT NULL,
            revision BIGINT NOT NULL,
            next_show BIGINT NOT NULL,
            next_file BIGINT NOT NULL
        );
        INSERT INTO catalogue_state VALUES (1, 0, 0, 1, 1);
        CREATE TABLE tv_shows (
            id BIGINT PRIMARY KEY,
            sys_name TEXT NOT NULL,
            sys_path TEXT NOT NULL DEFAULT '',
            tmdb_name TEXT,
            tmdb_aliases TEXT,
            tmdb_id BIGINT UNIQUE,
            tmdb_first_aired TEXT,
            tmdb_last_aired TEXT,
            tmdb_year INTEGER,
            tmdb_overview TEXT,
            tmdb_season_count INTEGER,
            tmdb_episode_count INTEGER,
            tmdb_episode_groups TEXT,
            tmdb_episodes_fetched_at TIMESTAMP,
            tmdb_status TEXT,
            tmdb_external_ids TEXT,
            fetched_at TIMESTAMP NOT NULL DEFAULT now(),
            original_name TEXT NOT NULL DEFAULT '',
            countries TEXT NOT NULL DEFAULT '[]',
            content_rating TEXT,
            artwork TEXT NOT NULL DEFAULT '{}',
            genres TEXT NOT NULL DEFAULT '[]',
            keywords TEXT NOT NULL DEFAULT '[]',
            cast_names TEXT NOT NULL DEFAULT '[]',
            asked_seconds BIGINT
        );
        CREATE TABLE show_aliases (
            show_id BIGINT NOT NULL REFERENCES tv_shows (id) ON DELETE CASCADE,
            title TEXT NOT NULL
        );
        CREATE INDEX idx_show_aliases_show ON show_aliases (show_id);
        CREATE TABLE episodes (
            id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            tmdb_id BIGINT NOT NULL
                REFERENCES tv_shows (tmdb_id) ON UPDATE CASCADE ON DELETE CASCADE,
            season INTEGER NOT NULL,
            episode INTEGER NOT NULL,
            abs_episode INTEGER,
            absolute_episode INTEGER GENERATED ALWAYS AS (abs_episode) STORED,
            episode_type TEXT,
            episode_id BIGINT,
            air_date TEXT,
            fetched_at TIMESTAMP NOT NULL DEFAULT now(),
            name TEXT NOT NULL,
            overview TEXT NOT NULL DEFAULT '',
            UNIQUE (tmdb_id, season, episode)
        );
        CREATE INDEX idx_episodes_absolute ON episodes (tmdb_id, absolute_episode);
        CREATE TABLE downloaded_files (
            id BIGINT PRIMARY KEY,
            name TEXT NOT NULL,
            remote_path TEXT NOT NULL,
            current_path TEXT,
            previous_path TEXT,
            size BIGINT NOT NULL,
            modified_time TIMESTAMP NOT NULL,
            fetched_at TIMESTAMP NOT NULL DEFAULT now(),
            is_dir BOOLEAN NOT NULL DEFAULT false,
            status TEXT NOT NULL,
            file_type TEXT NOT NULL,
            file_provided_hash_value TEXT,
            file_hash_value TEXT,
            file_hash_algo TEXT,
            hash_calculated_at TIMESTAMP,
            show_name TEXT,
            season INTEGER,
            episode INTEGER,
            confidence DOUBLE PRECISION,
            reasoning TEXT,
            tmdb_id BIGINT,
            routing_attempts INTEGER NOT NULL DEFAULT 0,
            last_routing_attempt TIMESTAMP,
            error_message TEXT,
            metadata JSONB,
            modified_seconds BIGINT NOT NULL,
            show_id BIGINT REFERENCES tv_shows (id),
            decision TEXT NOT NULL
        );
        -- A path may be longer than what an index of the text itself takes.
        CREATE UNIQUE INDEX idx_downloaded_files_path ON downloaded_files (md5(remote_path));
        CREATE INDEX idx_downloaded_files_status ON downloaded_files (status);
        CREATE INDEX idx_downloaded_files_show ON downloaded_files (show_id);
        CREATE TABLE directory_stamps (
            node BIGINT PRIMARY KEY,
            listing BIGINT NOT NULL,
            modified_seconds BIGINT NOT NULL
        );
        CREATE TABLE kept_answers (
            id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            source TEXT NOT NULL,
            question TEXT NOT NULL,
            tag TEXT,
            answer BYTEA NOT NULL,
            kept_seconds BIGINT NOT NULL
        );
        CREATE UNIQUE INDEX idx_kept_answers_question ON kept_answers (source, md5(question));
        CREATE TABLE journal (
            revision BIGINT PRIMARY KEY,
            seconds BIGINT NOT NULL,
            author TEXT NOT NULL,
            operation TEXT NOT NULL,
            reason TEXT NOT NULL,
            inverse TEXT NOT NULL
        );
        CREATE INDEX idx_journal_seconds ON journal (seconds);
        CREATE TABLE show_vectors (
            show_id BIGINT NOT NULL REFERENCES tv_shows (id) ON DELETE CASCADE,
            embedder TEXT NOT NULL,
            text_print BIGINT NOT NULL,
            vector BYTEA NOT NULL,
            PRIMARY KEY (show_id, embedder)
        );
        CREATE TABLE leases (
            name TEXT PRIMARY KEY,
            holder TEXT NOT NULL,
            until_time TIMESTAMPTZ NOT NULL
        );
        CREATE VIEW sftp_temp_files AS
            SELECT id, name, size, modified_time, remote_path AS path, fetched_at, is_dir
            FROM downloaded_files;
        CREATE VIEW anime_tv_inventory AS
            SELECT id, name, size, modified_time,
                show_name || '/Season ' || lpad(season::text, 2, '0') || '/' || name AS path,
                fetched_at, is_dir
            FROM downloaded_files WHERE show_id IS NOT NULL;
        """
}
