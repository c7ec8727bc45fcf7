/// Which service makes the vectors, and how to ask it.
public struct EmbeddingService: Sendable {
    /// The protocols that services speak.
    public enum Kind: String, Sendable, CaseIterable {
        /// `/api/embed` (github.com/ollama/ollama, docs/api.md).
        case ollama
        /// Embeddings (platform.openai.com/docs/api-reference/embeddings).
        case openai

        var standardAddress: String {
            switch self {
            case .ollama: "http://localhost:11434"
            case .openai: "https://api.openai.com/v1"
            }
        }

        var standardModel: String {
            switch self {
            case .ollama: "nomic-embed-text"
            case .openai: "text-embedding-3-small"
            }
        }
    }

    public var kind: Kind
    /// Without a slash at its end; nil for the service's own.
    public var address: String?
    public var model: String?
    public var key: String?
    /// Texts in one request; a local model takes about a second for so many.
    public var textsAtOnce: Int
    /// For one request.
    public var timeout: Duration

    public init(
        _ kind: Kind,
        address: String? = nil,
        model: String? = nil,
        key: String? = nil,
        textsAtOnce: Int = 32,
        timeout: Duration = .seconds(60)
    ) {
        self.kind = kind
        self.address = address
        self.model = model
        self.key = key
        self.textsAtOnce = max(1, textsAtOnce)
        self.timeout = timeout
    }

    var modelInUse: String { model ?? kind.standardModel }

    /// "openai, text-embedding-3-small".
    var label: String { "\(kind.rawValue), \(modelInUse)" }
}
