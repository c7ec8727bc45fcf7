internal import Dispatch
internal import Glibc
public import Logging
public import Primitives

/// What is used on the store's writer alone.
///
/// `@unchecked Sendable`: that is a serial queue.
final class OfTheWriter<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) { self.value = value }
}

/// Blocks of remote files on a local disk.
///
/// A version of a file (path, size, modification time) has a sparse data file and a map.
/// Bytes are checked against the map at every read, so whatever happens to the disk, a wrong
/// byte is never served: the block is dropped and fetched again. Space is reserved before
/// every write. No trouble of the disk reaches a reader; the cache then just holds less.
///
/// Threads: readers read on their own thread. All that changes the disk runs on `writer`,
/// but for commits, which run on `committer`; `writer` may wait for `committer`, never the
/// other way round. Lock order: the store's state, then a stored file's blocks.
public final class BlockStore: Sendable {
    let directory: StoreDirectory
    let touched: TouchedVersions
    let log: Logger
    let writer = DispatchQueue(label: "cache.writer")
    let direct = OfTheWriter(DirectWriter())
    let committer = DispatchQueue(label: "cache.committer")
    /// Checks whole files in the background.
    let checker = DispatchQueue(label: "cache.checker", qos: .utility)
    let state: Lock<State>
    /// See ``FileOpener/whenCopiesGo(_:)``.
    let whenRemoving = Lock<(@Sendable () -> Void)?>(nil)
    let environment: Environment

    /// What tests replace.
    struct Environment: Sendable {
        /// Nanoseconds since 1970.
        var now: @Sendable () -> Int64 = {
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        }
        /// Names this start of the machine; empty when nothing does.
        var boot = SavedIndex.thisBoot
        /// nil asks the directory's file system.
        var space: (@Sendable () -> FreeSpace?)?
        /// Bytes of memory for the maps of idle versions: those of 16,000 subtitles, or of 100 big
        /// films.
        var footprintLimit = 16 << 20
        /// nil commits only when told to.
        var commitInterval: DispatchTimeInterval? = .milliseconds(500)
    }

    struct State {
        var index: StoreIndex
        /// Versions whose maps are in memory.
        var loaded: [VersionKey: StoredFile] = [:]
        /// Bytes of memory that those take, roughly.
        var footprint = 0
        let footprintLimit: Int
        /// Bytes reserved and written, by version, that the next commit covers.
        var uncommitted: [VersionKey: UInt64] = [:]
        /// All of them.
        var uncommittedBytes: UInt64 = 0
        /// Versions read since their last read was noted on the disk.
        var readSinceNoted: Set<VersionKey> = []
        var isCommitScheduled = false
        /// Versions that were proven when they were let go from memory.
        var proven: Set<VersionKey> = []
        /// Versions that are being checked in the background.
        var beingChecked: Set<VersionKey> = []
        /// See ``BlockStore/keepOpenCopiesWhole()``.
        var trimsNothing = false
        var statistics = CacheStatistics()
        /// Whether the last write failed, so that a broken disk is reported once.
        var isWriteFailing = false
    }

    /// A commit does not wait for its time when this much is waiting for it.
    static let commitBytes: UInt64 = 128 << 20

    /// Opens or makes the cache in `directory`.
    ///
    /// Blocking; reads what is known of the cache since it was last open, or else names and sizes
    /// of what is there, and no block.
    ///
    /// - Parameters:
    ///   - directory: Absolute path on a file system with sparse files. One process at a time
    ///     may own it.
    ///   - limits: What the cache may use of the disk.
    ///   - log: For bad blocks and for trouble with the disk.
    /// - Throws: ``CacheError``.
    public convenience init(
        directory: String,
        limits: CacheLimits = CacheLimits(),
        log: Logger
    ) throws(CacheError) {
        try self.init(directory, limits, log, Environment())
    }

