public import HTTPFetch

/// Vectors of a model behind Ollama's or OpenAI's protocol.
///
/// What a service makes is believed only when there is one vector for each text, all of one
/// dimension. A service that cannot answer now is asked again, with growing pauses.
public struct ServiceEmbedder: Embedder {
    private static let tries = 4
    /// Seconds; a service that wants to be left alone for longer is asked another time.
    private static let longestPause = 30.0

    public let name: String
    public let dimension: Int
    private let service: EmbeddingService
    private let http: HTTPFetcher
    private let pause: @Sendable (Double) async throws -> Void

    /// Asks the service for one vector, to know how many numbers its vectors have.
    ///
    /// - Parameters:
    ///   - service: Whom to ask.
    ///   - http: Sends the requests.
    ///   - pause: Waits so many seconds.
    /// - Throws: ``EmbeddingError``, as for ``vectors(of:)``.
    public init(
        asking service: EmbeddingService,
        http: HTTPFetcher,
        pause: @Sendable @escaping (Double) async throws -> Void = {
            try await Task.sleep(for: .seconds($0))
        }
    ) async throws(EmbeddingError) {
        self.service = service
        self.http = http
        self.pause = pause
        name = "\(service.kind.rawValue)/\(service.modelInUse)"
        let first = try await Exchange(service: service, http: http, pause: pause).ask([
            "television"
        ])
        dimension = first.first?.count ?? 0
    }

    /// Sends the texts in portions, one after the other.
    ///
    /// - Throws: ``EmbeddingError``: `.notConfigured` when the service knows neither key nor
    ///   model; `.unavailable` when it could not be asked or still cannot answer after several
    ///   tries; `.malformed` when an answer cannot be used.
    public func vectors(of texts: [String]) async throws(EmbeddingError) -> [[Float]] {
        let exchange = Exchange(service: service, http: http, pause: pause)
        var vectors: [[Float]] = []
        for start in stride(from: 0, to: texts.count, by: service.textsAtOnce) {
            let some = Array(texts[start..<min(start + service.textsAtOnce, texts.count)])
            vectors += try await exchange.ask(some)
        }
        if let other = vectors.first(where: { $0.count != dimension }) {
            throw EmbeddingError(
                .malformed,
                """
                \(service.label) gave a vector of \(other.count) numbers, and \(dimension) before; \
                is '\(service.modelInUse)' still the same model?
                """
            )
        }
        return vectors
    }

    /// One request and its repetitions.
    private struct Exchange {
        let service: EmbeddingService
        let http: HTTPFetcher
        let pause: @Sendable (Double) async throws -> Void

        private enum Outcome {
            case answered(HTTPResponse)
            /// Worth another try, if the service says so after that many seconds.
            case failed(EmbeddingError, retryAfter: Double?)
        }

        /// - Returns: Vectors of length 1, all of one dimension.
        func ask(_ texts: [String]) async throws(EmbeddingError) -> [[Float]] {
            let request = try service.request(texts)
            var attempt = 0
            while true {
                attempt += 1
                switch try await outcome(of: request) {
                case .answered(let response):
                    return try unit(try service.vectors(in: response.body, of: texts.count))
                case .failed(let error, let retryAfter):
                    let seconds = max(retryAfter ?? 0, Double(1 << (attempt - 1)))
                    guard attempt < ServiceEmbedder.tries, seconds <= ServiceEmbedder.longestPause
                    else { throw error }
                    do {
                        try await pause(seconds)
                    } catch {
                        throw EmbeddingError(.cancelled, "was given up")
                    }
                }
            }
        }

        private func outcome(
            of request: HTTPRequest
        ) async throws(EmbeddingError) -> Outcome {
            let response: HTTPResponse
            do throws(HTTPError) {
                response = try await http.send(request)
            } catch {
                let what = "cannot ask \(service.label)"
                switch error.code {
                case .cancelled: throw EmbeddingError(.cancelled, "was given up")
                case .invalid: throw EmbeddingError(.notConfigured, what, cause: error)
                case .unreachable, .timedOut, .malformed:
                    return .failed(
                        EmbeddingError(.unavailable, what, cause: error),
                        retryAfter: nil
                    )
                }
            }
            switch response.status {
            case 200: return .answered(response)
            case 429, 500...:
                return .failed(
                    EmbeddingError(
                        .unavailable,
                        "\(service.label) cannot answer now (status \(response.status))"
                    ),
                    retryAfter: response.headers["retry-after"].flatMap(Double.init)
                )
            default: throw refusal(response.status)
            }
        }

        private func refusal(_ status: Int) -> EmbeddingError {
            let section = service.kind.rawValue
            return switch status {
            case 401, 403:
                EmbeddingError(
                    .notConfigured,
                    "\(service.label) does not accept the key: check [\(section)] api_key"
                )
            case 404:
                EmbeddingError(
                    .notConfigured,
                    "\(section) has no model '\(service.modelInUse)' for vectors: check the model"
                )
            default:
                EmbeddingError(
                    .malformed,
                    "\(service.label) does not take texts (status \(status))"
                )
            }
        }

        private func unit(_ vectors: [[Float]]) throws(EmbeddingError) -> [[Float]] {
            let dimension = vectors.first?.count ?? 0
            var units: [[Float]] = []
            for vector in vectors {
                guard vector.count == dimension else {
                    throw EmbeddingError(
                        .malformed,
                        "\(service.label) gave vectors of \(dimension) and \(vector.count) numbers"
                    )
                }
                guard let unit = vector.unit() else {
                    throw EmbeddingError(.malformed, "\(service.label) gave a vector of nothing")
                }
                units.append(unit)
            }
            return units
        }
    }
}
