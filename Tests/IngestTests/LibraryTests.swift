import Catalogue
import CatalogueSQLite
import Foundation
import Ingest
import Logging
import Primitives
import StandIns
import Synchronization
import Testing

private let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

/// A seedbox's directories in memory.
private final class ScriptedDirectories: DirectorySource {
    private let tree: Mutex<[RemotePath: Result<[RemoteEntry], SourceError>]>

    init(_ tree: [RemotePath: Result<[RemoteEntry], SourceError>]) {
        self.tree = Mutex(tree)
    }

    func set(_ path: String, _ entries: Result<[RemoteEntry], SourceError>) {
        tree.withLock { $0[RemotePath(path)] = entries }
    }

    func entries(of directory: RemotePath, limit: Int) async throws(SourceError) -> [RemoteEntry] {
        let result = tree.withLock { $0[directory] }
        guard let result else { throw SourceError(.notFound, directory, "no such directory") }
        return Array(try result.get().prefix(limit))
    }

    func resolve(_ path: RemotePath) async throws(SourceError) -> (RemotePath, RemoteEntry) {
        (RemotePath("/etc/passwd"), file("passwd"))
    }
}

private func entry(_ name: [UInt8], _ kind: RemoteEntry.Kind, size: UInt64 = 5) -> RemoteEntry {
    RemoteEntry(name: name, kind: kind, size: size, modifiedSeconds: 9)
}

private func file(_ name: String, size: UInt64 = 5) -> RemoteEntry {
    entry(Array(name.utf8), .file, size: size)
}
private func folder(_ name: String) -> RemoteEntry { entry(Array(name.utf8), .directory) }

@Suite struct SeedboxScannerTests {
    private func scan(
        _ source: any DirectorySource,
        roots: [String] = ["/d"]
    ) async -> SeedboxScanner.Result {
        await SeedboxScanner(source: source, log: quiet).scan(roots.map { RemotePath($0) })
    }

    @Test func onlyVideosAndSubtitlesAreTaken() async {
        let source = ScriptedDirectories([
            RemotePath("/d"): .success([
                file("a.mkv"), file("a.srt"), file("a.nfo"), file("a.exe"), folder("s"),
            ]),
            RemotePath("/d/s"): .success([file("b.MKV")]),
        ])
        let names = await scan(source).files.map(\.path.text)
        #expect(Set(names) == ["/d/a.mkv", "/d/a.srt", "/d/s/b.MKV"])
    }

    @Test func namesThatLeadElsewhereAreDropped() async {
        let names: [[UInt8]] = [
            Array("..".utf8), Array(".".utf8), Array("a/../../etc/x.mkv".utf8),
            Array("x\u{0}.mkv".utf8), [],
            Array(repeating: 0x61, count: 4096) + Array(".mkv".utf8),
        ]
        let source = ScriptedDirectories([
            RemotePath("/d"): .success(
                names.map { entry($0, .file) } + names.map { entry($0, .directory) } + [
                    file("ok.mkv")
                ]
            )
        ])
        let result = await scan(source)
        #expect(result.files.map(\.path.text) == ["/d/ok.mkv"])
        #expect(result.problems.count == names.count * 2)
        #expect(!result.problems.joined().contains("\u{0}"))
    }

    @Test func oddNamesAreKept() async {
        let name: [UInt8] = Array("b\u{7}\n".utf8) + [0xFF] + Array(".mkv".utf8)
        let source = ScriptedDirectories([RemotePath("/d"): .success([entry(name, .file)])])
        #expect(await scan(source).files.map(\.path.lastComponent) == [name])
    }

    @Test func linksAreNotFollowed() async {
        let source = ScriptedDirectories([
            RemotePath("/d"): .success([entry(Array("l.mkv".utf8), .symbolicLink), file("a.mkv")])
        ])
        let result = await scan(source)
        #expect(result.files.count == 1)
        #expect(result.problems.first?.contains("/etc/passwd") ?? false)
    }

    @Test func endlessDepthEnds() async {
        final class Endless: DirectorySource {
            func entries(
                of directory: RemotePath,
                limit: Int
            ) async throws(SourceError) -> [RemoteEntry] {
                [folder("deeper"), file("a.mkv")]
            }
            func resolve(_ path: RemotePath) async throws(SourceError) -> (RemotePath, RemoteEntry)
            {
                throw SourceError(.notFound, path, "")
            }
        }
        let result = await scan(Endless())
        #expect(result.files.count < 50)
        #expect(!result.problems.isEmpty)
    }

