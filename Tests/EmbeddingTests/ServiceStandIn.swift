import Foundation
import StandIns
import Synchronization

/// A stand-in for the services that make vectors, in Ollama's and in OpenAI's protocol.
///
/// The vector of a text tells which text it was, so that a changed order is seen.
final class ServiceStandIn: Sendable {
    static let key = "sk-secret-stand-in"

    /// What it does otherwise than a service should.
    struct Faults: Sendable {
        /// Answers given before the first right one.
        var answers: [HTTPServer.Answer] = []
        /// Leaves out the last vector.
        var isShort = false
        /// Numbers of the vectors from the second request on.
        var laterDimension: Int?
        var isRagged = false
        var isZero = false
    }

    private struct State {
        var faults: Faults
        var sizes: [Int] = []
    }

    private let state: Mutex<State>
    private let server = Mutex<HTTPServer?>(nil)

    init(_ faults: Faults = Faults()) throws {
        state = Mutex(State(faults: faults))
        let server = try HTTPServer { [weak self] request in
            self?.answer(request) ?? Self.error(500)
        }
        self.server.withLock { $0 = server }
    }

    var address: String { server.withLock { $0 }?.baseURL ?? "" }
    /// Texts in each request.
    var sizes: [Int] { state.withLock { $0.sizes } }

    func stop() { server.withLock { $0 }?.stop() }

    static func error(_ status: Int, retryAfter: String? = nil) -> HTTPServer.Answer {
        HTTPServer.Answer(
            status: status,
            headers: retryAfter.map { [("Retry-After", $0)] } ?? [],
            body: Array("{\"error\":\"no, and your key is \(key)\"}".utf8)
        )
    }

    /// Of length 5 for every text.
    static func vector(of text: String) -> [Double] {
        [3, 4 * cos(Double(text.utf8.count)), 4 * sin(Double(text.utf8.count))]
    }

    private func answer(_ request: HTTPServer.Request) -> HTTPServer.Answer {
        guard request.method == "POST",
            let object = try? JSONSerialization.jsonObject(with: Data(request.body)),
            let body = object as? [String: Any], body["model"] as? String != "unknown",
            let texts = body["input"] as? [String], !texts.contains("")
        else { return Self.error(404) }
        let (faults, count, next) = state.withLock { state in
            state.sizes.append(texts.count)
            let next = state.faults.answers.isEmpty ? nil : state.faults.answers.removeFirst()
            return (state.faults, state.sizes.count, next)
        }
        if let next { return next }
        var vectors = texts.map(Self.vector)
        if faults.isShort { vectors.removeLast() }
        if faults.isRagged, vectors.count > 1 { vectors[1].append(1) }
        if faults.isZero { vectors[0] = [0, 0, 0] }
        if count > 1, let size = faults.laterDimension {
            vectors = vectors.map { _ in Array(repeating: 1, count: size) }
        }
        switch request.path {
        case "/api/embed": return Self.json(["model": body["model"] ?? "", "embeddings": vectors])
        case "/v1/embeddings":
            guard request.headers["authorization"] == "Bearer \(Self.key)" else {
                return Self.error(401)
            }
            // Nobody promises that they come in order.
            let data = vectors.enumerated().reversed().map { index, vector in
                ["object": "embedding", "index": index, "embedding": vector] as [String: Any]
            }
            return Self.json(["object": "list", "data": data])
        default: return Self.error(404)
        }
    }

    private static func json(_ object: [String: Any]) -> HTTPServer.Answer {
        let data = (try? JSONSerialization.data(withJSONObject: object)) ?? Data()
        return HTTPServer.Answer(body: Array(data))
    }
}
