import Catalogue

/// Vectors of shows as rows of `show_vectors`.
enum PostgresVectors {
    static func all(
        _ embedder: String,
        _ connection: PostgresConnection
    ) throws(CatalogueError) -> [ShowVector] {
        try connection.rows(
            "SELECT show_id, text_print, vector FROM show_vectors WHERE embedder = $1"
                + " ORDER BY show_id",
            [.text(embedder)]
        ) { row in
            ShowVector(
                showID: row.integer(0),
                text: UInt64(bitPattern: row.integer(1)),
                vector: ShowVector.vector(of: row.bytes(2))
            )
        }
    }

    /// Vectors of shows that are no more are left out.
    static func put(
        _ vectors: [ShowVector],
        _ embedder: String,
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        for vector in vectors {
            try connection.run(
                """
                INSERT INTO show_vectors (show_id, embedder, text_print, vector)
                SELECT $1::bigint, $2::text, $3::bigint, $4::bytea
                WHERE EXISTS (SELECT 1 FROM tv_shows WHERE id = $1::bigint)
                ON CONFLICT (show_id, embedder) DO UPDATE SET text_print = EXCLUDED.text_print,
                    vector = EXCLUDED.vector
                """,
                [
                    .integer(vector.showID), .text(embedder),
                    .integer(Int64(bitPattern: vector.text)), .bytes(vector.bytes),
                ]
            )
        }
    }
}
