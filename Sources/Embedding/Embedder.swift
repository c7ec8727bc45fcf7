/// Turns texts into vectors whose nearness is the nearness of the texts.
///
/// Vectors of two embedders cannot be compared, so ``name`` is stored with every vector and asked
/// for before two are. Implementers may not assume that texts are in one language, short, or not
/// empty.
public protocol Embedder: Sendable {
    /// What made the vectors: "all-MiniLM-L6-v2". The same in every run.
    var name: String { get }

    /// Numbers in each vector.
    var dimension: Int { get }

    /// Makes one vector for each text.
    ///
    /// May take seconds for hundreds of texts; soon after the task is cancelled it throws. Never
    /// blocks a thread of Swift's cooperative pool for long.
    ///
    /// - Parameter texts: Any number of them, each of any length; what is too long is cut.
    /// - Returns: In the order of `texts`, each of ``dimension`` numbers and of length 1.
    /// - Throws: ``EmbeddingError``; then there is no vector for any of the texts.
    func vectors(of texts: [String]) async throws(EmbeddingError) -> [[Float]]
}

/// Why there are no vectors.
public struct EmbeddingError: Error, Sendable, CustomStringConvertible {
    /// What can be done about it.
    public enum Code: Sendable {
        /// A file or a setting is missing or wrong, and only a person can mend it.
        case notConfigured
        /// Worth a retry later.
        case unavailable
        /// The service does not do what its protocol says.
        case malformed
        case cancelled
    }

    public let code: Code
    public let message: String
    public let cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String { message + (cause.map { ": \($0)" } ?? "") }
}
