/// How the seedbox and we get along, for people.
public struct RemoteStatus: Sendable {
    public let transport: RemoteAccount.Transport
    /// Connections that are there.
    public let connected: Int
    /// Usable sessions; several may share a connection.
    public let sessions: Int
    /// Connections that there may be.
    public let limit: Int
    /// Why nothing is usable, since when; nil while something is, or before the first attempt.
    public let failure: ConnectionError?
    public let failingFor: Duration?
    /// Since the pool was made: SFTP packets with their headers.
    public let bytesReceived: UInt64
    /// The best connection's smoothed time for a small request; nil until measured.
    public let roundTrip: Duration?

    public var isOffline: Bool { sessions == 0 && failure != nil }
}
