import CPQ
import Catalogue
import Glibc

/// One libpq connection, for one thread at a time.
///
/// Statements are prepared at their first use. Results come in the binary format.
final class PostgresConnection {
    private let connection: OpaquePointer
    private var prepared: [String: String] = [:]

    /// Connects; it takes at most as long as the settings' time limit.
    ///
    /// - Throws: ``CatalogueError`` with code `.unavailable`, or `.unusable` when the server
    ///   refuses us for a reason that only a person can mend.
    init(_ settings: PostgresSettings) throws(CatalogueError) {
        let words = settings.keywords
        let opened = Self.withCStrings(words.map(\.0)) { names in
            Self.withCStrings(words.map(\.1)) { values in
                PQconnectdbParams(names, values, 0)
            }
        }
        guard let opened else {
            throw CatalogueError(.unavailable, "there is no memory for a connection")
        }
        guard PQstatus(opened) == CONNECTION_OK else {
            let reason = Self.oneLine(PQerrorMessage(opened))
            PQfinish(opened)
            throw PostgresTrouble.connecting(to: settings, reason)
        }
        // Notices are not for people.
        PQsetNoticeProcessor(opened, { _, _ in }, nil)
        connection = opened
    }

    deinit { PQfinish(connection) }

    var isBroken: Bool { PQstatus(connection) != CONNECTION_OK }

    /// Whether the server has ended the connection while nothing was asked of it.
    var hasEnded: Bool {
        var wanted = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        // It says why before it ends, so there may be something to read first.
        while !isBroken, poll(&wanted, 1, 0) > 0 {
            guard PQconsumeInput(connection) == 1 else { return true }
        }
        return isBroken
    }

    /// For poll(2).
    var socket: Int32 { PQsocket(connection) }

    /// Runs a statement that gives no rows that matter.
    ///
    /// - Returns: How many rows it touched.
    @discardableResult
    func run(_ sql: String, _ values: [PostgresValue] = []) throws(CatalogueError) -> Int {
        let result = try execute(sql, values)
        defer { PQclear(result) }
        return PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
    }

    /// Runs several statements without parameters.
    func script(_ sql: String) throws(CatalogueError) {
        PQclear(try checked(PQexec(connection, sql), sql))
    }

    /// The rows of a query, each made into a value.
    func rows<Value>(
        _ sql: String,
        _ values: [PostgresValue] = [],
        _ make: (PostgresRow) throws(CatalogueError) -> Value
    ) throws(CatalogueError) -> [Value] {
        let result = try execute(sql, values)
        defer { PQclear(result) }
        var all: [Value] = []
        for number in 0..<PQntuples(result) {
            all.append(try make(PostgresRow(result: result, number: number)))
        }
        return all
    }

