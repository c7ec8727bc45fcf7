/// What the cache holds and has done since it was opened.
public struct CacheStatistics: Equatable, Sendable {
    /// Bytes of disk, with what is reserved for writes under way.
    public var bytes: UInt64 = 0
    /// Versions of files with any block.
    public var files = 0
    /// Blocks that readers were given from the disk.
    public var hits: UInt64 = 0
    /// Blocks that readers had to fetch or wait for.
    public var misses: UInt64 = 0
    public var bytesFromSource: UInt64 = 0
    /// Blocks that failed their check.
    public var badBlocks: UInt64 = 0
    /// Times that a version lost its middle or all of its blocks to make room.
    public var evictions: UInt64 = 0
    /// Bytes that were served without caching because nothing could give way.
    public var bytesNotCached: UInt64 = 0

    public init() {}
}

/// What a check of stored blocks found.
public struct VerifyCounts: Equatable, Sendable {
    public var files = 0
    public var blocks: UInt64 = 0
    /// Blocks that failed; they were dropped and will be fetched again.
    public var bad: UInt64 = 0
    /// Files whose maps could not be read; they were dropped, too.
    public var torn = 0

    public init() {}
}
