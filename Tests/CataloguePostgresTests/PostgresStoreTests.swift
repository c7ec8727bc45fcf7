import Catalogue
import CatalogueConformance
import CataloguePostgres
import Primitives
import StandIns
import Testing

@Suite struct PostgresStoreTests {
    private func settings(_ server: PostgresServer) throws -> PostgresSettings {
        PostgresSettings(
            host: "127.0.0.1",
            port: Int(server.port),
            database: try server.database(),
            user: "postgres",
            sslMode: "prefer"
        )
    }

    @Test(arguments: StoreRule.all) func keeps(_ rule: StoreRule) async throws {
        let store = try await PostgresStore(
            settings(PostgresServer.shared.get()),
            journalLimits: StoreRule.journalLimits
        )
        defer { store.close() }
        try await rule.check(store)
    }

    @Test func theCatalogueIsThereAfterItWasOpenedAgain() async throws {
        let settings = try settings(PostgresServer.shared.get())
        let store = try await PostgresStore(settings)
        try await store.change { draft throws(CatalogueError) in
            try draft.save(ShowDraft(systemName: "S"), replacing: nil, seconds: 0)
        }
        store.close()
        let again = try await PostgresStore(settings)
        defer { again.close() }
        #expect(try await again.contents().shows.map(\.systemName) == ["S"])
    }

    @Test func theTablesHaveTheNamesThatPeopleQuery() async throws {
        let server = try PostgresServer.shared.get()
        let settings = try settings(server)
        try await PostgresStore(settings).close()
        let sql = """
            SELECT count(*) FROM tv_shows; SELECT abs_episode, absolute_episode FROM episodes;
            SELECT remote_path, status FROM downloaded_files; SELECT path FROM sftp_temp_files;
            SELECT path FROM anime_tv_inventory; CREATE INDEX a ON tv_shows(tmdb_id);
            CREATE INDEX b ON episodes(tmdb_id); CREATE INDEX c ON episodes(absolute_episode);
            ANALYZE;
            """
        #expect(try server.query(sql, in: settings.database ?? "") == "0\n")
    }

    /// A dump takes the place of half a move, and tables of the version before become today's.
    @Test func aDumpOfTheVersionBeforeEndsAMoveThatWasBrokenOff() async throws {
        let server = try PostgresServer.shared.get()
        let settings = try settings(server)
        let folder = try TemporaryFolder()
        let store = try await PostgresStore(settings)
        defer { store.close() }
        try await store.change { draft throws(CatalogueError) in
            try draft.save(ShowDraft(systemName: "S"), replacing: nil, seconds: 0)
        }
        _ = try server.query(
            """
            ALTER TABLE catalogue_state DROP COLUMN move_mark, DROP COLUMN move_parts;
            UPDATE catalogue_state SET schema_version = 1;
            """,
            in: settings.database ?? ""
        )
        let dump = folder.path + "/c.dump"
        _ = try await store.backUp(to: dump)
        let again = try await PostgresStore(settings)
        defer { again.close() }
        #expect(try await again.beginMove("m") == 0)
        #expect(try await again.isHalfMoved())
        try await again.restore(from: dump)
        #expect(try await again.contents().shows.map(\.systemName) == ["S"])
        #expect(try await !again.isHalfMoved())
    }

    @Test func tablesOfAnotherProgramAreRefused() async throws {
        let server = try PostgresServer.shared.get()
        let settings = try settings(server)
        _ = try server.query("CREATE TABLE tv_shows (id INTEGER)", in: settings.database ?? "")
        let error = await #expect(throws: CatalogueError.self) { try await PostgresStore(settings) }
        #expect(error?.code == .unusable)
        #expect(error?.message.contains("name another database") ?? false)
    }

    @Test func aDatabaseThatIsNotThereIsSaidWithTheRemedy() async throws {
        var settings = try settings(PostgresServer.shared.get())
        settings.database = "nowhere"
        settings.password = "a secret"
        let error = await #expect(throws: CatalogueError.self) { try await PostgresStore(settings) }
        #expect(error?.code == .unusable)
        #expect(error?.message.contains("createdb") ?? false)
        #expect(!"\(error as Any)".contains("a secret"))
    }

    @Test func twoStoresHearOfEachOther() async throws {
        let settings = try settings(PostgresServer.shared.get())
        let (one, other) = try await (PostgresStore(settings), PostgresStore(settings))
        defer {
            one.close()
            other.close()
        }
        async let heard: Void = other.waitForChange(since: 0)
        try await one.change { draft throws(CatalogueError) in
            try draft.save(ShowDraft(systemName: "S"), replacing: nil, seconds: 0)
        }
        try await heard
        #expect(try await other.contents().shows.count == 1)
    }

