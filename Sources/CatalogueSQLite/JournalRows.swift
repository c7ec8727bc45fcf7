import Catalogue
import Foundation
import GRDB

/// What was done as rows of `journal`, and the catalogue's state as the row of
/// `catalogue_state`.
enum JournalRows {
    struct State {
        let revision: Int64
        let nextShowID: Int64
        let nextFileID: Int64
    }

    static func state(_ database: Database) throws -> State {
        let row = try Row.fetchOne(
            database,
            sql: "SELECT revision, next_show, next_file, move_mark FROM catalogue_state"
        )
        guard let row else {
            throw CatalogueError(.unusable, "the table catalogue_state is empty: restore a backup")
        }
        guard row["move_mark"] == nil else { throw CatalogueError.halfMoved }
        return State(revision: row[0], nextShowID: row[1], nextFileID: row[2])
    }

    /// Makes the change's revision the catalogue's, unless somebody was faster.
    static func advance(_ change: CatalogueChange, _ database: Database) throws {
        let revision = change.entry.revision
        try database.execute(
            sql: """
                UPDATE catalogue_state SET revision = ?, next_show = max(next_show, ?),
                    next_file = max(next_file, ?)
                WHERE revision = ? AND move_mark IS NULL
                """,
            arguments: [
                revision, change.after.nextShowID, change.after.nextFileID, revision - 1,
            ]
        )
        guard database.changesCount == 1 else {
            throw CatalogueError(.conflict, "the catalogue was changed before revision \(revision)")
        }
    }

    // `inverse` is the JSON of that of `entry`.
    static func add(
        _ entry: JournalEntry,
        _ inverse: String,
        _ limits: JournalLimits,
        _ database: Database
    ) throws {
        try insert(entry, inverse, database)
        try database.cachedStatement(
            sql: "DELETE FROM journal WHERE revision <= ? OR (seconds < ? AND revision <= ?)"
        ).execute(arguments: [
            entry.revision - limits.entries, entry.seconds - limits.age,
            entry.revision - limits.least,
        ])
        guard entry.revision % JournalLimits.weighedEvery == 0 else { return }
        try database.execute(
            sql: """
                DELETE FROM journal WHERE revision < ?1 AND revision IN (
                    SELECT revision FROM (
                        SELECT revision,
                            sum(length(inverse)) OVER (ORDER BY revision DESC) AS bytes
                        FROM journal
                    ) WHERE bytes > ?2
                )
                """,
            arguments: [entry.revision, limits.bytes]
        )
    }

    static func insert(
        _ entry: JournalEntry,
        _ inverse: String,
        _ database: Database
    ) throws {
        try database.cachedStatement(
            sql: """
                INSERT INTO journal (revision, seconds, author, operation, reason, inverse)
                VALUES (?, ?, ?, ?, ?, ?)
                """
        ).execute(arguments: [
            entry.revision, entry.seconds, entry.origin.author.rawValue, entry.origin.operation,
            entry.origin.reason, inverse,
        ])
    }

    static func all(
        before revision: Int64?,
        _ count: Int,
        _ database: Database
    ) throws -> [JournalEntry] {
        let rows = try Row.fetchAll(
            database,
            sql: """
                SELECT revision, seconds, author, operation, reason, inverse FROM journal
                WHERE revision < ? ORDER BY revision DESC LIMIT ?
                """,
            arguments: [revision ?? .max, count]
        )
        return try rows.map { row in
            let author: String = row[2]
            let inverse: String = row[5]
            return JournalEntry(
                revision: row[0],
                seconds: row[1],
                origin: Origin(
                    Origin.Author(rawValue: author) ?? .person,
                    row[3],
                    reason: row[4]
                ),
                inverse: try StoredJSON.value(
                    Data(inverse.utf8),
                    of: "entry \(row[0] as Int64) of the journal"
                )
            )
        }
    }
}

/// Rights that one machine has for a time, as rows of `leases`.
enum LeaseRows {
    static func take(
        _ name: String,
        _ holder: String,
        _ seconds: Int64,
        _ database: Database
    ) throws -> String? {
        let other = try String.fetchOne(
            database,
            sql: """
                SELECT holder FROM leases
                WHERE name = ? AND holder <> ? AND until_seconds BETWEEN unixepoch() AND unixepoch() + 86400
                """,
            arguments: [name, holder]
        )
        if let other { return other }
        try database.execute(
            sql: "INSERT OR REPLACE INTO leases VALUES (?, ?, unixepoch() + ?)",
            arguments: [name, holder, seconds]
        )
        return nil
    }

    static func end(_ name: String, _ holder: String, _ database: Database) throws {
        try database.execute(
            sql: "DELETE FROM leases WHERE name = ? AND holder = ?",
            arguments: [name, holder]
        )
    }
}
