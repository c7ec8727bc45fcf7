import Primitives
import Synchronization

/// A run of blocks on its way from the seedbox: one fetch, any number of readers.
final class Flight: Sendable {
    private struct State {
        var result: Result<[UInt8], SourceError>?
        var waiters: [Int: CheckedContinuation<Result<[UInt8], SourceError>, Never>] = [:]
        var lastWaiter = 0
        var task: Task<Void, Never>?
        /// Somebody wants it although nobody waits.
        var isAhead: Bool
        var isCancelled = false
    }

    let blocks: Range<Int>
    /// The bytes of the blocks.
    let range: ByteRange
    private let state: Mutex<State>

    init(_ blocks: Range<Int>, _ range: ByteRange, isAhead: Bool) {
        self.blocks = blocks
        self.range = range
        state = Mutex(State(isAhead: isAhead))
    }

    func start(_ task: Task<Void, Never>) {
        let isCancelled = state.withLock { state in
            state.task = task
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    func finish(_ result: Result<[UInt8], SourceError>) {
        let waiters = state.withLock { state in
            state.result = result
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume(returning: result) }
    }

    /// Waits for the bytes.
    ///
    /// A reader that is cancelled leaves at once; when it was the last to want them, the fetch is
    /// given up.
    func bytes(path: RemotePath) async -> Result<[UInt8], SourceError> {
        let cancelled = Result<[UInt8], SourceError>.failure(
            SourceError(.cancelled, path, "was given up")
        )
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let now = state.withLock { state -> Result<[UInt8], SourceError>? in
                    if let result = state.result { return result }
                    if Task.isCancelled { return cancelled }
                    state.waiters[number] = continuation
                    return nil
                }
                if let now { continuation.resume(returning: now) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: number) }
            waiter?.resume(returning: cancelled)
            cancelIfUnwanted()
        }
    }

    /// Nobody wants it ahead any more.
    func stopAhead() {
        state.withLock { $0.isAhead = false }
        cancelIfUnwanted()
    }

    private func cancelIfUnwanted() {
        let task = state.withLock { state -> Task<Void, Never>? in
            guard state.waiters.isEmpty, !state.isAhead, state.result == nil else { return nil }
            state.isCancelled = true
            return state.task
        }
        task?.cancel()
    }

    /// Whether it was given up: a new reader must start another.
    var isCancelled: Bool { state.withLock { $0.isCancelled } }
}
