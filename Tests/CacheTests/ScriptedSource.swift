import Primitives
import Synchronization

/// A seedbox in memory: bytes follow from the offset, and every read is counted and can be held.
final class ScriptedSource: RangeSource {
    private struct State {
        var reads: [ByteRange] = []
        var isHeld = false
        var held: [CheckedContinuation<Void, Never>] = []
        var failure: SourceError?
        var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    static func byte(at offset: UInt64) -> UInt8 {
        UInt8(truncatingIfNeeded: offset &* 31 &+ offset >> 8 &+ offset >> 16)
    }

    static func bytes(_ range: ByteRange) -> [UInt8] {
        (range.lowerBound..<range.upperBound).map(byte)
    }

    var reads: [ByteRange] { state.withLock { $0.reads } }
    var bytesRead: UInt64 { reads.reduce(0) { $0 + $1.count } }

    func fail(with error: SourceError?) { state.withLock { $0.failure = error } }
    func hold() { state.withLock { $0.isHeld = true } }

    func letGo() {
        let held = state.withLock { state in
            state.isHeld = false
            defer { state.held = [] }
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    /// Waits until so many reads were begun.
    func waitForReads(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.reads.count >= count { return true }
                state.waiters.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    func read(_ range: ByteRange, of file: RemoteFile) async throws(SourceError) -> [UInt8] {
        let (ready, failure) = state.withLock { state in
            state.reads.append(range)
            let ready = state.waiters.filter { $0.count <= state.reads.count }
            state.waiters.removeAll { $0.count <= state.reads.count }
            return (ready, state.failure)
        }
        for waiter in ready { waiter.continuation.resume() }
        if let failure { throw failure }
        await withCheckedContinuation { continuation in
            let isHeld = state.withLock { state in
                if state.isHeld { state.held.append(continuation) }
                return state.isHeld
            }
            if !isHeld { continuation.resume() }
        }
        if Task.isCancelled { throw SourceError(.cancelled, file.path, "was given up") }
        return Self.bytes(range)
    }
}
