/// Why a cache directory could not be used.
///
/// Reading never fails with this: a cache that cannot keep bytes passes them on unkept.
public struct CacheError: Error, Sendable {
    /// What the caller can do about it.
    public enum Code: Sendable {
        /// Another process owns the directory. Choose another one.
        case inUse
        /// The directory cannot be made, read or written. Mend it or choose another one.
        case unusable
    }

    public let code: Code
    public let message: String
    public let cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension CacheError: CustomStringConvertible {
    public var description: String {
        "cannot \(message)" + (cause.map { ": \($0)" } ?? "")
    }
}
