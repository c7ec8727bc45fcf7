import Catalogue
import CatalogueSQLite
import Foundation
import Ingest
import Logging
import Primitives

/// The library as it was last known, in a file of this machine, for a mount that begins while the
/// server with the catalogue is away.
///
/// The file follows each state after a moment, by what differs; it may be lost without harm.
actor LastKnownLibrary {
    private static let pause = Duration.seconds(2)
    private static let limits = JournalLimits(least: 0, entries: 1)

    private let store: SQLiteStore
    private let log: Logger
    /// What the file holds.
    private var kept: CatalogueContents
    private var keptStamps: [UInt64: DirectoryStamp]
    private var wanted: (contents: CatalogueContents, stamps: [UInt64: DirectoryStamp])?
    private var writing: Task<Void, Never>?

    private init(
        _ store: SQLiteStore,
        _ log: Logger
    ) async throws(CatalogueError) {
        self.store = store
        self.log = log
        kept = try await store.contents()
        keptStamps = try await store.directoryStamps()
    }

    /// Opens the file that belongs to the catalogue, or a new one in place of what cannot be read.
    ///
    /// - Returns: nil when there can be none.
    static func open(_ settings: Settings, _ log: Logger) async -> LastKnownLibrary? {
        var fingerprint = Fingerprint()
        fingerprint.add(settings.catalogue.utf8)
        let name = String(fingerprint.value, radix: 16)
        let path = "\(settings.dataDirectory)/last-known-\(name).db"
        for isFirst in [true, false] {
            do throws(CatalogueError) {
                return try await LastKnownLibrary(
                    SQLiteStore(path: path, journalLimits: limits),
                    log
                )
            } catch {
                log.warning("the library as last known is of no use: \(error)")
                guard isFirst, error.code == .unusable else { return nil }
                for suffix in ["", "-wal", "-shm"] {
                    // What is not there need not go.
                    try? FileManager.default.removeItem(atPath: path + suffix)
                }
            }
        }
        return nil
    }

    /// nil when nothing was known yet.
    ///
    /// Its revision is none that a catalogue has: whoever changes it reads the catalogue first.
    var contents: CatalogueContents? {
        kept.revision == 0
            ? nil
            : CatalogueContents(
                shows: kept.shows,
                episodes: kept.episodes,
                files: kept.files,
                revision: -1
            )
    }

    var stamps: [UInt64: DirectoryStamp]? { kept.revision == 0 ? nil : keptStamps }

    /// Has the file hold this, soon.
    func note(_ contents: CatalogueContents, _ stamps: [UInt64: DirectoryStamp]) {
        wanted = (contents, stamps)
        guard writing == nil else { return }
        writing = Task {
            // Fails only when it is cancelled, which hurries it but must not break off the writing.
            try? await Task.sleep(for: Self.pause)
            await Task { await write() }.value
        }
    }

    func close() async {
        writing?.cancel()
        await writing?.value
        store.close()
    }

    private func write() async {
        defer { writing = nil }
        while let (new, stamps) = wanted {
            wanted = nil
            do throws(CatalogueError) {
                try await write(new, stamps)
            } catch {
                log.warning("the library as last known is not kept: \(error)")
            }
        }
    }

    private func write(
        _ new: CatalogueContents,
        _ stamps: [UInt64: DirectoryStamp]
    ) async throws(CatalogueError) {
        let revision = try await replace(with: new)
        // The same rows as those that are served, so that they are held once.
        kept = CatalogueContents(
            shows: new.shows,
            episodes: new.episodes,
            files: new.files,
            revision: revision
        )
        let changed = stamps.filter { keptStamps[$0.key] != $0.value }
        let removed = keptStamps.keys.filter { stamps[$0] == nil }
        try await store.saveDirectoryStamps(changed, removed: removed)
        keptStamps = stamps
    }

    /// - Returns: The file's revision after it.
    private func replace(with new: CatalogueContents) async throws(CatalogueError) -> Int64 {
        let edits = CatalogueEdits(from: kept, to: new)
        guard !edits.isEmpty || kept.revision == 0 else { return kept.revision }
        if kept.revision > 0 {
            do throws(CatalogueError) {
                let origin = Origin(.import, "follow")
                return try await store.change(kept, origin, seconds: secondsSince1970()) {
                    $0.apply(edits)
                }.contents.revision
            } catch {
                // What one row gives up another may have: all of it at once does not care.
                guard error.code == .rejected else { throw error }
            }
        }
        try await store.replaceAll(with: CatalogueCopy(contents: new, stamps: keptStamps))
        return try await store.revision()
    }
}
