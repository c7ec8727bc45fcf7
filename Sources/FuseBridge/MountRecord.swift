import CFuse3
import CSystem
import Glibc
import Primitives
import VirtualTree

/// What a mount is, apart from the process that serves it: memory that a successor takes over.
///
/// One a process, because libfuse's callbacks are given no other place to find it.
public final class MountRecord: Sendable {
    /// Bytes.
    public static var size: UInt64 { sync2nas_fuse_record_size() }

    /// To be handed to a successor.
    public let descriptor: Int32
    /// 1 for the process that mounted, 2 for its successor, and so on.
    let generation: UInt64

    /// Free places of the table of open files.
    private let free: Lock<[Int]>

    /// - Parameter descriptor: A predecessor's, or nil for a new mount.
    /// - Throws: ``MountError`` when there is no memory.
    public init(_ descriptor: Int32? = nil) throws(MountError) {
        let descriptor = descriptor ?? sync2nas_memory_file(sync2nas_fuse_record_size())
        guard descriptor >= 0, sync2nas_fuse_use_record(descriptor) == 0 else {
            throw MountError(
                "cannot keep the mount's state in memory",
                details: [String(cString: strerror(errno))]
            )
        }
        self.descriptor = descriptor
        generation = UInt64(sync2nas_fuse_next_generation())
        let table = Self.table
        // The last places first, so that the table's first pages are the ones in use.
        free = Lock(table.indices.reversed().filter { table[$0].handle == 0 })
    }

    private static var table: UnsafeMutableBufferPointer<sync2nas_fuse_open_file> {
        UnsafeMutableBufferPointer(
            start: sync2nas_fuse_open_files(),
            count: Int(SYNC2NAS_FUSE_OPEN_FILES)
        )
    }

    /// In place of a handle: the kernel knows the local file, and nothing has it open.
    private static let idle = UInt64.max

    /// The files that the kernel holds open.
    var openFiles: [(handle: UInt64, node: NodeID, mode: OpenModes.Mode, place: Int)] {
        let table = Self.table
        let used = table.indices.filter { table[$0].handle != 0 && table[$0].handle != Self.idle }
        return used.map { index in
            let entry = table[index]
            let mode: OpenModes.Mode =
                entry.backing == 0 ? .served : .passedThrough(backing: entry.backing)
            return (entry.handle, NodeID(rawValue: entry.node), mode, index)
        }
    }

    /// Writes down an open file, before the kernel hears of it.
    ///
    /// - Returns: Its place, or nil when the table is full.
    func add(_ handle: UInt64, _ node: NodeID, _ mode: OpenModes.Mode) -> Int? {
        guard let place = free.withLock({ $0.popLast() }) else { return nil }
        let backing = if case .passedThrough(let backing) = mode { backing } else { Int32(0) }
        let entry = Self.table.baseAddress.map { $0 + place }
        entry?.pointee.node = node.rawValue
        entry?.pointee.backing = backing
        // Last: a place without a handle is free.
        entry?.pointee.handle = handle
        return place
    }

    /// Writes down that the kernel still knows a local file that it does not hold open.
    ///
    /// - Returns: Its place, or nil when the table is full.
    func add(idle backing: Int32) -> Int? {
        add(Self.idle, NodeID(rawValue: 0), .passedThrough(backing: backing))
    }

    /// What a predecessor left known to the kernel and unused; to be called once.
    func takeIdle() -> [Int32] {
        let table = Self.table
        let used = Set(openFiles.map(\.mode))
        return table.indices.filter { table[$0].handle == Self.idle }.compactMap { place in
            let backing = table[place].backing
            remove(place)
            // Its end or its opening may have been written down by half.
            return used.contains(.passedThrough(backing: backing)) ? nil : backing
        }
    }

    func remove(_ place: Int) {
        Self.table[place].handle = 0
        free.withLock { $0.append(place) }
    }

    /// Answers with EIO what the server of a mount has taken and will not answer.
    ///
    /// For a process that serves nothing itself.
    ///
    /// - Parameters:
    ///   - mount: The kernel's end of the mount.
    ///   - record: The mount's record.
    public static func failRequests(of mount: Int32, in record: Int32) {
        sync2nas_fuse_fail_requests(mount, record)
    }

    /// The fingerprint of the tree that the kernel's memory of names agrees with.
    var told: UInt64 {
        get { sync2nas_fuse_told() }
        set { sync2nas_fuse_set_told(newValue) }
    }
}
