internal import Glibc
internal import Primitives

/// What the store knew of its versions, on the disk, so that a start asks only for those that
/// were touched since.
///
///     index      every version as it was when the store was opened, or when it was closed
///     touched    keys of the versions that were touched since, each noted before it was
///
/// Nothing of it is needed: without it, or when it is not to be believed, every file is looked
/// at. It is believed after the store was closed, and after its process was killed; not after
/// the machine went down under it, which keeps some writes and loses others.
struct SavedIndex {
    private static let magic = Array("S2NIDX01".utf8)
    private static let recordSize = 33

    /// Whether the store was closed, so that nothing was touched since.
    let isClosed: Bool
    /// Which start of the machine it is from.
    let boot: String
    /// When a name last came into the directory of the versions or left it.
    let directoryModified: Int64
    let versions: [StoreDirectory.Found]

    init(
        isClosed: Bool,
        boot: String,
        directoryModified: Int64,
        versions: [StoreDirectory.Found]
    ) {
        self.isClosed = isClosed
        self.boot = boot
        self.directoryModified = directoryModified
        self.versions = versions
    }

    /// The magic number, the three values, the number of versions, 33 bytes for each of them, and
    /// a CRC-32C of all that; numbers are little-endian.
    var bytes: [UInt8] {
        var bytes = Self.magic
        bytes.reserveCapacity(96 + Self.recordSize * versions.count)
        bytes.append(littleEndian: UInt32(isClosed ? 1 : 0))
        bytes.append(littleEndian: UInt32(boot.utf8.count))
        bytes += boot.utf8
        bytes.append(littleEndian: directoryModified)
        bytes.append(littleEndian: UInt64(versions.count))
        for version in versions {
            bytes.append(littleEndian: version.key.bits)
            bytes.append(littleEndian: version.allocated)
            bytes.append(littleEndian: version.lastRead)
            bytes.append(version.isKept ? 1 : 0)
        }
        bytes.append(littleEndian: bytes.withUnsafeBytes(checksum))
        return bytes
    }

