/// Why the catalogue could not do what it was asked.
public struct CatalogueError: Error, Sendable, CustomStringConvertible {
    /// What the caller can do about it.
    public enum Code: Sendable {
        /// The database cannot be reached or is busy. Worth a retry later.
        case unavailable
        /// Somebody else changed the catalogue first. Read it again and decide anew.
        case conflict
        /// The file or server is not a catalogue of ours, or is damaged. A person must mend it.
        case unusable
        /// The disk or the quota is full.
        case full
        /// The thing that should be changed is not in the catalogue.
        case notFound
        /// The change breaks a rule that the catalogue keeps, or the database refused it.
        case rejected
    }

    public let code: Code
    public let message: String
    public let cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String {
        "\(code): \(message)" + (cause.map { ": \($0)" } ?? "")
    }
}
