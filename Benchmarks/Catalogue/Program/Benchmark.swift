import Catalogue
import CatalogueMilvus
import CataloguePostgres
import CatalogueSQLite
import Foundation
import MilvusClient
import Naming
import Primitives
import Routing
import Similarity
import StandIns

/// One size of library in every database.
struct Benchmark {
    private static let episodesPerShow = 100
    private static let rounds = 5
    private let copy: CatalogueCopy

    /// - Parameter episodes: How many, a hundred to a show; and a file for every tenth.
    init(episodes: Int) {
        let shows = (1...max(1, episodes / Self.episodesPerShow)).map { number in
            Show(
                id: Int64(number),
                systemName: "Show \(number)",
                details: ShowDetails(
                    tmdbID: number,
                    name: "The Tale of Harbour \(number)",
                    overview: String(repeating: "A town by the sea has its secrets. ", count: 4)
                ),
                aliases: ["Hafen \(number)"],
                askedSeconds: 1
            )
        }
        let all = shows.flatMap { show in
            (1...Self.episodesPerShow).map { number in
                Episode(
                    showTMDBID: Int(show.id),
                    tmdbID: Int(show.id) * 1_000 + number,
                    season: 1 + number / 25,
                    number: number % 25 + 1,
                    absolute: number,
                    name: "The Fog of Night \(number)",
                    overview: "Somebody arrives, somebody leaves, and the light goes out.",
                    airDate: "2020-01-02"
                )
            }
        }
        let files = (1...max(1, episodes / 10)).map { number in
            LibraryFile(
                id: Int64(number),
                file: RemoteFile(
                    path: RemotePath("/d/Show.\(number / 10).S01E0\(number % 10).1080p.WEB-X.mkv"),
                    size: 1 << 30,
                    modifiedSeconds: Int64(number)
                ),
                kind: .video,
                decision: Decision(
                    placement: Placement(
                        showID: Int64(number % shows.count + 1),
                        season: 1,
                        episodes: [1]
                    ),
                    rule: "show by title, season and episode",
                    confidence: 0.97,
                    traits: FileTraits(resolution: "1080p", source: "WEB", group: "X")
                )
            )
        }
        copy = CatalogueCopy(
            contents: CatalogueContents(shows: shows, episodes: all, files: files)
        )
    }

    func run() async throws {
        let episodes = copy.contents.episodes.count
        print(
            "\n\(episodes) episodes, \(copy.contents.shows.count) shows, \(copy.contents.files.count) files"
        )
        // First: memory that was used and given back hides what is held.
        try await lookUp()
        print(
            "| | fill | load | 10,000 upserts | … their rows | add-show | … its rows | own shell reads |"
        )
        print("|---|---|---|---|---|---|---|---|")
        let folder = try TemporaryFolder()
        let path = folder.path + "/c.db"
        try await measure("SQLite", SQLiteStore(path: path)) {
            try Self.shell(
                "sqlite3",
                [path, "SELECT * FROM episodes ORDER BY tmdb_id, season, episode"]
            )
        }
        let server = try PostgresServer(isDurable: true)
        defer { server.stop() }
        let settings = PostgresSettings(
            host: "127.0.0.1",
            port: Int(server.port),
            database: try server.database(),
            user: "postgres"
        )
        try await measure("PostgreSQL", PostgresStore(settings)) {
            let sql = "COPY (SELECT * FROM episodes ORDER BY tmdb_id, season, episode) TO STDOUT"
            let words = ["-h", "127.0.0.1", "-p", "\(server.port)", "-U", "postgres", "-d"]
            return try Self.shell("psql", words + [settings.database ?? "", "-c", sql])
        }
        if episodes <= 100_000 {
            for version in MilvusLite.Version.allCases {
                let lite = try await MilvusLite(version: version)
                defer { lite.stop() }
                let milvus = MilvusServer(host: "127.0.0.1", port: lite.port)
                try await measure("Milvus Lite \(version)", MilvusStore(milvus)) { nil }
            }
        }
    }

