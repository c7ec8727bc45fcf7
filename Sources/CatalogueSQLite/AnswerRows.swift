import Catalogue
import Foundation
import GRDB
import Primitives

/// Answers of services as rows of `kept_answers`.
enum AnswerRows {
    static func find(
        _ source: String,
        _ question: String,
        _ database: Database
    ) throws
        -> KeptAnswer?
    {
        try Row.fetchOne(
            database,
            sql: "SELECT tag, answer FROM kept_answers WHERE source = ? AND question = ?",
            arguments: [source, question]
        ).map { row in
            let bytes: [UInt8] = Array(row[1] as Data)
            return KeptAnswer(source: source, question: question, tag: row[0], answer: bytes)
        }
    }

    static func all(_ database: Database) throws -> [KeptAnswer] {
        try Row.fetchAll(
            database,
            sql: "SELECT source, question, tag, answer FROM kept_answers ORDER BY kept_seconds, id"
        ).map { row in
            let bytes: [UInt8] = Array(row[3] as Data)
            return KeptAnswer(source: row[0], question: row[1], tag: row[2], answer: bytes)
        }
    }

    static func insert(_ answer: KeptAnswer, _ database: Database) throws {
        try database.execute(
            sql: """
                INSERT OR REPLACE INTO kept_answers (source, question, tag, answer, kept_seconds)
                VALUES (?, ?, ?, ?, unixepoch())
                """,
            arguments: [answer.source, answer.question, answer.tag, Data(answer.answer)]
        )
    }

    /// Keeps one; what makes its source's answers too many goes, the oldest first.
    static func keep(_ answer: KeptAnswer, _ database: Database) throws {
        try insert(answer, database)
        try database.execute(
            sql: """
                DELETE FROM kept_answers WHERE id IN (
                    SELECT id FROM (
                        SELECT id, sum(length(answer)) OVER (ORDER BY kept_seconds DESC, id DESC) AS bytes
                        FROM kept_answers WHERE source = ?
                    ) WHERE bytes > ?
                )
                """,
            arguments: [answer.source, CatalogueLimits.answerBytes]
        )
    }
}
