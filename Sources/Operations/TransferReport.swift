/// One file that bytes come from the seedbox for, as people and programs read it.
public struct TransferReport: Sendable, Codable, Equatable {
    /// Why bytes come: the most urgent reason of those that there are.
    public enum Reason: String, Sendable, Codable {
        /// Somebody waits for them.
        case reading
        /// They stand before somebody who reads on.
        case readAhead = "read-ahead"
        /// They may be wanted next.
        case prefetch
        /// The file is being finished in the background.
        case finishing
        /// Nothing is under way any more.
        case idle
    }

    /// On the seedbox.
    public var path: String
    public var reason: Reason
    /// Of the file.
    public var bytes: UInt64
    public var cachedBytes: UInt64
    public var bytesUnderWay: UInt64
    public var bytesPerSecond: Double

    public init(
        path: String,
        reason: Reason,
        bytes: UInt64,
        cachedBytes: UInt64,
        bytesUnderWay: UInt64,
        bytesPerSecond: Double
    ) {
        self.path = path
        self.reason = reason
        self.bytes = bytes
        self.cachedBytes = cachedBytes
        self.bytesUnderWay = bytesUnderWay
        self.bytesPerSecond = bytesPerSecond
    }
}
