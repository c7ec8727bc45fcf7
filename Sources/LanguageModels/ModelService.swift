import Foundation
public import HTTPFetch

/// A model behind one of the three protocols that services speak.
public struct ModelService: LanguageModel {
    public enum Kind: String, Sendable, CaseIterable {
        /// `/api/chat` with a schema as format (github.com/ollama/ollama, docs/api.md).
        case ollama
        /// Chat completions with structured output (platform.openai.com/docs/api-reference/chat).
        case openai
        /// Messages with a tool whose input is the answer (docs.anthropic.com/en/api/messages).
        case anthropic

        var standardAddress: String {
            switch self {
            case .ollama: "http://localhost:11434"
            case .openai: "https://api.openai.com/v1"
            case .anthropic: "https://api.anthropic.com/v1"
            }
        }

        /// The original program's, brought up to date.
        var standardModel: String {
            switch self {
            case .ollama: "qwen3:14b"
            case .openai: "gpt-4o-mini"
            case .anthropic: "claude-3-5-haiku-latest"
            }
        }
    }

    public struct Settings: Sendable {
        public var kind: Kind
        /// Without a slash at its end; nil for the service's own.
        public var address: String?
        public var model: String?
        public var key: String?
        /// Tokens that an answer may have.
        public var mostTokens: Int
        /// Tokens that a local model looks at.
        public var context: Int
        public var temperature: Double
        public var timeout: Duration

        public init(
            _ kind: Kind,
            address: String? = nil,
            model: String? = nil,
            key: String? = nil,
            mostTokens: Int = 2_048,
            context: Int = 8_192,
            temperature: Double = 0,
            timeout: Duration = .seconds(60)
        ) {
            self.kind = kind
            self.address = address
            self.model = model
            self.key = key
            self.mostTokens = mostTokens
            self.context = context
            self.temperature = temperature
            self.timeout = timeout
        }
    }

    private let settings: Settings
    private let http: HTTPFetcher

    /// - Parameters:
    ///   - settings: Which service, and how to ask it.
    ///   - http: Sends the requests.
    public init(_ settings: Settings, http: HTTPFetcher) {
        self.settings = settings
        self.http = http
    }

    private var model: String { settings.model ?? settings.kind.standardModel }
    public var label: String { "\(settings.kind.rawValue), \(model)" }

    public func answer(_ question: ModelQuestion) async throws(ModelError) -> String {
        let response: HTTPResponse
        do throws(HTTPError) {
            response = try await http.send(try request(question))
        } catch {
            switch error.code {
            case .cancelled: throw ModelError(.cancelled, "was given up")
            case .invalid: throw ModelError(.notConfigured, "cannot ask \(label)", cause: error)
            case .unreachable, .timedOut, .malformed:
                throw ModelError(.unavailable, "cannot ask \(label)", cause: error)
            }
        }
        switch response.status {
        case 200: return try text(of: response.body)
        case 401, 403:
            throw ModelError(
                .notConfigured,
                "\(label) does not accept the key: check [\(settings.kind.rawValue)] api_key"
            )
        case 404:
            throw ModelError(
                .notConfigured,
                "\(settings.kind.rawValue) has no model '\(model)': check [\(settings.kind.rawValue)] model"
            )
        case 429, 500...:
            throw ModelError(
                .unavailable,
                "\(label) cannot answer now (status \(response.status))",
                retryAfter: response.headers["retry-after"].flatMap(Double.init)
            )
        default:
            throw ModelError(
                .malformed,
                "\(label) does not take the question (status \(response.status))"
            )
        }
    }

    // MARK: The question

    private func request(_ question: ModelQuestion) throws(HTTPError) -> HTTPRequest {
        let address = settings.address ?? settings.kind.standardAddress
        var request: HTTPRequest
        switch settings.kind {
        case .ollama: request = post(address + "/api/chat", ollama(question))
        case .openai:
            request = post(address + "/chat/completions", openAI(question))
            request.headers.append(("Authorization", "Bearer \(settings.key ?? "")"))
        case .anthropic:
            request = post(address + "/messages", anthropic(question))
            request.headers.append(("x-api-key", settings.key ?? ""))
            request.headers.append(("anthropic-version", "2023-06-01"))
        }
        request.timeout = settings.timeout
        request.mostBytes = 4 << 20
        return request
    }

