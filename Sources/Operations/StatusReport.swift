public import Foundation
import Ingest
import Synchronization

/// The state of the mount as people and programs read it, without any secret.
public struct StatusReport: Sendable, Codable {
    /// The connection to the seedbox.
    public struct Remote: Sendable, Codable {
        /// "sftp://user@host:port".
        public var address: String
        public var paths: [String]
        /// "connected", "connecting", "offline" or "idle".
        public var state: String
        public var connections: Int
        /// Several may share a connection.
        public var sessions: Int
        public var connectionLimit: Int
        public var transport: String?
        public var lastError: String?
        public var roundTripMilliseconds: Double?
        public var bytesReceived: UInt64

        public init(
            address: String,
            paths: [String],
            state: String,
            connections: Int = 0,
            sessions: Int = 0,
            connectionLimit: Int = 0,
            transport: String? = nil,
            lastError: String? = nil,
            roundTripMilliseconds: Double? = nil,
            bytesReceived: UInt64 = 0
        ) {
            self.address = address
            self.paths = paths
            self.state = state
            self.connections = connections
            self.sessions = sessions
            self.connectionLimit = connectionLimit
            self.transport = transport
            self.lastError = lastError
            self.roundTripMilliseconds = roundTripMilliseconds
            self.bytesReceived = bytesReceived
        }
    }

    public struct Library: Sendable, Codable {
        public var shows: Int
        public var showsOnTMDB: Int
        public var files: Int
        public var unrouted: Int
        public var bytes: UInt64
    }

    public struct Cache: Sendable, Codable {
        public var directory: String
        public var bytes: UInt64
        public var limitBytes: UInt64?
        public var files: Int
        public var hits: UInt64
        public var misses: UInt64
        public var evictions: UInt64
        public var badBlocks: UInt64

        public init(
            directory: String,
            bytes: UInt64,
            limitBytes: UInt64?,
            files: Int,
            hits: UInt64,
            misses: UInt64,
            evictions: UInt64,
            badBlocks: UInt64
        ) {
            self.directory = directory
            self.bytes = bytes
            self.limitBytes = limitBytes
            self.files = files
            self.hits = hits
            self.misses = misses
            self.evictions = evictions
            self.badBlocks = badBlocks
        }
    }

    public struct Mount: Sendable, Codable {
        public var path: String
        public var processID: Int32
        /// The process that starts another server when this one dies; 0 when it is gone.
        public var supervisorID: Int32
        public var since: Date
        public var openHandles: Int
        /// `on`, or `off: ` and the reason.
        public var passthrough: String
        /// How often another process took over.
        public var takeovers: Int

        public init(
            path: String,
            processID: Int32,
            supervisorID: Int32,
            since: Date,
            openHandles: Int,
            passthrough: String,
            takeovers: Int
        ) {
            self.path = path
            self.processID = processID
            self.supervisorID = supervisorID
            self.since = since
            self.openHandles = openHandles
            self.passthrough = passthrough
            self.takeovers = takeovers
        }
    }

    public var version: String
    /// nil when nothing is mounted.
    public var mount: Mount?
    public var remote: Remote
    public var library: Library
    /// nil when nothing is mounted.
    public var cache: Cache?
    public var catalogue: String
    /// Why the database cannot be asked; nil while it can.
    public var catalogueTrouble: String?
    public var tmdb: String
    public var lastScan: ScanReport?
    public var runningJobs: [String]
}

/// What of the state the operations cannot know by themselves.
public struct StatusSources: Sendable {
    public var version: String
    public var mount: @Sendable () -> StatusReport.Mount?
    public var remote: @Sendable () -> StatusReport.Remote
    public var cache: @Sendable () -> StatusReport.Cache?
    public var transfers: @Sendable () -> [TransferReport]
    /// Where the catalogue is, without any secret.
    public var catalogue: String
    public var tmdb: @Sendable () -> String

    public init(
        version: String,
        mount: @Sendable @escaping () -> StatusReport.Mount?,
        remote: @Sendable @escaping () -> StatusReport.Remote,
        cache: @Sendable @escaping () -> StatusReport.Cache?,
        transfers: @Sendable @escaping () -> [TransferReport] = { [] },
        catalogue: String,
        tmdb: @Sendable @escaping () -> String
    ) {
        self.version = version
        self.mount = mount
        self.remote = remote
        self.cache = cache
        self.transfers = transfers
        self.catalogue = catalogue
        self.tmdb = tmdb
    }
}

extension Operations {
    /// Files that bytes come for, now or a moment ago; the fastest first.
    public func transfers() -> [TransferReport] { services.status.transfers() }

    /// The state of everything, from memory.
    public func status() -> StatusReport {
        let sources = services.status
        return StatusReport(
            version: sources.version,
            mount: sources.mount(),
            remote: sources.remote(),
            library: counts.withLock { $0 },
            cache: sources.cache(),
            catalogue: sources.catalogue,
            catalogueTrouble: services.library.trouble,
            tmdb: sources.tmdb(),
            lastScan: lastScanReport,
            runningJobs: jobs.jobs.filter { $0.state == .running }
                .map { "\($0.number) \($0.name): \($0.text)" }
        )
    }
}
