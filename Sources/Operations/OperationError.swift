/// Why an operation was not done, in words for the person who asked.
public struct OperationError: Error, Sendable, CustomStringConvertible {
    /// What the person can do about it.
    public enum Code: String, Sendable {
        /// The request makes no sense; ask otherwise.
        case invalid
        /// The request means several things; choose one of ``candidates``.
        case ambiguous
        case notFound
        case alreadyExists
        /// The same work is under way; wait for it.
        case busy
        /// The seedbox, TMDB or the database is away; try later.
        case unavailable
        /// A setting is missing or wrong.
        case notConfigured
    }

    public let code: Code
    public let message: String
    /// What may have been meant, a line each, in the form in which it can be asked for.
    public let candidates: [String]
    public let cause: (any Error)?

    public init(
        _ code: Code,
        _ message: String,
        candidates: [String] = [],
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.candidates = candidates
        self.cause = cause
    }

    public var description: String {
        let list = candidates.map { "\n  \($0)" }.joined()
        return message + (cause.map { ": \($0)" } ?? "") + list
    }
}
