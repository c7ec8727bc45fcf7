import Glibc

/// Why a Milvus server did not do what it was asked.
public struct MilvusError: Error, Sendable {
    /// What the caller can do about it.
    public enum Code: Sendable {
        /// No connection, it broke, or the server is not ready. Worth a retry later; what was
        /// asked may have been done all the same.
        case unavailable
        /// There is no such collection, field or index.
        case notFound
        /// The server, or we before asking it, refuse this request. Not worth a retry.
        case rejected
        /// Login or certificate are not accepted. A person must mend the settings.
        case unauthorised
        /// The peer is no Milvus server, or its answer was broken or too long.
        case malformed
        /// Worth a retry later; what was asked may have been done all the same.
        case timedOut
        /// The task was cancelled.
        case cancelled
    }

    public let code: Code
    /// Never holds a login.
    public let message: String
    public let cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension MilvusError: CustomStringConvertible {
    public var description: String { "\(code): \(words)" }

    /// Ours and those of every cause.
    private var words: String {
        guard let cause else { return message }
        return "\(message): " + ((cause as? MilvusError)?.words ?? "\(cause)")
    }
}

/// An error number of the operating system, as the cause of another error.
struct SystemError: Error, CustomStringConvertible {
    let number: Int32

    init(_ number: Int32 = errno) {
        self.number = number
    }

    var description: String { String(cString: strerror(number)) }
}
