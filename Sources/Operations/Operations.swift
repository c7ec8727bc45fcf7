public import Catalogue
public import Embedding
public import Foundation
public import Ingest
public import LanguageModels
public import Logging
public import Metadata
public import Primitives
import Synchronization

/// Everything a person may ask of a library, each as one typed call.
///
/// The control directory, the command line and the REST API translate to these calls and back;
/// what is allowed and what it does is decided here, once.
public final class Operations: Sendable {
    /// The parts that operations work with.
    public struct Services: Sendable {
        public let library: Library
        public let scanner: SeedboxScanner
        public let roots: [RemotePath]
        public let metadata: TMDBClient
        /// nil when no language model is configured.
        public let models: ModelReader?
        /// How sure it must be where nobody says otherwise; 0 to 1.
        public let modelConfidence: Double
        /// Makes vectors of what shows are about.
        public let embedder: EmbedderSource
        public let status: StatusSources
        /// Checks the cache and tells how far it is; nil without a mount.
        public let checkCache: CacheCheck?
        /// What tells this machine's library from others on the same catalogue.
        public let machine: String
        public let log: Logger

        public typealias EmbedderSource =
            @Sendable () async throws(EmbeddingError) -> any Embedder

        public typealias CacheCheck =
            @Sendable (_ progress: @Sendable @escaping (String) -> Void) async -> CacheCheckReport

        public init(
            library: Library,
            scanner: SeedboxScanner,
            roots: [RemotePath],
            metadata: TMDBClient,
            models: ModelReader? = nil,
            modelConfidence: Double = 0.7,
            embedder: @escaping EmbedderSource = { () throws(EmbeddingError) in HashedEncoder() },
            status: StatusSources,
            checkCache: CacheCheck? = nil,
            machine: String = "this machine",
            log: Logger
        ) {
            self.library = library
            self.scanner = scanner
            self.roots = roots
            self.metadata = metadata
            self.models = models
            self.modelConfidence = modelConfidence
            self.embedder = embedder
            self.status = status
            self.checkCache = checkCache
            self.machine = machine
            self.log = log
        }
    }

    let services: Services
    public let jobs = JobBoard()
    let lastScan = Mutex<ScanReport?>(nil)
    let titles = Mutex<TitleIndex?>(nil)
    /// When TMDB was last asked about a show, in this run.
    let renewed = Mutex<[Int: ContinuousClock.Instant]>([:])
    let counts = Mutex(
        StatusReport.Library(shows: 0, showsOnTMDB: 0, files: 0, unrouted: 0, bytes: 0)
    )

    public init(_ services: Services) {
        self.services = services
    }

    /// Counts what the library holds now, for ``status()``, which must not wait for it.
    public func count(_ contents: CatalogueContents) {
        let counts = StatusReport.Library(
            shows: contents.shows.count,
            showsOnTMDB: contents.shows.count { $0.details != nil },
            files: contents.files.count,
            unrouted: contents.files.count { $0.decision.placement == nil },
            bytes: contents.files.reduce(0) { sum, file in
                sum.addingReportingOverflow(file.file.size).partialValue
            }
        )
        self.counts.withLock { $0 = counts }
    }

    /// How the last scan ended; nil before the first.
    public var lastScanReport: ScanReport? { lastScan.withLock { $0 } }
}

/// What a scan found and changed.
public struct ScanReport: Sendable, Codable {
    public var finished: Date
    public var seconds: Double
    public var directories: Int
    public var files: Int
    public var added: Int
    public var changed: Int
    public var gone: Int
    /// Why something could not be listed; nil when all was.
    public var error: String?
    /// What a person should hear of, at most ``mostProblems``.
    public var problems: [String]

    static let mostProblems = 20

    public var summary: String {
        let counts =
            "\(files) files in \(directories) directories: \(added) new, \(changed) changed, \(gone) gone"
        return error.map { "incomplete: \($0)\n\(counts)" } ?? counts
    }
}

extension Operations {
    /// Starts a scan of the seedbox.
    ///
    /// - Returns: The job, running.
    /// - Throws: ``OperationError`` with code `.busy` while one is running.
    public func startScan() throws(OperationError) -> Job {
        try jobs.start("scan") { [self] progress throws(OperationError) in
            let report = try await scan { progress("\($0) files found so far") }
            if report.error != nil { throw OperationError(.unavailable, report.summary) }
            return report.summary
        }
    }

    /// Scans the seedbox, records what changed and serves it.
    ///
    /// - Parameter progress: Told now and then how many files were found so far.
    /// - Returns: What was found; with an error set when a part could not be listed.
    /// - Throws: ``OperationError``: `.unavailable` when the catalogue fails, `.busy` when another
    ///   machine is scanning for the same catalogue.
    public func scan(
        progress: @Sendable (Int) -> Void = { _ in }
    ) async throws(OperationError) -> ScanReport {
        try await takeScan()
        let renewal = Task { [services] in
            while (try? await Task.sleep(for: .seconds(Self.leaseSeconds / 3))) != nil {
                _ = try? await services.library.takeScan(
                    as: services.machine,
                    seconds: Self.leaseSeconds
                )
            }
        }
        let result: Result<ScanReport, OperationError>
        do throws(OperationError) {
            result = .success(try await scanAlone(progress))
        } catch {
            result = .failure(error)
        }
        // It must not take the right again once it was given back.
        renewal.cancel()
        await renewal.value
        await services.library.endScan(of: services.machine)
        return try result.get()
    }

    /// A machine that fell silent keeps others from scanning for so long.
    private static let leaseSeconds: Int64 = 60

    private func takeScan() async throws(OperationError) {
        let other: String?
        do throws(CatalogueError) {
            other = try await services.library.takeScan(
                as: services.machine,
                seconds: Self.leaseSeconds
            )
        } catch {
            throw OperationError(.unavailable, "cannot record a scan", cause: error)
        }
        if let other {
            throw OperationError(
                .busy,
                "\(other) is scanning now; what it finds comes here by itself"
            )
        }
    }

    private func scanAlone(
        _ progress: @Sendable (Int) -> Void
    ) async throws(OperationError) -> ScanReport {
        let clock = ContinuousClock()
        let start = clock.now
        let known = await services.library.contents.nextFileID
        let others = await services.library.mountedByOthers(than: services.machine)
        let found = await services.scanner.scan(services.roots, progress: progress)
        let summary: Library.ScanSummary
        do throws(CatalogueError) {
            summary = try await services.library.record(found, known: known, others: others)
        } catch {
            throw OperationError(.unavailable, "cannot record the scan", cause: error)
        }
        let report = ScanReport(
            finished: Date(),
            seconds: (clock.now - start) / .seconds(1),
            directories: found.directories,
            files: summary.total,
            added: summary.added,
            changed: summary.changed,
            gone: summary.gone,
            error: found.firstError.map { $0.message },
            problems: Array(found.problems.prefix(ScanReport.mostProblems))
        )
        lastScan.withLock { $0 = report }
        services.log.info("scan: \(report.summary)")
        return report
    }
}
