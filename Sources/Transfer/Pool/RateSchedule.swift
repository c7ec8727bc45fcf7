import Glibc

/// How many bytes a second may come from the seedbox, by the local time of the week.
public struct RateSchedule: Sendable, Equatable {
    /// From a minute of the week on.
    public struct Change: Sendable, Equatable {
        /// Since Sunday, 00:00.
        public let minute: Int
        /// Bytes per second; nil for no limit.
        public let rate: UInt64?

        public init(minute: Int, rate: UInt64?) {
            self.minute = minute
            self.rate = rate
        }
    }

    public static let minutesPerDay = 24 * 60
    public static let unlimited = RateSchedule([])

    /// Ascending.
    private let changes: [Change]

    public init(_ changes: [Change]) {
        self.changes = changes.sorted { $0.minute < $1.minute }
    }

    /// - Returns: Bytes per second; nil for no limit.
    public func rate(atMinute minute: Int) -> UInt64? {
        // Before the week's first change, the last of the week before holds.
        (changes.last { $0.minute <= minute } ?? changes.last)?.rate
    }

    var isUnlimited: Bool { changes.allSatisfy { $0.rate == nil } }

    /// The rate now.
    var current: UInt64? {
        guard changes.count > 1 else { return changes.first?.rate }
        var seconds = time(nil)
        var local = tm()
        localtime_r(&seconds, &local)
        let day = Int(local.tm_wday) * Self.minutesPerDay
        return rate(atMinute: day + Int(local.tm_hour) * 60 + Int(local.tm_min))
    }
}

/// Spreads bytes over time so that they keep a rate.
///
/// A pure value: no clock. Readers wait only for what other readers took; everybody else waits
/// until nobody has more to take.
struct RateLimiter {
    private var readersFree: ContinuousClock.Instant?
    private var everybodyFree: ContinuousClock.Instant?

    /// Somebody wants `bytes` now.
    ///
    /// - Parameters:
    ///   - bytes: How many.
    ///   - isReader: Whether somebody waits for them.
    ///   - rate: Bytes per second.
    ///   - now: The time.
    /// - Returns: nil when they were taken; otherwise when to ask again.
    mutating func take(
        _ bytes: Int,
        isReader: Bool,
        rate: UInt64,
        now: ContinuousClock.Instant
    ) -> ContinuousClock.Instant? {
        let free = (isReader ? readersFree : everybodyFree) ?? now
        guard free <= now else { return free }
        let duration = Duration.seconds(Double(bytes) / Double(max(1, rate)))
        if isReader { readersFree = now + duration }
        everybodyFree = max(everybodyFree ?? now, now) + duration
        return nil
    }
}
