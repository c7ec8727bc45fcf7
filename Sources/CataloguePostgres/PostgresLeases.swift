import Catalogue

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
