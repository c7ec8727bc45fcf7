import Catalogue
import Foundation
import MilvusClient
import Primitives

/// Answers of services.
extension MilvusCollections {
    /// Bytes as JSON keeps them best.
    private struct Document: Codable {
        let source: String
        let question: String
        let tag: String?
        let answer: Data
    }

    func answer(
        _ source: String,
        _ question: String
    ) async throws(CatalogueError) -> KeptAnswer? {
        let document = try await translated { () throws(MilvusError) in
            try await answers.document(Self.key(of: source, question))
        }
        guard let document else { return nil }
        let known = try Self.answer(document)
        return known.source == source && known.question == question ? known : nil
    }

    private static func answer(_ document: Data) throws(CatalogueError) -> KeptAnswer {
        let known: Document = try StoredJSON.value(document, of: "a kept answer")
        return KeptAnswer(
            source: known.source,
            question: known.question,
            tag: known.tag,
            answer: Array(known.answer)
        )
    }

    func allAnswers() async throws(CatalogueError) -> [KeptAnswer] {
        let (order, documents) = try await translated { () throws(MilvusError) in
            (try await answers.fields(), try await answers.documents())
        }
        let times = Dictionary(order.map { ($0.key, $0.numbers[0]) }) { first, _ in first }
        var all: [KeptAnswer] = []
        for (_, document) in documents.sorted(by: { times[$0.key] ?? 0 < times[$1.key] ?? 0 }) {
            all.append(try Self.answer(document))
        }
        return all
    }

    /// Keeps one; what makes its source's answers too many goes, the oldest first.
    func keep(_ answer: KeptAnswer) async throws(CatalogueError) {
        let document = Document(
            source: answer.source,
            question: answer.question,
            tag: answer.tag,
            answer: Data(answer.answer)
        )
        let now = Int64(Date().timeIntervalSince1970 * 1_000_000_000)
        let record = RecordTable.Record(
            key: Self.key(of: answer.source, answer.question),
            numbers: [now, Int64(answer.answer.count)],
            texts: [answer.source],
            document: try StoredJSON.bytes(document)
        )
        try await translated { () throws(MilvusError) in
            try await answers.put([record])
            var bytes: Int64 = 0
            let known = try await answers.fields().filter { $0.texts[0] == answer.source }
                .sorted { $0.numbers[0] > $1.numbers[0] }
            var surplus: [Int64] = []
            for (key, numbers, _) in known {
                bytes += numbers[1]
                if bytes > Int64(CatalogueLimits.answerBytes) { surplus.append(key) }
            }
            try await answers.delete(surplus)
        }
    }
}
