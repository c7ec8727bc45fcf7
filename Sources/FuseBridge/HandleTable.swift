import Primitives
import Synchronization
import VirtualTree

/// What the kernel holds open, by the number it was given for it.
final class HandleTable: Sendable {
    enum Handle: Sendable {
        case file(any OpenFile)
        case control(any ControlSession)
        case directory(Listing)
    }

    /// A directory as it was when it was opened, so that a listing in several requests is whole.
    struct Listing: Sendable {
        let entries: [DirectoryEntry]
        let directory: NodeID
        let parent: NodeID
    }

    private struct State {
        var next: UInt64 = 1
        var handles: [UInt64: Handle] = [:]
    }

    private let state = Mutex(State())

    func add(_ handle: Handle) -> UInt64 {
        state.withLock { state in
            defer { state.next += 1 }
            state.handles[state.next] = handle
            return state.next
        }
    }

    subscript(number: UInt64) -> Handle? { state.withLock { $0.handles[number] } }

    func remove(_ number: UInt64) -> Handle? {
        state.withLock { $0.handles.removeValue(forKey: number) }
    }

    var count: Int { state.withLock { $0.handles.count } }
}
