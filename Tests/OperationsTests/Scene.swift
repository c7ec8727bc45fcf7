import Catalogue
import CatalogueSQLite
import Foundation
import HTTPFetch
import Ingest
import LanguageModels
import Logging
import Metadata
import Operations
import Primitives
import StandIns
import Synchronization

/// A library with a real catalogue, and TMDB and a model on loopback; its seedbox is a list of
/// names in one directory.
final class Scene: Sendable {
    let tmdb: TMDBStandIn
    let model: ModelStandIn
    let operations: Operations
    let library: Library
    let store: SQLiteStore
    private let files: ListedFiles
    private let directory: String

    /// - Parameters:
    ///   - names: Files on the seedbox.
    ///   - mind: What the model says.
    /// - Throws: An error of the parts, when they cannot be started.
    init(
        _ names: [String],
        mind: @escaping ModelStandIn.Mind = { _, _ in "{}" }
    ) async throws {
        directory =
            FileManager.default.temporaryDirectory.path
            + "/sync2nas-scene-\(UInt64.random(in: 0 ... .max))"
        try FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        tmdb = try TMDBStandIn()
        model = try ModelStandIn(mind: mind)
        files = ListedFiles(names)
        let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        store = try SQLiteStore(path: directory + "/catalogue.db")
        let roots = [RemotePath("/d")]
        library = Library(store: store, roots: roots, log: quiet)
        let service = ModelService(.init(.ollama, address: model.baseURL), http: HTTPFetcher())
        let metadata = TMDBClient(
            baseURL: tmdb.baseURL,
            credential: .apiKey(TMDBStandIn.key),
            http: HTTPFetcher()
        )
        operations = Operations(
            .init(
                library: library,
                scanner: SeedboxScanner(source: files, log: quiet),
                roots: roots,
                metadata: metadata,
                models: ModelReader(service, pause: { _ in }),
                status: StatusSources(
                    version: "test",
                    mount: { nil },
                    remote: {
                        StatusReport.Remote(address: "sftp://nowhere", paths: ["/d"], state: "idle")
                    },
                    cache: { nil },
                    catalogue: "",
                    tmdb: { metadata.state }
                ),
                log: quiet
            )
        )
        _ = try await operations.scan()
    }

    deinit {
        tmdb.stop()
        model.stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Puts more files on the seedbox and scans it.
    func add(_ names: [String]) async throws {
        files.add(names)
        _ = try await operations.scan()
    }

    /// "Show S01E02" of the file that has this in its name; nil when it has no place.
    func place(_ name: String) async -> String? {
        let contents = await library.contents
        let file = contents.files.first { $0.file.path.text.contains(name) }
        return file?.decision.placement.map { place in
            let show = contents.shows.first { $0.id == place.showID }
            return "\(show?.name ?? "?") \(place.label)"
        }
    }

    /// What was decided about the file that has this in its name.
    func decision(_ name: String) async -> Decision? {
        await library.contents.files.first { $0.file.path.text.contains(name) }?.decision
    }

    func route(_ line: String) async throws -> RouteReport {
        try await operations.route(RouteRequest(line))
    }
}

/// One directory of files.
private final class ListedFiles: DirectorySource {
    private let names: Mutex<[String]>

    init(_ names: [String]) { self.names = Mutex(names) }

    func add(_ more: [String]) { names.withLock { $0 += more } }

    func entries(of directory: RemotePath, limit: Int) async throws(SourceError) -> [RemoteEntry] {
        names.withLock { names in
            names.map { name in
                RemoteEntry(name: Array(name.utf8), kind: .file, size: 5, modifiedSeconds: 9)
            }
        }
    }

    func resolve(_ path: RemotePath) async throws(SourceError) -> (RemotePath, RemoteEntry) {
        throw SourceError(.notFound, path, "there are no links")
    }
}
