import Primitives

/// The directories that are being listed, at most as many as the server lets be open.
///
/// Servers limit open handles, and say no more than "failure" to who wants another.
final class OpenDirectories: Sendable {
    private struct Turn {
        /// It comes when fewer directories than these are open.
        let places: Int
        let pending = Pending<Void>()
    }

    private struct State {
        var limit = OpenDirectories.most
        var open = 0
        var turns: [Turn] = []

        /// Whose turn has come.
        mutating func next() -> [Turn] {
            var next: [Turn] = []
            // Who waits until few are open is not passed by others, or they would never be few.
            while let turn = turns.first, open < min(limit, turn.places) {
                next.append(turns.removeFirst())
                open += 1
            }
            return next
        }
    }

    /// Enough to hide the round trips of a far server.
    static let most = 256

    private let state = Lock(State())

    /// Waits for a place among `places`; ``leave()`` gives it back.
    func enter(_ places: Int) async throws(RequestFailure) {
        let turn = Turn(places: places)
        state.withLock { $0.turns.append(turn) }
        goOn()
        do throws(RequestFailure) {
            try await turn.pending.value()
        } catch {
            state.withLock { state in
                if let place = state.turns.firstIndex(where: { $0.pending === turn.pending }) {
                    state.turns.remove(at: place)
                } else {
                    state.open -= 1
                }
            }
            goOn()
            throw error
        }
    }

    /// - Returns: How many others are open.
    func leave() -> Int {
        let others = state.withLock { state in
            state.open -= 1
            return state.open
        }
        goOn()
        return others
    }

    /// From now on no more than `places` are open at once.
    func settle(for places: Int) {
        state.withLock { $0.limit = min($0.limit, places) }
    }

    private func goOn() {
        for turn in state.withLock({ $0.next() }) { turn.pending.finish(.success(())) }
    }
}
