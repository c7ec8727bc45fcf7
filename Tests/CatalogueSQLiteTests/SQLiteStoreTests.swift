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
        try await rule.check(SQLiteStore(path: path))
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

    private func sqlite(_ path: String, _ sql: String) throws -> String {
        let output = directory + "/answer"
        try ChildProcess("sqlite3", [path, sql], output: output).wait()
        return try String(contentsOfFile: output, encoding: .utf8)
    }
}
