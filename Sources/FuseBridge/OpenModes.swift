import Primitives
import VirtualTree

/// Which files of the library are open, and who reads each: this process, or the kernel itself.
///
/// A pure value. The kernel refuses an open (EIO) that mixes the two ways on one inode, or names
/// two local files for it, so the first handle decides for those that come while it is open. A
/// handle served by this process may have been mapped, which shows nowhere; so a file that
/// becomes complete is handed over when the last such handle is gone.
///
/// To tell the kernel of a local file takes longer than all else of an open. So it stays told for
/// a moment after the last handle is gone, for those who open files again and again.
struct OpenModes {
    enum Mode: Hashable {
        /// This process answers its reads.
        case served
        /// The kernel reads the registered local file.
        case passedThrough(backing: Int32)
    }

    enum Decision: Equatable {
        case use(Mode)
        /// The local file may be registered: then it is `.passedThrough`, else `.served`.
        case mayRegister
    }

    /// A local file that the kernel was told of.
    struct Registration: Equatable {
        let backing: Int32
        let copy: LocalCopy
        let made: ContinuousClock.Instant

        var end: ContinuousClock.Instant { made + OpenModes.idleTime }
    }

    /// What becomes of the registered file of a handle that is gone.
    enum Rest: Equatable {
        /// There is none, or others use it.
        case nothing
        /// It stays registered.
        case idle(Registration, of: NodeID)
        case unused(backing: Int32)
    }

    private struct OpenNode {
        var mode: Mode
        /// nil when a predecessor made it.
        var registration: Registration?
        var handles: Set<UInt64>
    }

    /// A registration is not used again after that: the disk may be another by then.
    static let idleTime = Duration.seconds(10)
    /// The kernel needs about a kilobyte for each.
    static let mostIdle = 16_384

    private var nodes: [NodeID: OpenNode] = [:]
    private var nodesByHandle: [UInt64: NodeID] = [:]
    private var idle: [NodeID: Registration] = [:]

    /// What a new handle of `node` is, when no local file has to be opened to know it.
    ///
    /// - Parameters:
    ///   - node: The version of the file.
    ///   - copy: The local file with all of its bytes, when there is one.
    ///   - now: The time.
    /// - Returns: Its mode; nil when the local file, if any, has to be registered.
    func known(_ node: NodeID, _ copy: LocalCopy?, at now: ContinuousClock.Instant) -> Mode? {
        if let open = nodes[node] { return open.mode }
        guard let idle = idle[node], idle.copy == copy, now < idle.end else { return nil }
        return .passedThrough(backing: idle.backing)
    }

    /// What a new handle of `node` may be.
    ///
    /// - Parameters:
    ///   - node: The version of the file.
    ///   - copy: The local file with all of its bytes, when there is one.
    ///   - now: The time.
    /// - Returns: The mode, as far as it is decided.
    func decide(
        _ node: NodeID,
        _ copy: LocalCopy?,
        at now: ContinuousClock.Instant
    ) -> Decision {
        if let mode = known(node, copy, at: now) { return .use(mode) }
        return copy != nil ? .mayRegister : .use(.served)
    }

    /// A handle was made.
    ///
    /// - Parameters:
    ///   - handle: Its number.
    ///   - node: The version of the file.
    ///   - mode: How it is read.
    ///   - registration: The one that was just made for it.
    /// - Returns: Whether its registered file was idle.
    @discardableResult
    mutating func opened(
        _ handle: UInt64,
        of node: NodeID,
        as mode: Mode,
        _ registration: Registration? = nil
    ) -> Bool {
        nodesByHandle[handle] = node
        guard nodes[node] == nil else {
            nodes[node]?.handles.insert(handle)
            return false
        }
        var registration = registration
        let wasIdle = idle[node].map { mode == .passedThrough(backing: $0.backing) } ?? false
        if wasIdle { registration = idle.removeValue(forKey: node) }
        nodes[node] = OpenNode(mode: mode, registration: registration, handles: [handle])
        return wasIdle
    }

    /// A handle is gone.
    mutating func closed(_ handle: UInt64, at now: ContinuousClock.Instant) -> Rest {
        guard let node = nodesByHandle.removeValue(forKey: handle) else { return .nothing }
        nodes[node]?.handles.remove(handle)
        guard let open = nodes[node], open.handles.isEmpty else { return .nothing }
        nodes[node] = nil
        guard case .passedThrough(let backing) = open.mode else { return .nothing }
        guard let registration = open.registration, now < registration.end, idle[node] == nil,
            idle.count < Self.mostIdle
        else { return .unused(backing: backing) }
        idle[node] = registration
        return .idle(registration, of: node)
    }

    var hasIdle: Bool { !idle.isEmpty }

    /// Takes what is registered and unused.
    ///
    /// - Parameter now: Takes those only whose time is over; nil takes all.
    /// - Returns: They are to be unregistered.
    mutating func takeIdle(endedBy now: ContinuousClock.Instant?) -> [NodeID: Registration] {
        let taken = idle.filter { entry in now.map { $0 >= entry.value.end } ?? true }
        for node in taken.keys { idle[node] = nil }
        return taken
    }

    func node(of handle: UInt64) -> NodeID? { nodesByHandle[handle] }
}
