internal import Glibc

/// Flags of open(2), so that only this folder's lowest layer imports the C library.
enum O {
    static let readWrite = O_RDWR
    static let create = O_CREAT
    static let truncate = O_TRUNC
}

/// A cache directory that this process owns while the value lives.
///
///     lock                   flock(2) of the owner, with its process id as text
///     blocks/<key>.data      a version's bytes, sparse
///     blocks/<key>.map       whose they are, which are there, and their checksums;
///                            its modification time is the last read of the version,
///                            its execute bit says that the version is kept
///     index, touched         see ``SavedIndex``
final class StoreDirectory: Sendable {
    let path: String
    private let lock: Descriptor

    init(_ path: String) throws(CacheError) {
        self.path = path
        do {
            try StoreDirectory.make(path + "/blocks")
            lock = try Descriptor(path + "/lock", O_RDWR | O_CREAT)
        } catch {
            throw CacheError(
                .unusable,
                "use '\(path)' as cache; make it writable or choose another with --cache-dir",
                cause: error
            )
        }
        guard flock(lock.number, LOCK_EX | LOCK_NB) == 0 else {
            let owner = (try? lock.bytes(in: 0..<32)).map { String(decoding: $0, as: UTF8.self) }
            throw CacheError(
                .inUse,
                "lock cache '\(path)': process \(owner.flatMap { Int($0) } ?? 0) uses it; "
                    + "stop that process or choose another directory with --cache-dir"
            )
        }
        // Only for the message above; the lock itself needs no content.
        try? lock.setSize(0)
        try? lock.write(Array("\(getpid())".utf8), at: 0)
    }

    func data(_ key: VersionKey) -> String { "\(path)/blocks/\(key.name).data" }
    func map(_ key: VersionKey) -> String { "\(path)/blocks/\(key.name).map" }

    private static func make(_ path: String) throws(SystemError) {
        if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
        let parent = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        guard errno == ENOENT, parent.count > 0 else {
            throw SystemError(call: "mkdir '\(path)'", number: errno)
        }
        try make(parent.joined(separator: "/"))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else {
            throw SystemError(call: "mkdir '\(path)'", number: errno)
        }
    }

    /// Removes both files.
    ///
    /// The map goes first: data without a map is found and removed at start, a map without data
    /// would be, too.
    func remove(_ key: VersionKey) {
        unlink(map(key))
        unlink(data(key))
    }

    func setLastRead(_ nanoseconds: Int64, of key: VersionKey) {
        let time = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000),
            tv_nsec: Int(nanoseconds % 1_000_000_000)
        )
        utimensat(AT_FDCWD, map(key), [time, time], AT_SYMLINK_NOFOLLOW)
    }

    func setKept(_ isKept: Bool, of key: VersionKey) {
        chmod(map(key), isKept ? 0o700 : 0o600)
    }

    struct Found: Equatable {
        let key: VersionKey
        /// Bytes of disk of both files.
        let allocated: UInt64
        let lastRead: Int64
        let isKept: Bool
    }

    /// Every version in the directory: those that are `known` by their names alone, the others at
    /// two stat(2) each.
    ///
    /// Files without their other half are removed; other names are left alone.
    func scan(known: [VersionKey: Found] = [:]) throws(CacheError) -> [Found] {
        let (maps, datas) = try names()
        var found: [Found] = []
        found.reserveCapacity(maps.count)
        for key in maps {
            if let version = known[key], datas.contains(key) {
                found.append(version)
            } else if let version = version(key) {
                found.append(version)
            }
        }
        for key in datas where !maps.contains(key) { remove(key) }
        return found
    }

    private func names() throws(CacheError) -> (maps: Set<VersionKey>, datas: Set<VersionKey>) {
        guard let directory = opendir(path + "/blocks") else {
            let cause = SystemError(call: "opendir", number: errno)
            throw CacheError(.unusable, "list cache '\(path)'", cause: cause)
        }
        defer { closedir(directory) }
        var (maps, datas): (Set<VersionKey>, Set<VersionKey>) = ([], [])
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let parts = name.split(separator: ".")
            guard parts.count == 2, let key = VersionKey(name: parts[0]) else { continue }
            switch parts[1] {
            case "map": maps.insert(key)
            case "data": datas.insert(key)
            default: continue
            }
        }
        return (maps, datas)
    }

    private func version(_ key: VersionKey) -> Found? {
        guard let map = FileStatus(at: map(key)), let data = FileStatus(at: data(key)),
            map.isRegular, data.isRegular
        else {
            remove(key)
            return nil
        }
        return Found(
            key: key,
            allocated: map.allocated + data.allocated,
            lastRead: map.modifiedNanoseconds,
            isKept: map.isExecutable
        )
    }

    /// - Returns: nil when the file system does not say.
    func freeSpace() -> FreeSpace? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        let unit = UInt64(status.f_frsize)
        return FreeSpace(
            bytes: UInt64(status.f_bavail) * unit,
            totalBytes: UInt64(status.f_blocks) * unit,
            // btrfs has no fixed number of inodes and reports none at all.
            inodes: status.f_files == 0 ? .max : UInt64(status.f_favail),
            totalInodes: UInt64(status.f_files)
        )
    }
}
