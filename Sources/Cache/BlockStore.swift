import Foundation
import Glibc
public import Logging
import Primitives
import Synchronization

/// The cache directory: file versions, who uses them, and how much room they take.
///
/// One process owns it. The limits are kept before each write, not swept up after.
public final class BlockStore: Sendable {
    /// How much room there is.
    public struct Limits: Sendable {
        /// Most bytes that blocks may take; nil for what ``freeBytes`` leaves.
        public var maximumBytes: UInt64?
        /// The disk keeps at least this free.
        public var freeBytes: UInt64 = 1 << 30
        /// The disk keeps at least this many inodes free.
        public var freeInodes: UInt64 = 1000

        public init() {}
    }

    public struct Statistics: Sendable {
        public var bytes: UInt64 = 0
        public var files = 0
        /// Blocks that readers found here.
        public var hits: UInt64 = 0
        /// Blocks that had to be fetched.
        public var misses: UInt64 = 0
        public var badBlocks: UInt64 = 0
        /// File versions that were dropped, wholly or but for their ends.
        public var evictions: UInt64 = 0
    }

    /// What media servers probe is kept longest: this much at either end.
    static let edge: UInt64 = 1 << 20

    private struct Entry {
        var bytes: UInt64
        var lastRead: Double
        var users = 0
        var isTrimmed = false
        /// While somebody uses it, or the committer has not yet written its map: another object
        /// of the same version would not see those blocks.
        weak var file: BlockFile?
    }

    private struct State {
        private(set) var entries: [String: Entry] = [:]
        /// Of all entries together: asked for before every write.
        private(set) var bytes: UInt64 = 0
        var statistics = Statistics()

        subscript(key: String) -> Entry? {
            get { entries[key] }
            set {
                bytes -= entries[key]?.bytes ?? 0
                bytes += newValue?.bytes ?? 0
                entries[key] = newValue
            }
        }
    }

    private let directory: String
    private let limits: Limits
    private let log: Logger
    private let lock: DirectoryLock
    private let state = Mutex(State())
    private let committer: Committer

