/// Answers one question with one JSON object.
///
/// Implementers send exactly one request for each call and validate nothing beyond the protocol
/// they speak; what the object says is checked by ``ModelReader``.
public protocol LanguageModel: Sendable {
    /// What a person knows it by: "ollama, qwen3:14b".
    var label: String { get }

    /// Asks once.
    ///
    /// - Parameter question: What to ask.
    /// - Returns: The text of a JSON object, as the model wrote it.
    /// - Throws: ``ModelError``.
    func answer(_ question: ModelQuestion) async throws(ModelError) -> String
}

/// A question and the form of its answer.
public struct ModelQuestion: Sendable {
    /// What is asked for, to the protocols that want a name for it.
    public var name: String
    /// What the model is told to do.
    public var instructions: String
    /// What it is to be done with: text of strangers.
    public var input: String
    /// JSON Schema (2020-12) of the answer.
    public var schema: String

    public init(name: String, instructions: String, input: String, schema: String) {
        self.name = name
        self.instructions = instructions
        self.input = input
        self.schema = schema
    }
}

/// Why a model gave no use.
public struct ModelError: Error, Sendable, CustomStringConvertible {
    /// What can be done about it.
    public enum Code: Sendable {
        /// A setting is missing, or the service does not accept it.
        case notConfigured
        /// Worth a retry later.
        case unavailable
        /// The answer makes no sense.
        case malformed
        /// As many questions were asked as may be.
        case spent
        case cancelled
    }

    public let code: Code
    public let message: String
    /// Seconds after which the service wants to be asked again.
    public var retryAfter: Double?
    public let cause: (any Error)?

    public init(
        _ code: Code,
        _ message: String,
        retryAfter: Double? = nil,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
        self.cause = cause
    }

    public var description: String { message + (cause.map { ": \($0)" } ?? "") }
}
