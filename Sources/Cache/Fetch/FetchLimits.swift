/// How much is asked of the upstream source at once.
public struct FetchLimits: Sendable {
    /// Bytes that one upstream read asks for at most.
    ///
    /// 4 MiB keeps a connection of 50 ms and 40 MB/s busy for two round trips.
    public var requestBytes: UInt64 = 4 << 20
    /// Bytes in memory at once, from the request until readers and store have taken them.
    public var memoryBytes: UInt64 = 64 << 20
    /// Upstream reads ahead of readers that run at once for a file.
    public var prefetchesPerFile = 2

    public init() {}

    var requestBlocks: Int { max(1, Int(requestBytes / Block.size)) }
}
