import CSSH2
import Glibc

/// A descriptor that becomes readable when another thread calls `signal`.
final class EventDescriptor: Sendable {
    let descriptor: Int32

    init() throws(ConnectionError) {
        descriptor = cssh2_event()
        guard descriptor >= 0 else {
            throw ConnectionError(.closed, "cannot create an eventfd", cause: SystemError())
        }
    }

    deinit {
        Glibc.close(descriptor)
    }

    func signal() {
        cssh2_event_signal(descriptor)
    }

    func clear() {
        cssh2_event_clear(descriptor)
    }
}

/// How long the thread of a connection may block, and what ends the wait early.
struct BoundedWait {
    let interrupt: EventDescriptor
    var deadline: ContinuousClock.Instant
    /// What is going on, for the message: "connect to 'seedbox:22'".
    var purpose: String

    func with(limit: Duration, purpose: String) -> BoundedWait {
        BoundedWait(interrupt: interrupt, deadline: .now + limit, purpose: purpose)
    }

    /// Blocks until one of `descriptors` is ready.
    ///
    /// - Throws: ``ConnectionError``: `.timedOut` at the deadline, `.closed` when interrupted.
    func callAsFunction(for descriptors: [pollfd]) throws(ConnectionError) {
        var all = descriptors
        all.append(pollfd(fd: interrupt.descriptor, events: Int16(POLLIN), revents: 0))
        while true {
            let left = deadline - .now
            guard left > .zero else { throw ConnectionError(.timedOut, "\(purpose): no answer") }
            let ready = poll(&all, nfds_t(all.count), left.pollMilliseconds)
            if ready < 0 && errno != EINTR {
                throw ConnectionError(.closed, "\(purpose): poll failed", cause: SystemError())
            }
            guard ready > 0 else { continue }
            guard all[all.count - 1].revents == 0 else {
                throw ConnectionError(.closed, "\(purpose): stopped because we shut down")
            }
            return
        }
    }
}

extension Duration {
    /// Rounded up, so that a wait never ends just before its time and spins; capped at a minute.
    var pollMilliseconds: Int32 {
        guard self > .zero else { return 0 }
        guard self < .seconds(60) else { return 60_000 }
        let (seconds, attoseconds) = components
        return Int32(seconds) * 1000 + Int32(attoseconds / 1_000_000_000_000_000) + 1
    }

    var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        return seconds.multipliedReportingOverflow(by: 1_000_000_000).partialValue
            + attoseconds / 1_000_000_000
    }
}
