import Primitives
import VirtualTree

/// What the kernel holds open, by the number it was given for it.
///
/// The number's top 16 bits tell which process gave it: one of a predecessor is known from the
/// mount's record, and is opened anew when it is first read.
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
        var next: UInt64
        var handles: [UInt64: Handle] = [:]
        var modes = OpenModes()
        /// In the mount's record.
        var places: [UInt64: Int] = [:]
    }

    private let record: MountRecord
    private let state: Lock<State>

    init(_ record: MountRecord) {
        self.record = record
        var state = State(next: record.generation << 48 | 1)
        for file in record.openFiles {
            state.modes.opened(file.handle, of: file.node, as: file.mode)
            state.places[file.handle] = file.place
        }
        self.state = Lock(state)
    }

    /// Adds what is no file of the library.
    func add(_ handle: Handle) -> UInt64 {
        state.withLock { state in
            defer { state.next += 1 }
            state.handles[state.next] = handle
            return state.next
        }
    }

    /// Adds a file of the library, and decides who reads it.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - node: Its version.
    ///   - isComplete: Whether the kernel could read it itself.
    ///   - register: Tells the kernel of the local file; nil when it does not take it. Called
    ///     under the lock, so that two opens never register two.
    /// - Returns: The handle's number, and what its open is to be answered with.
    func add(
        _ file: any OpenFile,
        of node: NodeID,
        isComplete: Bool,
        register: () -> Int32?
    ) -> (handle: UInt64, mode: OpenModes.Mode) {
        state.withLock { state in
            let number = state.next
            state.next += 1
            var mode: OpenModes.Mode
            switch state.modes.decide(node, isComplete: isComplete) {
            case .use(let decided): mode = decided
            case .mayRegister: mode = register().map { .passedThrough(backing: $0) } ?? .served
            }
            state.handles[number] = .file(file)
            state.modes.opened(number, of: node, as: mode)
            state.places[number] = record.add(number, node, mode)
            return (number, mode)
        }
    }

    /// Takes over a handle that a predecessor gave out.
    ///
    /// - Returns: nil when the number is none of a predecessor's.
    func adopt(_ number: UInt64, _ make: () -> Handle?) -> Handle? {
        guard number >> 48 != record.generation, let made = make() else { return nil }
        let (handle, isExtra) = state.withLock { state -> (Handle, Bool) in
            // Two reads may come at once.
            if let known = state.handles[number] { return (known, true) }
            state.handles[number] = made
            return (made, false)
        }
        if isExtra, case .file(let file) = made { file.close() }
        return handle
    }

    subscript(number: UInt64) -> Handle? { state.withLock { $0.handles[number] } }

    /// Removes what the kernel let go of.
    ///
    /// - Returns: It, and the number of a registered local file that nobody uses any more.
    func remove(_ number: UInt64) -> (handle: Handle?, unused: Int32?) {
        state.withLock { state in
            if let place = state.places.removeValue(forKey: number) { record.remove(place) }
            return (state.handles.removeValue(forKey: number), state.modes.closed(number))
        }
    }

    var count: Int { state.withLock { $0.handles.count } }
}
