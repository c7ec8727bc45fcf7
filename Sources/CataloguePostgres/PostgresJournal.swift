import Catalogue
import Foundation

/// What was done as rows of `journal`, and the catalogue's state as the row of
/// `catalogue_state`.
enum PostgresJournal {
    struct State {
        let revision: Int64
        let nextShowID: Int64
        let nextFileID: Int64
    }

    static func state(_ connection: PostgresConnection) throws(CatalogueError) -> State {
        let rows = try connection.rows(
            "SELECT revision, next_show, next_file, move_mark FROM catalogue_state"
        ) { row in
            row.isNull(3)
                ? State(
                    revision: row.integer(0),
                    nextShowID: row.integer(1),
                    nextFileID: row.integer(2)
                ) : nil
        }
        guard let row = rows.first else {
            throw CatalogueError(.unusable, "the table catalogue_state is empty: restore a backup")
        }
        guard let state = row else { throw .halfMoved }
        return state
    }

    /// Makes the change's revision the catalogue's, unless somebody was faster: the row's lock
    /// lets one in after the other.
    static func advance(
        _ change: CatalogueChange,
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        let revision = change.entry.revision
        let touched = try connection.run(
            """
            UPDATE catalogue_state SET revision = $1, next_show = greatest(next_show, $2),
                next_file = greatest(next_file, $3)
            WHERE revision = $4 AND move_mark IS NULL
            """,
            [
                .integer(revision), .integer(change.after.nextShowID),
                .integer(change.after.nextFileID), .integer(revision - 1),
            ]
        )
        guard touched == 1 else {
            throw CatalogueError(.conflict, "the catalogue was changed before revision \(revision)")
        }
    }

    // `inverse` is the JSON of that of `entry`.
    static func add(
        _ entry: JournalEntry,
        _ inverse: String,
        _ limits: JournalLimits,
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        try table.put([row(entry, inverse)], connection)
        try connection.run(
            "DELETE FROM journal WHERE revision <= $1 OR (seconds < $2 AND revision <= $3)",
            [
                .integer(entry.revision - limits.entries), .integer(entry.seconds - limits.age),
                .integer(entry.revision - limits.least),
            ]
        )
        guard entry.revision % JournalLimits.weighedEvery == 0 else { return }
        try connection.run(
            """
            DELETE FROM journal WHERE revision < $1 AND revision IN (
                SELECT revision FROM (
                    SELECT revision,
                        sum(octet_length(inverse)) OVER (ORDER BY revision DESC) AS bytes
                    FROM journal
                ) AS weighed WHERE bytes > $2
            )
            """,
            [.integer(entry.revision), .integer(limits.bytes)]
        )
    }

    private static let table = PostgresTable(
        name: "journal",
        columns: ["revision", "seconds", "author", "operation", "reason", "inverse"],
        key: ["revision"]
    )

    static func insert(
        _ entries: [JournalEntry],
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        var rows: [[PostgresValue]] = []
        for entry in entries { rows.append(row(entry, try StoredJSON.text(entry.inverse))) }
        try table.put(rows, connection)
    }

    private static func row(_ entry: JournalEntry, _ inverse: String) -> [PostgresValue] {
        [
            .integer(entry.revision), .integer(entry.seconds),
            .text(entry.origin.author.rawValue), .text(entry.origin.operation),
            .text(entry.origin.reason), .text(inverse),
        ]
    }

    static func all(
        before revision: Int64?,
        _ count: Int,
        _ connection: PostgresConnection
    ) throws(CatalogueError) -> [JournalEntry] {
        try connection.rows(
            """
            SELECT revision, seconds, author, operation, reason, inverse FROM journal
            WHERE revision < $1 ORDER BY revision DESC LIMIT $2
            """,
            [.integer(revision ?? .max), .integer(Int64(count))]
        ) { row throws(CatalogueError) in
            JournalEntry(
                revision: row.integer(0),
                seconds: row.integer(1),
                origin: Origin(
                    Origin.Author(rawValue: row.text(2)) ?? .person,
                    row.text(3),
                    reason: row.text(4)
                ),
                inverse: try StoredJSON.value(
                    Data(row.bytes(5)),
                    of: "entry \(row.integer(0)) of the journal"
                )
            )
        }
    }
}
