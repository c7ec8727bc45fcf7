import Catalogue

/// What a person who looks after the database wants to know.
enum PostgresCare {
    private static let tables = [
        "tv_shows", "show_aliases", "episodes", "downloaded_files", "directory_stamps",
        "kept_answers", "journal", "leases",
    ]

    static func problems(
        _ connection: PostgresConnection,
        quick: Bool
    ) throws(CatalogueError) -> [String] {
        var problems: [String] = []
        // Reading every row whole is what finds a damaged page.
        for table in quick ? [] : tables {
            do throws(CatalogueError) {
                try connection.run("SELECT sum(length(t::text))::text FROM \(table) AS t")
            } catch {
                guard !connection.isBroken else { throw error }
                problems.append("\(table) cannot be read: \(error.message)")
            }
        }
        let broken = try connection.rows(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid"
        ) { $0.text(0) }
        problems += broken.map { "the index \($0) is not valid: REINDEX it" }
        return problems
    }

    static func statistics(
        _ place: String,
        _ connection: PostgresConnection
    ) throws(CatalogueError) -> [(name: String, value: String)] {
        func text(_ sql: String) throws(CatalogueError) -> String {
            try connection.rows("SELECT (\(sql))::text") { $0.text(0) }.first ?? ""
        }
        var lines: [(name: String, value: String)] = [
            (
                "database",
                "PostgreSQL \(try text("SELECT current_setting('server_version')")), \(place)"
            ),
            ("size", "\(try text("SELECT pg_database_size(current_database())")) bytes"),
            (
                "connections",
                try text(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                )
            ),
            ("schema", try text("SELECT schema_version FROM catalogue_state")),
            ("revision", try text("SELECT revision FROM catalogue_state")),
        ]
        for table in tables {
            let rows = try text("SELECT count(*) FROM \(table)")
            let bytes = try text("SELECT pg_total_relation_size('\(table)')")
            let indices = try text(
                "SELECT count(*) FROM pg_index WHERE indrelid = '\(table)'::regclass"
            )
            lines.append((table, "\(rows) rows, \(indices) indices, \(bytes) bytes"))
        }
        return lines
    }
}