    /// The rows of a big query, as they come, so that they are never all held twice.
    func stream(
        _ sql: String,
        _ take: (PostgresRow) throws(CatalogueError) -> Void
    ) throws(CatalogueError) {
        guard PQsendQueryParams(connection, sql, 0, nil, nil, nil, nil, 1) == 1,
            PQsetSingleRowMode(connection) == 1
        else { throw trouble(nil, sql) }
        var failure: CatalogueError?
        while let result = PQgetResult(connection) {
            defer { PQclear(result) }
            guard failure == nil else { continue }
            do throws(CatalogueError) {
                switch PQresultStatus(result) {
                case PGRES_SINGLE_TUPLE: try take(PostgresRow(result: result, number: 0))
                case PGRES_TUPLES_OK: break
                default: throw trouble(result, sql)
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Sends rows by COPY … FROM STDIN.
    func copy(_ sql: String, _ rows: [[PostgresValue]]) throws(CatalogueError) {
        PQclear(try checked(PQexec(connection, sql), sql, expecting: PGRES_COPY_IN))
        var buffer: [UInt8] = []
        for row in rows {
            for (column, value) in row.enumerated() {
                if column > 0 { buffer.append(9) }
                value.appendCopied(to: &buffer)
            }
            buffer.append(10)
            if buffer.count > 1 << 18 {
                try send(&buffer, sql)
            }
        }
        try send(&buffer, sql)
        guard PQputCopyEnd(connection, nil) == 1 else { throw reasonCopyEnded(sql) }
        var failure: CatalogueError?
        while let result = PQgetResult(connection) {
            if PQresultStatus(result) != PGRES_COMMAND_OK { failure = trouble(result, sql) }
            PQclear(result)
        }
        if let failure { throw failure }
    }

    private func send(_ buffer: inout [UInt8], _ sql: String) throws(CatalogueError) {
        guard !buffer.isEmpty else { return }
        let isSent = buffer.withUnsafeBytes { bytes in
            let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            return PQputCopyData(connection, start, Int32(bytes.count)) == 1
        }
        guard isSent else { throw reasonCopyEnded(sql) }
        buffer.removeAll(keepingCapacity: true)
    }

    /// The server has ended it, and said why.
    private func reasonCopyEnded(_ sql: String) -> CatalogueError {
        var error = trouble(nil, sql)
        while let result = PQgetResult(connection) {
            if PQresultStatus(result) == PGRES_FATAL_ERROR { error = trouble(result, sql) }
            PQclear(result)
        }
        return error
    }

    /// Whether a notification has come in meanwhile.
    func takeNotifications() throws(CatalogueError) -> Bool {
        guard PQconsumeInput(connection) == 1 else { throw trouble(nil, "LISTEN") }
        var hasSome = false
        while let notification = PQnotifies(connection) {
            hasSome = true
            PQfreemem(notification)
        }
        return hasSome
    }

    // MARK: Statements

    private func execute(
        _ sql: String,
        _ values: [PostgresValue]
    ) throws(CatalogueError) -> OpaquePointer {
        let name = try statement(sql, values.count)
        let texts = values.map(\.parameter)
        let result = Self.withCStrings(texts) { pointers in
            PQexecPrepared(connection, name, Int32(values.count), pointers, nil, nil, 1)
        }
        return try checked(result, sql)
    }

    private func statement(_ sql: String, _ count: Int) throws(CatalogueError) -> String {
        if let name = prepared[sql] { return name }
        let name = "s\(prepared.count)"
        PQclear(try checked(PQprepare(connection, name, sql, Int32(count), nil), sql))
        prepared[sql] = name
        return name
    }

    private func checked(
        _ result: OpaquePointer?,
        _ sql: String,
        expecting wanted: ExecStatusType? = nil
    ) throws(CatalogueError) -> OpaquePointer {
        guard let result else { throw trouble(nil, sql) }
        let status = PQresultStatus(result)
        let isFine =
            wanted.map { $0 == status } ?? (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
        guard isFine else {
            let error = trouble(result, sql)
            PQclear(result)
            throw error
        }
        return result
    }

    private func trouble(_ result: OpaquePointer?, _ sql: String) -> CatalogueError {
        let state = result.flatMap { PQresultErrorField($0, Int32(UInt8(ascii: "C"))) }
            .map { String(cString: $0) }
        let text = result.flatMap { PQresultErrorMessage($0) } ?? PQerrorMessage(connection)
        return PostgresTrouble.running(sql, state: state, Self.oneLine(text), isBroken: isBroken)
    }

    private static func oneLine(_ text: UnsafePointer<CChar>?) -> String {
        text.map { text in
            String(cString: text).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        } ?? ""
    }

    /// C strings of texts, ended by a nil, for as long as `body` runs.
    private static func withCStrings<Value>(
        _ texts: [String?],
        _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Value
    ) -> Value {
        var bytes: [CChar] = []
        var offsets: [Int?] = []
        for text in texts {
            offsets.append(text == nil ? nil : bytes.count)
            if let text {
                bytes.append(contentsOf: text.utf8.map { CChar(bitPattern: $0) })
                bytes.append(0)
            }
        }
        return bytes.withUnsafeBufferPointer { buffer in
            var pointers: [UnsafePointer<CChar>?] = offsets.map { offset in
                offset.flatMap { offset in buffer.baseAddress.map { $0 + offset } }
            }
            pointers.append(nil)
            return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
        }
    }
}