    private func measure(
        _ name: String,
        _ store: any CatalogueStore,
        shell: () throws -> Double?
    ) async throws {
        let fill = try await Self.seconds { try await store.replaceAll(with: copy) }
        var loads: [Double] = []
        var contents = CatalogueContents()
        for _ in 0..<Self.rounds {
            loads.append(try await Self.seconds { contents = try await store.contents() })
        }
        guard contents.episodes.count == copy.contents.episodes.count else {
            throw StandInError("\(name) has lost episodes")
        }
        var (upserts, adds): ([Change], [Change]) = ([], [])
        for round in 0..<Self.rounds {
            var draft = CatalogueDraft(contents)
            var edits = CatalogueEdits()
            edits.episodes = contents.episodes.prefix(10_000).map { $0.renamed("round \(round)") }
            draft.apply(edits)
            let change = draft.change(Origin(.refresh, "benchmark"), seconds: 1)
            upserts.append(try await commit(change, store))
            contents = change.after
            var adding = CatalogueDraft(contents)
            let tmdbID = 5_000_000 + round
            try adding.save(
                ShowDraft(
                    systemName: "New \(round)",
                    details: ShowDetails(tmdbID: tmdbID, name: "N")
                ),
                replacing: nil,
                episodes: (1...30).map {
                    Episode(
                        showTMDBID: tmdbID,
                        tmdbID: $0,
                        season: 1,
                        number: $0,
                        absolute: $0,
                        name: "E"
                    )
                },
                seconds: 1
            )
            let add = adding.change(Origin(.person, "add-show"), seconds: 1)
            adds.append(try await commit(add, store))
            contents = add.after
        }
        let own = try shell().map { String(format: "%.3f s", $0) } ?? ""
        print(
            String(
                format: "| %@ | %.2f s | %.3f s | %.3f s | %.3f s | %.1f ms | %.1f ms | %@ |",
                name,
                fill,
                Self.median(loads),
                Self.median(upserts.map(\.made)),
                Self.median(upserts.map(\.whole)),
                Self.median(adds.map(\.made)) * 1_000,
                Self.median(adds.map(\.whole)) * 1_000,
                own
            )
        )
        await store.close()
    }

    /// Seconds until a change is made, so that nothing loses it and all who read see it, and until
    /// its rows are there, for which a reader of Milvus waits.
    private typealias Change = (made: Double, whole: Double)

    private func commit(
        _ change: CatalogueChange,
        _ store: any CatalogueStore
    ) async throws -> Change {
        let made = try await Self.seconds { try await store.commit(change) }
        // The cheapest question that waits.
        let rest = try await Self.seconds { _ = try await store.vectors(of: "none") }
        return (made, made + rest)
    }

    /// What is asked of the library once it is loaded; the same for every database.
    private func lookUp() async throws {
        let folder = try TemporaryFolder()
        let store = try SQLiteStore(path: folder.path + "/c.db")
        var only = copy
        only.contents = CatalogueContents(
            shows: copy.contents.shows,
            episodes: copy.contents.episodes
        )
        try await store.replaceAll(with: only)
        let filled = Self.residentBytes
        let loaded = try await store.contents()
        let held = Double(Self.residentBytes - filled) / Double(loaded.episodes.count)
        let titles = TitleSearch(loaded.shows.map { .init($0.titles, year: nil) })
        let router = Router(shows: loaded.shows, episodes: loaded.episodes)
        let shows = loaded.shows.count
        let search = try await Self.seconds {
            for number in 0..<100 { _ = titles.matches(for: "tale harbor \(number * shows / 100)") }
        }
        let parser = NameParser()
        let names = (0..<1_000).map { number in
            parser.parse("[X] The Tale of Harbour \(number * shows / 1_000 + 1) - 77 [1080p].mkv")
        }
        let route = try await Self.seconds { for name in names { _ = router.route(name) } }
        print(
            String(
                format:
                    "search %.2f ms, a name with an absolute number %.3f ms, %.0f bytes an episode held",
                search * 10,
                route,
                held
            )
        )
    }
}

extension Benchmark {
    private static func seconds(_ body: () async throws -> Void) async throws -> Double {
        let clock = ContinuousClock()
        return try await clock.measure { try await body() } / .seconds(1)
    }

    private static func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

    /// The seconds in which a shell reads the episodes and throws them away.
    private static func shell(_ program: String, _ arguments: [String]) throws -> Double {
        var times: [Double] = []
        for _ in 0..<rounds {
            let start = ContinuousClock.now
            guard try ChildProcess(program, arguments).wait() == 0 else {
                throw StandInError("\(program) fails")
            }
            times.append((ContinuousClock.now - start) / .seconds(1))
        }
        return median(times)
    }

    private static var residentBytes: Int {
        let status = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        return (Int(status.split(separator: " ").dropFirst().first ?? "") ?? 0) * 4_096
    }
}

extension Episode {
    fileprivate func renamed(_ name: String) -> Episode {
        Episode(
            showTMDBID: showTMDBID,
            tmdbID: tmdbID,
            season: season,
            number: number,
            absolute: absolute,
            name: name,
            overview: overview,
            airDate: airDate,
            type: type
        )
    }
}
