import Catalogue

/// What the server's errors mean for us (postgresql.org/docs/current/errcodes-appendix.html).
enum PostgresTrouble {
    static func connecting(to settings: PostgresSettings, _ reason: String) -> CatalogueError {
        let remedies: [(String, String)] = [
            ("password", "check [PostgreSQL] user and password"),
            ("authentication", "check [PostgreSQL] user and password"),
            ("does not exist", "make it with createdb and createuser, or correct [PostgreSQL]"),
            ("certificate", "check [PostgreSQL] sslmode and sslrootcert"),
        ]
        let remedy = remedies.first { reason.contains($0.0) }?.1
        return CatalogueError(
            remedy == nil ? .unavailable : .unusable,
            "cannot connect to PostgreSQL at \(settings): \(reason)"
                + (remedy.map { "; \($0)" } ?? "")
        )
    }

    static func running(
        _ sql: String,
        state: String?,
        _ reason: String,
        isBroken: Bool
    ) -> CatalogueError {
        let what = sql.split(separator: " ").prefix(3).joined(separator: " ")
        return CatalogueError(
            isBroken ? .unavailable : code(state ?? ""),
            "PostgreSQL cannot do '\(what) …': \(reason)",
            cause: state.map(SQLState.init)
        )
    }

    /// A code of five characters.
    struct SQLState: Error, CustomStringConvertible {
        let description: String

        init(_ text: String) { description = "SQLSTATE \(text)" }
    }

    private static func code(_ state: String) -> CatalogueError.Code {
        switch state {
        // Serialisation failure, deadlock, lock not available.
        case "40001", "40P01", "55P03", "57014": .unavailable
        case "53100": .full
        // The server only reads.
        case "25006": .unavailable
        case "": .unavailable
        default:
            switch state.prefix(2) {
            // Connection, resources, operator intervention, system.
            case "08", "53", "57", "58": .unavailable
            // Damaged.
            case "XX": .unusable
            case "42": .unusable
            default: .rejected
            }
        }
    }

    /// Whether the same transaction may well succeed when it is run again.
    static func isWorthARetry(_ error: CatalogueError) -> Bool {
        guard let state = (error.cause as? SQLState)?.description else { return false }
        return state.hasSuffix("40001") || state.hasSuffix("40P01")
    }
}
