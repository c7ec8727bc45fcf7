import Primitives

/// Guesses from the reads of one handle what will be wanted next.
///
/// A reader that goes on where it left off gets a window ahead of it, which doubles as long as it
/// goes on. Probes, which jump, get nothing. Audio and video tracks are read at two positions in
/// turn, so several are followed.
struct ReadAhead: Sendable {
    static let firstWindow: UInt64 = 256 << 10
    static let largestWindow: UInt64 = 8 << 20
    /// A reader that has come this far without a jump plays or copies.
    static let sustained: UInt64 = 256 << 10
    private static let mostPositions = 4
    /// The kernel's own threads bring reads out of order by less than this.
    private static let slack: UInt64 = 1 << 20

    private struct Position {
        var next: UInt64
        var run: UInt64
        var window: UInt64
        /// Up to where was asked for ahead.
        var ahead: UInt64
    }

    private let size: UInt64
    /// Most recently used last.
    private var positions: [Position] = []

    init(size: UInt64) {
        self.size = size
    }

    /// Takes notice of a read.
    ///
    /// - Parameter range: What was read.
    /// - Returns: What to fetch ahead now; empty when nothing.
    mutating func read(_ range: ByteRange) -> ByteRange {
        guard
            let index = positions.lastIndex(where: { position in
                range.lowerBound <= position.next + Self.slack
                    && range.upperBound + Self.slack >= position.next
            })
        else {
            if positions.count == Self.mostPositions { positions.removeFirst() }
            positions.append(
                Position(
                    next: range.upperBound,
                    run: range.count,
                    window: Self.firstWindow,
                    ahead: range.upperBound
                )
            )
            return ByteRange(0, 0)
        }
        var position = positions.remove(at: index)
        defer { positions.append(position) }
        position.run += range.count
        position.next = max(position.next, range.upperBound)
        position.ahead = max(position.ahead, position.next)
        guard position.run >= Self.sustained else { return ByteRange(0, 0) }
        // Asks for the second half of the window while the first is being read.
        guard position.ahead - position.next <= position.window / 2 else { return ByteRange(0, 0) }
        let wanted = ByteRange(position.ahead, position.next + position.window).clipped(to: size)
        position.ahead = max(position.ahead, wanted.upperBound)
        position.window = min(position.window * 2, Self.largestWindow)
        return wanted
    }
}
