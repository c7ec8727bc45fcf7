/// How much is asked of the upstream source at once.
public struct FetchLimits: Sendable {
    /// Bytes that one upstream read asks for at most, and where its boundaries lie.
    ///
    /// As much as the kernel asks for at once, so that most of its reads are answered from one.
    public var requestBytes = ReadAhead.fetched
    /// Bytes in memory at once, from the request until readers and store have taken them.
    public var memoryBytes: UInt64 = 44 << 20
    /// Bytes that may be on their way for what nobody is about to read, while others are served.
    public var backgroundBytes: UInt64 = 2 << 20

    public init() {}

    var requestBlocks: Int { max(1, Int(requestBytes / Block.size)) }
}
