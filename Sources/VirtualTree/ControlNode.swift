/// The part of the tree that is not computed from the catalogue: operations as files.
///
/// Every call answers from memory, at once. Implementations give each node a number of
/// ``NodeID/control(_:)`` that stays its own while the mount lives.
public protocol ControlTree: Sendable {
    /// The node that becomes `control` in the root.
    var root: NodeID { get }

    func attributes(of id: NodeID) -> NodeAttributes?

    /// - Returns: nil when `id` is no directory.
    func entries(of id: NodeID) -> [DirectoryEntry]?

    /// - Returns: nil when `id` is no file.
    func open(_ id: NodeID) -> (any ControlSession)?
}

/// One open file of the control directory.
public protocol ControlSession: Sendable {
    /// What a reader of this handle sees: the state when it was opened, or the answer to what was
    /// written to this handle since.
    func contents() -> [UInt8]

    /// Takes what was written and runs every line of it that is complete.
    ///
    /// - Parameter bytes: Any bytes; input that makes no sense is refused, never trusted.
    /// - Throws: ``ControlError``; the reason can then be read from the same handle.
    func write(_ bytes: [UInt8]) async throws(ControlError)

    /// Runs a last line that has no line feed. Called once, before the handle is closed.
    ///
    /// - Throws: ``ControlError``.
    func finish() async throws(ControlError)
}

/// Why a write to a control file was refused, in the words that `errno` has for it.
public struct ControlError: Error, Sendable {
    public enum Code: Sendable {
        /// The input makes no sense, or means several things.
        case invalid
        case notFound
        case alreadyExists
        /// The same work is under way.
        case busy
        /// The file cannot be written to.
        case notPermitted
        /// The seedbox, TMDB or the disk failed.
        case failed
        /// The writer was interrupted.
        case interrupted
    }

    public let code: Code

    public init(_ code: Code) {
        self.code = code
    }
}
