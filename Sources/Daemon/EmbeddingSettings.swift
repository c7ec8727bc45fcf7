import Embedding
import HTTPFetch

/// What makes vectors of shows: the built-in encoder, a model on this machine, or a service.
struct EmbeddingSettings: Sendable {
    enum Kind: Sendable {
        case hashed
        /// The directory with `model.safetensors` and `vocab.txt`.
        case miniLM(String)
        case service(EmbeddingService)
    }

    let kind: Kind

    /// - Parameter values: All that was said in `[Embedding]`; keys also in the services' own
    ///   sections.
    /// - Throws: ``Settings/Problem``.
    init(_ values: SettingValues) throws(Settings.Problem) {
        let section = "embedding"
        let directory = values[section, "model_dir"].map(Settings.absolute)
        let name = values[section, "service"]?.lowercased()
        switch name ?? (directory == nil ? "built-in" : "minilm") {
        case "built-in", "none": kind = .hashed
        case "minilm":
            guard let directory else {
                throw Settings.Problem("[Embedding] service = minilm wants model_dir, too")
            }
            kind = .miniLM(directory)
        case let other:
            guard let service = EmbeddingService.Kind(rawValue: other) else {
                throw Settings.Problem(
                    "[Embedding] service = \(other): there are built-in, minilm, ollama and openai"
                )
            }
            kind = .service(
                EmbeddingService(
                    service,
                    address: values[section, "base_url"]
                        ?? values[other, other == "ollama" ? "host" : "base_url"],
                    model: values[section, "model"],
                    key: try Self.key(values, other)
                )
            )
        }
    }

    private static func key(
        _ values: SettingValues,
        _ service: String
    ) throws(Settings.Problem) -> String? {
        for section in ["embedding", service] {
            if let file = values[section, "api_key_file"].map(Settings.absolute) {
                return try Settings.firstLine(of: file)
            }
            if let key = values[section, "api_key"] { return key }
        }
        return nil
    }
}

/// The embedder, made when it is first wanted: loading a model takes a second, asking a service
/// may fail.
actor LazyEmbedder {
    private let settings: EmbeddingSettings
    private var embedder: (any Embedder)?

    init(_ settings: EmbeddingSettings) {
        self.settings = settings
    }

    func get() async throws(EmbeddingError) -> any Embedder {
        if let embedder { return embedder }
        let made: any Embedder =
            switch settings.kind {
            case .hashed: HashedEncoder()
            case .miniLM(let directory): try MiniLM(directory: directory)
            case .service(let service):
                try await ServiceEmbedder(asking: service, http: HTTPFetcher())
            }
        embedder = made
        return made
    }
}
