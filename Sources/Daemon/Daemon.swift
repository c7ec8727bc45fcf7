import Cache
import Catalogue
import ControlDirectory
import Foundation
import FuseBridge
import Glibc
import Ingest
public import Logging
import Operations
import Primitives
import Synchronization
import Transfer
import VirtualTree

/// Wires the parts together and runs one mount from start to stop.
public final class MountDaemon: Sendable {
    /// Why a mount did not come up.
    public struct Failure: Error, Sendable, CustomStringConvertible {
        public let description: String
        /// The server wants a password that it was not given.
        public let needsPassword: Bool

        init(_ description: String, needsPassword: Bool = false) {
            self.description = description
            self.needsPassword = needsPassword
        }
    }

    private let settings: Settings
    private let mountpoint: String
    private let log: Logger
    private let inheritance: Inheritance
    private let workshop: Workshop
    private let source: CachedSource
    private let stopRequests = AsyncStream<String>.makeStream()

    /// Takes the directories and opens the catalogue; the network is not touched.
    ///
    /// - Parameters:
    ///   - settings: What to mount and where its state is.
    ///   - mountpoint: Absolute path of the directory to mount at.
    ///   - inheritance: The mount's record, and the mount when it is there already.
    ///   - log: Where the daemon tells what it does.
    /// - Throws: ``Failure``; nothing is left behind then.
    public init(
        _ settings: Settings,
        mountpoint: String,
        inheritance: Inheritance,
        log: Logger
    ) async throws(Failure) {
        self.inheritance = inheritance
        self.settings = settings
        self.mountpoint = mountpoint
        self.log = log
        Self.raiseDescriptorLimit()
        do {
            if inheritance.mount == nil { try Mountpoint.prepare(mountpoint) }
            let cache = try BlockStore(
                directory: settings.cache.directory,
                limits: settings.cache.limits,
                log: log
            )
            let status = MountStatus(mountpoint: mountpoint, settings: settings, cache: cache)
            workshop = try await Workshop(settings, log: log, mount: status)
            source = CachedSource(workshop.pool, store: cache)
            status.tell(of: source)
        } catch {
            throw Failure("\(error)")
        }
    }

    /// Every open file of the mount may need a descriptor; the usual 1,024 are for programs that
    /// call select(2), which we do not.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }

    /// Mounts, serves and scans until it is told to stop.
    ///
    /// - Parameters:
    ///   - progress: Told how the first scan goes.
    ///   - warning: Told what a person should hear of, though the mount comes up.
    ///   - mounted: Given the kernel's end of the mount, which it may copy.
    ///   - ready: Called once, when the mount answers.
    /// - Throws: ``Failure`` when the mount does not come up; nothing is left behind then.
    public func run(
        progress: @Sendable @escaping (String) -> Void,
        warning: (String) -> Void,
        mounted: @Sendable (Int32) -> Void,
        ready: @Sendable () -> Void
    ) async throws(Failure) {
        do throws(Failure) {
            try await fillLibrary(progress, warning)
            let server = try await mount(mounted)
            ready()
            await serve(server)
        } catch {
            await workshop.close()
            throw error
        }
        await source.stop()
        await workshop.close()
        log.notice("stopped")
    }

    /// Asks ``run(progress:ready:)`` to end; safe at any time and more than once.
    public func stop(_ reason: String) {
        stopRequests.continuation.yield(reason)
    }

