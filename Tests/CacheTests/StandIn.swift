import Primitives
import StandIns
import Synchronization

/// A source in memory that follows a script: it answers at once, or holds its answers until
/// told, fails where told, and remembers what it was asked.
final class StandIn: RangeSource {
    private struct State {
        var requests: [ByteRange] = []
        var isHolding = false
        var held: [Int: CheckedContinuation<Void, Never>] = [:]
        var cancelled = 0
        var failure: SourceError?
        var lengthChange = 0
        var watchers: [(isMet: @Sendable (State) -> Bool, CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    /// The bytes that every version has at `range`; different for every version and place.
    static func bytes(_ range: ByteRange, of file: RemoteFile) -> [UInt8] {
        let base = file.size ^ UInt64(bitPattern: file.modifiedSeconds) << 32
        let first = range.lowerBound / 8
        var bytes: [UInt8] = []
        for word in first..<(range.upperBound + 7) / 8 {
            var random = SeededRandom(seed: word ^ base)
            withUnsafeBytes(of: random.next()) { bytes.append(contentsOf: $0) }
        }
        let start = Int(range.lowerBound - first * 8)
        return Array(bytes[start..<start + Int(range.count)])
    }

    var requests: [ByteRange] { state.withLock(\.requests) }
    var cancelled: Int { state.withLock(\.cancelled) }

    func fail(_ error: SourceError?) { state.withLock { $0.failure = error } }
    /// Later answers have this many bytes more than wanted.
    func changeLength(by count: Int) { state.withLock { $0.lengthChange = count } }
    func hold() { state.withLock { $0.isHolding = true } }

    /// Lets held answers go, and later ones pass.
    func letGo() {
        let held = state.withLock { state in
            state.isHolding = false
            defer { state.held = [:] }
            return Array(state.held.values)
        }
        for continuation in held { continuation.resume() }
    }

    /// Returns when so many requests have come in all.
    func asked(_ count: Int) async { await met { $0.requests.count >= count } }
    /// Returns when so many requests were cancelled in all.
    func gaveUp(_ count: Int) async { await met { $0.cancelled >= count } }

    private func met(_ condition: @escaping @Sendable (State) -> Bool) async {
        await withCheckedContinuation { continuation in
            let isMet = state.withLock { state in
                guard !condition(state) else { return true }
                state.watchers.append((condition, continuation))
                return false
            }
            if isMet { continuation.resume() }
        }
    }

    private func change<Answer>(_ body: (inout State) -> Answer) -> Answer {
        let (answer, met) = state.withLock { state in
            let answer = body(&state)
            let met = state.watchers.filter { $0.isMet(state) }
            let now = state
            state.watchers.removeAll { $0.isMet(now) }
            return (answer, met)
        }
        for (_, continuation) in met { continuation.resume() }
        return answer
    }

    func read(
        _ range: ByteRange,
        of file: RemoteFile,
        priority: ReadPriority
    ) async throws(SourceError) -> Bytes {
        let number = change { state in
            state.requests.append(range)
            return state.requests.count
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let passes = state.withLock { state in
                    guard state.isHolding, !Task.isCancelled else { return true }
                    state.held[number] = continuation
                    return false
                }
                if passes { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.held.removeValue(forKey: number) }?.resume()
        }
        if Task.isCancelled {
            change { $0.cancelled += 1 }
            throw SourceError(.cancelled, file.path, "read '\(file.path)'")
        }
        let (failure, lengthChange) = state.withLock { ($0.failure, $0.lengthChange) }
        if let failure { throw failure }
        let bytes = StandIn.bytes(range, of: file)
        return Bytes(
            lengthChange < 0
                ? Array(bytes.dropLast(-lengthChange))
                : bytes + [UInt8](repeating: 0, count: lengthChange)
        )
    }
}
