import Catalogue

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
