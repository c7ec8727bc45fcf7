import Testing

@testable import Transfer

/// What decides how much is asked for, and how fast.
@Suite struct PaceTests {
    private let start = ContinuousClock.now

    @Test func theWindowFollowsTheRateUpToTheLimit() {
        var way = WayMeter(limit: 32 << 20)
        #expect(way.window == 4 << 20)
        let trip = Duration.milliseconds(100)
        var now = start
        _ = way.received(1, roundTrip: trip, now: now)
        // Everything that is asked for comes within one round trip: the way is longer still.
        for _ in 0..<5 {
            now = now + trip
            _ = way.received(way.window, roundTrip: trip, now: now)
        }
        #expect(way.window == 32 << 20)
    }

    @Test func aFullWayIsNotFilledFurther() {
        var way = WayMeter(limit: 32 << 20)
        let trip = Duration.milliseconds(100)
        var now = start
        _ = way.received(1, roundTrip: trip, now: now)
        for _ in 0..<20 {
            now = now + trip
            _ = way.received(3 << 20, roundTrip: trip, now: now)
        }
        #expect(way.window == 6 << 20)
    }

    @Test(arguments: [(1, WayMeter.least), (10, 3_355_443), (40, 8 << 20)])
    func nearTheServerWhatComesInAMomentIsUnderWay(mebibytes: Int, window: Int) {
        var way = WayMeter(limit: 8 << 20)
        let trip = Duration.microseconds(200)
        _ = way.received(1, roundTrip: trip, now: start)
        _ = way.received(mebibytes << 20, roundTrip: trip, now: start + .milliseconds(100))
        #expect(way.window == window)
    }

    @Test func nearTheServerARateIsNotWaitedFor() {
        var way = WayMeter(limit: 32 << 20)
        _ = way.received(1, roundTrip: .zero, now: start)
        let changes = (0..<2).map { _ in
            way.received(1, roundTrip: .microseconds(200), now: start)
        }
        #expect(changes == [true, false])
        #expect(way.window == 8 << 20)
    }

    @Test func aPauseSaysNothingOfTheWay() {
        var way = WayMeter(limit: 32 << 20)
        _ = way.received(1, roundTrip: .milliseconds(50), now: start)
        _ = way.received(10, roundTrip: .milliseconds(50), now: start + .seconds(60))
        #expect(way.window == 4 << 20)
    }

    @Test(arguments: [(10.0, 1), (30, 1), (50, 100_000), (900, 256 << 10)])
    func whatComesInAMomentIsWaitedFor(megabytesPerSecond: Double, mark: Int) {
        var lowWater = LowWater()
        lowWater.measured(rate: megabytesPerSecond * 1e6)
        _ = lowWater.update(outstanding: 8 << 20)
        #expect(lowWater.mark == mark)
        // The last bytes of a read must not wait for others.
        _ = lowWater.update(outstanding: 900_000)
        #expect(lowWater.mark == 1)
    }

    @Test func aMarkThatIsNotReachedStaysDown() {
        var lowWater = LowWater()
        lowWater.measured(rate: 200e6)
        let changes = (0..<2).map { _ in lowWater.update(outstanding: 8 << 20) }
        #expect(changes == [true, false])
        lowWater.missed()
        let isOther = lowWater.update(outstanding: 8 << 20)
        #expect(isOther)
        #expect(!lowWater.isRaised)
        lowWater.measured(rate: 200e6)
        _ = lowWater.update(outstanding: 8 << 20)
        #expect(lowWater.isRaised)
    }

    @Test func readersWaitForReadersOnly() {
        var limiter = RateLimiter()
        #expect(limiter.take(1000, isReader: false, rate: 1000, now: start) == nil)
        #expect(limiter.take(500, isReader: true, rate: 1000, now: start) == nil)
        let readersNext = limiter.take(500, isReader: true, rate: 1000, now: start)
        #expect(readersNext == start + .milliseconds(500))
        let next = limiter.take(1, isReader: false, rate: 1000, now: start)
        #expect(next == start + .milliseconds(1500))
        #expect(limiter.take(1, isReader: false, rate: 1000, now: start + .seconds(2)) == nil)
    }

    @Test func theRateFollowsTheTimeOfTheWeek() {
        let day = RateSchedule.minutesPerDay
        let schedule = RateSchedule([
            .init(minute: day + 480, rate: 100), .init(minute: 6 * day, rate: nil),
        ])
        #expect(schedule.rate(atMinute: day + 479) == nil)
        #expect(schedule.rate(atMinute: day + 480) == 100)
        #expect(schedule.rate(atMinute: 5 * day) == 100)
        #expect(schedule.rate(atMinute: 6 * day + 1) == nil)
        #expect(schedule.rate(atMinute: 0) == nil)
        #expect(RateSchedule.unlimited.rate(atMinute: 5) == nil)
    }

    @Test func aWalkThroughTheLibraryIsNotExpectedToOpenIt() {
        var expectations = Expectations()
        var taken = 0
        for _ in 0..<100 where expectations.take(now: start) { taken += 1 }
        #expect(taken == 16)
        let isTaken = expectations.take(now: start + .seconds(1))
        #expect(isTaken)
    }
}
