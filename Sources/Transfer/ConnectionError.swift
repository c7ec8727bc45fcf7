import Glibc

/// Why there is no usable connection to the seedbox.
public struct ConnectionError: Error, Sendable {
    /// What the caller can do about it.
    public enum Code: Sendable {
        /// Name not found, connection refused, no route, no answer. Worth a retry later.
        case unreachable
        /// The host's key is on no list. A person must compare and accept it.
        case hostKeyUnknown
        /// The host's key is not the one on file. Somebody may be in between.
        case hostKeyChanged
        /// The server refuses this login.
        case loginRefused
        /// The identity file is missing, unreadable or locked by a passphrase.
        case keyUnusable
        /// The server said what SFTP version 3 over SSH does not allow, or offers too little.
        case protocolViolation
        /// The server or we ended the connection. Worth a retry at once.
        case closed
        /// The server stayed silent for longer than allowed. Worth a retry.
        case timedOut
        /// The server lets no further session use a connection that is there; one of its own may do.
        case sessionRefused
    }

    public let code: Code
    public let message: String
    public let cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Whether only a person can mend this, so that trying again soon is pointless and may
    /// get us banned.
    public var needsPerson: Bool {
        switch code {
        case .hostKeyUnknown, .hostKeyChanged, .loginRefused, .keyUnusable: true
        case .unreachable, .protocolViolation, .closed, .timedOut, .sessionRefused:
            false
        }
    }
}

extension ConnectionError: CustomStringConvertible {
    public var description: String {
        "\(code): \(message)" + (cause.map { ": \($0)" } ?? "")
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