    /// The last run's library, or, when there is none of this remote, a first scan.
    private func fillLibrary(
        _ progress: @Sendable @escaping (String) -> Void,
        _ warning: (String) -> Void
    ) async throws(Failure) {
        do throws(CatalogueError) {
            try await workshop.library.load(otherwise: await workshop.lastKnown?.contents)
        } catch {
            throw Failure("\(error)")
        }
        if let trouble = workshop.library.trouble {
            warning("the library is as it was last known: \(trouble)")
        }
        let isEmpty = await workshop.library.contents.files.isEmpty
        guard isEmpty || !settings.isRemembered else {
            // A successor goes on with what its predecessor had.
            if inheritance.mount == nil { try await connectSoon() }
            prepareForReaders()
            return
        }
        do throws(ConnectionError) {
            try await workshop.pool.connect()
        } catch {
            throw failure(error)
        }
        prepareForReaders()
        let report: ScanReport
        do throws(OperationError) {
            report = try await workshop.operations.scan { progress("\($0) files found so far") }
        } catch {
            // Another machine fills the catalogue just now, and ours follows.
            guard error.code == .busy else { throw Failure("\(error)") }
            return warning(error.message)
        }
        if let error = report.error {
            guard report.directories > 0 else {
                throw Failure("cannot list the seedbox: \(error)")
            }
            warning("a part of the seedbox is missing: \(error)")
        }
        settings.remember()
    }

    private func prepareForReaders() {
        Task { [pool = workshop.pool] in await pool.prepareForReaders() }
    }

    private func failure(_ error: ConnectionError) -> Failure {
        let mayAsk = error.code == .loginRefused && settings.account.password == nil
        return Failure(error.message, needsPassword: mayAsk)
    }

    /// How long a mount that needs no seedbox waits to hear whether the login is in order.
    private static let patience: Duration = .seconds(1)

    /// Connects, and refuses to go on when that fails for a reason that only a person can mend.
    ///
    /// A seedbox that is away or slow is none: the library of the last run does without it.
    private func connectSoon() async throws(Failure) {
        let pool = workshop.pool
        let first = AsyncStream<ConnectionError?>.makeStream()
        Task {
            do throws(ConnectionError) {
                try await pool.connect()
                first.continuation.yield(nil)
            } catch {
                first.continuation.yield(error)
            }
        }
        let timer = Task {
            try? await Task.sleep(for: Self.patience)
            first.continuation.yield(nil)
        }
        defer { timer.cancel() }
        for await error in first.stream {
            if let error, error.needsPerson { throw failure(error) }
            return
        }
    }

    private func mount(_ mounted: (Int32) -> Void) async throws(Failure) -> FuseServer {
        var options = FuseServer.Options(
            deviceName: settings.account.address + (settings.roots.first?.text ?? "")
        )
        options.allowOther = settings.allowOther
        options.extra = settings.mountOptions
        options.readTimeout = settings.readTimeout
        options.passthrough = settings.allowsPassthrough
        var policy = FetchPolicy()
        policy.finishesPlayed = settings.finishesPlayed
        let opener = CachedFiles(source, policy: policy)
        let control = ControlDirectory(workshop.operations)
        let server: FuseServer
        do throws(MountError) {
            let record = try MountRecord(inheritance.record)
            server = await workshop.publisher.serve { [log, options] tree in
                let live = LiveTree(tree, control: control)
                let server = FuseServer(
                    tree: live,
                    opener: opener,
                    options: options,
                    record: record,
                    log: log
                )
                return (live, server)
            }
            if let mount = inheritance.mount {
                try server.takeOver(mount, at: mountpoint)
            } else {
                try server.mount(at: mountpoint)
            }
        } catch {
            throw Failure("\(error)")
        }
        workshop.mount?.serve(server)
        let stop = stopRequests.continuation
        let thread = Thread {
            server.run()
            stop.yield("unmounted")
            stop.finish()
        }
        thread.name = "fuse"
        thread.start()
        server.catchUp()
        guard await answers(server) else {
            if inheritance.mount == nil { server.unmount() }
            throw Failure("the mount at '\(mountpoint)' does not answer")
        }
        server.probePassthrough(in: settings.cache.directory)
        // Only what answers is worth a successor, who is given it by the supervisor.
        if inheritance.mount == nil, let descriptor = server.descriptor { mounted(descriptor) }
        return server
    }

