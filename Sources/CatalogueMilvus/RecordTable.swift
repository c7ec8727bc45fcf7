import Catalogue
import Foundation
import MilvusClient
import Primitives

/// A collection whose rows are documents of any length, beside the fields that people filter by.
///
/// Milvus takes texts of at most 65,535 bytes, so a long document stands in several rows, whose
/// keys follow each other.
struct RecordTable: Sendable {
    struct Record: Sendable {
        /// From 0 to 2^50.
        var key: Int64
        var numbers: [Int64] = []
        var texts: [String] = []
        var document: Data
    }

    let client: MilvusClient
    let collection: String
    let numbers: [String]
    let texts: [String]

    private static let partBits: Int64 = 12
    /// With room for what the server counts otherwise.
    private static let partBytes = 60_000
    private static let rowsAtOnce = 1_000
    /// Characters, of which one has at most a few dozen bytes.
    private static let longestFilter = 1_000
    private static let bytesAtOnce = 8 << 20
    /// Milvus has no collection without a vector.
    static let noVector = MilvusField("vector", .vector(dimensions: 2))

    static func noVectors(_ count: Int) -> MilvusColumn {
        .vectors((0..<count).flatMap { _ in [1, 0] as [Float] }, dimensions: 2)
    }

    func create() async throws(MilvusError) {
        try await Self.create(
            collection,
            numbers.map { MilvusField($0, .int64) }
                + texts.map { MilvusField($0, .text(mostBytes: 65_535)) }
                + [
                    MilvusField("part", .int64), MilvusField("parts", .int64),
                    MilvusField("document", .text(mostBytes: 65_535)), Self.noVector,
                ],
            client
        )
    }

    /// Makes a collection that is not there yet, and has it ready for reading.
    static func create(
        _ name: String,
        _ fields: [MilvusField],
        _ client: MilvusClient
    ) async throws(MilvusError) {
        if try await !client.hasCollection(name) {
            do throws(MilvusError) {
                try await client.createCollection(name, fields: fields)
            } catch {
                // Somebody else makes it just now.
                guard try await client.hasCollection(name) else { throw error }
            }
        }
        // The same index a second time is no error.
        try await client.createIndex(on: "vector", in: name, metric: .cosine)
        try await client.load(name)
    }

    // MARK: Writing

    /// Puts records over those with the same keys.
    ///
    /// - Parameters:
    ///   - records: No key twice.
    ///   - mayShrink: Whether one with such a key may be there that has more parts; to know that
    ///     there is none spares a look.
    /// - Throws: ``MilvusError``.
    func put(_ records: [Record], mayShrink: Bool = true) async throws(MilvusError) {
        guard !records.isEmpty else { return }
        let before = mayShrink ? try await parts(of: records.map(\.key)) : [:]
        var batch = Batch(self)
        var surplus: [Int64] = []
        for record in records {
            let pieces = Self.pieces(record.document)
            for (part, piece) in pieces.enumerated() {
                batch.add(record, part, of: pieces.count, piece)
                if batch.rows >= Self.rowsAtOnce || batch.bytes >= Self.bytesAtOnce {
                    try await client.upsert(batch.columns, into: collection)
                    batch = Batch(self)
                }
            }
            let old = before[record.key] ?? 0
            if old > pieces.count {
                surplus += (pieces.count..<old).map { Self.id(record.key, $0) }
            }
        }
        try await client.upsert(batch.columns, into: collection)
        if !surplus.isEmpty { try await client.delete(ids: surplus, from: collection) }
    }

    func delete(_ keys: [Int64]) async throws(MilvusError) {
        guard !keys.isEmpty else { return }
        let parts = try await parts(of: keys)
        let ids = keys.flatMap { key in (0..<max(1, parts[key] ?? 1)).map { Self.id(key, $0) } }
        try await client.delete(ids: ids, from: collection)
    }

    private func parts(of keys: [Int64]) async throws(MilvusError) -> [Int64: Int] {
        let rows = try await client.rows(
            keys.map { Self.id($0, 0) },
            of: collection,
            fields: ["parts"]
        )
        let counts = try rows.int64("parts")
        return Dictionary(zip(rows.ids.map(Self.key), counts.map(Int.init))) { first, _ in first }
    }

    private static func id(_ key: Int64, _ part: Int) -> Int64 { key << partBits | Int64(part) }
    private static func key(_ id: Int64) -> Int64 { id >> partBits }

