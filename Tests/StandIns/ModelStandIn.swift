import Foundation
import Synchronization

/// A stand-in for the three services of language models, each in its own protocol.
///
/// What it is asked is checked for the form that the service wants, and what it says is said in
/// the service's own words: Ollama's `/api/chat`, OpenAI's chat completions, Anthropic's messages.
public final class ModelStandIn: Sendable {
    public static let key = "sk-stand-in"

    /// Makes the JSON text of an answer from what the model was told and given.
    public typealias Mind = @Sendable (_ instructions: String, _ input: String) -> String

    private let mind: Mind
    private let next = Mutex<[HTTPServer.Answer]>([])
    private let asked = Mutex(0)
    private let server = Mutex<HTTPServer?>(nil)

    public init(mind: @escaping Mind) throws {
        self.mind = mind
        let server = try HTTPServer { [weak self] request in
            self?.answer(request) ?? Self.error(500, "gone")
        }
        self.server.withLock { $0 = server }
    }

    public var baseURL: String { server.withLock { $0 }?.baseURL ?? "" }
    /// How often it was asked.
    public var count: Int { asked.withLock { $0 } }

    public func stop() { server.withLock { $0 }?.stop() }

    /// The next question is answered so.
    public func answerNext(_ answer: HTTPServer.Answer) { next.withLock { $0.append(answer) } }

    public static func error(_ status: Int, _ message: String) -> HTTPServer.Answer {
        var answer = json(["error": ["type": "error", "message": message]])
        answer.status = status
        return answer
    }

    private static func json(_ object: [String: Any]) -> HTTPServer.Answer {
        let data = (try? JSONSerialization.data(withJSONObject: object)) ?? Data()
        return HTTPServer.Answer(body: Array(data))
    }

    private func answer(_ request: HTTPServer.Request) -> HTTPServer.Answer {
        asked.withLock { $0 += 1 }
        if let answer = next.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return answer }
        guard request.method == "POST",
            let object = try? JSONSerialization.jsonObject(with: Data(request.body)),
            let body = object as? [String: Any], body["model"] is String
        else { return Self.error(400, "no model is named") }
        switch request.path {
        case "/api/chat": return ollama(body)
        case "/v1/chat/completions":
            guard request.headers["authorization"] == "Bearer \(Self.key)" else {
                return Self.error(401, "Incorrect API key provided")
            }
            return openAI(body)
        case "/v1/messages":
            guard request.headers["x-api-key"] == Self.key,
                request.headers["anthropic-version"] == "2023-06-01"
            else { return Self.error(401, "invalid x-api-key") }
            return anthropic(body)
        default: return Self.error(404, "not found")
        }
    }

    private func spoken(_ body: [String: Any]) -> (system: String, user: String)? {
        let messages = body["messages"] as? [[String: String]] ?? []
        guard let user = messages.last(where: { $0["role"] == "user" })?["content"] else {
            return nil
        }
        let system = messages.first { $0["role"] == "system" }?["content"]
        return (system ?? body["system"] as? String ?? "", user)
    }

    private func ollama(_ body: [String: Any]) -> HTTPServer.Answer {
        guard let spoken = spoken(body), body["format"] is [String: Any],
            body["stream"] as? Bool == false
        else { return Self.error(400, "invalid request") }
        let text = mind(spoken.system, spoken.user)
        return Self.json([
            "model": body["model"] ?? "", "done": true, "done_reason": "stop",
            "message": ["role": "assistant", "content": text],
        ])
    }

    private func openAI(_ body: [String: Any]) -> HTTPServer.Answer {
        let format = body["response_format"] as? [String: Any]
        let schema = format?["json_schema"] as? [String: Any]
        guard let spoken = spoken(body), format?["type"] as? String == "json_schema",
            schema?["schema"] is [String: Any], schema?["name"] is String
        else { return Self.error(400, "Invalid schema for response_format") }
        let text = mind(spoken.system, spoken.user)
        return Self.json([
            "object": "chat.completion",
            "choices": [
                [
                    "index": 0, "finish_reason": "stop",
                    "message": ["role": "assistant", "content": text],
                ] as [String: Any]
            ],
        ])
    }

    private func anthropic(_ body: [String: Any]) -> HTTPServer.Answer {
        let tool = (body["tools"] as? [[String: Any]])?.first
        let choice = body["tool_choice"] as? [String: Any]
        guard let spoken = spoken(body), body["max_tokens"] is Int,
            let name = tool?["name"] as? String,
            tool?["input_schema"] is [String: Any], choice?["name"] as? String == name
        else { return Self.error(400, "tools: Field required") }
        let text = mind(spoken.system, spoken.user)
        // What is no object cannot be a tool's input; the model then only talks.
        guard let input = try? JSONSerialization.jsonObject(with: Data(text.utf8)) else {
            return Self.json([
                "type": "message", "role": "assistant", "stop_reason": "end_turn",
                "content": [["type": "text", "text": text]],
            ])
        }
        return Self.json([
            "type": "message", "role": "assistant", "stop_reason": "tool_use",
            "content": [
                ["type": "text", "text": "I will use the tool."],
                ["type": "tool_use", "id": "toolu_1", "name": name, "input": input],
            ] as [[String: Any]],
        ])
    }
}
