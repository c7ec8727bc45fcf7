/// How much of a disk the cache may use.
///
/// A nil is replaced by a share of what the disk has.
public struct CacheLimits: Sendable {
    /// Bytes of disk for blocks and their maps; nil is 80 % of what is free or already used
    /// by the cache when it is opened.
    public var maxBytes: UInt64?
    /// Bytes that stay free for others; nil is 1 GiB or 2 % of the disk, whichever is less.
    public var freeBytes: UInt64?
    /// Inodes that stay free for others; nil is 2 % of all.
    public var freeInodes: UInt64?

    public init(maxBytes: UInt64? = nil, freeBytes: UInt64? = nil, freeInodes: UInt64? = nil) {
        self.maxBytes = maxBytes
        self.freeBytes = freeBytes
        self.freeInodes = freeInodes
    }
}

/// What statvfs(3) says.
struct FreeSpace: Sendable {
    var bytes: UInt64
    var totalBytes: UInt64
    var inodes: UInt64
    var totalInodes: UInt64
}

/// The limits in numbers.
struct SpaceRules: Sendable {
    var maxBytes: UInt64
    var freeBytes: UInt64
    var freeInodes: UInt64

    init(_ limits: CacheLimits, used: UInt64, space: FreeSpace?) {
        maxBytes = limits.maxBytes ?? space.map { ($0.bytes + used) / 5 * 4 } ?? .max
        freeBytes = limits.freeBytes ?? min(1 << 30, (space?.totalBytes ?? 0) / 50)
        freeInodes = limits.freeInodes ?? (space?.totalInodes ?? 0) / 50
    }
}
