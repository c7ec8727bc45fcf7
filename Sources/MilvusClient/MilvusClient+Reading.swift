import Foundation
import SwiftProtobuf

/// The remote calls that read.
extension MilvusClient {
    /// What is read of which rows.
    struct Question {
        let collection: String
        let filter: String
        let fields: [String]

        var purpose: String { "query '\(collection)'" }

        init(_ collection: String, _ filter: String, _ fields: [String]) {
            self.collection = collection
            self.filter = filter
            self.fields = fields
        }
    }

    /// Does what `body` does, and loads the collection if the server wants that first.
    private func read<Answer>(
        _ collection: String,
        _ body: () async throws(MilvusError) -> Answer
    ) async throws(MilvusError) -> Answer {
        do throws(MilvusError) {
            return try await body()
        } catch {
            guard error.refusal?.isForWantOfLoading ?? false else { throw error }
            try await load(collection)
            return try await body()
        }
    }

    /// One remote call; with a limit the rows are sorted by key.
    ///
    /// - Returns: The rows, and the size of the answer in bytes.
    func ask(
        _ question: Question,
        limit: Int?
    ) async throws(MilvusError) -> (rows: MilvusRows, bytes: Int) {
        var request = MVQueryRequest()
        request.base = .of(.retrieve)
        request.dbName = server.database
        request.collectionName = question.collection
        request.expr = question.filter
        request.outputFields = [MilvusField.primaryKey] + question.fields
        request.consistencyLevel = .strong
        if let limit {
            // Without "iterator" Milvus Lite 3 does not sort, and the next page misses rows.
            request.queryParams = [
                MVKeyValuePair("limit", "\(limit)"), MVKeyValuePair("iterator", "True"),
            ]
        }
        let (answer, bytes): (MVQueryResults, Int) =
            try await read(question.collection) { () throws(MilvusError) in
                try await measuredCall(.query, request, question.purpose)
            }
        do throws(MilvusError) {
            return (try MilvusRows(answer.fieldsData, question.fields), bytes)
        } catch {
            throw MilvusError(error.code, "cannot \(question.purpose)", cause: error)
        }
    }

    /// Rows that match, counted by the server.
    ///
    /// - Parameters:
    ///   - collection: Its name.
    ///   - filter: An expression of Milvus; empty for every row.
    /// - Returns: Their number as of now.
    /// - Throws: ``MilvusError``.
    public func count(
        of collection: String,
        where filter: String = ""
    ) async throws(MilvusError) -> Int {
        let purpose = "count the rows of '\(collection)'"
        var request = MVQueryRequest()
        request.base = .of(.retrieve)
        request.dbName = server.database
        request.collectionName = collection
        request.expr = filter
        request.outputFields = ["count(*)"]
        request.consistencyLevel = .strong
        let sealed = request
        let answer: MVQueryResults = try await read(collection) { () throws(MilvusError) in
            try await call(.query, sealed, purpose)
        }
        guard let number = answer.fieldsData.first?.scalars.longData.data.first else {
            throw MilvusError(.malformed, "cannot \(purpose): the answer has no number")
        }
        return Int(number)
    }

    /// The rows whose vectors are nearest to `vector`, the nearest first.
    ///
    /// - Parameters:
    ///   - collection: Its name.
    ///   - field: The vector field.
    ///   - vector: As long as those of the field, not all zero for ``MilvusMetric/cosine``.
    ///   - metric: The one of the index.
    ///   - count: Rows at most, 16,384 at the most.
    ///   - filter: An expression of Milvus; empty for every row.
    ///   - fields: Wanted beside the key.
    /// - Returns: As many as there are, `count` at the most.
    /// - Throws: ``MilvusError`` `.rejected` when the vector does not fit the field.
    public func search(
        _ collection: String,
        field: String,
        nearest vector: [Float],
        metric: MilvusMetric,
        count: Int,
        where filter: String = "",
        fields: [String] = []
    ) async throws(MilvusError) -> MilvusHits {
        let purpose = "search '\(collection)'"
        var request = MVSearchRequest()
        request.base = .of(.search)
        request.dbName = server.database
        request.collectionName = collection
        request.dsl = filter
        request.dslType = .boolExprV1
        request.nq = 1
        request.outputFields = fields
        request.consistencyLevel = .strong
        request.searchParams = Self.parameters(field, metric, count)
        request.placeholderGroup = try Self.placeholders(vector)
        let sealed = request
        let answer: MVSearchResults = try await read(collection) { () throws(MilvusError) in
            try await call(.search, sealed, purpose)
        }
        do throws(MilvusError) {
            return try MilvusHits(answer.results, fields)
        } catch {
            throw MilvusError(error.code, "cannot \(purpose)", cause: error)
        }
    }

    private static func parameters(
        _ field: String,
        _ metric: MilvusMetric,
        _ count: Int
    ) -> [MVKeyValuePair] {
        [
            MVKeyValuePair("anns_field", field), MVKeyValuePair("topk", "\(count)"),
            MVKeyValuePair("metric_type", metric.rawValue), MVKeyValuePair("params", "{}"),
            MVKeyValuePair("round_decimal", "-1"),
        ]
    }

    /// The vector as the server wants it: little-endian floats in a message in bytes.
    private static func placeholders(_ vector: [Float]) throws(MilvusError) -> Data {
        var value = MVPlaceholderValue()
        value.tag = "$0"
        value.type = .floatVector
        var bytes = Data(capacity: vector.count * 4)
        for number in vector {
            withUnsafeBytes(of: number.bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
        }
        value.values = [bytes]
        var group = MVPlaceholderGroup()
        group.placeholders = [value]
        do {
            return try group.serializedData()
        } catch {
            throw MilvusError(.rejected, "the vector cannot be encoded", cause: error)
        }
    }
}
