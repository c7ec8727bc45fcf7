import CFuse3
import Glibc
public import Logging
public import Primitives
public import VirtualTree

/// Serves a ``LiveTree`` to the kernel.
///
/// Lookups, attributes and listings are answered from memory on libfuse's threads; a read that
/// needs the network is answered by a task of its own. Types of FUSE do not leave this target.
public final class FuseServer: Sendable {
    public struct Options: Sendable {
        /// What `mount` and `df` show as the device; must hold no secret.
        public var deviceName: String
        public var allowOther = false
        /// Further mount options, as after `-o`.
        public var extra: [String] = []
        /// The longest that a read may wait for the seedbox.
        public var readTimeout: Duration = .seconds(30)
        public var threads: UInt32 = 64
        /// Whether the kernel may read complete files itself, where it can.
        public var passthrough = true

        public init(deviceName: String) {
            self.deviceName = deviceName
        }
    }

    let tree: LiveTree
    let opener: any FileOpener
    let options: Options
    let handles: HandleTable
    let record: MountRecord
    /// Not yet answered.
    let releases = Lock<[Release]>([])
    let passthroughState = Lock(Passthrough.off("not tried yet"))
    /// Whether a task lets go of registered files that nobody uses.
    let letsGoLater = Lock(false)
    let log: Logger
    /// Files and directories belong to whoever mounted.
    let owner = (user: getuid(), group: getgid())
    /// Set once by ``mount(at:)``, before the loop starts.
    let session = Lock<Session?>(nil)

    /// `@unchecked Sendable`: libfuse's session functions that we call may be called from any
    /// thread while the session lives, and it lives until the loop has ended.
    struct Session: @unchecked Sendable {
        let raw: OpaquePointer
        let mountpoint: String
    }

    /// - Parameters:
    ///   - tree: What is served.
    ///   - opener: Where the bytes come from.
    ///   - options: How the mount behaves.
    ///   - record: The mount's state; a predecessor's, to go on where it ended.
    ///   - log: For trouble with reads.
    public init(
        tree: LiveTree,
        opener: any FileOpener,
        options: Options,
        record: MountRecord,
        log: Logger
    ) {
        self.tree = tree
        self.opener = opener
        self.options = options
        self.record = record
        handles = HandleTable(record)
        self.log = log
        opener.whenCopiesGo { [weak self] in self?.letGoOfIdle() }
    }

    /// How many files and directories the kernel holds open.
    public var openHandles: Int { handles.count }

    /// How often another process took over the mount.
    public var takeovers: Int { Int(record.generation) - 1 }

    public var isMounted: Bool { session.withLock { $0 != nil } }

    /// Whether kernel and server have agreed on how they talk, the kernel's first request.
    public var isInitialised: Bool { sync2nas_fuse_granted().initialised }

    /// Mounts at `mountpoint`, an existing empty directory.
    ///
    /// - Throws: ``MountError``; nothing is left mounted then.
    public func mount(at mountpoint: String) throws(MountError) {
        FuseLog.start(log)
        var options = [
            "fsname=\(Self.optionSafe(self.options.deviceName))", "subtype=sync2nas",
            "default_permissions", "noatime",
        ]
        if self.options.allowOther { options.append("allow_other") }
        options += self.options.extra
        // The first is how our mounts are known, the second libfuse and the kernel must agree on.
        let words = self.options.extra.flatMap { $0.split(separator: ",") }
        if let word = words.first(where: { $0.hasPrefix("subtype=") || $0.hasPrefix("max_read=") })
        {
            throw MountError("the mount option '\(word)' cannot be changed", details: [])
        }
        let session = try makeSession(options: options)
        guard fuse_session_mount(session, mountpoint) == 0 else {
            let details = FuseLog.recent()
            fuse_session_destroy(session)
            // fusermount3 says why on the error output, which may be a log file by now.
            let hint =
                self.options.allowOther && getuid() != 0
                ? ["allow_other is for root, unless /etc/fuse.conf has the line user_allow_other"]
                : []
            throw MountError("cannot mount at '\(mountpoint)'", details: details + hint)
        }
        guard
            sync2nas_fuse_intercept(session, self.options.passthrough, FuseCallbacks.whenIdle) == 0
        else {
            fuse_session_unmount(session)
            fuse_session_destroy(session)
            throw MountError("cannot mount at '\(mountpoint)': out of memory", details: [])
        }
        record.told = tree.tree.fingerprint
        self.session.withLock { $0 = Session(raw: session, mountpoint: mountpoint) }
    }

    /// The kernel's end of the mount, to be handed to a successor; nil before ``mount(at:)``.
    public var descriptor: Int32? { session.withLock { $0 }.map { fuse_session_fd($0.raw) } }

