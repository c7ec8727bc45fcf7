import Foundation

extension Seedbox {
    /// As the command line takes it.
    public var url: String { "sftp://\(user)@\(host):\(port)\(root)" }
    /// Who may log in with a key.
    public var authorizedKeys: String { folder.path + "/authorized_keys" }
}

/// An empty directory of its own; whoever asks for it removes it.
public func temporaryDirectory() throws -> String {
    let path = NSTemporaryDirectory() + "sync2nas-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(
        atPath: path,
        withIntermediateDirectories: true,
        attributes: [.posixPermissions: 0o755]
    )
    return path
}
