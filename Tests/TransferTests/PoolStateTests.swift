import Testing

@testable import Transfer

@Suite struct PoolStateTests {
    private let start = ContinuousClock.now
    private let refused = ConnectionError(.loginRefused, "no")
    private let unreachable = ConnectionError(.unreachable, "no")

    private func open(_ count: Int, of limit: Int) -> PoolState {
        var state = PoolState(limit: limit)
        _ = state.requested(isBusy: false, now: start)
        state.opened(1, now: start)
        for id in 2..<(count + 1) {
            _ = state.requested(isBusy: true, now: start)
            state.opened(id, now: start)
        }
        return state
    }

    @Test func onlyTheFirstRequestConnects() {
        var state = PoolState(limit: 4)
        #expect(state.requested(isBusy: false, now: start) == .waitAndConnect(id: 1))
        #expect(state.requested(isBusy: false, now: start) == .wait)
        state.opened(1, now: start)
        #expect(state.requested(isBusy: false, now: start) == .use)
    }

    @Test func workOpensOneMoreAtATimeUpToTheLimit() {
        var state = open(1, of: 2)
        #expect(state.requested(isBusy: true, now: start) == .useAndConnect(id: 2))
        #expect(state.requested(isBusy: true, now: start) == .use)
        state.opened(2, now: start)
        #expect(state.requested(isBusy: true, now: start) == .use)
    }

    @Test func aRefusedFurtherConnectionIsNotAskedForSoon() {
        var state = open(2, of: 4)
        _ = state.requested(isBusy: true, now: start)
        #expect(state.failed(3, unreachable, now: start, jitter: 1) == .nothing)
        #expect(state.failure == nil)
        #expect(state.requested(isBusy: true, now: start + .seconds(59)) == .use)
        #expect(state.requested(isBusy: true, now: start + .seconds(60)) == .useAndConnect(id: 4))
    }

    @Test func pausesDoubleUpToAQuarterOfAMinute() {
        var state = PoolState(limit: 1)
        _ = state.requested(isBusy: false, now: start)
        for (attempt, pause) in [1, 2, 4, 8, 15, 15].enumerated() {
            let step = state.failed(attempt + 1, unreachable, now: start, jitter: 1)
            #expect(step == .retry(at: start + .seconds(pause)))
            #expect(state.retryDue() == .connect(id: attempt + 2))
        }
    }

    @Test func readersWaitForAServerThatIsDown() {
        var state = PoolState(limit: 1)
        _ = state.requested(isBusy: false, now: start)
        _ = state.failed(1, unreachable, now: start, jitter: 1)
        #expect(state.requested(isBusy: false, now: start) == .wait)
    }

    @Test func aRefusedLoginFailsAtOnceAndIsNotRepeatedForAMinute() {
        var state = PoolState(limit: 1)
        _ = state.requested(isBusy: false, now: start)
        let step = state.failed(1, refused, now: start, jitter: 0.5)
        #expect(step == .retry(at: start + .seconds(60)))
        #expect(state.requested(isBusy: false, now: start + .seconds(59)) == .fail)
        let later = state.requested(isBusy: false, now: start + .seconds(60))
        #expect(later == .waitAndConnect(id: 2))
    }

    @Test func theFirstLossIsMendedAtOnce() {
        var state = open(1, of: 1)
        let closed = ConnectionError(.closed, "gone")
        #expect(state.ended(1, closed, now: start, jitter: 1) == .connect(id: 2))
        #expect(state.failingSince == start)
    }

    @Test func aServerThatHangsUpOnEverybodyIsNotPressed() {
        var state = open(1, of: 1)
        let closed = ConnectionError(.closed, "gone")
        _ = state.ended(1, closed, now: start, jitter: 1)
        state.opened(2, now: start)
        #expect(state.ended(2, closed, now: start, jitter: 1) == .retry(at: start + .seconds(1)))
        #expect(state.retryDue() == .connect(id: 3))
        state.opened(3, now: start)
        // It lived: what came before is forgotten.
        let later = start + .seconds(10)
        #expect(state.ended(3, closed, now: later, jitter: 1) == .connect(id: 4))
    }

    @Test func oneOfSeveralIsNotReplacedUntilNeeded() {
        var state = open(2, of: 2)
        let closed = ConnectionError(.closed, "gone")
        #expect(state.ended(1, closed, now: start, jitter: 1) == .nothing)
        #expect(state.ended(1, closed, now: start, jitter: 1) == .nothing)
        #expect(state.requested(isBusy: true, now: start) == .useAndConnect(id: 3))
    }

    @Test func nothingIsStartedAfterShutdown() {
        var state = open(1, of: 2)
        state.shutDown()
        #expect(state.requested(isBusy: true, now: start) == .fail)
        #expect(state.ended(1, unreachable, now: start, jitter: 1) == .nothing)
        #expect(state.retryDue() == .nothing)
    }
}