    init(
        _ path: String,
        _ limits: CacheLimits,
        _ log: Logger,
        _ environment: Environment
    ) throws(CacheError) {
        let directory = try StoreDirectory(path)
        let found = try directory.versions(boot: environment.boot)
        let used = found.reduce(0) { $0 + $1.allocated }
        let space = environment.space.map { $0() } ?? directory.freeSpace()
        var index = StoreIndex(rules: SpaceRules(limits, used: used, space: space))
        for version in found {
            index.found(
                version.key,
                allocated: version.allocated,
                lastRead: version.lastRead,
                isKept: version.isKept
            )
        }
        do {
            try directory.save(found, isClosed: false, boot: environment.boot)
        } catch {
            log.info("the next start looks at every cached file", metadata: ["cause": "\(error)"])
        }
        touched = TouchedVersions(in: directory)
        self.directory = directory
        self.log = log
        self.environment = environment
        state = Lock(State(index: index, footprintLimit: environment.footprintLimit))
    }

    /// Makes everything durable that was published before the call.
    ///
    /// Blocking.
    public func flush() {
        committer.sync { commit() }
    }

    /// Makes everything durable, and saves what is known of the versions for the next start.
    ///
    /// Blocking. The store may be used after this all the same; the next start then looks at
    /// everything.
    public func close() {
        writer.sync {
            committer.sync { commit() }
            let (entries, isMeasured) = state.withLock { state in
                let entries = state.index.entries
                return (entries, entries.values.allSatisfy { $0.reserved == 0 })
            }
            let versions = entries.map { key, entry in
                StoreDirectory.Found(
                    key: key,
                    allocated: entry.allocated,
                    lastRead: entry.lastRead,
                    isKept: entry.isKept
                )
            }
            guard isMeasured else { return }
            do {
                try touched.end { () throws(SystemError) in
                    try directory.save(versions, isClosed: true, boot: environment.boot)
                }
            } catch {
                log.info("the next start looks at more files", metadata: ["cause": "\(error)"])
            }
        }
    }

    public var statistics: CacheStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.bytes = state.index.total
            statistics.files = state.index.entries.count
            return statistics
        }
    }

    // MARK: Handles

    /// A handle of `file` was opened: the version is not evicted until it is released.
    public func opened(_ file: RemoteFile) {
        let key = VersionKey(file)
        state.withLock { $0.index.opened(key) }
    }

    /// A handle of `file` was released.
    public func released(_ file: RemoteFile) {
        let key = VersionKey(file)
        let (stored, isRead) = state.withLock { state in
            state.index.released(key)
            return (state.loaded[key], state.readSinceNoted.contains(key))
        }
        if let stored { letGo([stored]) }
        if isRead { scheduleCommit(written: 0) }
    }

    /// Says whether `file` may be evicted at all.
    ///
    /// Survives a restart once it has a block.
    public func setKept(_ isKept: Bool, _ file: RemoteFile) {
        let key = VersionKey(file)
        writer.sync {
            touched.note(key)
            state.withLock { $0.index.setKept(isKept, key) }
            directory.setKept(isKept, of: key)
        }
    }

    // MARK: Contents

    /// Whether every block of `file` is there.
    ///
    /// Reads the map when it is not in memory.
    public func isComplete(_ file: RemoteFile) -> Bool {
        file.size == 0 || stored(file)?.isComplete ?? false
    }

    /// Whether there is something of `file`, as far as is known without the disk.
    func holdsAny(of file: RemoteFile) -> Bool {
        let key = VersionKey(file)
        return state.withLock { $0.index.entries[key] != nil }
    }

    /// Bytes of `file` that are there, when its map is in memory.
    func loadedBytes(of file: RemoteFile) -> UInt64 {
        guard let stored = loaded(file) else { return 0 }
        return stored.runs(in: 0..<Block.count(inFileOf: file.size), present: true)
            .reduce(0) { $0 + Block.bytes(of: $1, inFileOf: file.size).count }
    }

    /// The bytes of `file` that are there, in order, neighbours joined.
    public func cachedRanges(_ file: RemoteFile) -> [ByteRange] {
        guard let stored = stored(file) else { return [] }
        return stored.runs(in: 0..<Block.count(inFileOf: file.size), present: true)
            .map { Block.bytes(of: $0, inFileOf: file.size) }
    }

    /// Removes everything that is stored of `file`, kept or not.
    ///
    /// Handles stay valid.
    public func forget(_ file: RemoteFile) {
        writer.sync {
            state.withLock { $0.index.setKept(false, VersionKey(file)) }
            remove(VersionKey(file))
        }
    }
}
