/// What the store knows of all its versions without opening them, and which one gives way.
///
/// A pure value: the store reports what happened and does what comes back.
struct StoreIndex {
    struct Entry {
        /// Bytes of disk at the last measurement.
        var allocated: UInt64
        /// Bytes promised to writes that no measurement has seen yet.
        ///
        /// A version with any is in use.
        var reserved: UInt64 = 0
        /// A time in nanoseconds since 1970 that never goes back, even when the clock does.
        var lastRead: Int64
        var isKept: Bool
        /// Nothing but head and tail is left of it.
        var isTrimmed = false
        var isBeingEvicted = false
        /// Tells an entry from an earlier one of the same key.
        let serial: UInt64

        /// Whether cutting the middle out can free anything.
        ///
        /// What is no bigger than a head and a tail, their maps and a rounded end counts as if it
        /// were just that.
        var hasMiddle: Bool { !isTrimmed && allocated > (2 << 20) + (128 << 10) }
    }

    struct Victim: Equatable {
        let key: VersionKey
        /// Whether only the bytes between head and tail go.
        let keepsHeadAndTail: Bool
    }

    enum Decision: Equatable {
        /// The bytes are reserved.
        case granted
        /// Evict this one and ask again.
        case evict(Victim)
        /// Nothing can give way. Serve without caching.
        case refused
    }

    private(set) var entries: [VersionKey: Entry] = [:]
    /// Open handles.
    ///
    /// Kept apart from the entries because a version may be opened before its first block comes.
    private var handles: [VersionKey: Int] = [:]
    /// Kept versions that have no block yet.
    private var keptUnseen: Set<VersionKey> = []
    /// Bytes, allocated and reserved.
    private(set) var total: UInt64 = 0
    /// Reserved bytes that were not written yet, so that the file system still counts them
    /// as free.
    private var unwritten: UInt64 = 0
    private var lastTime: Int64 = 0
    private var serial: UInt64 = 0
    var rules: SpaceRules

    init(rules: SpaceRules) {
        self.rules = rules
    }

    mutating func found(_ key: VersionKey, allocated: UInt64, lastRead: Int64, isKept: Bool) {
        serial += 1
        entries[key] = Entry(
            allocated: allocated,
            lastRead: lastRead,
            isKept: isKept,
            serial: serial
        )
        total += allocated
        lastTime = max(lastTime, lastRead)
    }

    // MARK: Use

    func isInUse(_ key: VersionKey) -> Bool {
        handles[key] != nil || (entries[key]?.reserved ?? 0) > 0
    }

    mutating func opened(_ key: VersionKey) {
        handles[key, default: 0] += 1
    }

    mutating func released(_ key: VersionKey) {
        let count = (handles[key] ?? 1) - 1
        handles[key] = count > 0 ? count : nil
    }

    mutating func read(_ key: VersionKey, at now: Int64) {
        lastTime = max(now, lastTime + 1)
        entries[key]?.lastRead = lastTime
    }

    mutating func setKept(_ isKept: Bool, _ key: VersionKey) {
        if entries[key] != nil {
            entries[key]?.isKept = isKept
        } else if isKept {
            keptUnseen.insert(key)
        } else {
            keptUnseen.remove(key)
        }
    }

    // MARK: Space

    /// Asks for `bytes` of disk for a version, before they are written.
    mutating func reserve(
        _ bytes: UInt64,
        for key: VersionKey,
        space: FreeSpace?,
        at now: Int64
    ) -> Decision {
        let needsInodes = entries[key] == nil
        let hasInodes = !needsInodes || space.map { $0.inodes >= rules.freeInodes + 2 } ?? true
        let hasBytes =
            total + bytes <= rules.maxBytes
            && space.map { $0.bytes >= rules.freeBytes + unwritten + bytes } ?? true
        guard hasInodes && hasBytes else {
            // Cutting the middle out of a file frees no inode.
            return victim(sparing: key, wholeOnly: !hasInodes).map { .evict($0) } ?? .refused
        }
        if needsInodes {
            let isKept = keptUnseen.remove(key) != nil
            found(key, allocated: 0, lastRead: 0, isKept: isKept)
            read(key, at: now)
        }
        entries[key]?.reserved += bytes
        entries[key]?.isTrimmed = false
        total += bytes
        unwritten += bytes
        return .granted
    }

    /// The reserved bytes were written, or never will be.
    mutating func written(_ bytes: UInt64) {
        unwritten -= min(unwritten, bytes)
    }

    /// A measurement that covers `bytes` of the reservations.
    mutating func measured(_ key: VersionKey, allocated: UInt64, covers bytes: UInt64) {
        guard var entry = entries[key] else { return }
        let before = entry.allocated + entry.reserved
        entry.allocated = allocated
        entry.reserved -= min(entry.reserved, bytes)
        entries[key] = entry
        total = total - before + entry.allocated + entry.reserved
    }

    mutating func removed(_ key: VersionKey) {
        guard let entry = entries.removeValue(forKey: key) else { return }
        total -= entry.allocated + entry.reserved
    }

    // MARK: Eviction

    /// The next version to give way, marked as being evicted: the least recently read one that
    /// still has bytes between head and tail, and when none has, the least recently read one of
    /// all.
    ///
    /// Versions in use and kept ones never.
    mutating func victim(sparing spared: VersionKey?, wholeOnly: Bool = false) -> Victim? {
        var middle: (key: VersionKey, lastRead: Int64)?
        var whole: (key: VersionKey, lastRead: Int64)?
        for (key, entry) in entries {
            guard key != spared, !entry.isKept, !entry.isBeingEvicted, !isInUse(key) else {
                continue
            }
            if entry.lastRead < whole?.lastRead ?? .max { whole = (key, entry.lastRead) }
            if entry.hasMiddle, entry.lastRead < middle?.lastRead ?? .max {
                middle = (key, entry.lastRead)
            }
        }
        let keepsHeadAndTail = middle != nil && !wholeOnly
        guard let key = keepsHeadAndTail ? middle?.key : whole?.key else { return nil }
        entries[key]?.isBeingEvicted = true
        return Victim(key: key, keepsHeadAndTail: keepsHeadAndTail)
    }

    /// Only head and tail are left; the next measurement tells how much that is.
    mutating func trimmed(_ key: VersionKey) {
        entries[key]?.isTrimmed = true
        entries[key]?.isBeingEvicted = false
    }
}
