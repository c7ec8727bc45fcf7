import Synchronization

/// Why a request got no reply.
enum RequestFailure: Error {
    case cancelled
    case connection(ConnectionError)
}

/// One answer that somebody waits for: given once, by whoever is first.
///
/// The answer, the end of the connection and the cancellation of the waiting task race with
/// each other; the first wins and the others find it finished.
final class Pending<Value: Sendable>: Sendable {
    typealias Answer = Result<Value, RequestFailure>

    private enum State {
        case fresh
        case waiting(CheckedContinuation<Answer, Never>)
        case answered(Answer)
        case finished
    }

    private let state = Mutex(State.fresh)

    var isFinished: Bool {
        state.withLock { state in
            switch state {
            case .fresh, .waiting: false
            case .answered, .finished: true
            }
        }
    }

    func finish(_ answer: Answer) {
        let continuation: CheckedContinuation<Answer, Never>? = state.withLock { state in
            switch state {
            case .fresh:
                state = .answered(answer)
                return nil
            case .waiting(let continuation):
                state = .finished
                return continuation
            case .answered, .finished: return nil
            }
        }
        continuation?.resume(returning: answer)
    }

    /// Waits for the answer; only one task may.
    ///
    /// Cancelled, it returns at once.
    func value() async throws(RequestFailure) -> Value {
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let early: Answer? = state.withLock { state in
                    switch state {
                    case .fresh:
                        state = .waiting(continuation)
                        return nil
                    case .answered(let answer):
                        state = .finished
                        return answer
                    case .waiting, .finished:
                        return .failure(.cancelled)
                    }
                }
                if let early { continuation.resume(returning: early) }
            }
        } onCancel: {
            finish(.failure(.cancelled))
        }
        return try answer.get()
    }
}