    private func post(_ url: String, _ body: [String: Any]) -> HTTPRequest {
        let bytes = (try? JSONSerialization.data(withJSONObject: body)) ?? Data()
        return HTTPRequest(
            "POST",
            url: url,
            headers: [("Content-Type", "application/json"), ("Accept", "application/json")],
            body: Array(bytes)
        )
    }

    private func messages(_ question: ModelQuestion) -> [[String: Any]] {
        [
            ["role": "system", "content": question.instructions],
            ["role": "user", "content": question.input],
        ]
    }

    private func schema(_ question: ModelQuestion) -> Any {
        (try? JSONSerialization.jsonObject(with: Data(question.schema.utf8))) ?? [String: Any]()
    }

    private func ollama(_ question: ModelQuestion) -> [String: Any] {
        [
            "model": model, "stream": false, "think": false, "format": schema(question),
            "messages": messages(question),
            "options": [
                "temperature": settings.temperature, "num_ctx": settings.context,
                "num_predict": settings.mostTokens,
            ] as [String: Any],
        ]
    }

    private func openAI(_ question: ModelQuestion) -> [String: Any] {
        [
            "model": model, "messages": messages(question),
            "temperature": settings.temperature, "max_completion_tokens": settings.mostTokens,
            "response_format": [
                "type": "json_schema",
                "json_schema": [
                    "name": question.name, "strict": true, "schema": schema(question),
                ] as [String: Any],
            ] as [String: Any],
        ]
    }

    private func anthropic(_ question: ModelQuestion) -> [String: Any] {
        [
            "model": model, "max_tokens": settings.mostTokens,
            "temperature": settings.temperature, "system": question.instructions,
            "messages": [["role": "user", "content": question.input]],
            "tools": [
                [
                    "name": question.name, "description": "Gives the answer.",
                    "input_schema": schema(question),
                ] as [String: Any]
            ],
            "tool_choice": ["type": "tool", "name": question.name],
        ]
    }

    // MARK: The answer

    private struct OllamaAnswer: Decodable {
        struct Message: Decodable { let content: String }

        let message: Message
    }

    private struct OpenAIAnswer: Decodable {
        struct Choice: Decodable {
            struct Message: Decodable {
                let content: String?
                let refusal: String?
            }

            let message: Message
            let finish_reason: String?
        }

        let choices: [Choice]
    }

    private func text(of body: [UInt8]) throws(ModelError) -> String {
        let data = Data(body)
        do {
            switch settings.kind {
            case .ollama:
                return try JSONDecoder().decode(OllamaAnswer.self, from: data).message.content
            case .openai:
                let choice = try JSONDecoder().decode(OpenAIAnswer.self, from: data).choices.first
                guard let text = choice?.message.content, choice?.message.refusal == nil else {
                    throw ModelError(.malformed, "\(label) refused to answer")
                }
                return text
            case .anthropic: return try toolInput(data)
            }
        } catch let error as ModelError {
            throw error
        } catch {
            throw ModelError(
                .malformed,
                "\(label) gave an answer that makes no sense",
                cause: error
            )
        }
    }

    private func toolInput(_ data: Data) throws -> String {
        let object = try JSONSerialization.jsonObject(with: data) as? [String: Any]
        let blocks = object?["content"] as? [[String: Any]] ?? []
        guard let block = blocks.first(where: { $0["type"] as? String == "tool_use" }),
            let input = block["input"], JSONSerialization.isValidJSONObject(input)
        else { throw ModelError(.malformed, "\(label) did not use its tool to answer") }
        let bytes = try JSONSerialization.data(withJSONObject: input)
        return String(decoding: bytes, as: UTF8.self)
    }
}
