internal import Dispatch
internal import Glibc

extension Array where Element: Sendable {
    /// What ``map(_:)`` returns, made on all processors.
    ///
    /// Blocking: the calling thread works, too.
    ///
    /// - Parameter transform: Called once for each element, on any thread.
    /// - Returns: The results in the elements' order.
    public func concurrentMap<Result: Sendable>(
        _ transform: @Sendable (Element) -> Result
    ) -> [Result] {
        // A few pieces for each processor, so that none is without work while another has much.
        let pieces = Swift.min(count, 4 * Swift.max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let made = Lock([[Result]](repeating: [], count: pieces))
        DispatchQueue.concurrentPerform(iterations: pieces) { piece in
            let results = self[(count * piece / pieces)..<(count * (piece + 1) / pieces)]
                .map(transform)
            made.withLock { $0[piece] = results }
        }
        var all: [Result] = []
        all.reserveCapacity(count)
        for piece in made.withLock({ $0 }) { all += piece }
        return all
    }
}
