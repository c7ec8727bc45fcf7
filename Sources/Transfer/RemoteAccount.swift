/// A word that must never be printed.
public struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    let text: String

    public init(_ text: String) {
        self.text = text
    }

    public var description: String { "•••" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Whose files on which server, and how to get in.
public struct RemoteAccount: Sendable {
    /// Which program speaks SSH for us.
    public enum Transport: String, Sendable, CaseIterable {
        /// OpenSSH where `ssh` exists and no password is needed, libssh2 otherwise.
        case auto
        /// The user's own `ssh`, with its configuration, agent, jump hosts and ciphers.
        case openssh
        /// Built in: password, key file and agent.
        case libssh2
    }

    public var user: String
    public var host: String
    public var port: UInt16
    /// A private key; nil for the agent and the user's usual keys.
    public var identityFile: String?
    /// nil for the user's and the system's usual lists.
    public var knownHostsFile: String?
    /// Whether an unknown server's key is put on the list instead of being refused.
    ///
    /// A changed key is always refused.
    public var acceptNewHostKey = false
    public var password: Secret?
    public var transport = Transport.auto
    /// The longest that connecting and logging in may take, each.
    public var connectTimeout: Duration = .seconds(15)
    /// The longest that the server may be silent while an answer is due.
    public var replyTimeout: Duration = .seconds(20)
    /// Connections at once; many hosts allow few.
    public var connectionLimit = 4

    public init(user: String, host: String, port: UInt16 = 22) {
        self.user = user
        self.host = host
        self.port = port
    }

    /// "sftp://user@host:port", without secrets.
    public var address: String {
        let shown = host.contains(":") ? "[\(host)]" : host
        return "sftp://\(user)@\(shown)" + (port == 22 ? "" : ":\(port)")
    }
}
