public import Dispatch

/// What another processor works out while whoever wants it does something else.
public final class Future<Value: Sendable>: Sendable {
    private let result = Lock<Value?>(nil)
    private let isDone = DispatchSemaphore(value: 0)

    /// Begins with it.
    ///
    /// - Parameters:
    ///   - queue: Where it is worked out.
    ///   - work: Gives the value; waits for nothing but the local disk.
    public init(
        on queue: DispatchQueue = .global(qos: .userInitiated),
        _ work: @Sendable @escaping () -> Value
    ) {
        queue.async { [self] in
            let value = work()
            result.withLock { $0 = value }
            isDone.signal()
        }
    }

    /// The value; blocks no thread of Swift's own.
    public var value: Value {
        get async {
            await withCheckedContinuation { waiting in
                DispatchQueue.global(qos: .userInitiated).async {
                    waiting.resume(returning: self.wait())
                }
            }
        }
    }

    /// The value; blocks this thread until it is there.
    public func wait() -> Value {
        while true {
            // A key path would be put together anew at each call, because this is generic.
            if let known = result.withLock({ $0 }) { return known }
            isDone.wait()
            // For the others that wait.
            isDone.signal()
        }
    }
}