    /// Whether the kernel was given what it asks for before anything else; a successor's was.
    ///
    /// This process must use no file of its own mount: killed meanwhile, it would wait for itself
    /// and never be dead, and so have no successor.
    private func answers(_ server: FuseServer) async -> Bool {
        // libfuse has no call that waits for it; it takes less than a millisecond.
        let end = ContinuousClock.now + .seconds(10)
        while server.isMounted, !server.isInitialised, ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(1))
        }
        return server.isMounted && server.isInitialised
    }

    private func serve(_ server: FuseServer) async {
        log.notice("mounted \(settings.account.address) at \(mountpoint)")
        for warning in settings.warnings { log.warning("\(warning)") }
        let scans = Task { [workshop, settings] in
            // After a first scan the next is not due at once.
            var isDue = workshop.operations.lastScanReport == nil
            while !Task.isCancelled {
                if isDue { _ = try? workshop.operations.startScan() }
                await workshop.operations.renewWhatIsDue()
                await workshop.operations.renewVectors()
                isDue = true
                try? await Task.sleep(for: settings.scanInterval)
            }
        }
        let follower = Task { [workshop] in await workshop.library.follow() }
        for await reason in stopRequests.stream {
            log.notice("stopping: \(reason)")
            break
        }
        scans.cancel()
        follower.cancel()
        server.unmount()
        // `run()` ends by itself now; a reader who does not let go must not hold us up.
        let end = ContinuousClock.now + .seconds(5)
        while server.isMounted, ContinuousClock.now < end {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// What the status page says of the mount and the cache.
final class MountStatus: Sendable {
    let mountpoint: String
    private let settings: Settings
    private let cache: BlockStore
    private let started = Date()
    private let supervisor = getppid()
    private let server = Mutex<FuseServer?>(nil)
    private let source = Mutex<CachedSource?>(nil)

    init(mountpoint: String, settings: Settings, cache: BlockStore) {
        self.mountpoint = mountpoint
        self.settings = settings
        self.cache = cache
    }

    func serve(_ server: FuseServer) { self.server.withLock { $0 = server } }

    func tell(of source: CachedSource) { self.source.withLock { $0 = source } }

    var transfers: [TransferReport] {
        let transfers = source.withLock { $0 }?.transfers ?? []
        return transfers.map { transfer in
            TransferReport(
                path: transfer.file.path.printable,
                reason: Self.reason(transfer.priority),
                bytes: transfer.file.size,
                cachedBytes: transfer.bytesCached,
                bytesUnderWay: transfer.bytesUnderWay,
                bytesPerSecond: transfer.rate
            )
        }
    }

    private static func reason(_ priority: ReadPriority?) -> TransferReport.Reason {
        switch priority {
        case .reader: .reading
        case .readAhead: .readAhead
        case .prefetch: .prefetch
        case .keep: .finishing
        case nil: .idle
        }
    }

    var report: StatusReport.Mount {
        let server = server.withLock { $0 }
        return StatusReport.Mount(
            path: mountpoint,
            processID: getpid(),
            supervisorID: getppid() == supervisor ? supervisor : 0,
            since: started,
            openHandles: server?.openHandles ?? 0,
            passthrough: server.map { Self.words($0.passthrough) } ?? "off",
            takeovers: server?.takeovers ?? 0
        )
    }

    private static func words(_ passthrough: Passthrough) -> String {
        switch passthrough {
        case .on: "on"
        case .off(let reason): "off: \(reason)"
        }
    }

    func check(_ progress: @Sendable @escaping (String) -> Void) async -> CacheCheckReport {
        await CacheCheck.run(cache, progress)
    }

    var cacheReport: StatusReport.Cache {
        let statistics = cache.statistics
        return StatusReport.Cache(
            directory: settings.cache.directory,
            bytes: statistics.bytes,
            limitBytes: settings.cache.maximum,
            files: statistics.files,
            hits: statistics.hits,
            misses: statistics.misses,
            evictions: statistics.evictions,
            badBlocks: statistics.badBlocks
        )
    }
}
