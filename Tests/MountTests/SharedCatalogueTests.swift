import Foundation
import Glibc
import StandIns
import Testing

/// Several mounts on one catalogue: two machines on one PostgreSQL, or two processes on one file.
@Suite(.serialized) struct SharedCatalogueTests {
    /// A second mount of the same seedbox, with a data directory and a cache of its own.
    private final class SecondMount {
        let fixture: Fixture
        let mountpoint: String

        init(_ fixture: Fixture, _ environment: [String: String]) throws {
            self.fixture = fixture
            mountpoint = fixture.directory + "/tv2"
            mkdir(mountpoint, 0o755)
            let result = try fixture.run(
                [
                    "mount", fixture.seedbox.url, mountpoint, "-i", fixture.seedbox.keyPath,
                    "--known-hosts", fixture.seedbox.knownHostsPath,
                    "--data-dir", fixture.directory + "/data2",
                    "--cache-dir", fixture.directory + "/cache2",
                ],
                extra: environment
            )
            try #require(result.code == 0, "\(result.errors)")
        }

        deinit {
            _ = try? fixture.run(["unmount", mountpoint])
            umount2(mountpoint, Int32(MNT_FORCE) | Int32(MNT_DETACH))
        }

        var library: String { mountpoint + "/library" }
    }

    private static func postgres(_ server: PostgresServer) throws -> [String: String] {
        [
            "SYNC2NAS_DATABASE_TYPE": "postgresql", "SYNC2NAS_POSTGRESQL_HOST": "127.0.0.1",
            "SYNC2NAS_POSTGRESQL_PORT": "\(server.port)", "SYNC2NAS_POSTGRESQL_USER": "postgres",
            "SYNC2NAS_POSTGRESQL_DATABASE": try server.database(),
        ]
    }

    private func withTwoMounts(
        _ environment: [String: String],
        _ body: (Fixture, SecondMount) throws -> Void
    ) throws {
        let fixture = try Fixture()
        try fixture.seedbox.write(
            "Dark.S01E01.1080p.WEB-CREW.mkv",
            Fixture.pattern(300_000, seed: 1)
        )
        try #require(try fixture.mount(extra: environment).code == 0)
        let second = try SecondMount(fixture, environment)
        try body(fixture, second)
    }

    private func follow(_ fixture: Fixture, _ second: SecondMount) throws {
        let before = "Dark/Season 01/Dark - S01E01 [1080p].mkv"
        let show = "Dark (2017) {tmdb-70523}"
        let after = "\(show)/Season 01/Dark (2017) - S01E01 - Secrets [1080p].mkv"
        #expect(fixture.files(below: second.library) == [before])
        #expect(fixture.echo("Dark", to: "add-show") == 0)
        #expect(fixture.eventually { fixture.files(below: second.library) == [after] })
        for library in [fixture.library, second.library] {
            #expect(try fixture.bytes(library + "/" + after) == Fixture.pattern(300_000, seed: 1))
        }
        // What one scans, the other has.
        try fixture.seedbox.write("Dark.S01E02.1080p.WEB-CREW.mkv", Fixture.pattern(1_000, seed: 2))
        #expect(try fixture.run(["scan", "--mount", second.mountpoint]).code == 0)
        #expect(fixture.eventually { fixture.files(below: fixture.library).count == 2 })
        // And what it takes back, too.
        #expect(fixture.text(fixture.control("history")).contains("echo 20 > history"))
        #expect(fixture.echo("all", to: "history") == 0)
        #expect(fixture.text(fixture.control("history")).contains("add-show tmdb:"))
        #expect(fixture.echo("1", to: "undo") == EBUSY)
        #expect(fixture.text(fixture.control("undo")).contains("undo that first"))
        #expect(fixture.echo("2", to: "undo") == 0)
        #expect(fixture.eventually { fixture.files(below: second.library).first == before })
    }

    @Test func twoMachinesOnOnePostgresFollowEachOther() throws {
        let server = try PostgresServer.shared.get()
        try withTwoMounts(Self.postgres(server), follow)
    }

    @Test func twoProcessesOnOneFileFollowEachOther() throws {
        let folder = try TemporaryFolder()
        try withTwoMounts(["SYNC2NAS_SQLITE_DB_FILE": folder.path + "/shared.db"], follow)
    }