    /// Takes the directory for this process.
    ///
    /// - Parameters:
    ///   - directory: Made when it is not there.
    ///   - limits: How much room there is.
    ///   - log: Where damage and full disks are told.
    /// - Throws: ``CacheError``: `.inUse` with the other process's number, `.unusable`.
    public init(
        directory: String,
        limits: Limits = Limits(),
        log: Logger
    ) throws(CacheError) {
        self.directory = directory
        self.limits = limits
        self.log = log
        do {
            try FileManager.default.createDirectory(
                atPath: directory + "/files",
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw CacheError(.unusable, "cannot make the cache directory '\(directory)': \(error)")
        }
        lock = try DirectoryLock(directory)
        committer = Committer(log: log)
        let found = Self.scan(directory + "/files")
        state.withLock { state in
            for (key, entry) in found { state[key] = entry }
        }
    }

    public var path: String { directory }
    public var maximumBytes: UInt64? { limits.maximumBytes }

    public var statistics: Statistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.files = state.entries.count
            statistics.bytes = state.bytes
            return statistics
        }
    }

    /// Writes down everything that was cached so far; to be called before the process ends.
    public func flush() { committer.flush() }

    // MARK: Files in use

    /// The version's blocks; paired with ``release(_:)``.
    func use(_ file: RemoteFile) -> BlockFile? {
        guard BlockMap.canHold(file), file.size > 0 else { return nil }
        let key = Self.key(file)
        return state.withLock { state in
            var entry = state[key] ?? Entry(bytes: 0, lastRead: 0)
            let known = entry.file.flatMap { $0.file == file ? $0 : nil }
            let open = known ?? BlockFile(file, key: key, base: "\(directory)/files/\(key)")
            entry.file = open
            entry.users += 1
            entry.bytes = open.presentBytes
            entry.lastRead = Date().timeIntervalSince1970
            entry.isTrimmed = false
            state[key] = entry
            return open
        }
    }

    func release(_ file: BlockFile) {
        let isLast = state.withLock { state in
            guard var entry = state[file.key], entry.file === file else { return false }
            entry.users -= 1
            entry.bytes = file.presentBytes
            state[file.key] = entry.users == 0 && entry.bytes == 0 ? nil : entry
            return entry.users == 0
        }
        if isLast { file.touch() }
    }

    func read(
        _ range: ByteRange,
        of file: BlockFile,
        into buffer: UnsafeMutableRawBufferPointer
    ) -> Bool {
        switch file.read(range, into: buffer) {
        case .whole:
            count { $0.hits += UInt64(BlockMap.blocks(of: range).count) }
            return true
        case .missing: return false
        case .damaged(let blocks):
            count { $0.badBlocks += UInt64(blocks.count) }
            let name = file.file.path.printable
            log.warning("\(blocks.count) cached blocks of '\(name)' are damaged and fetched again")
            committer.add(file, bytes: 0)
            return false
        }
    }

    /// Keeps fetched blocks, when there is room.
    func write(_ bytes: [UInt8], to blocks: Range<Int>, of file: BlockFile) {
        count { $0.misses += UInt64(blocks.count) }
        guard makeRoom(for: UInt64(bytes.count), in: file) else { return }
        var failure = file.write(bytes, to: blocks)
        if failure == ENOSPC || failure == EDQUOT, evict(atLeast: UInt64(bytes.count)) > 0 {
            failure = file.write(bytes, to: blocks)
        }
        guard failure == 0 else {
            let reason = String(cString: strerror(failure))
            log.warning(
                "cannot cache '\(file.file.path.printable)': \(reason); it is served uncached"
            )
            return
        }
        state.withLock { $0[file.key]?.bytes = file.presentBytes }
        committer.add(file, bytes: bytes.count)
    }

    private func count(_ body: (inout Statistics) -> Void) {
        state.withLock { body(&$0.statistics) }
    }

    // MARK: Room

    private func makeRoom(for bytes: UInt64, in file: BlockFile) -> Bool {
        let used = state.withLock { $0.bytes }
        var excess: UInt64 = 0
        if let most = limits.maximumBytes, used + bytes > most { excess = used + bytes - most }
        var disk = statvfs()
        if statvfs(directory, &disk) == 0 {
            let free = UInt64(disk.f_bavail) * UInt64(disk.f_frsize)
            if free < limits.freeBytes + bytes {
                excess = max(excess, limits.freeBytes + bytes - free)
            }
            // Some file systems count no inodes and say 0 of 0.
            if disk.f_files > 0, disk.f_favail < limits.freeInodes { excess = max(excess, 1) }
        }
        return excess == 0 || evict(atLeast: excess) >= excess
    }

    /// Drops what was not read for longest: first all but the ends, then the ends.
    ///
    /// - Returns: Bytes that were freed.
    private func evict(atLeast wanted: UInt64) -> UInt64 {
        var freed: UInt64 = 0
        while freed < wanted, let file = useVictim() {
            freed += file.dropMiddle(keeping: Self.edge)
            release(file)
            count { $0.evictions += 1 }
        }
        while freed < wanted, let bytes = removeVictim() {
            freed += bytes
            count { $0.evictions += 1 }
        }
        return freed
    }

    /// Opens the version that was not read for longest, among those that still have a middle.
    private func useVictim() -> BlockFile? {
        state.withLock { state in
            while let key = Self.victim(in: state, where: { !$0.isTrimmed }) {
                state[key]?.isTrimmed = true
                let base = "\(directory)/files/\(key)"
                guard let file = state[key]?.file ?? BlockFile.reopened(key: key, base: base)
                else { continue }
                state[key]?.file = file
                state[key]?.users = 1
                return file
            }
            return nil
        }
    }

    /// Deletes under the lock: whoever opens the version next must find no files or its own.
    private func removeVictim() -> UInt64? {
        state.withLock { state in
            guard let key = Self.victim(in: state, where: { _ in true }) else { return nil }
            unlink("\(directory)/files/\(key).map")
            unlink("\(directory)/files/\(key).data")
            defer { state[key] = nil }
            return state[key]?.bytes
        }
    }

    private static func victim(in state: State, where isMeant: (Entry) -> Bool) -> String? {
        state.entries.filter { $0.value.users == 0 && isMeant($0.value) }
            .min { $0.value.lastRead < $1.value.lastRead }?.key
    }

    // MARK: Names and start

    /// Two 64-bit FNV-1a hashes of the version.
    ///
    /// That two versions share both is so unlikely that the later one may take the place of the
    /// earlier: the map names its version in full.
    private static func key(_ file: RemoteFile) -> String {
        func hash(_ start: UInt64) -> UInt64 {
            var value = start
            func add(_ byte: UInt8) { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
            file.path.bytes.forEach(add)
            withUnsafeBytes(of: file.size.littleEndian) { $0.forEach(add) }
            withUnsafeBytes(of: file.modifiedSeconds.littleEndian) { $0.forEach(add) }
            return value
        }
        func hex(_ value: UInt64) -> String {
            let digits = String(value, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return hex(hash(0xcbf2_9ce4_8422_2325)) + hex(hash(0x9ae1_6a3b_2f90_404f))
    }

    /// Looks at names and sizes only; no file is opened.
    private static func scan(_ directory: String) -> [String: Entry] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        var entries: [String: Entry] = [:]
        for name in names where name.hasSuffix(".map") {
            let key = String(name.dropLast(4))
            var map = stat()
            var data = stat()
            guard stat("\(directory)/\(name)", &map) == 0,
                stat("\(directory)/\(key).data", &data) == 0
            else {
                unlink("\(directory)/\(name)")
                continue
            }
            entries[key] = Entry(
                bytes: UInt64(clamping: data.st_blocks) * 512,
                lastRead: Double(map.st_mtim.tv_sec)
            )
        }
        for name in names where name.hasSuffix(".data") && entries[String(name.dropLast(5))] == nil
        {
            unlink("\(directory)/\(name)")
        }
        return entries
    }
}

extension BlockFile {
    /// Opens a version that nobody uses, by what its own map says it is.
    static func reopened(key: String, base: String) -> BlockFile? {
        guard let bytes = contents(base + ".map"), let file = BlockMap.file(named: bytes) else {
            return nil
        }
        return BlockFile(file, key: key, base: base)
    }
}

extension BlockMap {
    /// The version that a map's header names.
    static func file(named bytes: [UInt8]) -> RemoteFile? {
        guard bytes.count >= headerSize else { return nil }
        func number(_ offset: Int, _ count: Int) -> UInt64 {
            bytes[offset..<(offset + count)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
        }
        let length = Int(number(36, 4))
        guard length <= headerSize - 44 else { return nil }
        let file = RemoteFile(
            path: RemotePath(bytes: Array(bytes[40..<(40 + length)])),
            size: number(20, 8),
            modifiedSeconds: Int64(bitPattern: number(28, 8))
        )
        // A damaged header could claim any size.
        guard file.size < 1 << 50, Array(bytes[..<headerSize]) == BlockMap(file).header else {
            return nil
        }
        return file
    }
}

/// Sees to it that only one process uses the directory.
private final class DirectoryLock: Sendable {
    /// Open, and so locked, as long as this object or the process lives.
    private let descriptor: Int32

    init(_ directory: String) throws(CacheError) {
        let path = directory + "/lock"
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw CacheError(
                .unusable,
                "cannot write to the cache directory '\(directory)': \(reason)"
            )
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let owner = (BlockFile.contents(path) ?? []).prefix { $0 != UInt8(ascii: "\n") }
            close(descriptor)
            throw CacheError(
                .inUse,
                "the cache '\(directory)' is used by process \(String(decoding: owner, as: UTF8.self));"
                    + " unmount that one first, or give this one its own --cache-dir and --data-dir"
            )
        }
        ftruncate(descriptor, 0)
        let line = "\(getpid())\n"
        pwrite(descriptor, line, line.utf8.count, 0)
    }

    deinit { close(descriptor) }
}
