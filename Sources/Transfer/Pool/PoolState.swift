/// Decides when a pool connects, uses what it has, waits or gives up.
///
/// No clock, no lock, no connection: the pool says what happened and when, and does what is
/// returned. Connections are numbers here.
struct PoolState {
    enum Verdict: Equatable {
        case use
        /// Use one that is there, and open another in the background.
        case useAndConnect(id: Int)
        case waitAndConnect(id: Int)
        case wait
        case fail
    }

    /// What to do after a failure.
    enum Step: Equatable {
        case nothing
        case connect(id: Int)
        case retry(at: ContinuousClock.Instant)
    }

    /// A refused login or host key is tried again this rarely: some hosts ban who insists.
    static let hopelessPause = Duration.seconds(60)
    /// A server that refused a further connection is not asked for more until then.
    static let growthPause = Duration.seconds(60)
    /// A connection that lived shorter than this was no success, unless it brought something.
    static let properLife = Duration.seconds(10)
    /// Bytes; a server that hangs up on everybody sends less.
    static let properLoad: UInt64 = 256 << 10
    /// Seconds; a seedbox that comes back is used this soon.
    static let longestPause = 15.0

    /// Far from the server a login takes a second, and bytes wait for it; but sshd refuses the
    /// eleventh that is not yet logged in (sshd_config(5), MaxStartups), and others log in, too.
    static let attemptsAtOnce = 3

    let limit: Int
    /// When each usable connection was opened.
    private(set) var live: [Int: ContinuousClock.Instant] = [:]
    private(set) var connecting: Set<Int> = []
    /// Why the last attempt failed while nothing is usable.
    private(set) var failure: ConnectionError?
    private(set) var failingSince: ContinuousClock.Instant?
    private(set) var isShutDown = false
    private var failures = 0
    private var retryAt: ContinuousClock.Instant?
    private var allowed: Int
    private var growAt: ContinuousClock.Instant?
    private var lastID = 0

    init(limit: Int) {
        self.limit = max(1, limit)
        allowed = self.limit
    }

    /// Somebody needs a connection.
    ///
    /// - Parameters:
    ///   - isBusy: Whether every usable connection has work to do.
    ///   - useful: How many are worth having; nil for as many as the limit allows.
    ///   - now: The time.
    /// - Returns: Where the connection comes from.
    mutating func requested(
        isBusy: Bool,
        useful: Int? = nil,
        now: ContinuousClock.Instant
    ) -> Verdict {
        guard !isShutDown else { return .fail }
        guard live.isEmpty else {
            if let growAt, now >= growAt {
                self.growAt = nil
                allowed = limit
            }
            let count = live.count + connecting.count
            let mayGrow =
                connecting.count < Self.attemptsAtOnce && count < min(allowed, useful ?? limit)
            return isBusy && mayGrow ? .useAndConnect(id: begin()) : .use
        }
        if !connecting.isEmpty { return .wait }
        if let failure, let retryAt, now < retryAt { return failure.needsPerson ? .fail : .wait }
        return .waitAndConnect(id: begin())
    }

    private mutating func begin() -> Int {
        lastID += 1
        connecting.insert(lastID)
        return lastID
    }

    mutating func opened(_ id: Int, now: ContinuousClock.Instant) {
        connecting.remove(id)
        live[id] = now
        failure = nil
        failingSince = nil
        retryAt = nil
    }

    /// An attempt came to nothing.
    ///
    /// - Parameters:
    ///   - id: The attempt.
    ///   - error: Its reason.
    ///   - now: The time.
    ///   - jitter: 0.5 to 1; keeps many clients of one server apart.
    /// - Returns: When to try again.
    mutating func failed(
        _ id: Int,
        _ error: ConnectionError,
        now: ContinuousClock.Instant,
        jitter: Double
    ) -> Step {
        connecting.remove(id)
        guard !isShutDown else { return .nothing }
        guard live.isEmpty else {
            if error.code == .sessionRefused { return .nothing }
            // MaxStartups, MaxSessions or the provider's own limit: what we have must do.
            allowed = live.count
            growAt = now + Self.growthPause
            return .nothing
        }
        failures += 1
        return pause(error, failures, now, jitter)
    }

    /// A usable connection is gone.
    ///
    /// - Parameters:
    ///   - id: The connection.
    ///   - error: Why.
    ///   - bytes: What it brought.
    ///   - now: The time.
    ///   - jitter: 0.5 to 1.
    /// - Returns: What to do.
    mutating func ended(
        _ id: Int,
        _ error: ConnectionError,
        bytes: UInt64 = 0,
        now: ContinuousClock.Instant,
        jitter: Double
    ) -> Step {
        guard let opened = live.removeValue(forKey: id), !isShutDown else { return .nothing }
        let wasProper = now - opened >= Self.properLife || bytes >= Self.properLoad
        failures = wasProper ? 0 : failures + 1
        guard live.isEmpty, connecting.isEmpty else { return .nothing }
        // The first loss is mended at once; a server that hangs up on everybody is not pressed.
        if failures <= 1 {
            failure = error
            failingSince = failingSince ?? now
            return .connect(id: begin())
        }
        return pause(error, failures - 1, now, jitter)
    }

    private mutating func pause(
        _ error: ConnectionError,
        _ count: Int,
        _ now: ContinuousClock.Instant,
        _ jitter: Double
    ) -> Step {
        failure = error
        failingSince = failingSince ?? now
        let seconds = min(Self.longestPause, Double(1 << min(count - 1, 6))) * jitter
        let retry = now + (error.needsPerson ? Self.hopelessPause : .seconds(seconds))
        retryAt = retry
        return .retry(at: retry)
    }

    /// The time of a retry has come, or a person wants one now.
    mutating func retryDue() -> Step {
        guard !isShutDown, live.isEmpty, connecting.isEmpty else { return .nothing }
        return .connect(id: begin())
    }

    mutating func shutDown() {
        isShutDown = true
    }
}
