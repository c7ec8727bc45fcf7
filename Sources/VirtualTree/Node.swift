public import Primitives

/// A directory or file of the tree, complete with all that `stat` says of it.
///
/// It never changes: a new state of the library is a new tree.
public struct Node: Sendable {
    public enum Content: Sendable {
        case directory([DirectoryEntry])
        case file(RemoteFile)
    }

    public let id: NodeID
    public let parent: NodeID
    public let name: String
    public let content: Content
    /// Seconds since 1970, UTC: a file's time on the seedbox, or when a directory's listing last
    /// changed.
    public let modifiedSeconds: Int64

    /// Bytes; a directory has none.
    public var size: UInt64 {
        switch content {
        case .directory: 0
        case .file(let file): file.size
        }
    }
}

/// A name in a directory and the node it leads to.
public struct DirectoryEntry: Hashable, Sendable {
    public let name: String
    public let id: NodeID
    public let isDirectory: Bool

    public init(name: String, id: NodeID, isDirectory: Bool) {
        self.name = name
        self.id = id
        self.isDirectory = isDirectory
    }
}

/// What `stat` says of a node.
public struct NodeAttributes: Hashable, Sendable {
    public let id: NodeID
    public let isDirectory: Bool
    /// May be written to: only files of the control directory.
    public let isWritable: Bool
    /// Bytes.
    public let size: UInt64
    /// Seconds since 1970, UTC.
    public let modifiedSeconds: Int64
    /// How many directories a directory holds; its link count is two more.
    public let subdirectories: Int

    public init(
        id: NodeID,
        isDirectory: Bool,
        isWritable: Bool = false,
        size: UInt64 = 0,
        modifiedSeconds: Int64,
        subdirectories: Int = 0
    ) {
        self.id = id
        self.isDirectory = isDirectory
        self.isWritable = isWritable
        self.size = size
        self.modifiedSeconds = modifiedSeconds
        self.subdirectories = subdirectories
    }
}
