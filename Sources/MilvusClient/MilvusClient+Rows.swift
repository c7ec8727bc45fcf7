import SwiftProtobuf

/// What brings rows.
private protocol RowsRequest: Message {
    var base: MVMsgBase { get set }
    var dbName: String { get set }
    var collectionName: String { get set }
    var numRows: UInt32 { get set }
    var fieldsData: [MVFieldData] { get set }
}

extension MVUpsertRequest: RowsRequest {}
extension MVInsertRequest: RowsRequest {}

/// Rows of one collection.
extension MilvusClient {
    /// Rows asked for at first, and again as long as the answers hold vectors: Milvus Lite 2.5.1
    /// takes more than quadratic time for them (384 dimensions: 1,000 rows 0.4 s, 4,000 rows 8 s).
    private static let firstPage = 500
    /// A server gives no more than 16,384 rows at once.
    private static let longestPage = 10_000
    /// Aimed at for a page, so that long documents do not exceed ``MilvusServer/mostAnswerBytes``.
    private static let pageBytes = 8 << 20
    /// Keys in one filter, some 20 KB.
    private static let mostKeys = 1000

    /// Adds rows, replacing those with the same primary key; one remote call.
    ///
    /// Other readers may see a part of the rows before the rest. Some thousand rows in one call are
    /// best; a server takes no more than 64 MB.
    ///
    /// - Parameters:
    ///   - rows: A value for every field of the collection; no key twice.
    ///   - collection: Its name.
    /// - Throws: ``MilvusError`` `.rejected` when columns differ in length, or do not fit the fields.
    public func upsert(_ rows: MilvusRows, into collection: String) async throws(MilvusError) {
        try await put(rows, into: collection, .upsert, .upsert, MVUpsertRequest())
    }

    /// As ``upsert(_:into:)``, by the way that is the fastest for thousands of rows: readers may
    /// miss some of them meanwhile, and all the time when it fails.
    public func replace(_ rows: MilvusRows, in collection: String) async throws(MilvusError) {
        guard prefersInserts else { return try await upsert(rows, into: collection) }
        try rows.check("replace in '\(collection)'")
        try await delete(ids: rows.ids, from: collection)
        try await put(rows, into: collection, .insert, .insert, MVInsertRequest())
    }

    private func put(
        _ rows: MilvusRows,
        into collection: String,
        _ rpc: RemoteProcedure,
        _ kind: MessageKind,
        _ empty: some RowsRequest
    ) async throws(MilvusError) {
        guard !rows.isEmpty else { return }
        let purpose = "\(kind) into '\(collection)'"
        try rows.check(purpose)
        var request = empty
        request.base = .of(kind)
        request.dbName = server.database
        request.collectionName = collection
        request.numRows = UInt32(rows.count)
        request.fieldsData = rows.fieldsData
        let _: MVMutationResult = try await call(rpc, request, purpose)
    }

    /// Removes the rows with these keys, in remote calls of 1,000; missing ones are no error.
    public func delete(ids: [Int64], from collection: String) async throws(MilvusError) {
        for start in stride(from: 0, to: ids.count, by: Self.mostKeys) {
            var request = MVDeleteRequest()
            request.base = .of(.delete)
            request.dbName = server.database
            request.collectionName = collection
            request.expr = MilvusFilter.ids(Array(ids[start...].prefix(Self.mostKeys)))
            let purpose = "delete from '\(collection)'"
            let _: MVMutationResult = try await call(.delete, request, purpose)
        }
    }

    /// The rows with these keys that exist, in no certain order.
    ///
    /// - Parameters:
    ///   - ids: In remote calls of 1,000.
    ///   - collection: Its name.
    ///   - fields: Wanted beside the key.
    /// - Returns: At most one row for each key.
    /// - Throws: ``MilvusError``.
    public func rows(
        _ ids: [Int64],
        of collection: String,
        fields: [String]
    ) async throws(MilvusError) -> MilvusRows {
        var pages: [MilvusRows] = []
        for start in stride(from: 0, to: ids.count, by: Self.mostKeys) {
            let keys = Array(ids[start...].prefix(Self.mostKeys))
            let question = Question(collection, MilvusFilter.ids(keys), fields)
            pages.append(try await ask(question, limit: nil).rows)
        }
        return try MilvusRows(joining: pages)
    }

    /// The first `limit` rows that match, by ascending key; see ``eachPage(of:where:fields:limit:body:)``.
    public func query(
        _ collection: String,
        where filter: String = "",
        fields: [String],
        limit: Int = .max
    ) async throws(MilvusError) -> MilvusRows {
        var pages: [MilvusRows] = []
        try await eachPage(of: collection, where: filter, fields: fields, limit: limit) { page in
            pages.append(page)
        }
        return try MilvusRows(joining: pages)
    }

    /// Gives the rows that match to `body`, page by page, by ascending key.
    ///
    /// Rows that are written meanwhile may be seen or not; the others are seen exactly once.
    ///
    /// - Parameters:
    ///   - collection: Its name.
    ///   - filter: An expression of Milvus, such as ``MilvusFilter`` makes; empty for every row.
    ///   - fields: Wanted beside the key.
    ///   - limit: Rows at most.
    ///   - body: Never called with an empty page.
    /// - Throws: ``MilvusError`` `.malformed` when the server does not keep the order, which would
    ///   lose rows.
    public func eachPage(
        of collection: String,
        where filter: String = "",
        fields: [String],
        limit: Int = .max,
        body: (MilvusRows) -> Void
    ) async throws(MilvusError) {
        var left = limit
        var size = Self.firstPage
        var last: Int64?
        while left > 0 {
            let rest = last.map { "\(MilvusField.primaryKey) > \($0)" }
            let parts = [filter.isEmpty ? nil : "(\(filter))", rest].compactMap { $0 }
            let question = Question(collection, parts.joined(separator: " and "), fields)
            let (page, bytes) = try await ask(question, limit: min(size, left))
            // Only an empty page is the last: a server with several segments may end a page early.
            guard !page.isEmpty else { return }
            try Self.check(page, after: last, question)
            last = page.ids.last
            left -= page.count
            size = Self.nextSize(page, bytes)
            body(page)
        }
    }

    private static func check(
        _ page: MilvusRows,
        after last: Int64?,
        _ question: Question
    ) throws(MilvusError) {
        var last = last
        for id in page.ids {
            if let last, id <= last {
                let order = "key \(id) came after \(last)"
                throw MilvusError(.malformed, "cannot \(question.purpose): \(order)")
            }
            last = id
        }
    }

    private static func nextSize(_ page: MilvusRows, _ bytes: Int) -> Int {
        let hasVectors = page.columns.values.contains { column in
            if case .vectors = column { true } else { false }
        }
        let most = hasVectors ? firstPage : longestPage
        return max(1, min(most, pageBytes / max(1, bytes / page.count)))
    }
}