    @Test func aMillionEntriesAreTakenInBoundedTime() async {
        let source = ScriptedDirectories([
            RemotePath("/d"): .success((0..<1_000_001).map { file("\($0).txt") })
        ])
        let result = await scan(source)
        #expect(result.files.isEmpty)
        #expect(result.problems.count == 1)
    }

    @Test func aDirectoryThatCannotBeListedIsUnknown() async {
        let source = ScriptedDirectories([
            RemotePath("/d"): .success([folder("locked"), folder("vanished")]),
            RemotePath("/d/locked"): .failure(SourceError(.denied, RemotePath("/d/locked"), "no")),
        ])
        let result = await scan(source)
        #expect(result.unknown == [RemotePath("/d/locked")])
        #expect(result.firstError?.code == .denied)
    }
}

@Suite struct LibraryTests {
    private let directory: String
    private let library: Library

    init() async throws {
        directory = try temporaryDirectory()
        library = Library(
            store: try SQLiteStore(path: directory + "/c.db"),
            roots: [RemotePath("/d")],
            log: quiet
        )
        try await library.load()
    }

    private func found(
        _ paths: [String],
        size: UInt64 = 5,
        unknown: [String] = []
    ) -> SeedboxScanner.Result {
        var result = SeedboxScanner.Result()
        result.files = paths.map {
            RemoteFile(path: RemotePath($0), size: size, modifiedSeconds: 9)
        }
        result.unknown = unknown.map { RemotePath($0) }
        return result
    }

    private func paths() async -> [String] {
        await library.contents.files.map(\.file.path.text).sorted()
    }

    @Test func newChangedAndGoneFilesAreTold() async throws {
        let one = "/d/Quiet.Harbour.S01E01.mkv"
        let two = "/d/Quiet.Harbour.S01E02.mkv"
        #expect(try await library.record(found([one, two])).added == 2)
        let ids = await library.contents.files.map(\.id)
        var next = found([one], size: 6)
        next.files += found(["/d/Quiet.Harbour.S01E03.mkv"]).files
        let summary = try await library.record(next)
        #expect(summary.added == 1 && summary.changed == 1 && summary.gone == 1)
        #expect(await library.contents.files.first?.id == ids.first)
        #expect(await library.contents.shows.map(\.name) == ["Quiet Harbour"])
    }

