/// Whether a server that died gets a successor, and when.
///
/// A pure value. A server that somebody killed after it served gets one at once, and so, a few
/// times more, does one that was killed while it began. One that crashed or gave up may do so again
/// and again: after a few in a row the mount is given up, so that whoever uses it is told rather
/// than kept waiting.
struct Restarts {
    enum Decision: Equatable {
        case restart(after: Duration)
        case giveUp
    }

    /// Crashes in a row.
    static let crashLimit = 5
    /// Servers in a row that were killed before they served.
    ///
    /// Whoever kills them at random meets such a one now and then, and on a busy machine often;
    /// where memory is short all are.
    static let killLimit = 20
    private static let longLife: Duration = .seconds(30)
    private static let shortLife: Duration = .seconds(1)
    /// Whoever kills servers as soon as they are there must not keep the machine busy.
    static let breath: Duration = .milliseconds(50)

    private var crashes = 0
    private var kills = 0

    /// Servers in a row that ended too early.
    var failures: Int { crashes + kills }

    /// - Parameters:
    ///   - end: How the server ended.
    ///   - hasServed: Whether its mount answered.
    ///   - lifetime: How long it ran.
    /// - Returns: What to do.
    mutating func ended(
        _ end: OwnProcess.End,
        hasServed: Bool,
        lifetime: Duration
    ) -> Decision {
        switch (end, hasServed) {
        case (.killed(signal: 9), true):
            self = Restarts()
            return .restart(after: lifetime < Self.shortLife ? Self.breath : .zero)
        case (.killed(signal: 9), false):
            kills += 1
            guard kills < Self.killLimit else { return .giveUp }
            return .restart(after: Self.breath)
        default:
            crashes = lifetime >= Self.longLife ? 1 : crashes + 1
            guard crashes < Self.crashLimit else { return .giveUp }
            return .restart(after: crashes == 1 ? .zero : .milliseconds(100 << crashes))
        }
    }
}
