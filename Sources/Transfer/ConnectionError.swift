/// Why there is no connection to the seedbox, or no longer one.
public struct ConnectionError: Error, Sendable, CustomStringConvertible {
    /// What can be done about it.
    public enum Code: String, Sendable {
        /// No answer: name, network, port or time. Worth a retry.
        case unreachable
        /// The server's key is on no list. A person must look at it.
        case hostKeyUnknown
        /// The server's key is not the one on the list. A person must find out why.
        case hostKeyChanged
        /// The server lets nobody in with what we have.
        case loginRefused
        /// The key file cannot be used.
        case keyUnusable
        /// What was configured cannot work.
        case invalid
        /// The server does not keep to the protocol.
        case protocolViolation
        /// The connection ended. Worth a retry.
        case closed
        /// The server stopped answering. Worth a retry.
        case timedOut

        /// Whether trying again soon is of no use, and would look like an attack.
        public var isFatal: Bool {
            switch self {
            case .hostKeyUnknown, .hostKeyChanged, .loginRefused, .keyUnusable, .invalid: true
            case .unreachable, .protocolViolation, .closed, .timedOut: false
            }
        }
    }

    public let code: Code
    public let message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public var description: String { message }
}