    /// The next state is prepared while it is saved, and nobody sees it unless it was.
    @Test func onlyWhatWasSavedIsPublished() async throws {
        let seen = Mutex<(prepared: [[Int64]], published: [[Int64]])>(([], []))
        let store = try SQLiteStore(path: directory + "/c.db")
        let slower = Library(
            store: store,
            roots: [RemotePath("/d")],
            log: quiet,
            prepare: { contents in
                let ids = contents.files.map(\.id)
                seen.withLock { $0.prepared.append(ids) }
                return { seen.withLock { $0.published.append(ids) } }
            }
        )
        try await slower.load()
        _ = try await library.record(found(["/d/A.S01E01.mkv"]))
        // The first is refused, since the file of the other got there before.
        _ = try await slower.record(found(["/d/A.S01E01.mkv", "/d/B.S01E01.mkv"]))
        #expect(seen.withLock { $0.published } == [[], [1, 2]])
        #expect(seen.withLock { $0.prepared.last } == [1, 2])
        store.close()
        await #expect(throws: CatalogueError.self) {
            try await slower.record(found(["/d/C.S01E01.mkv"]))
        }
        #expect(seen.withLock { $0.published.count } == 2)
        #expect(await slower.contents.files.map(\.id) == [1, 2])
    }

    @Test func whatIsBelowAnUnknownDirectoryStays() async throws {
        _ = try await library.record(found(["/d/s/A.S01E01.mkv", "/d/B.S01E01.mkv"]))
        let summary = try await library.record(found(["/d/B.S01E01.mkv"], unknown: ["/d/s"]))
        #expect(summary.gone == 0)
        #expect(await paths().count == 2)
    }

    @Test func aRootThatTurnsEmptyIsBelievedTheSecondTime() async throws {
        _ = try await library.record(found(["/d/A.S01E01.mkv"]))
        #expect(try await library.record(found([])).gone == 0)
        #expect(try await library.record(found([])).gone == 1)
    }

    @Test func aRootThatCannotBeListedIsNotTakenForEmpty() async throws {
        _ = try await library.record(found(["/d/A.S01E01.mkv"]))
        var away = SeedboxScanner.Result()
        away.unknown = [RemotePath("/d")]
        #expect(try await library.record(away).gone == 0)
        // A seedbox that comes back without its disk looks like this once.
        #expect(try await library.record(found([])).gone == 0)
        #expect(try await library.record(away).gone == 0)
        #expect(try await library.record(found([])).gone == 1)
    }

    @Test func aMistypedPathTakesNothingAway() async throws {
        _ = try await library.record(found(["/elsewhere/A.S01E01.mkv", "/d/B.S01E01.mkv"]))
        var away = SeedboxScanner.Result()
        away.unknown = [RemotePath("/d")]
        #expect(try await library.record(away).gone == 0)
        // What is no longer asked for goes once all that is was listed.
        #expect(try await library.record(found(["/d/B.S01E01.mkv"])).gone == 1)
    }

    @Test func twoSpellingsOfANewShowAreOne() async throws {
        _ = try await library.record(
            found(["/d/Quiet.Harbour.S01E01.mkv", "/d/quiet_harbour_s01e02.mkv"])
        )
        #expect(await library.contents.shows.count == 1)
    }

    @Test func addingAShowTakesItsFilesAndItsFolder() async throws {
        _ = try await library.record(found(["/d/[Crew] Nagai Tabi - 02 [1080p].mkv"]))
        let id = await library.contents.shows.first?.id
        let draft = ShowDraft(
            systemName: "Long Voyage",
            details: ShowDetails(tmdbID: 7, name: "Long Voyage"),
            aliases: ["Nagai Tabi"]
        )
        let episode = Episode(
            showTMDBID: 7,
            tmdbID: 1,
            season: 1,
            number: 2,
            absolute: 2,
            name: "x"
        )
        let added = try await library.add(draft, episodes: [episode], Origin(.person, "add"))
        #expect(added.show.id == id)
        #expect(added.files == 1)
        #expect(await library.contents.shows.count == 1)
    }

    @Test func aDryRunChangesNothing() async throws {
        _ = try await library.record(found(["/d/Quiet.Harbour.S01E01.mkv"]))
        let before = await library.contents.files
        let result = try await library.reroute(where: { _ in true }, dryRun: true)
        #expect(result.considered == 1 && result.moves.isEmpty)
        #expect(await library.contents.files == before)
    }

    @Test func tenThousandFilesAreRecorded() async throws {
        let paths = (0..<10_000).map {
            "/d/Show \($0 % 200)/Show.\($0 % 200).S01E\(10 + $0 / 200).1080p.WEB-CREW.mkv"
        }
        #expect(try await library.record(found(paths)).added == 10_000)
        #expect(await library.contents.shows.count == 200)
    }

    @Test func anotherProgramsLibraryIsTakenInOnce() async throws {
        var imported = ImportedLibrary()
        let show = ShowDraft(
            systemName: "Harbour",
            details: ShowDetails(tmdbID: 7, name: "Quiet Harbour"),
            aliases: ["Hafen"]
        )
        let episode = Episode(
            showTMDBID: 7,
            tmdbID: 71,
            season: 1,
            number: 1,
            absolute: 1,
            name: "One"
        )
        imported.shows = [.init(show: show, episodes: [episode])]
        imported.files = [
            RemoteFile(path: RemotePath("/d/Hafen.S01E01.mkv"), size: 5, modifiedSeconds: 0)
        ]
        let origin = Origin(.import, "import")
        let first = try await library.take(imported, origin)
        #expect(first.shows == 1 && first.episodes == 1 && first.files == 1)
        let contents = await library.contents
        #expect(contents.files.first?.decision.placement?.showID == contents.shows.first?.id)
        #expect(contents.revision == 1)
        #expect(try await library.take(imported, origin).files == 0)
        #expect(await library.contents.revision == 1)
    }
}
