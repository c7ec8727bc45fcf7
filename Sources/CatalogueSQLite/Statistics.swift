import Foundation
import GRDB

/// What a person who looks after the file wants to know.
enum Statistics {
    static func lines(
        _ path: String,
        _ database: Database
    ) throws -> [(name: String, value: String)] {
        var lines: [(name: String, value: String)] = [
            ("database", "SQLite \(try text("SELECT sqlite_version()", database)), \(path)"),
            (
                "size",
                "\(bytes(of: path)) bytes, \(bytes(of: path + "-wal")) in the write-ahead log"
            ),
            ("free pages", try text("PRAGMA freelist_count", database)),
            ("journal mode", try text("PRAGMA journal_mode", database)),
            ("schema", try text("SELECT max(identifier) FROM grdb_migrations", database)),
            ("revision", try text("SELECT revision FROM catalogue_state", database)),
        ]
        let tables = try String.fetchAll(
            database,
            sql: """
                SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
                AND name NOT LIKE 'grdb_%' ORDER BY name
                """
        )
        for table in tables {
            let rows = try text("SELECT count(*) FROM \"\(table)\"", database)
            let indices = try text(
                "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND tbl_name = '\(table)'",
                database
            )
            lines.append((table, "\(rows) rows, \(indices) indices"))
        }
        return lines
    }

    private static func text(_ sql: String, _ database: Database) throws -> String {
        try String.fetchOne(database, sql: sql) ?? ""
    }

    private static func bytes(of path: String) -> Int {
        let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
        return (size ?? nil) ?? 0
    }
}
