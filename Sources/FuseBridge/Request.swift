import CFuse3
import Primitives

/// One request of the kernel, which must be answered exactly once.
///
/// `@unchecked Sendable`: libfuse lets any thread answer a request, and whoever holds the value
/// hands it on to the one that answers.
struct Request: @unchecked Sendable {
    let raw: fuse_req_t

    func fail(_ errno: Int32) { fuse_reply_err(raw, errno) }
    func succeed() { fuse_reply_err(raw, 0) }
    func reply(bytes: UnsafeRawBufferPointer) {
        fuse_reply_buf(raw, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }
    func reply(bytes: ByteSlice) { bytes.withUnsafeBytes { reply(bytes: $0) } }
    func reply(written count: Int) { fuse_reply_write(raw, count) }

    func reply(entry: UnsafePointer<fuse_entry_param>) { fuse_reply_entry(raw, entry) }
    func reply(attributes: UnsafePointer<stat>, timeout: Double) {
        fuse_reply_attr(raw, attributes, timeout)
    }

    /// - Returns: Whether the kernel took the reply; if not, no release will follow.
    func reply(open info: UnsafePointer<fuse_file_info>) -> Bool { fuse_reply_open(raw, info) == 0 }

    /// Answers from a task that is cancelled when the caller gets a signal.
    ///
    /// `answer` is called exactly once, with the result, and must answer the request.
    func whenFinished<Value: Sendable>(
        _ work: @Sendable @escaping () async -> Value,
        answer: @Sendable @escaping (Value) -> Void
    ) {
        let interruption = Interruption()
        // Registered before the task starts: once it runs, the request may be gone at any time.
        let reference = Unmanaged.passRetained(interruption)
        fuse_req_interrupt_func(
            raw,
            { _, data in
                guard let data else { return }
                Unmanaged<Interruption>.fromOpaque(data).takeUnretainedValue().cancel()
            },
            reference.toOpaque()
        )
        interruption.guards(
            Task {
                let value = await work()
                // Waits for an interrupt function that is running, so that the reference below
                // is the last.
                fuse_req_interrupt_func(raw, nil, nil)
                interruption.release()
                answer(value)
            }
        )
    }
}

/// Joins a task with the interrupt that may come before the task is even known.
private final class Interruption: Sendable {
    private struct State {
        var task: Task<Void, Never>?
        var isCancelled = false
    }

    private let state = Lock(State())

    func guards(_ task: Task<Void, Never>) {
        let isCancelled = state.withLock { state in
            state.task = task
            return state.isCancelled
        }
        if isCancelled { task.cancel() }
    }

    func cancel() {
        let task = state.withLock { state in
            state.isCancelled = true
            return state.task
        }
        task?.cancel()
    }

    /// Gives back the reference that the interrupt function held.
    func release() { Unmanaged.passUnretained(self).release() }
}
