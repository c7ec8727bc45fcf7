import Glibc

/// Where the files are and how we log in there.
public struct RemoteAccount: Sendable {
    /// How bytes travel to the server.
    public enum Transport: String, Sendable, CaseIterable {
        /// OpenSSH where `ssh` is on PATH and no secret is given, libssh2 otherwise.
        case automatic = "auto"
        /// The user's own `ssh`: its configuration, jump hosts, agents and hardware keys.
        case openSSH = "openssh"
        /// Built in; the only one that can type a password.
        case libssh2
    }

    /// The longest waits.
    ///
    /// Each bounds silence, not the length of a transfer.
    public struct TimeLimits: Sendable {
        /// Looking the name up and reaching the host.
        public var connect: Duration = .seconds(15)
        /// From a request to the next byte; also each step of the login.
        public var reply: Duration = .seconds(20)
        /// An idle connection is asked for a sign of life this often.
        public var keepAlive: Duration = .seconds(30)

        public init() {}
    }

    public var host: String
    /// Without one, 22 or what the user's ssh configuration says.
    public var port: UInt16?
    /// Without one, the name of the local account or what the ssh configuration says.
    public var user: String?
    /// Without one, agent and default keys are tried.
    public var identityFile: String?
    /// Without one, `~/.ssh/known_hosts`.
    public var knownHostsFile: String?
    /// Whether an unknown host's key is written to the known hosts and trusted from then on.
    ///
    /// A changed key is refused all the same.
    public var acceptNewHostKey = false
    public var password: Secret?
    /// Unlocks `identityFile`.
    public var passphrase: Secret?
    public var transport: Transport = .automatic
    public var timeLimits = TimeLimits()

    public init(host: String, port: UInt16? = nil, user: String? = nil) {
        self.host = host
        self.port = port
        self.user = user
    }

    /// The transport that `automatic` stands for on this machine.
    var chosenTransport: Transport {
        switch transport {
        case .openSSH, .libssh2: transport
        case .automatic:
            password == nil && passphrase == nil && Executable.path(of: "ssh") != nil
                ? .openSSH : .libssh2
        }
    }

    var loginName: String {
        if let user { return user }
        guard let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name else { return "" }
        return String(cString: name)
    }

    /// For messages: `me@seedbox:22`.
    var label: String {
        (user.map { "\($0)@" } ?? "") + host + (port.map { ":\($0)" } ?? "")
    }
}

/// A password or passphrase; never printed, whatever prints it.
public struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
    CustomReflectable
{
    let text: String

    public init(_ text: String) {
        self.text = text
    }

    public var description: String { "•••" }
    public var debugDescription: String { "•••" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

enum Executable {
    /// The first executable file called `name` on PATH.
    static func path(of name: String) -> String? {
        let folders = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
        return folders.split(separator: ":").lazy
            .map { "\($0)/\(name)" }
            .first { access($0, X_OK) == 0 }
    }
}

enum HomeDirectory {
    static var path: String {
        if let home = getenv("HOME") { return String(cString: home) }
        guard let entry = getpwuid(geteuid()), let home = entry.pointee.pw_dir else { return "/" }
        return String(cString: home)
    }
}
