import Catalogue
import Foundation
import Primitives

/// What was done as rows of `journal`.
enum PostgresJournal {
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
            WHERE revision = $4
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

    static func add(
        _ entry: JournalEntry,
        _ limits: JournalLimits,
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        try insert([entry], connection)
        try connection.run(
            "DELETE FROM journal WHERE revision <= $1 OR seconds < $2",
            [.integer(entry.revision - limits.entries), .integer(entry.seconds - limits.age)]
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
        for entry in entries {
            rows.append([
                .integer(entry.revision), .integer(entry.seconds),
                .text(entry.origin.author.rawValue), .text(entry.origin.operation),
                .text(entry.origin.reason), .text(try JSONColumn.text(entry.inverse)),
            ])
        }
        try table.put(rows, connection)
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
            let inverse: CatalogueEdits
            do {
                inverse = try JSONDecoder().decode(CatalogueEdits.self, from: Data(row.bytes(5)))
            } catch {
                let message = "entry \(row.integer(0)) of the journal cannot be read"
                throw CatalogueError(.unusable, message, cause: error)
            }
            return JournalEntry(
                revision: row.integer(0),
                seconds: row.integer(1),
                origin: Origin(
                    Origin.Author(rawValue: row.text(2)) ?? .person,
                    row.text(3),
                    reason: row.text(4)
                ),
                inverse: inverse
            )
        }
    }
}

/// Rights that one machine has for a time, by the server's clock, as rows of `leases`.
enum PostgresLeases {
    static func take(
        _ name: String,
        _ holder: String,
        _ seconds: Int64,
        _ connection: PostgresConnection
    ) throws(CatalogueError) -> String? {
        let touched = try connection.run(
            """
            INSERT INTO leases VALUES ($1, $2, now() + make_interval(secs => $3::float8))
            ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder,
                until_time = EXCLUDED.until_time
            WHERE leases.holder = EXCLUDED.holder OR leases.until_time < now()
                OR leases.until_time > now() + interval '1 day'
            """,
            [.text(name), .text(holder), .real(Double(seconds))]
        )
        guard touched == 0 else { return nil }
        return try connection.rows("SELECT holder FROM leases WHERE name = $1", [.text(name)]) {
            $0.text(0)
        }.first
    }
}

/// Answers of services as rows of `kept_answers`.
enum PostgresAnswers {
    static func find(
        _ source: String,
        _ question: String,
        _ connection: PostgresConnection
    ) throws(CatalogueError) -> KeptAnswer? {
        try connection.rows(
            "SELECT tag, answer FROM kept_answers WHERE source = $1 AND md5(question) = md5($2)"
                + " AND question = $2",
            [.text(source), .text(question)]
        ) { row in
            KeptAnswer(
                source: source,
                question: question,
                tag: row.optionalText(0),
                answer: Array(row.bytes(1))
            )
        }.first
    }

    static func all(_ connection: PostgresConnection) throws(CatalogueError) -> [KeptAnswer] {
        try connection.rows(
            "SELECT source, question, tag, answer FROM kept_answers ORDER BY kept_seconds, id"
        ) { row in
            KeptAnswer(
                source: row.text(0),
                question: row.text(1),
                tag: row.optionalText(2),
                answer: Array(row.bytes(3))
            )
        }
    }

    static func insert(
        _ answer: KeptAnswer,
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        try connection.run(
            """
            INSERT INTO kept_answers (source, question, tag, answer, kept_seconds)
            VALUES ($1, $2, $3, $4::bytea, extract(epoch FROM now())::bigint)
            """,
            [
                .text(answer.source), .text(answer.question), PostgresValue(answer.tag),
                .bytes(answer.answer),
            ]
        )
    }

    /// Keeps one; what makes its source's answers too many goes, the oldest first.
    static func keep(
        _ answer: KeptAnswer,
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        try connection.run(
            "DELETE FROM kept_answers WHERE source = $1 AND md5(question) = md5($2)",
            [.text(answer.source), .text(answer.question)]
        )
        try insert(answer, connection)
        try connection.run(
            """
            DELETE FROM kept_answers WHERE id IN (
                SELECT id FROM (
                    SELECT id,
                        sum(length(answer)) OVER (ORDER BY kept_seconds DESC, id DESC) AS bytes
                    FROM kept_answers WHERE source = $1
                ) AS counted WHERE bytes > $2
            )
            """,
            [.text(answer.source), .integer(Int64(CatalogueLimits.answerBytes))]
        )
    }
}

/// Directory times as rows of `directory_stamps`; numbers above 2^63 are kept as their bits.
enum PostgresStamps {
    private static let table = PostgresTable(
        name: "directory_stamps",
        columns: ["node", "listing", "modified_seconds"],
        key: ["node"]
    )

    static func all(
        _ connection: PostgresConnection
    ) throws(CatalogueError) -> [UInt64: DirectoryStamp] {
        var stamps: [UInt64: DirectoryStamp] = [:]
        try connection.stream("SELECT node, listing, modified_seconds FROM directory_stamps") {
            row in
            stamps[UInt64(bitPattern: row.integer(0))] = DirectoryStamp(
                listing: UInt64(bitPattern: row.integer(1)),
                modifiedSeconds: row.integer(2)
            )
        }
        return stamps
    }

    static func save(
        _ changed: [UInt64: DirectoryStamp],
        removed: [UInt64],
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        for node in removed {
            try connection.run(
                "DELETE FROM directory_stamps WHERE node = $1",
                [.integer(Int64(bitPattern: node))]
            )
        }
        let rows = changed.sorted { $0.key < $1.key }.map { node, stamp -> [PostgresValue] in
            [
                .integer(Int64(bitPattern: node)), .integer(Int64(bitPattern: stamp.listing)),
                .integer(stamp.modifiedSeconds),
            ]
        }
        try table.put(rows, connection)
    }
}
