public import Primitives

/// The number of a node: its inode and its FUSE node id.
///
/// It is made from the catalogue's numbers, so that it is the same after a remount and belongs
/// to one node only. The top byte says what kind of node it is.
public struct NodeID: RawRepresentable, Hashable, Sendable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// FUSE fixes the number of the root.
    public static let root = NodeID(rawValue: 1)
    public static let library = NodeID(kind: .fixed, 2)
    public static let views = NodeID(kind: .fixed, 3)
    public static let unrouted = NodeID(kind: .fixed, 4)

    public static func show(_ id: Int64) -> NodeID {
        NodeID(kind: .show, UInt64(clamping: id))
    }

    /// A season; its number is cut to 16 bits, which hold every season and every year.
    public static func season(_ number: Int, ofShow id: Int64) -> NodeID {
        NodeID(kind: .season, UInt64(clamping: id) << 16 | UInt64(UInt16(clamping: number)))
    }

    /// A version of a file at its place in the library, or as an unrouted file: it is only ever
    /// one of them.
    ///
    /// A file that was replaced is another node, so that handles of the old version and of the
    /// new never meet in the kernel.
    public static func file(_ id: Int64, _ file: RemoteFile) -> NodeID {
        var version = Fingerprint()
        version.add(file.size)
        version.add(UInt64(bitPattern: file.modifiedSeconds))
        let mark = UInt64(UInt16(truncatingIfNeeded: version.value >> 32))
        return NodeID(kind: .file, UInt64(clamping: id) << 16 | mark)
    }

    /// A directory of the seedbox, shown in the view of unrouted files.
    ///
    /// Directories have no number in the catalogue; 56 bits of a fingerprint of the path serve,
    /// and the tree's builder tells the rare two apart that share one.
    public static func remoteDirectory(fingerprint: UInt64) -> NodeID {
        NodeID(kind: .remoteDirectory, fingerprint)
    }

    /// A node of the control directory.
    public static func control(_ number: UInt64) -> NodeID {
        NodeID(kind: .control, number)
    }

    /// Whether this is a node of the control directory.
    public var isControl: Bool { rawValue >> 56 == Kind.control.rawValue }

    /// The number in the catalogue of the file that this is; nil for everything else.
    public var fileNumber: Int64? {
        guard rawValue >> 56 == Kind.file.rawValue else { return nil }
        return Int64(rawValue & (1 << 56 - 1)) >> 16
    }

    private enum Kind: UInt64 {
        case fixed = 0
        case show = 1
        case season = 2
        case file = 3
        case remoteDirectory = 4
        case control = 0x70
    }

    private init(kind: Kind, _ number: UInt64) {
        rawValue = kind.rawValue << 56 | number & (1 << 56 - 1)
    }
}