    /// Goes on serving a mount whose process has died.
    ///
    /// Requests that it had taken and not answered come again; before Linux 6.9 they fail.
    ///
    /// - Parameters:
    ///   - descriptor: The kernel's end of the mount; belongs to the session from now on.
    ///   - mountpoint: Where it is mounted.
    /// - Throws: ``MountError``; the mount is as it was then.
    public func takeOver(_ descriptor: Int32, at mountpoint: String) throws(MountError) {
        FuseLog.start(log)
        let session = try makeSession(options: ["default_permissions"])
        guard fuse_session_mount(session, "/dev/fd/\(descriptor)") == 0,
            sync2nas_fuse_intercept(session, options.passthrough, FuseCallbacks.whenIdle) == 0,
            sync2nas_fuse_replay_init(session)
        else {
            let details = FuseLog.recent()
            fuse_session_destroy(session)
            throw MountError("cannot take over the mount at '\(mountpoint)'", details: details)
        }
        self.session.withLock { $0 = Session(raw: session, mountpoint: mountpoint) }
        // Files that the kernel reads by itself send no request that would open them here.
        for open in record.openFiles where handle(open.handle, of: open.node) == nil {
            opener.keepOpenCopiesWhole()
        }
        for backing in record.takeIdle() { unregister(backing) }
        let failed = sync2nas_fuse_recover_requests(session)
        if failed > 0 { log.warning("\(failed) requests were lost with the process before") }
    }

    /// Tells the kernel what a predecessor may have left untold; to be called while ``run()``
    /// serves, because the kernel may wait for a request meanwhile.
    public func catchUp() {
        let tree = tree.tree
        guard record.told != tree.fingerprint, let session = session.withLock({ $0 })?.raw
        else { return }
        let all = tree.nodes.keys.map { Invalidation.node($0) }
        if sync2nas_fuse_forget_all_names(session) {
            forget(all)
        } else {
            let names = ["library", "views"]
            forget(names.map { .entry(directory: .root, name: $0) } + all)
        }
    }

    /// Serves requests on the calling thread and others until the file system is unmounted.
    public func run() {
        guard let session = session.withLock({ $0 }) else { return }
        _ = sync2nas_fuse_loop(session.raw, options.threads)
        finishReleases()
        self.session.withLock { $0 = nil }
        fuse_session_unmount(session.raw)
        fuse_session_destroy(session.raw)
    }

    /// Takes the mount away, also from under those who use it; ``run()`` then returns.
    public func unmount() {
        guard let session = session.withLock({ $0 }) else { return }
        Mountpoint.unmount(session.mountpoint)
        fuse_session_exit(session.raw)
    }

    /// Tells the kernel what to forget; must not be called while answering a request.
    public func forget(_ invalidations: [Invalidation]) {
        defer { record.told = tree.tree.fingerprint }
        for invalidation in invalidations {
            guard let session = session.withLock({ $0 })?.raw else { return }
            switch invalidation {
            case .entry(let directory, let name):
                _ = fuse_lowlevel_notify_inval_entry(
                    session,
                    directory.rawValue,
                    name,
                    name.utf8.count
                )
            case .node(let id):
                _ = fuse_lowlevel_notify_inval_inode(session, id.rawValue, 0, 0)
            }
        }
    }

    private func makeSession(options: [String]) throws(MountError) -> OpaquePointer {
        guard let session = newSession(options: options) else {
            throw MountError(
                "cannot use the mount options '\(options.joined(separator: ","))'",
                details: FuseLog.recent()
            )
        }
        return session
    }

    private func newSession(options: [String]) -> OpaquePointer? {
        var operations = FuseCallbacks.table
        let line = ["sync2nas", "-o", options.joined(separator: ",")]
        var words: [UnsafeMutablePointer<CChar>?] = line.map { strdup($0) }
        defer { for word in words { free(word) } }
        return words.withUnsafeMutableBufferPointer { words in
            var arguments = fuse_args(
                argc: Int32(words.count),
                argv: words.baseAddress,
                allocated: 0
            )
            defer { fuse_opt_free_args(&arguments) }
            // The server outlives the session: `run` holds it until the session is destroyed.
            return fuse_session_new(
                &arguments,
                &operations,
                MemoryLayout<fuse_lowlevel_ops>.size,
                Unmanaged.passUnretained(self).toOpaque()
            )
        }
    }

    /// A comma would begin the next option.
    private static func optionSafe(_ text: String) -> String {
        String(text.map { $0 == "," || $0 == "\\" || $0.isNewline ? "_" : $0 })
    }
}

/// Why the file system could not be mounted.
public struct MountError: Error, Sendable, CustomStringConvertible {
    public let message: String
    /// What libfuse and its helper said, a line each.
    public let details: [String]

    init(_ message: String, details: [String]) {
        self.message = message
        self.details = details
    }

    public var description: String {
        details.isEmpty ? message : "\(message): \(details.joined(separator: "; "))"
    }
}

/// libfuse's own messages: kept for the error that follows, and logged.
private enum FuseLog {
    private static let lines = Lock<(logger: Logger?, recent: [String])>((nil, []))
    /// More than libfuse says about any one failure.
    private static let kept = 5

    static func start(_ logger: Logger) {
        lines.withLock { $0 = (logger, []) }
        sync2nas_fuse_log_to { line in
            guard let line else { return }
            FuseLog.add(String(cString: line))
        }
    }

    static func recent() -> [String] { lines.withLock { $0.recent } }

    private static func add(_ line: String) {
        let logger = lines.withLock { state in
            state.recent = (state.recent + [line]).suffix(kept)
            return state.logger
        }
        logger?.debug("libfuse: \(line)")
    }
}
