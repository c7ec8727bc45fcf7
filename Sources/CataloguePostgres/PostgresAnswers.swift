import Catalogue
import Primitives

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
            ON CONFLICT (source, md5(question)) DO UPDATE SET question = EXCLUDED.question,
                tag = EXCLUDED.tag, answer = EXCLUDED.answer, kept_seconds = EXCLUDED.kept_seconds
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