    /// - Returns: nil when the bytes are not those of a whole index.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 36, bytes.starts(with: Self.magic) else { return nil }
        let end = bytes.count - 4
        guard
            bytes.withUnsafeBytes({ checksum(UnsafeRawBufferPointer(rebasing: $0[..<end])) })
                == bytes.littleEndian(UInt32.self, at: end)
        else { return nil }
        isClosed = bytes.littleEndian(UInt32.self, at: 8) == 1
        let bootEnd = 16 + Int(bytes.littleEndian(UInt32.self, at: 12))
        guard bootEnd + 16 <= end else { return nil }
        boot = String(decoding: bytes[16..<bootEnd], as: UTF8.self)
        directoryModified = bytes.littleEndian(Int64.self, at: bootEnd)
        let count = Int(clamping: bytes.littleEndian(UInt64.self, at: bootEnd + 8))
        guard count <= end, bootEnd + 16 + count * Self.recordSize == end else { return nil }
        versions = (0..<count).map { number in
            let place = bootEnd + 16 + number * Self.recordSize
            return StoreDirectory.Found(
                key: VersionKey(bits: bytes.littleEndian(UInt128.self, at: place)),
                allocated: bytes.littleEndian(UInt64.self, at: place + 16),
                lastRead: bytes.littleEndian(Int64.self, at: place + 24),
                isKept: bytes[place + 32] == 1
            )
        }
    }

    /// Names this start of the machine; empty when the kernel does not.
    static var thisBoot: String {
        let file = try? Descriptor("/proc/sys/kernel/random/boot_id", O_RDONLY)
        let bytes = (try? file?.bytes(in: 0..<36)) ?? []
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension StoreDirectory {
    private var index: String { path + "/index" }
    fileprivate var touched: String { path + "/touched" }

    /// Every version in the directory, asked of the disk only where the saved index is not to be
    /// believed.
    ///
    /// Files without their other half are removed; other names are left alone.
    ///
    /// - Parameter boot: Names this start of the machine.
    /// - Returns: The versions, in no order.
    /// - Throws: ``CacheError`` when the directory cannot be listed.
    func versions(boot: String) throws(CacheError) -> [Found] {
        guard let saved = savedIndex(boot) else { return try scan() }
        guard !saved.isClosed || saved.directoryModified != modified else { return saved.versions }
        var known: [VersionKey: Found] = [:]
        for version in saved.versions { known[version.key] = version }
        let isWhole = saved.isClosed || forEachTouched { known[$0] = nil }
        return try scan(known: isWhole ? known : [:])
    }

    private func savedIndex(_ boot: String) -> SavedIndex? {
        guard let saved = SavedIndex(contents(of: index)), !boot.isEmpty,
            saved.isClosed || saved.boot == boot
        else { return nil }
        return saved
    }

    /// - Returns: Whether there is such a list.
    private func forEachTouched(_ take: (VersionKey) -> Void) -> Bool {
        guard FileStatus(at: touched) != nil else { return false }
        let bytes = contents(of: touched)
        for place in stride(from: 0, to: bytes.count - 15, by: 16) {
            take(VersionKey(bits: bytes.littleEndian(UInt128.self, at: place)))
        }
        return true
    }

    private func contents(of path: String) -> [UInt8] {
        guard let file = try? Descriptor(path, O_RDONLY), let size = try? file.status().size else {
            return []
        }
        return (try? file.bytes(in: 0..<size)) ?? []
    }

    private var modified: Int64 { FileStatus(at: path + "/blocks")?.modifiedNanoseconds ?? 0 }

    /// Saves what is known of `versions`, so that it outlives a power cut.
    ///
    /// - Parameters:
    ///   - versions: All there are.
    ///   - isClosed: Whether none will be touched after this.
    ///   - boot: Names this start of the machine.
    /// - Throws: ``SystemError``; there is no index then.
    func save(_ versions: [Found], isClosed: Bool, boot: String) throws(SystemError) {
        let saved = SavedIndex(
            isClosed: isClosed,
            boot: boot,
            directoryModified: modified,
            versions: versions
        )
        let new = index + ".new"
        do throws(SystemError) {
            let file = try Descriptor(new, O_WRONLY | O_CREAT | O_TRUNC)
            try file.write(saved.bytes, at: 0)
            try file.synchronise()
            guard rename(new, index) == 0 else {
                throw SystemError(call: "rename '\(new)'", number: errno)
            }
            try Descriptor(path, O_RDONLY | O_DIRECTORY).synchronise()
        } catch {
            unlink(new)
            forgetIndex()
            throw error
        }
    }

    /// Has the next start look at everything.
    ///
    /// - Returns: Whether there is no index any more.
    @discardableResult
    func forgetIndex() -> Bool { unlink(index) == 0 || errno == ENOENT }
}

/// The list of versions that were touched since the index was saved.
final class TouchedVersions: Sendable {
    private let directory: StoreDirectory
    private let state: Lock<State>

    private struct State {
        /// nil when none is kept.
        var file: Descriptor?
        var known: Set<VersionKey> = []
        /// Whether there may be an index that knows nothing of this list.
        var hasIndex = false
    }

    /// Begins an empty list, or none when the disk does not allow it.
    ///
    /// - Parameter directory: Its index has been saved, or forgotten.
    init(in directory: StoreDirectory) {
        self.directory = directory
        let file = try? Descriptor(directory.touched, O_WRONLY | O_CREAT | O_TRUNC)
        state = Lock(State(file: file, hasIndex: file == nil))
    }

    /// Notes `key`, before anything on the disk is changed that the index knows of it.
    func note(_ key: VersionKey) {
        state.withLock { state in
            guard let file = state.file else {
                // Tried again: a disk that was read-only may have become writable.
                if state.hasIndex { state.hasIndex = !directory.forgetIndex() }
                return
            }
            guard state.known.insert(key).inserted else { return }
            var bytes: [UInt8] = []
            bytes.append(littleEndian: key.bits)
            do {
                try file.write(bytes, at: 16 * UInt64(state.known.count - 1))
            } catch {
                state.file = nil
                state.hasIndex = !directory.forgetIndex()
            }
        }
    }

    /// Ends the list; `save` makes an index that is right without it.
    func end(_ save: () throws(SystemError) -> Void) throws(SystemError) {
        var failure: SystemError?
        state.withLock { state in
            do throws(SystemError) {
                try save()
            } catch {
                failure = error
            }
            state.file = nil
            state.hasIndex = true
            unlink(directory.touched)
        }
        if let failure { throw failure }
    }
}
