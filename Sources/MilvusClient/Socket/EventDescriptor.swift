import CSystem
import Glibc

/// A descriptor that becomes readable when another thread calls `signal`.
final class EventDescriptor: Sendable {
    let descriptor: Int32

    init() throws(MilvusError) {
        descriptor = sync2nas_eventfd()
        guard descriptor >= 0 else {
            throw MilvusError(.unavailable, "cannot create an eventfd", cause: SystemError())
        }
    }

    deinit {
        close(descriptor)
    }

    func signal() {
        var one: UInt64 = 1
        // Fails only when the counter is full, and then it is readable anyway.
        _ = write(descriptor, &one, 8)
    }

    func clear() {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
    }
}

extension Duration {
    /// Rounded up, so that a wait never ends just before its time and spins; capped at a minute.
    var pollMilliseconds: Int32 {
        guard self > .zero else { return 0 }
        guard self < .seconds(60) else { return 60_000 }
        return Int32(self / .milliseconds(1)) + 1
    }
}
