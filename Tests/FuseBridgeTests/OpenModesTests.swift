import Testing
import VirtualTree

@testable import FuseBridge

/// The kernel refuses to mix the ways of reading one inode, so these rules keep them apart.
@Suite struct OpenModesTests {
    private let node = NodeID(rawValue: 7)
    private let other = NodeID(rawValue: 8)

    @Test func aFileWithMissingBytesIsServed() {
        #expect(OpenModes().decide(node, isComplete: false) == .use(.served))
    }

    @Test func aCompleteFileMayBeRegistered() {
        #expect(OpenModes().decide(node, isComplete: true) == .mayRegister)
    }

    @Test func aFileThatBecomesCompleteStaysServedWhileItIsOpen() {
        var modes = OpenModes()
        modes.opened(1, of: node, as: .served)
        #expect(modes.decide(node, isComplete: true) == .use(.served))
        #expect(modes.decide(other, isComplete: true) == .mayRegister)
        #expect(modes.closed(1) == nil)
        #expect(modes.decide(node, isComplete: true) == .mayRegister)
    }

    @Test func allHandlesOfAFileShareOneRegistration() {
        var modes = OpenModes()
        modes.opened(1, of: node, as: .passedThrough(backing: 5))
        // Also when the store no longer vouches for it.
        #expect(modes.decide(node, isComplete: false) == .use(.passedThrough(backing: 5)))
        modes.opened(2, of: node, as: .passedThrough(backing: 5))
        #expect(modes.closed(1) == nil)
        #expect(modes.closed(2) == 5)
        #expect(modes.decide(node, isComplete: false) == .use(.served))
    }

    @Test func aHandleThatIsClosedTwiceChangesNothing() {
        var modes = OpenModes()
        modes.opened(1, of: node, as: .passedThrough(backing: 5))
        modes.opened(2, of: node, as: .passedThrough(backing: 5))
        #expect(modes.closed(1) == nil)
        #expect(modes.closed(1) == nil)
        #expect(modes.closed(2) == 5)
    }
}
