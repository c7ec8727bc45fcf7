import Catalogue
import Embedding
import Foundation
import HTTPFetch
import Ingest
import LanguageModels
public import Logging
import Metadata
public import Operations
import Primitives
import Transfer
import VirtualTree

public let programVersion = "0.1.0"

/// The library and everything that works on it, with or without a mount.
public final class Workshop: Sendable {
    let store: any CatalogueStore
    let pool: SFTPPool
    let publisher: TreePublisher
    let library: Library
    let mount: MountStatus?
    /// nil without a mount, and where the catalogue is a file of this machine.
    let lastKnown: LastKnownLibrary?
    public let operations: Operations

    /// Opens the catalogue for commands without a mount.
    ///
    /// - Parameters:
    ///   - settings: Whose catalogue.
    ///   - log: Where warnings go.
    /// - Returns: The library as the last run left it.
    /// - Throws: An error that a person can read.
    public static func open(_ settings: Settings, log: Logger) async throws -> Workshop {
        let workshop = try await Workshop(settings, log: log, mount: nil)
        try await workshop.library.load()
        return workshop
    }

    init(_ settings: Settings, log: Logger, mount: MountStatus?) async throws {
        do {
            try FileManager.default.createDirectory(
                atPath: settings.dataDirectory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw Settings.Problem(
                "cannot make the directory '\(settings.dataDirectory)': \(error.localizedDescription)"
            )
        }
        lastKnown =
            mount != nil && settings.database.isRemote
            ? await LastKnownLibrary.open(settings, log) : nil
        store = try await settings.database.open(
            settings.journalLimits,
            mayBeAway: await lastKnown?.contents != nil
        )
        var limits = SFTPPool.Settings()
        limits.readTimeout = settings.readTimeout
        limits.connections = settings.connectionLimit
        limits.rateLimit = settings.rateLimit
        // The cache's lock makes the directory ours.
        if mount != nil { limits.sharingDirectory = settings.cache.directory + "/ssh" }
        let pool = SFTPPool(settings.account, settings: limits, logger: log)
        self.pool = pool
        self.mount = mount
        let publisher = TreePublisher(
            store: store,
            lastKnown: lastKnown,
            roots: settings.roots.map(RemoteRoot.init),
            preference: settings.preference,
            log: log
        )
        self.publisher = publisher
        library = Library(
            store: store,
            roots: settings.roots,
            log: log,
            prepare: { contents in await publisher.prepare(contents) }
        )
        let answers = CatalogueAnswers(store: store, log: log)
        let metadata = TMDBClient(
            baseURL: settings.tmdbBaseURL ?? TMDBClient.standardBaseURL,
            credential: .init(settings.tmdbKey),
            language: settings.tmdbLanguage,
            http: HTTPFetcher(),
            kept: answers
        )
        let models = settings.model.map { model in
            ModelReader(
                ModelService(model.service, http: HTTPFetcher()),
                prompts: ModelPrompts(directory: model.promptsDirectory),
                mostCalls: model.mostCalls,
                kept: answers
            )
        }
        let embedder = LazyEmbedder(settings.embedding)
        let paths = settings.roots.map(\.printable)
        let address = settings.account.address
        let status = StatusSources(
            version: programVersion,
            mount: { mount?.report },
            remote: { Self.report(pool.status, address: address, paths: paths) },
            cache: { mount?.cacheReport },
            transfers: { mount?.transfers ?? [] },
            catalogue: settings.catalogue,
            tmdb: { metadata.state }
        )
        operations = Operations(
            .init(
                library: library,
                scanner: SeedboxScanner(source: pool, log: log),
                roots: settings.roots,
                metadata: metadata,
                models: models,
                modelConfidence: settings.model?.confidence ?? 0.7,
                embedder: { () throws(EmbeddingError) in try await embedder.get() },
                status: status,
                checkCache: mount?.check,
                machine: ProcessInfo.processInfo.hostName + ":" + settings.dataDirectory,
                log: log
            )
        )
        publisher.count(for: operations)
    }

    /// Ends the connections and closes the catalogue.
    public func close() async {
        await pool.shutdown()
        // A scan that is just being recorded is one transaction: it is whole or not there.
        await store.close()
        await lastKnown?.close()
    }

    private static func report(
        _ status: RemoteStatus,
        address: String,
        paths: [String]
    ) -> StatusReport.Remote {
        StatusReport.Remote(
            address: address,
            paths: paths,
            state: status.sessions > 0 ? "connected" : status.isOffline ? "offline" : "idle",
            connections: status.connected,
            sessions: status.sessions,
            connectionLimit: status.limit,
            transport: status.transport == .openSSH ? "OpenSSH" : "libssh2",
            lastError: status.failure.map { "\($0.message)" },
            roundTripMilliseconds: status.roundTrip.map { $0 / .milliseconds(1) },
            bytesReceived: status.bytesReceived
        )
    }
}
