import Foundation
import Primitives

/// Where the seedbox is and which of its directories are meant.
struct RemoteAddress: Hashable, Sendable {
    var user: String
    var host: String
    var port: UInt16
    var paths: [RemotePath]

    /// Takes the address from the command line, else from `[SFTP]`, else from the last mount.
    ///
    /// - Parameters:
    ///   - text: `sftp://user@host[:port]/path`, or nil.
    ///   - values: The settings.
    ///   - remembered: What the last mount used, a line for each path.
    /// - Throws: ``Settings/Problem``.
    init(
        _ text: String?,
        _ values: SettingValues,
        remembered: String?
    ) throws(Settings.Problem) {
        if let text {
            self = try RemoteAddress(text)
        } else if let host = values["sftp", "host"] {
            let port = try values.number("sftp", "port", in: 1...65535) ?? 22
            self.init(
                user: values["sftp", "username"] ?? NSUserName(),
                host: host,
                port: UInt16(port),
                paths: try Self.paths(values["sftp", "paths"] ?? "")
            )
        } else if let lines = remembered?.split(separator: "\n"), let first = lines.first {
            var address = try RemoteAddress(String(first))
            for line in lines.dropFirst() {
                address.paths += try RemoteAddress(String(line)).paths
            }
            self = address
        } else {
            throw Settings.Problem(
                "no seedbox is named: give sftp://user@host/path, or --config with [SFTP] host and paths"
            )
        }
    }

    init(user: String, host: String, port: UInt16, paths: [RemotePath]) {
        self.user = user
        self.host = host
        self.port = port
        self.paths = paths
    }

    /// - Throws: ``Settings/Problem`` when it is no such address, or holds a password.
    init(_ text: String) throws(Settings.Problem) {
        let form = "write sftp://user@host[:port]/absolute/path"
        guard text.lowercased().hasPrefix("sftp://") else {
            throw Settings.Problem("'\(text)' is no SFTP address: \(form)")
        }
        let rest = text.dropFirst(7)
        guard let slash = rest.firstIndex(of: "/") else {
            throw Settings.Problem("'\(text)' names no path: \(form)")
        }
        var authority = rest[..<slash]
        var user = NSUserName()
        if let at = authority.lastIndex(of: "@") {
            let login = authority[..<at]
            // It would stand in the process list for everybody.
            guard !login.contains(":") else {
                throw Settings.Problem(
                    "a password does not belong into the address: use --password-file or"
                        + " SYNC2NAS_SFTP_PASSWORD"
                )
            }
            user = login.removingPercentEncoding ?? String(login)
            authority = authority[authority.index(after: at)...]
        }
        var port: UInt16 = 22
        var host = String(authority)
        if let colon = authority.lastIndex(of: ":"),
            !authority.hasPrefix("[") || authority[..<colon].hasSuffix("]")
        {
            guard let number = UInt16(authority[authority.index(after: colon)...]), number > 0
            else {
                throw Settings.Problem("'\(text)' has no usable port: \(form)")
            }
            port = number
            host = String(authority[..<colon])
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        guard !host.isEmpty, !user.isEmpty else {
            throw Settings.Problem("'\(text)' names no host or no user: \(form)")
        }
        let paths = try Self.paths(encoded: rest[slash...])
        self.init(user: user, host: host, port: port, paths: paths)
    }

    /// A path as it stands in an address, where `,` separates paths and `%` begins a code.
    static func encoded(_ path: RemotePath) -> String {
        path.text.replacingOccurrences(of: "%", with: "%25")
            .replacingOccurrences(of: ",", with: "%2C")
            .replacingOccurrences(of: "\n", with: "%0A")
    }

    /// Paths separated by commas; one that lies inside another is listed with it.
    private static func paths(_ text: String) throws(Settings.Problem) -> [RemotePath] {
        try paths(text.split(separator: ",").map(String.init))
    }

    private static func paths(encoded text: Substring) throws(Settings.Problem) -> [RemotePath] {
        try paths(text.split(separator: ",").map { $0.removingPercentEncoding ?? String($0) })
    }

    private static func paths(_ parts: [String]) throws(Settings.Problem) -> [RemotePath] {
        var paths: [RemotePath] = []
        for part in parts {
            let path = part.trimmingCharacters(in: .whitespaces)
            guard path.hasPrefix("/") else {
                throw Settings.Problem("the seedbox path '\(path)' must begin with a slash")
            }
            let components = path.split(separator: "/")
            guard !components.contains(".."), !components.contains(".") else {
                throw Settings.Problem("the seedbox path '\(path)' must not hold '.' or '..'")
            }
            paths.append(RemotePath("/" + components.joined(separator: "/")))
        }
        guard !paths.isEmpty else {
            throw Settings.Problem("no directory of the seedbox is named: set [SFTP] paths")
        }
        return paths.enumerated().filter { index, path in
            !paths.enumerated().contains { other in
                other.offset != index && path.isInside(other.element)
                    && (path != other.element || other.offset < index)
            }
        }.map(\.element)
    }
}
