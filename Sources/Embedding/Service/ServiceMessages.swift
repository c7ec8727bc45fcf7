import Foundation
import HTTPFetch

/// The question to a service in its own protocol, and what its answer says.
extension EmbeddingService {
    /// Letters of a text that are sent; models take 2,000 to 8,000 tokens, and refuse more.
    private static let mostLetters = 6_000

    private struct Question: Encodable {
        let model: String
        let input: [String]
    }

    func request(_ texts: [String]) throws(EmbeddingError) -> HTTPRequest {
        let input = texts.map { text in
            let start = String(text.prefix(Self.mostLetters))
            // OpenAI refuses a text without letters.
            return start.isEmpty ? " " : start
        }
        let body: Data
        do {
            body = try JSONEncoder().encode(Question(model: modelInUse, input: input))
        } catch {
            throw EmbeddingError(.malformed, "cannot write texts as JSON", cause: error)
        }
        let address = address ?? kind.standardAddress
        var request = HTTPRequest(
            "POST",
            url: address + (kind == .ollama ? "/api/embed" : "/embeddings"),
            headers: [("Content-Type", "application/json"), ("Accept", "application/json")],
            body: Array(body)
        )
        if let key { request.headers.append(("Authorization", "Bearer \(key)")) }
        request.timeout = timeout
        return request
    }

    private struct OllamaAnswer: Decodable {
        let embeddings: [[Float]]
    }

    private struct OpenAIAnswer: Decodable {
        struct Vector: Decodable {
            let index: Int
            let embedding: [Float]
        }

        let data: [Vector]
    }

    /// The vectors of `count` texts, as long as the service made them.
    func vectors(in body: [UInt8], of count: Int) throws(EmbeddingError) -> [[Float]] {
        var vectors: [[Float]]
        do {
            switch kind {
            case .ollama:
                vectors = try JSONDecoder().decode(OllamaAnswer.self, from: Data(body)).embeddings
            case .openai:
                let data = try JSONDecoder().decode(OpenAIAnswer.self, from: Data(body)).data
                    .sorted { $0.index < $1.index }
                guard data.map(\.index) == Array(0..<data.count) else {
                    throw EmbeddingError(.malformed, "\(label) numbered its vectors wrongly")
                }
                vectors = data.map(\.embedding)
            }
        } catch let error as EmbeddingError {
            throw error
        } catch {
            // The cause may quote the answer, and an answer may quote what was sent.
            throw EmbeddingError(.malformed, "\(label) gave an answer that holds no vectors")
        }
        guard vectors.count == count else {
            throw EmbeddingError(
                .malformed,
                "\(label) gave \(vectors.count) vectors for \(count) texts"
            )
        }
        return vectors
    }
}
