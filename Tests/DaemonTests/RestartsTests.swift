import Testing

@testable import Daemon

@Suite struct RestartsTests {
    private let crash = OwnProcess.End.killed(signal: 11)

    @Test func aServerThatSomebodyKilledIsReplacedAtOnceAndAlways() {
        var restarts = Restarts()
        for _ in 0..<100 {
            #expect(
                restarts.ended(.killed(signal: 9), hasServed: true, lifetime: .seconds(5))
                    == .restart(after: .zero)
            )
        }
    }

    @Test func aCrashLoopEnds() {
        var restarts = Restarts()
        var pauses: [Duration] = []
        for _ in 1..<Restarts.crashLimit {
            let decision = restarts.ended(crash, hasServed: true, lifetime: .seconds(2))
            if case .restart(let pause) = decision { pauses.append(pause) }
        }
        #expect(pauses.count == Restarts.crashLimit - 1)
        #expect(pauses == pauses.sorted() && pauses.first == .zero)
        #expect(restarts.ended(crash, hasServed: true, lifetime: .seconds(2)) == .giveUp)
    }

    @Test func aServerThatCannotEvenBeginIsACrash() {
        var restarts = Restarts()
        for _ in 1..<Restarts.crashLimit {
            _ = restarts.ended(.exited(1), hasServed: false, lifetime: .zero)
        }
        #expect(restarts.ended(.exited(1), hasServed: false, lifetime: .zero) == .giveUp)
    }

    /// Whoever kills at random meets a server that only begins a few times in a row.
    @Test func aServerThatWasKilledBeforeItServedIsReplacedSoon() {
        var restarts = Restarts()
        for _ in 0..<3 {
            for _ in 1..<Restarts.killLimit {
                #expect(
                    restarts.ended(.killed(signal: 9), hasServed: false, lifetime: .zero)
                        == .restart(after: Restarts.breath)
                )
            }
            _ = restarts.ended(.killed(signal: 9), hasServed: true, lifetime: .seconds(2))
            #expect(restarts.failures == 0)
        }
        for _ in 1..<Restarts.killLimit {
            _ = restarts.ended(.killed(signal: 9), hasServed: false, lifetime: .zero)
        }
        #expect(
            restarts.ended(.killed(signal: 9), hasServed: false, lifetime: .zero) == .giveUp
        )
    }

    @Test func aLongLifeIsForgiven() {
        var restarts = Restarts()
        for _ in 0..<20 {
            #expect(
                restarts.ended(crash, hasServed: true, lifetime: .seconds(3600))
                    == .restart(after: .zero)
            )
        }
    }
}

@Suite struct MessageSocketTests {
    @Test(arguments: [
        MessageSocket.Message.record, .takeOver, .start, .mounted, .ready, .password("a b "),
        .password(""), .progress("12 files"), .failed("no\nway", needsPassword: false),
        .failed("who are you", needsPassword: true),
    ])
    func aMessageArrivesAsItWasSent(_ message: MessageSocket.Message) throws {
        let (one, other) = try #require(MessageSocket.pair())
        one.send(message)
        #expect(other.receive()?.0 == message)
        one.close()
        #expect(other.receive() == nil)
        other.close()
    }
}
