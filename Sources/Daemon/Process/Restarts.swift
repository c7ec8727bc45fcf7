/// Whether a server that died gets a successor, and when.
///
/// A pure value. A server that somebody killed after it served gets one at once. One that
/// crashed, or did not even begin to serve, may do so again and again: after a few in a row the
/// mount is given up, so that whoever uses it is told rather than kept waiting.
struct Restarts {
    enum Decision: Equatable {
        case restart(after: Duration)
        case giveUp
    }

    /// Failures in a row.
    static let limit = 5
    private static let longLife: Duration = .seconds(30)
    private static let shortLife: Duration = .seconds(1)

    private(set) var failures = 0

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
        if hasServed, end == .killed(signal: 9) {
            failures = 0
            return .restart(after: lifetime < Self.shortLife ? .milliseconds(200) : .zero)
        }
        failures = lifetime >= Self.longLife ? 1 : failures + 1
        guard failures < Self.limit else { return .giveUp }
        return .restart(after: failures == 1 ? .zero : .milliseconds(100 << failures))
    }
}
