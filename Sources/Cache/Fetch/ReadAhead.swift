public import Primitives

/// What to fetch ahead of one open file's reader.
///
/// A pure value: no clock, no lock, no I/O. It keeps up to four positions, because a player
/// reads audio and video, or two parts of a container, in turns. A read that goes on where a
/// position stands is sequential; any other is a jump and begins a new position. Until a
/// position has read half a MiB on end it may be a probe, of a media server that looks at
/// head, tail and a few places between, and gets no more than 128 KiB ahead. After that its
/// window begins at 256 KiB and doubles whenever half of it is used, up to what fills the way to
/// the server; so about as much is fetched in vain as was read.
public struct ReadAhead: Sendable {
    public struct Decision: Equatable, Sendable {
        /// What to fetch now; nil when enough is on its way.
        public var prefetch: ByteRange?
        /// The reader jumped: what was to be fetched for it is worth little now.
        public var cancelsEarlier = false
    }

    private struct Position {
        /// Where the next sequential read begins.
        var next: UInt64
        /// Bytes read on end.
        var run: UInt64
        /// Everything below was asked for.
        var ahead: UInt64
        /// Bytes to keep ahead of `next`.
        var window: UInt64
        /// The number of the last read here.
        var lastUse: UInt64

        var outstanding: UInt64 { ahead > next ? ahead - next : 0 }
    }

    static let positionLimit = 4
    static let probeBytes: UInt64 = 512 << 10
    static let probeWindow: UInt64 = 128 << 10
    static let firstWindow: UInt64 = 256 << 10
    /// The window may always grow to this, and never beyond the second.
    static let lastWindows: ClosedRange<UInt64> = (8 << 20)...(22 << 20)
    /// What one fetch brings at most, and where its boundaries lie.
    static let fetched: UInt64 = 1 << 20
    /// The kernel sends the parts of one big read in any order, up to 1 MiB apart.
    static let disorder: UInt64 = 1 << 20

    private let fileSize: UInt64
    private var positions: [Position] = []
    private var reads: UInt64 = 0
    private var lastWindow = lastWindows.lowerBound

    public init(fileSize: UInt64) {
        self.fileSize = fileSize
    }

    /// Bytes that the steadiest reader has read on end; tells play from probe.
    public var longestRun: UInt64 { positions.map(\.run).max() ?? 0 }

    /// The reader asked for `range`, whether or not it was cached.
    ///
    /// - Parameters:
    ///   - range: Bytes wanted.
    ///   - way: Bytes that fill the way to the server; asked for when there is something to fetch.
    /// - Returns: What to fetch and to give up.
    public mutating func read(
        _ range: ByteRange,
        way: @autoclosure () -> UInt64 = 0
    ) -> Decision {
        guard !range.isEmpty else { return Decision() }
        reads += 1
        guard let index = positions.firstIndex(where: { continues($0, range) }) else {
            return jumped(to: range)
        }
        positions[index].run += range.count
        positions[index].next = max(positions[index].next, range.upperBound)
        positions[index].ahead = max(positions[index].ahead, positions[index].next)
        positions[index].lastUse = reads
        return Decision(prefetch: topUp(index, way: way()))
    }

    /// What was asked for ahead was cancelled, or has failed.
    public mutating func prefetchCancelled() {
        for index in positions.indices { positions[index].ahead = positions[index].next }
    }

    private func continues(_ position: Position, _ range: ByteRange) -> Bool {
        let slack = min(ReadAhead.disorder, position.run)
        let lowest = position.next - min(slack, position.next)
        let highest = max(position.next, position.ahead)
        return (lowest...highest).contains(range.lowerBound)
    }

    private mutating func jumped(to range: ByteRange) -> Decision {
        let cancels = positions.contains { $0.outstanding > 0 }
        prefetchCancelled()
        if positions.count == ReadAhead.positionLimit,
            let oldest = positions.indices.min(by: {
                positions[$0].lastUse < positions[$1].lastUse
            })
        {
            positions.remove(at: oldest)
        }
        positions.append(
            Position(
                next: range.upperBound,
                run: range.count,
                ahead: range.upperBound,
                window: 0,
                lastUse: reads
            )
        )
        return Decision(prefetch: nil, cancelsEarlier: cancels)
    }

    /// Asks for more when less than half of the window is left.
    private mutating func topUp(_ index: Int, way: @autoclosure () -> UInt64) -> ByteRange? {
        let position = positions[index]
        guard position.outstanding <= position.window / 2 else { return nil }
        lastWindow = min(max(way(), Self.lastWindows.lowerBound), Self.lastWindows.upperBound)
        let isProbe = position.run < ReadAhead.probeBytes
        let grown = max(ReadAhead.firstWindow, min(position.window * 2, lastWindow, position.run))
        let window = isProbe ? ReadAhead.probeWindow : grown
        let others = positions.reduce(0) { $0 + $1.outstanding } - position.outstanding
        let budget = lastWindow - min(others, lastWindow)
        var end = position.next + min(window, budget)
        // Whole fetches, so that the kernel's reads, which end there as well, need only one.
        if window >= 2 * Self.fetched { end = end / Self.fetched * Self.fetched }
        let range = ByteRange(position.ahead, end).clipped(to: fileSize)
        positions[index].window = window
        guard !range.isEmpty else { return nil }
        positions[index].ahead = range.upperBound
        return range
    }
}
