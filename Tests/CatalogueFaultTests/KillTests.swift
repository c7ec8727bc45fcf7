import Catalogue
import CatalogueConformance
import CatalogueMilvus
import CataloguePostgres
import CatalogueSQLite
import Foundation
import Glibc
import MilvusClient
import StandIns
import Testing

/// A writer that is killed at any moment leaves a catalogue that holds exactly its first changes,
/// and at least all that it was told were committed.
@Suite(.serialized) struct KillTests {
    /// `Tests/faults` asks for more.
    private static let rounds =
        ProcessInfo.processInfo.environment["SYNC2NAS_KILL_ROUNDS"].flatMap(Int.init) ?? 12

    private static var program: String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return root.path + "/.build/debug/catalogue-writer"
    }

    /// Waits until a writer has told of a change; who never does fails the test by that.
    private func firstWord(in output: String) async throws {
        for _ in 0..<600 {
            let told = FileManager.default.contents(atPath: output) ?? Data()
            guard !told.contains(10) else { return }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Kills writers one after the other and looks at what each leaves.
    private func killWriters(
        _ arguments: [String],
        rounds: Int = Self.rounds,
        longest: Int,
        open: () async throws -> any CatalogueStore
    ) async throws {
        let folder = try TemporaryFolder()
        var random = SeededRandom(seed: UInt64.random(in: 0 ... .max))
        var committed: Int64 = 0
        var expected = CatalogueContents()
        for round in 0..<rounds {
            let output = folder.path + "/\(round)"
            let writer = try ChildProcess(
                Self.program,
                arguments,
                output: output,
                errors: output + ".err"
            )
            let before = committed
            // From before its first change to the middle of some later one.
            let pause = UInt64.random(in: 0...UInt64(longest), using: &random)
            try await Task.sleep(for: .milliseconds(Int(pause)))
            // Where every one so far was killed before its first change, the last makes one.
            if round == rounds - 1, committed == 0 { try await firstWord(in: output) }
            kill(writer.pid, SIGKILL)
            writer.wait()
            let told = try String(contentsOfFile: output, encoding: .utf8)
                .split(separator: "\n", omittingEmptySubsequences: true).compactMap { Int64($0) }
            let store = try await open()
            let contents = try await store.contents()
            expected = try ScriptedChanges.contents(after: contents.revision, from: expected)
            let what = "round \(round), killed after \(pause) ms at \(contents.revision)"
            #expect(contents.revision >= max(before, told.last ?? 0), "\(what)")
            #expect(contents.shows == expected.shows, "\(what)")
            #expect(contents.episodes == expected.episodes, "\(what)")
            #expect(contents.files == expected.files, "\(what)")
            #expect(contents.nextFileID == expected.nextFileID, "\(what)")
            #expect(try await store.problems().isEmpty, "\(what)")
            let entries = try await store.journal(before: nil, count: 3).map(\.revision)
            #expect(
                entries == [0, 1, 2].map { contents.revision - $0 }.filter { $0 > 0 },
                "\(what)"
            )
            committed = contents.revision
            await store.close()
        }
        print("fault: \(arguments[0]): \(rounds) writers killed, \(committed) changes, all whole")
        #expect(committed > 0)
    }

    @Test func onSQLite() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/c.db"
        try await killWriters(["sqlite", path], longest: 250) { try SQLiteStore(path: path) }
    }

    @Test func onPostgreSQL() async throws {
        let server = try PostgresServer.shared.get()
        let settings = PostgresSettings(
            host: "127.0.0.1",
            port: Int(server.port),
            database: try server.database(),
            user: "postgres"
        )
        try await killWriters(
            ["postgres", "\(server.port)", settings.database ?? ""],
            longest: 300
        ) { try await PostgresStore(settings) }
    }

    /// What a killed writer began is finished; its lease ends with its time, so that fewer rounds
    /// fit into a minute.
    @Test(arguments: MilvusLite.Version.allCases)
    func onMilvus(_ version: MilvusLite.Version) async throws {
        let lite = try await MilvusLite(version: version)
        defer { lite.stop() }
        let server = MilvusServer(host: "127.0.0.1", port: lite.port)
        try await killWriters(
            ["milvus", "\(lite.port)", "k_"],
            rounds: max(2, Self.rounds / 6),
            longest: 2_500
        ) { try await MilvusStore(server, prefix: "k_") }
    }

    /// The server itself is killed while somebody writes, and started again.
    @Test func ofTheServer() async throws {
        let server = try PostgresServer()
        defer { server.stop() }
        let settings = PostgresSettings(
            host: "127.0.0.1",
            port: Int(server.port),
            database: try server.database(),
            user: "postgres"
        )
        let store = try await PostgresStore(settings)
        defer { store.close() }
        var (told, lost): (Int64, Int) = (0, 0)
        for round in 0..<max(3, Self.rounds / 4) {
            let killer = Task {
                try? await Task.sleep(for: .milliseconds(Int.random(in: 20...300)))
                server.stop()
            }
            // Until the server goes.
            while true {
                do throws(CatalogueError) {
                    let contents = try await store.contents()
                    let number = contents.revision + 1
                    let change = try await store.change(
                        contents,
                        ScriptedChanges.origin(number),
                        seconds: number
                    ) { draft throws(CatalogueError) in
                        try ScriptedChanges.make(draft.contents.revision + 1, in: &draft)
                    }
                    told = change.contents.revision
                } catch {
                    #expect(error.code == .unavailable)
                    lost += 1
                    break
                }
            }
            await killer.value
            try server.start()
            var contents: CatalogueContents?
            while contents == nil { contents = try? await store.contents() }
            let found = contents?.revision ?? -1
            // The change under way when it went may have been committed untold.
            #expect(found == told || found == told + 1, "round \(round)")
            let expected = try ScriptedChanges.contents(after: found)
            #expect(contents?.files == expected.files && contents?.episodes == expected.episodes)
            told = found
        }
        print("fault: the server was killed \(lost) times under \(told) changes, none lost")
    }

    @Test(.enabled(if: geteuid() == 0, "it mounts a small disk, as only root may"))
    func withTheDiskFull() async throws {
        let folder = try TemporaryFolder()
        let options = ["-t", "tmpfs", "-o", "size=4m", "none", folder.path]
        try #require(ChildProcess("mount", options).wait() == 0)
        defer { umount2(folder.path, Int32(MNT_DETACH)) }
        let path = folder.path + "/c.db"
        let filler = folder.path + "/filler"
        try Data(count: 1 << 20).write(to: URL(fileURLWithPath: filler))
        let store = try SQLiteStore(path: path)
        var failure: CatalogueError?
        var revision: Int64 = 0
        while failure == nil {
            do throws(CatalogueError) {
                let contents = try await store.contents()
                revision = contents.revision
                (_, _) = try await store.change(
                    contents,
                    ScriptedChanges.origin(revision + 1),
                    seconds: 0
                ) { draft throws(CatalogueError) in
                    try ScriptedChanges.make(draft.contents.revision + 1, in: &draft)
                }
            } catch {
                failure = error
            }
        }
        #expect(failure?.code == .full || failure?.code == .unavailable)
        store.close()
        try FileManager.default.removeItem(atPath: filler)
        let again = try SQLiteStore(path: path)
        let contents = try await again.contents()
        #expect(contents.revision == revision)
        #expect(contents.files == (try ScriptedChanges.contents(after: revision)).files)
        #expect(try await again.problems().isEmpty)
    }

    /// Two processes that write at once: both get on, and nothing is lost.
    @Test func ofTwoWritersAtOnce() async throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/c.db"
        // Both find no file and make one.
        let writers = try (0..<2).map { number in
            try ChildProcess(
                Self.program,
                ["sqlite", path, "politely"],
                output: folder.path + "/out\(number)",
                errors: folder.path + "/err\(number)"
            )
        }
        try await Task.sleep(for: .seconds(2))
        for writer in writers {
            kill(writer.pid, SIGKILL)
            writer.wait()
        }
        let contents = try await SQLiteStore(path: path).contents()
        #expect(contents.files == (try ScriptedChanges.contents(after: contents.revision)).files)
        for number in 0..<2 {
            let told = try String(contentsOfFile: folder.path + "/out\(number)", encoding: .utf8)
            #expect(told.split(separator: "\n").count > 5, "writer \(number)")
        }
    }
}
