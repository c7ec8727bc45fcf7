import Embedding
import HTTPFetch
import StandIns
import Synchronization
import Testing

@Suite struct ServiceEmbedderTests {
    private let pauses = Pauses()

    private final class Pauses: Sendable {
        let seconds = Mutex<[Double]>([])
    }

    private func embedder(
        _ standIn: ServiceStandIn,
        _ kind: EmbeddingService.Kind = .ollama,
        model: String? = nil,
        key: String? = ServiceStandIn.key
    ) async throws(EmbeddingError) -> ServiceEmbedder {
        let service = EmbeddingService(
            kind,
            address: standIn.address + (kind == .openai ? "/v1" : ""),
            model: model,
            key: key,
            textsAtOnce: 10
        )
        return try await ServiceEmbedder(asking: service, http: HTTPFetcher()) { [pauses] seconds in
            pauses.seconds.withLock { $0.append(seconds) }
        }
    }

    private func failure(
        _ standIn: ServiceStandIn,
        _ kind: EmbeddingService.Kind = .ollama,
        model: String? = nil,
        key: String? = ServiceStandIn.key
    ) async -> EmbeddingError? {
        do throws(EmbeddingError) {
            let embedder = try await embedder(standIn, kind, model: model, key: key)
            _ = try await embedder.vectors(of: ["one", "two", "three"])
            return nil
        } catch {
            #expect(!"\(error)".contains(ServiceStandIn.key))
            return error
        }
    }

    @Test(arguments: EmbeddingService.Kind.allCases)
    func eachServiceIsAskedInItsOwnProtocol(_ kind: EmbeddingService.Kind) async throws {
        let standIn = try ServiceStandIn()
        defer { standIn.stop() }
        let embedder = try await embedder(standIn, kind, model: "some-model")
        #expect(embedder.name == "\(kind.rawValue)/some-model")
        #expect(embedder.dimension == 3)
        let texts = (0..<25).map { String(repeating: "x", count: $0) }
        let vectors = try await embedder.vectors(of: texts)
        // One to know the dimension, then portions of ten.
        #expect(standIn.sizes == [1, 10, 10, 5])
        try #require(vectors.count == texts.count)
        for (text, vector) in zip(texts, vectors) {
            // An empty text is sent as a space.
            let wanted = ServiceStandIn.vector(of: text.isEmpty ? " " : text).map { $0 / 5 }
            for (one, other) in zip(vector, wanted) { #expect(abs(Double(one) - other) < 1e-6) }
        }
        #expect(try await embedder.vectors(of: []) == [])
    }

    @Test(arguments: [429, 500, 503])
    func serviceThatCannotAnswerNowIsAskedAgain(_ status: Int) async throws {
        let standIn = try ServiceStandIn(
            .init(answers: [ServiceStandIn.error(status), ServiceStandIn.error(status)])
        )
        defer { standIn.stop() }
        #expect(await failure(standIn) == nil)
        #expect(pauses.seconds.withLock { $0 } == [1, 2])
    }

    @Test func pauseIsTheOneTheServiceWants() async throws {
        let standIn = try ServiceStandIn(
            .init(answers: [ServiceStandIn.error(429, retryAfter: "17")])
        )
        defer { standIn.stop() }
        #expect(await failure(standIn) == nil)
        #expect(pauses.seconds.withLock { $0 } == [17])
    }

    @Test func tooLongAPauseIsLeftToTheCaller() async throws {
        let standIn = try ServiceStandIn(
            .init(answers: [ServiceStandIn.error(429, retryAfter: "3600")])
        )
        defer { standIn.stop() }
        #expect(await failure(standIn)?.code == .unavailable)
        #expect(pauses.seconds.withLock { $0 }.isEmpty)
    }

    @Test func serviceThatNeverAnswersIsGivenUp() async throws {
        let answers = Array(repeating: ServiceStandIn.error(500), count: 9)
        let standIn = try ServiceStandIn(.init(answers: answers))
        defer { standIn.stop() }
        #expect(await failure(standIn)?.code == .unavailable)
        #expect(standIn.sizes.count == 4)
    }

    @Test func nobodyThereIsUnavailable() async throws {
        let standIn = try ServiceStandIn()
        standIn.stop()
        let port = try HeldPort()
        defer { port.release() }
        let service = EmbeddingService(.ollama, address: "http://127.0.0.1:\(port.number)")
        await #expect {
            _ = try await ServiceEmbedder(asking: service, http: HTTPFetcher()) { _ in }
        } throws: { ($0 as? EmbeddingError)?.code == .unavailable }
    }

    @Test func wrongKeyIsNotTriedAgain() async throws {
        let standIn = try ServiceStandIn()
        defer { standIn.stop() }
        let failure = await failure(standIn, .openai, key: "sk-other")
        #expect(failure?.code == .notConfigured)
        #expect(failure?.message.contains("[openai] api_key") == true)
        #expect(failure?.message.contains("sk-other") == false)
        #expect(standIn.sizes.count == 1)
    }

    @Test func unknownModelIsNamed() async throws {
        let standIn = try ServiceStandIn()
        defer { standIn.stop() }
        let failure = await failure(standIn, model: "unknown")
        #expect(failure?.code == .notConfigured)
        #expect(failure?.message.contains("'unknown'") == true)
    }

    @Test(arguments: [
        (ServiceStandIn.Faults(isShort: true), "gave 0 vectors for 1 texts"),
        (.init(laterDimension: 7), "gave a vector of 7 numbers, and 3 before"),
        (.init(isRagged: true), "gave vectors of 3 and 4 numbers"),
        (.init(isZero: true), "gave a vector of nothing"),
        (.init(answers: [HTTPServer.Answer(body: Array("<html>".utf8))]), "holds no vectors"),
        (.init(answers: [ServiceStandIn.error(400)]), "does not take texts (status 400)"),
    ])
    func answerThatCannotBeIsRefused(_ faults: ServiceStandIn.Faults, _ why: String) async throws {
        let standIn = try ServiceStandIn(faults)
        defer { standIn.stop() }
        let failure = await failure(standIn)
        #expect(failure?.code == .malformed)
        #expect(failure?.message.contains(why) == true, "\(failure?.message ?? "")")
    }
}
