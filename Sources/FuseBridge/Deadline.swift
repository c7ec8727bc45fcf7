import Primitives

/// Runs `work` for at most `limit`.
///
/// After the limit `work` goes on and is not waited for: on a slow way it then brings the bytes for
/// the next one who asks. When the caller is cancelled, so is `work`.
///
/// - Returns: What `work` returned, or nil after the limit.
func withDeadline<Value: Sendable>(
    _ limit: Duration,
    _ work: @Sendable @escaping () async -> Value
) async -> Value? {
    let tasks = Race()
    return await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
            let worker = Task {
                let value = await work()
                if tasks.finish() { continuation.resume(returning: value) }
            }
            let timer = Task {
                do { try await Task.sleep(for: limit) } catch { return }
                if tasks.finish() { continuation.resume(returning: nil) }
            }
            tasks.started(worker: worker, timer: timer)
        }
    } onCancel: {
        tasks.cancelWorker()
    }
}

/// A worker and a timer of which the first to finish wins.
private final class Race: Sendable {
    private struct State {
        var worker: Task<Void, Never>?
        var timer: Task<Void, Never>?
        var isFinished = false
        var isCancelled = false
    }

    private let state = Lock(State())

    func started(worker: Task<Void, Never>, timer: Task<Void, Never>) {
        let (isFinished, isCancelled) = state.withLock { state in
            state.worker = worker
            state.timer = timer
            return (state.isFinished, state.isCancelled)
        }
        if isFinished { timer.cancel() }
        if isCancelled { worker.cancel() }
    }

    /// - Returns: Whether the caller is the first to finish.
    func finish() -> Bool {
        let (isFirst, timer) = state.withLock { state in
            let isFirst = !state.isFinished
            state.isFinished = true
            return (isFirst, state.timer)
        }
        timer?.cancel()
        return isFirst
    }

    func cancelWorker() {
        let worker = state.withLock { state in
            state.isCancelled = true
            return state.worker
        }
        worker?.cancel()
    }
}
