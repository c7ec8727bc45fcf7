import Catalogue
import CatalogueConformance
import CatalogueSQLite
import Foundation
import Primitives
import StandIns
import Testing

@Suite struct SQLiteStoreTests {
    private let directory: String

    init() throws {
        directory = try temporaryDirectory()
    }

    private var path: String { directory + "/catalogue.db" }

    @Test(arguments: StoreRule.all) func keeps(_ rule: StoreRule) async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await rule.check(SQLiteStore(path: path, journalLimits: StoreRule.journalLimits))
    }

    @Test func theCatalogueIsThereAfterItWasOpenedAgain() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let store = try SQLiteStore(path: path)
        try await store.change { draft throws(CatalogueError) in
            try draft.save(ShowDraft(systemName: "S"), replacing: nil, seconds: 0)
        }
        store.close()
        #expect(try await SQLiteStore(path: path).contents().shows.map(\.systemName) == ["S"])
    }

    @Test func aFileThatIsNoDatabaseIsRefused() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Data(repeating: 0x41, count: 8192).write(to: URL(fileURLWithPath: path))
        let error = #expect(throws: CatalogueError.self) { try SQLiteStore(path: path) }
        #expect(error?.code == .unusable)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)).count == 8192)
    }

    @Test func theJournalKeepsToItsBytes() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let store = try SQLiteStore(path: path, journalLimits: JournalLimits(bytes: 2_000))
        for number in 1...32 {
            try await store.change { draft throws(CatalogueError) in
                try draft.save(
                    ShowDraft(systemName: "S", aliases: ["\(number)"]),
                    replacing: nil,
                    seconds: 0
                )
            }
        }
        let kept = try await store.journal(before: nil, count: 99)
        #expect(kept.first?.revision == 32 && kept.count > 1 && kept.count < 20)
    }

    @Test func aDamagedFileIsFoundOutAndItsBackupPutBack() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let store = try SQLiteStore(path: path)
        let files = (0..<2_000).map { number in
            FileChange.Record(
                file: RemoteFile(path: RemotePath("/d/\(number)"), size: 1, modifiedSeconds: 1),
                kind: .video,
                decision: Decision(placement: nil, rule: "r", confidence: 0)
            )
        }
        try await store.change { draft throws(CatalogueError) in
            try draft.apply(FileChange(records: files))
        }
        let backup = directory + "/backup.db"
        #expect(try await store.backUp(to: backup))
        store.close()
        // Into the file, which otherwise is read past where its write-ahead log has newer pages.
        _ = try sqlite(path, "PRAGMA wal_checkpoint(TRUNCATE)")
        let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        let size = try handle.seekToEnd()
        for place in stride(from: 65_536, to: size, by: 32_768) {
            try handle.seek(toOffset: place)
            try handle.write(contentsOf: Data(repeating: 0x5A, count: 4_096))
        }
        try handle.close()
        // Either it cannot be opened or read, or the check names what is wrong; each says how to go on.
        do throws(CatalogueError) {
            let damaged = try SQLiteStore(path: path)
            let problems = try await damaged.problems()
            #expect(!problems.isEmpty)
            _ = try await damaged.contents()
            damaged.close()
            Issue.record("a damaged file was read")
        } catch {
            #expect(error.code == .unusable && error.message.contains("restore a backup"))
        }
        let fresh = try SQLiteStore(path: directory + "/fresh.db")
        try await fresh.restore(from: backup)
        #expect(try await fresh.contents().files.count == 2_000)
    }

    @Test func aRowThatSQLiteRefusesLeavesNothingBehind() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let store = try SQLiteStore(path: path)
        func put(_ paths: [String]) async throws(CatalogueError) {
            var draft = CatalogueDraft(CatalogueContents())
            var edits = CatalogueEdits()
            edits.files = paths.enumerated().map { index, path in
                LibraryFile(
                    id: Int64(index + 1),
                    file: RemoteFile(path: RemotePath(path), size: 1, modifiedSeconds: 1),
                    kind: .video,
                    decision: Decision(placement: nil, rule: "r", confidence: 0)
                )
            }
            draft.apply(edits)
            try await store.commit(draft.change(Origin(.person, "put"), seconds: 1))
        }
        let error = await #expect(throws: CatalogueError.self) {
            try await put(["/d/a", "/d/b", "/d/a"])
        }
        #expect(error?.code == .rejected && "\(error.debugDescription)".contains("remote_path"))
        #expect(try await store.contents().isEmpty)
        // The same statement goes on with other rows.
        try await put(["/d/a", "/d/b"])
        #expect(try await store.contents().files.map(\.file.path.text) == ["/d/a", "/d/b"])
    }

    @Test func theTablesHaveTheNamesThatPeopleQuery() async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try SQLiteStore(path: path).close()
        let sql = """
            SELECT count(*) FROM tv_shows; SELECT abs_episode, absolute_episode FROM episodes;
            SELECT remote_path, status FROM downloaded_files;
            CREATE INDEX a ON tv_shows(tmdb_id); CREATE INDEX b ON episodes(tmdb_id);
            CREATE INDEX c ON episodes(absolute_episode); PRAGMA integrity_check;
            """
        #expect(try sqlite(path, sql) == "0\nok\n")
    }

    // MARK: The original's files

    private static let original = """
        CREATE TABLE tv_shows (id INTEGER PRIMARY KEY AUTOINCREMENT, sys_name TEXT NOT NULL,
            sys_path TEXT NOT NULL, tmdb_name TEXT, tmdb_aliases TEXT, tmdb_id INTEGER,
            tmdb_first_aired DATETIME, tmdb_last_aired DATETIME, tmdb_year INTEGER,
            tmdb_overview TEXT, tmdb_season_count INTEGER, tmdb_episode_count INTEGER,
            tmdb_episode_groups TEXT, tmdb_episodes_fetched_at DATETIME, tmdb_status TEXT,
            tmdb_external_ids TEXT, fetched_at DATETIME);
        CREATE TABLE episodes (id INTEGER PRIMARY KEY AUTOINCREMENT, tmdb_id INTEGER NOT NULL,
            season INTEGER, episode INTEGER, abs_episode INTEGER, episode_type TEXT,
            episode_id INTEGER, air_date DATETIME, fetched_at DATETIME, name TEXT, overview TEXT);
        CREATE TABLE downloaded_files (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, path TEXT,
            remote_path TEXT, size INTEGER, modified_time DATETIME, is_dir BOOLEAN, status TEXT);
        INSERT INTO tv_shows (sys_name, sys_path, tmdb_name, tmdb_aliases, tmdb_id,
            tmdb_first_aired, tmdb_external_ids) VALUES
            ('Harbour', '/tv/Harbour', 'Quiet Harbour', 'Quiet Harbour,Hafen, der stille,Port', 7,
                '2020-01-02 00:00:00', '{"imdb_id": "tt7", "tvdb_id": 70, "x": null}'),
            ('Harbour 2', '/tv/Harbour 2', 'Quiet Harbour', NULL, 7, NULL, NULL),
            ('Nobody', '/tv/Nobody', NULL, 'One, Two', -1, NULL, 'no json'),
            ('', '/tv/', NULL, NULL, NULL, NULL, NULL);
        INSERT INTO episodes (tmdb_id, season, episode, abs_episode, episode_id, air_date, name)
            VALUES (7, 1, 1, 1, 71, '2020-01-02 00:00:00', 'One'), (7, NULL, 2, 2, 72, NULL, 'Two'),
            (99, 1, 1, 1, 1, NULL, 'Orphan');
        INSERT INTO downloaded_files (name, remote_path, size, modified_time, is_dir, status) VALUES
            ('Harbour.S01E01.mkv', '/d/Harbour.S01E01.mkv', 5, '2024-05-06 07:08:09', 0, 'routed'),
            ('Harbour.S01E02.mkv', '/d/Harbour.S01E02.mkv', -1, NULL, 0, 'routed'),
            ('readme.txt', '/d/readme.txt', 1, NULL, 0, 'downloaded'), ('d', '/d', 0, NULL, 1, 'x');
        """

    @Test func theOriginalsFileIsReadWithAllThatIsWrongInIt() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        _ = try sqlite(path, Self.original)
        let before = try Data(contentsOf: URL(fileURLWithPath: path))
        let library = try OriginalDatabase.read(path)
        #expect(library.shows.map(\.show.systemName) == ["Harbour", "Nobody"])
        #expect(library.shows[0].show.aliases == ["Hafen, der stille", "Harbour 2", "Port"])
        #expect(library.shows[0].show.details?.externalIDs == ["imdb": "tt7", "tvdb": "70"])
        #expect(library.shows[0].show.details?.firstAired == "2020-01-02")
        #expect(library.shows[0].episodes.map(\.name) == ["One"])
        #expect(library.shows[1].show.details == nil)
        #expect(library.shows[1].show.aliases == ["One", "One, Two", "Two"])
        #expect(library.files.map(\.path.text) == ["/d/Harbour.S01E01.mkv"])
        #expect(library.files.first?.modifiedSeconds == 1_714_979_289)
        for words in [
            "row 2 ('Harbour 2')", "row 4 has no name", "number '-1'", "may be one with commas",
            "no season or number", "tmdb:99", "E02.mkv' has no size",
        ] {
            #expect(library.problems.contains { $0.contains(words) }, "\(words)")
        }
        #expect(library.problems.count == 7)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == before)
    }

    @Test func whatIsNoFileOfTheOriginalIsRefused() throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        #expect(throws: CatalogueError.self) { try OriginalDatabase.read("/nowhere.db") }
        try SQLiteStore(path: path).close()
        let ours = #expect(throws: CatalogueError.self) { try OriginalDatabase.read(path) }
        #expect(ours?.message.contains("ours already") ?? false)
        // And ours is not laid over it.
        let other = directory + "/other.db"
        _ = try sqlite(other, Self.original)
        let error = #expect(throws: CatalogueError.self) { try SQLiteStore(path: other) }
        #expect(error?.code == .unusable)
    }

    // MARK: Migrations

    /// A catalogue of every earlier version becomes today's, with all that it held.
    @Test(arguments: 1...4) func anEarlierVersionBecomesTodays(_ version: Int) async throws {
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try SQLiteStore.make(path, version: version)
        let poster =
            version == 2
            ? ", poster_path) VALUES (5, 'S', 7, 'S', '/p'" : ") VALUES (5, 'S', 7, 'S'"
        _ = try sqlite(
            path,
            """
            INSERT INTO tv_shows (id, sys_name, tmdb_id, tmdb_name\(poster));
            INSERT INTO episodes (tmdb_id, season, episode, name) VALUES (7, 1, 1, 'one');
            INSERT INTO downloaded_files (id, name, remote_path, size, modified_time, status,
                file_type, modified_seconds, show_id, decision) VALUES (9, 'a', '/a', 1, 'x',
                'routed', 'video', 5, 5,
                '{"placement":{"showID":5,"season":1,"episodes":[1]},"rule":"r","confidence":1,
                "candidates":[],"traits":{"version":1,"flags":[]}}');
            DELETE FROM downloaded_files WHERE id = 9 AND name = 'nothing';
            """
        )
        let store = try SQLiteStore(path: path)
        let contents = try await store.contents()
        #expect(contents.shows.map(\.id) == [5])
        // What was written by hand above has no such time where there is a column for it.
        #expect(version == 4 || contents.shows.first?.askedSeconds ?? 0 > 0)
        #expect(contents.shows.first?.details?.artwork == (version == 2 ? ["poster": "/p"] : [:]))
        #expect(contents.episodes.count == 1 && contents.files.map(\.id) == [9])
        #expect(contents.nextShowID == 6 && contents.nextFileID == 10 && contents.revision == 0)
        #expect(try await store.problems().isEmpty)
    }

    private func sqlite(_ path: String, _ sql: String) throws -> String {
        let output = directory + "/answer"
        try ChildProcess("sqlite3", [path, sql], output: output).wait()
        return try String(contentsOfFile: output, encoding: .utf8)
    }
}
