internal import Primitives

/// What is fetched of a file that is played, beyond what its player reads.
public struct FetchPolicy: Sendable {
    /// The handle of what is fetched for nobody who could close it.
    static let background: UInt64 = 0

    /// Bytes read on end that no probe reads: half a minute of video at 8 Mbit/s.
    public var playedBytes: UInt64 = 32 << 20
    /// Whether the rest of a file that is played is fetched, too.
    public var finishesPlayed = true
    /// The next episode's head is fetched in the last such part of this one.
    let lastPart: UInt64 = 10
    /// What players read before the first picture: the head, and the index at the tail.
    private let head: UInt64 = 4 << 20
    private let tail: UInt64 = 1 << 20

    public init() {}

    func probed(of file: RemoteFile) -> [ByteRange] {
        [
            ByteRange(0, head).clipped(to: file.size),
            ByteRange(file.size - min(tail, file.size), file.size),
        ]
    }
}
