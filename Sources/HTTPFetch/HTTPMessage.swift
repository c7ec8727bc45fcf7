/// One HTTP request, over `http` or `https`.
public struct HTTPRequest: Sendable {
    public var method: String
    public var url: String
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]?
    /// For connecting, TLS included.
    public var connectTimeout: Duration = .seconds(10)
    /// For everything together.
    public var timeout: Duration = .seconds(30)
    /// A longer answer is an error: it is not what was asked for.
    public var mostBytes = 32 << 20

    public init(
        _ method: String = "GET",
        url: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8]? = nil
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
    }

    /// The address without what may be secret: user, query and fragment.
    public var place: String {
        let plain = url.prefix { $0 != "?" && $0 != "#" }
        guard let scheme = plain.firstRange(of: "://"),
            let at = plain[scheme.upperBound...].prefix(while: { $0 != "/" }).lastIndex(of: "@")
        else { return String(plain) }
        return String(plain[..<scheme.upperBound] + plain[plain.index(after: at)...])
    }
}

/// The answer to an ``HTTPRequest``, whatever its status.
public struct HTTPResponse: Sendable {
    public let status: Int
    /// Names in lower case; of several headers of one name the last.
    public let headers: [String: String]
    public let body: [UInt8]
}

/// Why there is no answer.
public struct HTTPError: Error, Sendable, CustomStringConvertible {
    /// What the caller can do about it.
    public enum Code: Sendable {
        /// The request cannot be sent as it is.
        case invalid
        /// No connection, or it broke. Worth a retry later.
        case unreachable
        /// Worth a retry later.
        case timedOut
        /// The answer was cut short, too long or no HTTP.
        case malformed
        case cancelled
    }

    public let code: Code
    public let message: String

    public var description: String { message }
}
