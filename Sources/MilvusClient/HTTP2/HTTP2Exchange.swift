import Synchronization

/// One HTTP/2 request, always with a body.
struct HTTP2Request: Sendable {
    /// Pseudo-headers first (RFC 9113, section 8.3); names in lower case.
    var headers: [(name: String, value: String)]
    var body: [UInt8]
}

struct HTTP2Answer: Sendable {
    /// Those at the beginning and at the end together; of several of one name the last.
    var headers: [String: String] = [:]
    var body: [UInt8] = []
}

/// A request on its way and the task that waits for the answer.
final class HTTP2Exchange: Sendable {
    enum Outcome: Sendable {
        case answered(HTTP2Answer)
        case failed(MilvusError)
        /// Certainly nothing of it was done; another connection may do it.
        case refused(MilvusError)
    }

    let request: HTTP2Request
    let deadline: ContinuousClock.Instant
    let begun = ContinuousClock.now
    /// Of the body.
    let mostBytes: Int
    private let cancelled = Atomic(false)
    private let waiter = Mutex<CheckedContinuation<Outcome, Never>?>(nil)

    init(_ request: HTTP2Request, deadline: ContinuousClock.Instant, mostBytes: Int) {
        self.request = request
        self.deadline = deadline
        self.mostBytes = mostBytes
    }

    var isCancelled: Bool { cancelled.load(ordering: .relaxed) }

    func cancel() { cancelled.store(true, ordering: .relaxed) }

    /// Says who waits; once, before the exchange is handed to a connection.
    func setWaiter(_ continuation: CheckedContinuation<Outcome, Never>) {
        waiter.withLock { $0 = continuation }
    }

    /// Wakes who waits; the second time nothing happens.
    func finish(_ outcome: Outcome) {
        let continuation = waiter.withLock { waiter in
            defer { waiter = nil }
            return waiter
        }
        continuation?.resume(returning: outcome)
    }
}
