import GRDB
import GRDBSQLite

/// A statement that is run for thousands of rows.
///
/// GRDB makes several objects of every value that it binds: for ten thousand files that takes
/// longer than SQLite takes to keep them.
struct BulkStatement {
    private let statement: Statement
    private let database: Database
    private var bound: Int32 = 0
    /// Of the values that were added, the first that SQLite did not take.
    private var refusal = SQLITE_OK

    init(_ sql: String, _ database: Database) throws {
        statement = try database.cachedStatement(sql: sql)
        self.database = database
    }

    mutating func add(_ text: String?) {
        add { statement, index in
            guard let text else { return sqlite3_bind_null(statement, index) }
            return sqlite3_bind_text(statement, index, text, -1, Self.copied)
        }
    }

    mutating func add(_ number: Int64?) {
        add { statement, index in
            guard let number else { return sqlite3_bind_null(statement, index) }
            return sqlite3_bind_int64(statement, index, number)
        }
    }

    mutating func add(_ number: Int?) { add(number.map(Int64.init)) }

    mutating func add(_ number: Double) { add { sqlite3_bind_double($0, $1, number) } }

    private mutating func add(_ bind: (OpaquePointer, Int32) -> Int32) {
        bound += 1
        let code = bind(statement.sqliteStatement, bound)
        if refusal == SQLITE_OK { refusal = code }
    }

    /// Runs it with the values that were added since it last ran.
    mutating func run() throws {
        let refused = refusal
        (bound, refusal) = (0, SQLITE_OK)
        guard refused == SQLITE_OK else { throw error(refused) }
        let code = sqlite3_step(statement.sqliteStatement)
        defer { sqlite3_reset(statement.sqliteStatement) }
        guard code == SQLITE_DONE else { throw error(code) }
    }

    private func error(_ code: Int32) -> DatabaseError {
        DatabaseError(
            resultCode: ResultCode(rawValue: code),
            message: database.lastErrorMessage,
            sql: statement.sql
        )
    }

    /// SQLITE_TRANSIENT: SQLite copies the bytes at once.
    private static var copied: sqlite3_destructor_type {
        unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }
}
