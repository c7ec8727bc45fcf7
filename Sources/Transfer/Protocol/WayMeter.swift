/// How many bytes must be under way at once so that the way to the server is never empty.
///
/// A pure value. The way holds its rate times its round trip; the rate that shows is at most what
/// was asked for, so twice that is asked for, and when the rate follows, twice that again (the
/// start-up of BBR, draft-ietf-ccwg-bbr, works like this).
struct WayMeter {
    /// Eight of the largest requests.
    static let least = 2 << 20
    /// What comes in this time is asked for ahead however near the server is: one that always finds
    /// requests works in longer stretches (15 % faster than with ``least`` on loopback), and a
    /// reader who comes meanwhile waits no longer for it than a picture lasts.
    private static let stretch = Duration.milliseconds(32)
    /// The shortest time that a rate is taken over.
    private static let span = Duration.milliseconds(100)
    /// A server nearer than this is not behind a slow line; until the rate is known more is asked
    /// for, so that a read begins at its full speed.
    private static let near = Duration.milliseconds(2)
    /// Of a rate that does not come again, so much is left after each span.
    private static let fading = 0.95

    private let limit: Int
    /// Bytes.
    private(set) var window: Int
    /// Bytes that were on the way at the highest rate of late; 0 until measured.
    private(set) var held = 0
    /// Bytes per second, the highest of late.
    private(set) var rate = 0.0
    /// Bytes per second when last measured.
    private(set) var latestRate = 0.0
    private var began: ContinuousClock.Instant?
    private var bytes = 0

    /// - Parameter limit: More than this is never asked for.
    init(limit: Int) {
        self.limit = limit
        window = min(limit, 2 * Self.least)
    }

    /// - Parameters:
    ///   - count: Bytes that came.
    ///   - roundTrip: Of a small request on an idle connection; zero when not measured yet.
    ///   - now: The time.
    /// - Returns: Whether ``window`` was set anew.
    mutating func received(
        _ count: Int,
        roundTrip: Duration,
        now: ContinuousClock.Instant
    ) -> Bool {
        guard let began else {
            self.began = now
            return false
        }
        bytes += count
        let passed = now - began
        guard passed >= max(Self.span, roundTrip) else { return foundNear(roundTrip) }
        // A connection that was idle meanwhile says nothing of the way.
        if passed < max(Self.span, roundTrip) * 3 {
            latestRate = Double(bytes) / (passed / .seconds(1))
            rate = max(latestRate, rate * Self.fading)
            held = Int(min(rate * (roundTrip / .seconds(1)), Double(limit)))
            let stretch = Int(min(rate * (Self.stretch / .seconds(1)), Double(limit)))
            window = max(Self.least, min(limit, max(2 * held, stretch)))
        }
        self.began = now
        bytes = 0
        return true
    }

    /// Sets the window of a server that is near, once, before its rate is known.
    private mutating func foundNear(_ roundTrip: Duration) -> Bool {
        let first = min(limit, 4 * Self.least)
        let isNear = roundTrip > .zero && roundTrip < Self.near
        guard isNear, rate == 0, window != first else { return false }
        window = first
        return true
    }
}
