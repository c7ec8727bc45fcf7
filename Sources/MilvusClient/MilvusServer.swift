import Foundation

/// Where a Milvus server is, and how it wants to be spoken to.
public struct MilvusServer: Sendable {
    public enum Login: Sendable {
        case none
        case password(user: String, password: String)
        /// An API key.
        case token(String)
    }

    public enum Transport: Sendable {
        /// Readable for everybody on the way.
        case plain
        /// TLS 1.2 or later. `authorities` is a PEM file of the certificates to trust instead of
        /// the system's.
        case tls(authorities: String? = nil)
    }

    /// A name, or an IP address without brackets.
    public var host: String
    public var port: UInt16
    public var transport = Transport.plain
    public var login = Login.none
    /// Empty for the server's default database.
    public var database = ""
    /// For looking the name up, connecting, TLS and the server's first word together.
    public var connectTimeout = Duration.seconds(5)
    /// For one remote call, connecting included.
    public var callTimeout = Duration.seconds(30)
    /// Bytes; a longer answer is an error.
    public var mostAnswerBytes = 64 << 20

    public init(host: String, port: UInt16 = 19530) {
        self.host = host
        self.port = port
    }

    /// As in a URL: an IPv6 address stands in brackets.
    var authority: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

    /// The value of the header `authorization`, which Milvus wants in base64 whatever it is.
    var authorization: String? {
        switch login {
        case .none: nil
        case .password(let user, let password):
            Data("\(user):\(password)".utf8).base64EncodedString()
        case .token(let token): Data(token.utf8).base64EncodedString()
        }
    }
}
