import Primitives
import Testing
import VirtualTree

@testable import FuseBridge

/// The kernel refuses to mix the ways of reading one inode, so these rules keep them apart.
@Suite struct OpenModesTests {
    private let node = NodeID(rawValue: 7)
    private let other = NodeID(rawValue: 8)
    private let copy = LocalCopy(number: 3)
    private let now = ContinuousClock.now
    private let passed = OpenModes.Mode.passedThrough(backing: 5)

    private func registration(of backing: Int32 = 5) -> OpenModes.Registration {
        OpenModes.Registration(backing: backing, copy: copy, made: now)
    }

    /// One whose registered file is idle.
    private func closed() -> OpenModes {
        var modes = OpenModes()
        modes.opened(1, of: node, as: passed, registration())
        _ = modes.closed(1, at: now)
        return modes
    }

    @Test func aFileWithMissingBytesIsServed() {
        #expect(OpenModes().decide(node, nil, at: now) == .use(.served))
    }

    @Test func aCompleteFileMayBeRegistered() {
        #expect(OpenModes().decide(node, copy, at: now) == .mayRegister)
        #expect(OpenModes().known(node, copy, at: now) == nil)
    }

    @Test func aFileThatBecomesCompleteStaysServedWhileItIsOpen() {
        var modes = OpenModes()
        modes.opened(1, of: node, as: .served)
        #expect(modes.decide(node, copy, at: now) == .use(.served))
        #expect(modes.decide(other, copy, at: now) == .mayRegister)
        #expect(modes.closed(1, at: now) == .nothing)
        #expect(modes.decide(node, copy, at: now) == .mayRegister)
    }

    @Test func allHandlesOfAFileShareOneRegistration() {
        var modes = OpenModes()
        modes.opened(1, of: node, as: passed)
        // Also when the store no longer vouches for it.
        #expect(modes.decide(node, nil, at: now) == .use(passed))
        modes.opened(2, of: node, as: passed)
        #expect(modes.closed(1, at: now) == .nothing)
        #expect(modes.closed(2, at: now) == .unused(backing: 5))
        #expect(modes.decide(node, nil, at: now) == .use(.served))
    }

    @Test func aHandleThatIsClosedTwiceChangesNothing() {
        var modes = OpenModes()
        modes.opened(1, of: node, as: passed)
        modes.opened(2, of: node, as: passed)
        #expect(modes.closed(1, at: now) == .nothing)
        #expect(modes.closed(1, at: now) == .nothing)
        #expect(modes.closed(2, at: now) == .unused(backing: 5))
    }

    @Test func aRegisteredFileIsUsedAgain() {
        var modes = OpenModes()
        modes.opened(1, of: node, as: passed, registration())
        #expect(modes.closed(1, at: now) == .idle(registration(), of: node))
        #expect(modes.known(node, copy, at: now) == passed)
        let wasIdle = modes.opened(2, of: node, as: passed)
        #expect(wasIdle)
        #expect(!modes.hasIdle)
        #expect(modes.closed(2, at: now) == .idle(registration(), of: node))
    }

    @Test func anotherLocalFileIsRegisteredItself() {
        var modes = closed()
        #expect(modes.decide(node, LocalCopy(number: 4), at: now) == .mayRegister)
        #expect(modes.decide(node, nil, at: now) == .use(.served))
        let wasIdle = modes.opened(2, of: node, as: .passedThrough(backing: 6), registration(of: 6))
        #expect(!wasIdle)
        #expect(modes.closed(2, at: now) == .unused(backing: 6))
        #expect(modes.takeIdle(endedBy: nil) == [node: registration()])
    }

    @Test func itsTimeBeginsWhenItIsRegistered() {
        let end = now + OpenModes.idleTime
        var modes = closed()
        #expect(modes.takeIdle(endedBy: now).isEmpty)
        #expect(modes.decide(node, copy, at: end) == .mayRegister)
        #expect(modes.takeIdle(endedBy: end) == [node: registration()])
        #expect(!modes.hasIdle)

        modes.opened(2, of: node, as: passed, registration())
        #expect(modes.closed(2, at: end) == .unused(backing: 5))
    }

    @Test func onlySoManyStayRegistered() {
        var modes = OpenModes()
        for number in 0..<OpenModes.mostIdle {
            let node = NodeID(rawValue: UInt64(100 + number))
            modes.opened(UInt64(number), of: node, as: passed, registration())
            _ = modes.closed(UInt64(number), at: now)
        }
        modes.opened(1, of: node, as: passed, registration())
        #expect(modes.closed(1, at: now) == .unused(backing: 5))
    }
}
