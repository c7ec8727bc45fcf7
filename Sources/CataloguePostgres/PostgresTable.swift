import Catalogue

/// Rows that are put into a table over those with the same key.
struct PostgresTable {
    let name: String
    let columns: [String]
    let key: [String]
    /// What else is set when a row is put over another, as SQL.
    var also = ""

    /// From so many rows on, COPY is faster than a statement for each.
    private static let copyFrom = 50

    func put(
        _ rows: [[PostgresValue]],
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        guard rows.count >= Self.copyFrom else {
            let places = columns.indices.map { "$\($0 + 1)" }.joined(separator: ", ")
            for row in rows { try connection.run("\(insert) VALUES (\(places)) \(update)", row) }
            return
        }
        let list = columns.joined(separator: ", ")
        try connection.script(
            "CREATE TEMP TABLE put_\(name) ON COMMIT DROP AS SELECT \(list) FROM \(name) LIMIT 0"
        )
        try connection.copy("COPY put_\(name) (\(list)) FROM STDIN", rows)
        try connection.script("\(insert) SELECT \(list) FROM put_\(name) \(update)")
        try connection.script("DROP TABLE put_\(name)")
    }

    private var insert: String { "INSERT INTO \(name) (\(columns.joined(separator: ", ")))" }

    private var update: String {
        let changes = columns.filter { !key.contains($0) }.map { "\($0) = EXCLUDED.\($0)" }
        let all = (changes + (also.isEmpty ? [] : [also])).joined(separator: ", ")
        return "ON CONFLICT (\(key.joined(separator: ", "))) DO UPDATE SET \(all)"
    }
}
