/// Why a cache directory cannot be used.
public struct CacheError: Error, Sendable, CustomStringConvertible {
    public enum Code: Sendable {
        /// Another process owns the directory.
        case inUse
        /// The directory cannot be written to.
        case unusable
    }

    public let code: Code
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
