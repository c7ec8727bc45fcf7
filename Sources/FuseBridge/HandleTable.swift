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
        var idlePlaces: [NodeID: Int] = [:]
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
    ///   - copy: The local file that the kernel could read itself.
    ///   - register: Tells the kernel of it; nil when it does not take it. Called under the lock,
    ///     so that two opens never register two.
    /// - Returns: The handle's number, and what its open is to be answered with.
    func add(
        _ file: any OpenFile,
        of node: NodeID,
        _ copy: LocalCopy?,
        register: () -> Int32?
    ) -> (handle: UInt64, mode: OpenModes.Mode) {
        let now = ContinuousClock.now
        return state.withLock { state in
            var registration: OpenModes.Registration?
            let mode: OpenModes.Mode
            switch state.modes.decide(node, copy, at: now) {
            case .use(let decided): mode = decided
            case .mayRegister:
                let backing = register()
                mode = backing.map { .passedThrough(backing: $0) } ?? .served
                if let backing, let copy {
                    registration = .init(backing: backing, copy: copy, made: now)
                }
            }
            return (add(file, node, mode, registration, to: &state), mode)
        }
    }

    /// Adds a file of the library when it is decided who reads it.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - node: Its version.
    ///   - copy: The local file that the kernel could read itself.
    /// - Returns: As ``add(_:of:_:register:)``; nil when the local file must be opened first.
    func add(
        _ file: any OpenFile,
        ofKnown node: NodeID,
        _ copy: LocalCopy?
    ) -> (handle: UInt64, mode: OpenModes.Mode)? {
        let now = ContinuousClock.now
        return state.withLock { state in
            guard let mode = state.modes.known(node, copy, at: now) else { return nil }
            return (add(file, node, mode, nil, to: &state), mode)
        }
    }

    private func add(
        _ file: any OpenFile,
        _ node: NodeID,
        _ mode: OpenModes.Mode,
        _ registration: OpenModes.Registration?,
        to state: inout State
    ) -> UInt64 {
        let number = state.next
        state.next += 1
        state.handles[number] = .file(file)
        let wasIdle = state.modes.opened(number, of: node, as: mode, registration)
        state.places[number] = record.add(number, node, mode)
        if wasIdle, let place = state.idlePlaces.removeValue(forKey: node) { record.remove(place) }
        return number
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
    /// - Returns: It, and what becomes of a registered local file that nobody uses any more.
    func remove(_ number: UInt64) -> (handle: Handle?, rest: OpenModes.Rest) {
        let now = ContinuousClock.now
        return state.withLock { state in
            let rest = state.modes.closed(number, at: now)
            if case .idle(let registration, let node) = rest {
                state.idlePlaces[node] = record.add(idle: registration.backing)
            }
            if let place = state.places.removeValue(forKey: number) { record.remove(place) }
            return (state.handles.removeValue(forKey: number), rest)
        }
    }

    /// Takes the registered local files that nobody uses.
    ///
    /// - Parameter now: Takes those only whose time is over; nil takes all.
    /// - Returns: Their numbers, to be unregistered, and whether there are others.
    func takeIdle(endedBy now: ContinuousClock.Instant?) -> (backings: [Int32], hasMore: Bool) {
        state.withLock { state in
            guard state.modes.hasIdle else { return ([], false) }
            let taken = state.modes.takeIdle(endedBy: now)
            for node in taken.keys {
                if let place = state.idlePlaces.removeValue(forKey: node) { record.remove(place) }
            }
            return (taken.values.map(\.backing), state.modes.hasIdle)
        }
    }

    var count: Int { state.withLock { $0.handles.count } }
}