    /// Two machines that add the same show at once get one show.
    @Test func twoWritersOfOneShowMakeOneShow() async throws {
        let settings = try settings(PostgresServer.shared.get())
        let stores = try await [PostgresStore(settings), PostgresStore(settings)]
        defer { for store in stores { store.close() } }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 {
                group.addTask {
                    var show = ShowDraft(
                        systemName: "S",
                        details: ShowDetails(tmdbID: 7, name: "S")
                    )
                    show.aliases = ["\(number)"]
                    try await stores[number % 2].change { draft throws(CatalogueError) in
                        try draft.save(show, replacing: nil, seconds: 0)
                    }
                }
            }
            try await group.waitForAll()
        }
        let contents = try await stores[0].contents()
        #expect(contents.shows.count == 1)
        #expect(contents.shows.first?.aliases.count == 20)
        #expect(contents.revision == 20)
    }

    @Test func aServerThatWentAwayIsUnavailableAndThenUsedAgain() async throws {
        let server = try PostgresServer()
        defer { server.stop() }
        let store = try await PostgresStore(settings(server))
        defer { store.close() }
        try await store.change { draft throws(CatalogueError) in
            try draft.save(ShowDraft(systemName: "S"), replacing: nil, seconds: 0)
        }
        server.stop()
        let error = await #expect(throws: CatalogueError.self) { try await store.contents() }
        #expect(error?.code == .unavailable)
        await #expect(throws: CatalogueError.self) { try await store.waitForChange(since: 1) }
        try server.start()
        var contents: CatalogueContents?
        for _ in 0..<200 where contents == nil {
            contents = try? await store.contents()
            if contents == nil { try await Task.sleep(for: .milliseconds(50)) }
        }
        #expect(contents?.shows.count == 1)
        async let heard: Void = store.waitForChange(since: 1)
        try await store.change { draft throws(CatalogueError) in
            try draft.save(ShowDraft(systemName: "T"), replacing: nil, seconds: 0)
        }
        try await heard
    }

    @Test func aServerThatWasRestartedBetweenTwoCallsFailsNeither() async throws {
        let server = try PostgresServer()
        defer { server.stop() }
        let store = try await PostgresStore(settings(server))
        defer { store.close() }
        #expect(try await store.revision() == 0)
        server.stop()
        try server.start()
        #expect(try await store.revision() == 0)
    }

    /// Its machine answers, and it does not.
    @Test func aServerThatFallsSilentIsGivenUpInTime() async throws {
        let server = try PostgresServer()
        defer { server.stop() }
        var settings = try settings(server)
        settings.silence = .seconds(1)
        let store = try await PostgresStore(settings)
        defer { store.close() }
        server.freeze()
        let error = await #expect(throws: CatalogueError.self) { try await store.contents() }
        #expect(error?.code == .unavailable)
        server.thaw()
        var contents: CatalogueContents?
        while contents == nil { contents = try? await store.contents() }
        #expect(contents?.revision == 0)
    }

    @Test func aServerThatOnlyReadsIsReadAndABadEncodingRefused() async throws {
        let server = try PostgresServer.shared.get()
        let settings = try settings(server)
        let database = settings.database ?? ""
        try await PostgresStore(settings).close()
        let only = "ALTER DATABASE \(database) SET default_transaction_read_only = on"
        _ = try server.query(only, in: "postgres")
        let store = try await PostgresStore(settings)
        defer { store.close() }
        #expect(try await store.contents().revision == 0)
        let error = await #expect(throws: CatalogueError.self) {
            try await store.change { draft throws(CatalogueError) in
                try draft.save(ShowDraft(systemName: "S"), replacing: nil, seconds: 0)
            }
        }
        #expect(error?.code == .unavailable)
        _ = try server.query(
            "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0",
            in: "postgres"
        )
        var latin = settings
        latin.database = "latin"
        let refused = await #expect(throws: CatalogueError.self) { try await PostgresStore(latin) }
        #expect(refused?.message.contains("UTF8") ?? false)
    }

    @Test func aConnectionIsEncryptedAndTheServerIsKnown() async throws {
        let server = try PostgresServer(tls: true)
        defer { server.stop() }
        var settings = try settings(server)
        settings.sslMode = "verify-full"
        settings.sslRootCertificate = server.certificate
        let store = try await PostgresStore(settings)
        #expect(try await store.contents().shows.isEmpty)
        store.close()
        settings.sslRootCertificate = "/etc/hostname"
        let error = await #expect(throws: CatalogueError.self) { try await PostgresStore(settings) }
        #expect(error?.message.contains("sslrootcert") ?? false)
    }
}
