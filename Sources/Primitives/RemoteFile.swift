/// One version of a file on the seedbox: a path together with the size and time it had.
///
/// A file that was replaced has another size or time and so is another `RemoteFile`. Bytes of
/// two versions are never mixed.
public struct RemoteFile: Hashable, Sendable, Codable {
    public let path: RemotePath
    /// Bytes.
    public let size: UInt64
    /// Seconds since 1970, UTC, as the server reports them.
    public let modifiedSeconds: Int64

    public init(path: RemotePath, size: UInt64, modifiedSeconds: Int64) {
        self.path = path
        self.size = size
        self.modifiedSeconds = modifiedSeconds
    }
}

/// A name in a directory on the seedbox and what it leads to.
public struct RemoteEntry: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case file
        case directory
        case symbolicLink
        /// A device, a socket, or a kind that the server did not say.
        case other
    }

    /// The name's bytes as the server sent them: may hold any byte, trusted for nothing.
    public let name: [UInt8]
    public let kind: Kind
    /// Bytes.
    public let size: UInt64
    /// Seconds since 1970, UTC.
    public let modifiedSeconds: Int64

    public init(name: [UInt8], kind: Kind, size: UInt64, modifiedSeconds: Int64) {
        self.name = name
        self.kind = kind
        self.size = size
        self.modifiedSeconds = modifiedSeconds
    }
}
