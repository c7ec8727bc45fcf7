import Primitives
import VirtualTree

/// Which files of the library are open, and who reads each: this process, or the kernel itself.
///
/// A pure value. The kernel refuses an open (EIO) that mixes the two ways on one inode, or names
/// two local files for it, so the first handle decides for those that come while it is open. A
/// handle served by this process may have been mapped, which shows nowhere; so a file that
/// becomes complete is handed over when the last such handle is gone.
struct OpenModes {
    enum Mode: Equatable {
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

    private struct OpenNode {
        var mode: Mode
        var handles: Set<UInt64>
    }

    private var nodes: [NodeID: OpenNode] = [:]
    private var nodesByHandle: [UInt64: NodeID] = [:]

    /// What a new handle of `node` may be.
    ///
    /// - Parameters:
    ///   - node: The version of the file.
    ///   - isComplete: Whether there is a local file with all of its bytes.
    /// - Returns: The mode, as far as it is decided.
    func decide(_ node: NodeID, isComplete: Bool) -> Decision {
        if let open = nodes[node] { return .use(open.mode) }
        return isComplete ? .mayRegister : .use(.served)
    }

    mutating func opened(_ handle: UInt64, of node: NodeID, as mode: Mode) {
        nodes[node, default: OpenNode(mode: mode, handles: [])].handles.insert(handle)
        nodesByHandle[handle] = node
    }

    /// A handle is gone.
    ///
    /// - Returns: A registered file that nobody uses any more.
    mutating func closed(_ handle: UInt64) -> Int32? {
        guard let node = nodesByHandle.removeValue(forKey: handle) else { return nil }
        nodes[node]?.handles.remove(handle)
        guard let open = nodes[node], open.handles.isEmpty else { return nil }
        nodes[node] = nil
        if case .passedThrough(let backing) = open.mode { return backing }
        return nil
    }

    func node(of handle: UInt64) -> NodeID? { nodesByHandle[handle] }
}
