import Catalogue
import Foundation
import GRDB

/// Vectors of shows as rows of `show_vectors`.
enum VectorRows {
    static func all(_ embedder: String, _ database: Database) throws -> [ShowVector] {
        try Row.fetchAll(
            database,
            sql: """
                SELECT show_id, text_print, vector FROM show_vectors WHERE embedder = ?
                ORDER BY show_id
                """,
            arguments: [embedder]
        ).map { row in
            let text: Int64 = row[1]
            return ShowVector(
                showID: row[0],
                text: UInt64(bitPattern: text),
                vector: ShowVector.vector(of: row[2] as Data)
            )
        }
    }

    /// Vectors of shows that are no more are left out.
    static func put(
        _ vectors: [ShowVector],
        _ embedder: String,
        _ database: Database
    ) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO show_vectors (show_id, embedder, text_print, vector)
                SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM tv_shows WHERE id = ?1)
                """
        )
        for vector in vectors {
            try statement.execute(arguments: [
                vector.showID, embedder, Int64(bitPattern: vector.text), Data(vector.bytes),
            ])
        }
    }
}
