/// Which looked-up files are worth opening ahead: those of a person or a player, not the thousands
/// of somebody who walks through the library.
///
/// A pure value: a bucket that holds few and fills slowly.
struct Expectations {
    private static let most = 16.0
    private static let perSecond = 16.0

    private var left = Expectations.most
    private var last: ContinuousClock.Instant?

    /// - Returns: Whether one more may be opened now.
    mutating func take(now: ContinuousClock.Instant) -> Bool {
        if let last { left = min(Self.most, left + (now - last) / .seconds(1) * Self.perSecond) }
        last = now
        guard left >= 1 else { return false }
        left -= 1
        return true
    }
}