    /// While the database server is away, what was known is served and read, changes are refused
    /// with the reason, and when it is back all goes on.
    @Test func aMountOutlivesItsDatabaseServer() throws {
        let server = try PostgresServer()
        defer { server.stop() }
        let environment = try Self.postgres(server)
        let fixture = try Fixture()
        let bytes = Fixture.pattern(2_000_000, seed: 3)
        try fixture.seedbox.write("Dark.S01E01.1080p.WEB-CREW.mkv", bytes)
        try #require(try fixture.mount(extra: environment).code == 0)
        let path = fixture.library + "/Dark/Season 01/Dark - S01E01 [1080p].mkv"
        server.stop()
        #expect(try fixture.bytes(path) == bytes)
        #expect(fixture.echo("Dark", to: "add-show") == EIO)
        #expect(fixture.text(fixture.control("add-show")).contains("PostgreSQL"))
        #expect(
            fixture.eventually { fixture.text(fixture.control("status")).contains("away: ") }
        )
        #expect(fixture.files(below: fixture.library).count == 1)
        try server.start()
        #expect(
            fixture.eventually(within: 30) {
                !fixture.text(fixture.control("status")).contains("away: ")
            }
        )
        #expect(whyNotAdded("Dark", fixture) == "")
        #expect(fixture.files(below: fixture.library).first?.contains("Secrets") ?? false)
    }

    /// Empty when it was added; else why not.
    private func whyNotAdded(_ show: String, _ fixture: Fixture) -> String {
        fixture.echo(show, to: "add-show") == 0 ? "" : fixture.text(fixture.control("add-show"))
    }

    /// A machine that comes up before its database server, and a server process that dies meanwhile,
    /// serve the library as it was last known.
    @Test func aMountBeginsWithoutItsDatabaseServer() throws {
        let server = try PostgresServer()
        defer { server.stop() }
        let environment = try Self.postgres(server)
        let fixture = try Fixture()
        let bytes = Fixture.pattern(2_000_000, seed: 6)
        try fixture.seedbox.write("Dark.S01E01.1080p.WEB-CREW.mkv", bytes)
        try #require(try fixture.mount(extra: environment).code == 0)
        #expect(fixture.echo("Dark", to: "add-show") == 0)
        let files = fixture.files(below: fixture.library)
        let show = fixture.library + "/Dark (2017) {tmdb-70523}"
        let time = fixture.modified(show)
        try fixture.unmount()
        server.stop()
        let mounted = try fixture.mount(extra: environment)
        try #require(mounted.code == 0, "\(mounted.errors)")
        #expect(mounted.errors.contains("last known"))
        #expect(fixture.files(below: fixture.library) == files)
        #expect(fixture.modified(show) == time)
        #expect(try fixture.bytes(fixture.library + "/" + files[0]) == bytes)
        #expect(fixture.echo("Severance", to: "add-show") == EIO)
        try fixture.replaceServer()
        #expect(fixture.files(below: fixture.library) == files)
        try server.start()
        #expect(
            fixture.eventually(within: 30) {
                !fixture.text(fixture.control("status")).contains("away: ")
            }
        )
        #expect(whyNotAdded("Severance", fixture) == "")
        #expect(fixture.modified(show) == time)
    }

    @Test func aCatalogueMovesFromOneDatabaseToAnother() throws {
        let server = try PostgresServer.shared.get()
        let environment = try Self.postgres(server)
        let fixture = try Fixture.withEpisode(Fixture.pattern(1_000, seed: 4))
        #expect(fixture.echo("Dark", to: "add-show") == 0)
        let options = ["--data-dir", fixture.data]
        var onSQLite = environment
        onSQLite["SYNC2NAS_DATABASE_TYPE"] = "sqlite"
        let dry = try fixture.run(
            ["migrate-db", "--to", "postgres", "--dry-run"] + options,
            extra: onSQLite
        )
        #expect(dry.code == 0 && dry.output.contains("nothing was written"))
        let move = try fixture.run(["migrate-db", "--to", "postgres"] + options, extra: onSQLite)
        #expect(move.code == 0 && move.output.contains("all rows are the same"), "\(move.errors)")
        let again = try fixture.run(["migrate-db", "--to", "postgres"] + options, extra: onSQLite)
        #expect(again.code == 1 && again.errors.contains("--force"))
        try fixture.unmount()
        try #require(try fixture.mount(extra: environment).code == 0)
        #expect(fixture.files(below: fixture.library) == [Fixture.episode])
        #expect(fixture.text(fixture.control("status")).contains("PostgreSQL"))
        // A backup of one kind is put back into the other.
        let file = fixture.directory + "/backup.jsonl"
        #expect(
            try fixture.run(["backup-db", "--portable", file] + options, extra: environment).code
                == 0
        )
        #expect(try fixture.run(["check-db"] + options, extra: environment).code == 0)
        #expect(try fixture.run(["db-stats"] + options, extra: environment).code == 0)
        let refused = try fixture.run(["restore-db", file] + options, extra: onSQLite)
        #expect(refused.code == 1 && refused.errors.contains("--force"))
        #expect(
            try fixture.run(["restore-db", "--force", file] + options, extra: onSQLite).code == 0
        )
        // In each database's own form, with the mount up, which sees what was restored.
        for (own, extra) in [("own.db", onSQLite), ("own.dump", environment)] {
            let path = fixture.directory + "/" + own
            let saved = try fixture.run(["backup-db", path] + options, extra: extra)
            #expect(saved.code == 0 && saved.output.contains("read back"), "\(saved.errors)")
            #expect(try fixture.run(["check-db", "--quick"] + options, extra: extra).code == 0)
        }
        #expect(fixture.echo("Severance", to: "add-show") == 0)
        let dump = fixture.directory + "/own.dump"
        let restored = try fixture.run(
            ["restore-db", "--force", dump] + options,
            extra: environment
        )
        #expect(restored.code == 0, "\(restored.errors)")
        #expect(
            fixture.eventually {
                _ = fixture.echo("all", to: "search-show")
                return !fixture.text(fixture.control("search-show")).contains("Severance")
            }
        )
        let own = fixture.directory + "/own.db"
        #expect(
            try fixture.run(["restore-db", "--force", own] + options, extra: onSQLite).code == 0
        )
    }

    /// A mount keeps its catalogue in Milvus, over a crash too, and moves out again.
    @Test(arguments: MilvusLite.Version.allCases)
    func aLibraryLivesInMilvus(_ version: MilvusLite.Version) async throws {
        let server = try await MilvusLite(version: version)
        defer { server.stop() }
        let environment = [
            "SYNC2NAS_DATABASE_TYPE": "milvus", "SYNC2NAS_MILVUS_HOST": "127.0.0.1",
            "SYNC2NAS_MILVUS_PORT": "\(server.port)",
        ]
        let fixture = try Fixture()
        try fixture.seedbox.write("Dark.S01E01.1080p.WEB-CREW.mkv", Fixture.pattern(9_000, seed: 5))
        let mounted = try fixture.mount(extra: environment)
        try #require(mounted.code == 0, "\(mounted.errors)")
        #expect(fixture.echo("Dark", to: "add-show") == 0)
        let files = fixture.files(below: fixture.library)
        #expect(files.first?.contains("Secrets") ?? false)
        fixture.killAll()
        try #require(try fixture.mount(extra: environment).code == 0)
        #expect(fixture.files(below: fixture.library) == files)
        let code = fixture.echo("Dark", to: "similar")
        #expect(code == 0, "\(fixture.text(fixture.control("similar")))")
        #expect(fixture.text(fixture.control("status")).contains("Milvus, 127.0.0.1"))
        try fixture.unmount()
        let options = ["--data-dir", fixture.data]
        #expect(try fixture.run(["check-db"] + options, extra: environment).code == 0)
        let move = try fixture.run(["migrate-db", "--to", "sqlite"] + options, extra: environment)
        #expect(move.code == 0 && move.output.contains("all rows are the same"), "\(move.errors)")
        try #require(try fixture.mount().code == 0)
        #expect(fixture.files(below: fixture.library) == files)
        // Milvus is away now: the library is as it was last known there.
        try fixture.unmount()
        server.stop()
        let alone = try fixture.mount(extra: environment)
        try #require(alone.code == 0, "\(alone.errors)")
        #expect(alone.errors.contains("last known"))
        #expect(fixture.files(below: fixture.library) == files)
    }
}