    /// Cut where no character is cut in two.
    private static func pieces(_ document: Data) -> [Data] {
        var pieces: [Data] = []
        var start = document.startIndex
        while document.endIndex - start > partBytes {
            var end = start + partBytes
            while end > start, document[end] & 0xC0 == 0x80 { end -= 1 }
            pieces.append(document[start..<end])
            start = end
        }
        return pieces + [document[start...]]
    }

    /// Rows that go in one call.
    private struct Batch {
        let table: RecordTable
        var ids: [Int64] = []
        var numbers: [[Int64]]
        var texts: [[String]]
        var part: [Int64] = []
        var parts: [Int64] = []
        var documents: [String] = []
        var bytes = 0

        init(_ table: RecordTable) {
            self.table = table
            numbers = table.numbers.map { _ in [] }
            texts = table.texts.map { _ in [] }
        }

        var rows: Int { ids.count }

        mutating func add(_ record: Record, _ part: Int, of parts: Int, _ piece: Data) {
            ids.append(RecordTable.id(record.key, part))
            for (index, number) in record.numbers.enumerated() { numbers[index].append(number) }
            // Only to filter by: the document has it whole.
            for (index, text) in record.texts.enumerated() {
                texts[index].append(String(text.prefix(RecordTable.longestFilter)))
            }
            self.part.append(Int64(part))
            self.parts.append(Int64(parts))
            documents.append(String(decoding: piece, as: UTF8.self))
            bytes += piece.count + record.texts.reduce(0) { $0 + $1.utf8.count }
        }

        var columns: MilvusRows {
            var columns: [String: MilvusColumn] = [
                "part": .int64(part), "parts": .int64(parts), "document": .text(documents),
                "vector": RecordTable.noVectors(ids.count),
            ]
            for (name, values) in zip(table.numbers, numbers) { columns[name] = .int64(values) }
            for (name, values) in zip(table.texts, texts) { columns[name] = .text(values) }
            return MilvusRows(ids: ids, columns: columns)
        }
    }

    // MARK: Reading

    /// Documents by ascending key; what was being written when the writer died is left out.
    ///
    /// - Parameter filter: On the fields that people filter by; "" is all.
    /// - Returns: Key and document of each.
    /// - Throws: ``MilvusError``.
    func documents(
        where filter: String = ""
    ) async throws(MilvusError) -> [(key: Int64, document: Data)] {
        let rows = try await client.query(
            collection,
            where: filter,
            fields: ["part", "parts", "document"]
        )
        return try Self.joined(rows)
    }

    func document(_ key: Int64) async throws(MilvusError) -> Data? {
        let first = try await parts(0..<1, of: key)
        guard let count = try first.int64("parts").first.map(Int.init) else { return nil }
        let rows = count == 1 ? first : try await parts(0..<count, of: key)
        return try Self.joined(rows).first?.document
    }

    private func parts(_ range: Range<Int>, of key: Int64) async throws(MilvusError) -> MilvusRows {
        try await client.rows(
            range.map { Self.id(key, $0) },
            of: collection,
            fields: ["part", "parts", "document"]
        )
    }

    private static func joined(
        _ rows: MilvusRows
    ) throws(MilvusError) -> [(key: Int64, document: Data)] {
        let (parts, counts) = (try rows.int64("part"), try rows.int64("parts"))
        let texts = try rows.text("document")
        let order = rows.ids.indices.sorted { rows.ids[$0] < rows.ids[$1] }
        var documents: [(key: Int64, document: Data)] = []
        var (document, expected): (Data, Int64) = (Data(), 0)
        for index in order {
            if parts[index] == 0 { (document, expected) = (Data(), 0) }
            guard parts[index] == expected else { continue }
            document += Data(texts[index].utf8)
            expected += 1
            if expected == counts[index] {
                documents.append((key(rows.ids[index]), document))
                expected = -1
            }
        }
        return documents
    }

    /// The fields of all records, without their documents.
    func fields() async throws(MilvusError) -> [(key: Int64, numbers: [Int64], texts: [String])] {
        let rows = try await client.query(
            collection,
            where: "part == 0",
            fields: numbers + texts
        )
        var numberColumns: [[Int64]] = []
        for name in numbers { numberColumns.append(try rows.int64(name)) }
        var textColumns: [[String]] = []
        for name in texts { textColumns.append(try rows.text(name)) }
        return rows.ids.indices.map { index in
            (
                Self.key(rows.ids[index]), numberColumns.map { $0[index] },
                textColumns.map { $0[index] }
            )
        }
    }

    func count() async throws(MilvusError) -> Int {
        try await client.count(of: collection, where: "part == 0")
    }
}
