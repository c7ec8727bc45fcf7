import Catalogue
import CatalogueSQLite
import Foundation
import Ingest
import Logging
import Operations
import Primitives
import StandIns
import Testing

@Suite struct RoutingOperationsTests {
    // MARK: A person's word

    @Test func aFileStaysWhereAPersonPutsItAndItsLikeFollow() async throws {
        let scene = try await Scene(["Hafen.Geschichten.S01E05.mkv", "Other.S01E01.mkv"])
        _ = try await scene.operations.addShow(AddShowRequest("Severance"))
        let report = try await scene.route("Hafen.Geschichten.S01E05 --as Severance S01E06")
        #expect(report.moved.first?.place == "Severance S01E06")
        #expect(await scene.place("S01E05") == "Severance S01E06")
        // What is decided anew leaves it.
        _ = try await scene.route("all")
        #expect(await scene.place("S01E05") == "Severance S01E06")
        #expect(await scene.decision("S01E05")?.by == .person)
        // The title was learnt.
        try await scene.add(["Hafen.Geschichten.S01E07.1080p.mkv"])
        #expect(await scene.place("S01E07") == "Severance S01E07")
        #expect(await scene.place("Other") == "Other S01E01")
    }

    /// A release that calls the second season its first, and one that counts on.
    @Test func aSeriesGoesAsItsExampleDoes() async throws {
        let scene = try await Scene([
            "Bar.S01E02.mkv", "Bar.S01E03.mkv", "[X] Baz - 30 [1080p].mkv",
        ])
        _ = try await scene.operations.addShow(AddShowRequest("Severance"))
        _ = try await scene.route("Bar.S01E02 --as Severance S02E02")
        #expect(await scene.place("Bar.S01E03") == "Severance S02E03")
        _ = try await scene.route("Baz - 30 --as Severance S02E05")
        try await scene.add(["[X] Baz - 31 [1080p].mkv", "Bar.S01E04.720p.mkv", "Bar.S02E01.mkv"])
        #expect(await scene.place("Baz - 31") == "Severance S02E06")
        #expect(await scene.place("Bar.S01E04") == "Severance S02E04")
        // Of another season nobody spoke, and TMDB has none.
        #expect(await scene.place("Bar.S02E01") == nil)
        #expect(await scene.decision("Baz - 31")?.rule.contains("person") ?? false)
    }

    @Test func oneMislabelledFileMovesNoOther() async throws {
        let scene = try await Scene(["Severance.S01E02.mkv", "Severance.S01E03.mkv"])
        _ = try await scene.operations.addShow(AddShowRequest("Severance"))
        _ = try await scene.route("S01E02 --as Severance S01E07")
        #expect(await scene.place("S01E02") == "Severance S01E07")
        #expect(await scene.place("S01E03") == "Severance S01E03")
    }

    @Test func aSeasonOfManyFilesIsPlacedAtOnce() async throws {
        let scene = try await Scene(["Foo.S01E01.mkv", "Foo.S01E02.mkv", "Foo.S01E02.en.srt"])
        _ = try await scene.operations.addShow(AddShowRequest("Severance"))
        _ = try await scene.route("Foo. --as Severance S02")
        #expect(await scene.place("Foo.S01E01") == "Severance S02E01")
        #expect(await scene.place("en.srt") == "Severance S02E02")
    }

    @Test(arguments: [
        ("Foo. --as Severance S01E01", "name one"), ("Foo. --as Nothing S01E01", "add it first"),
        ("Bar --as Severance S01E01", "no video"), ("all --as Severance S01E01", "one path"),
        ("Foo.S01E01 --wrong", "is no option"), ("--llm-confidence 7 all", "0 to 1"),
    ])
    func whatMakesNoSenseIsRefused(_ line: String, _ words: String) async throws {
        let scene = try await Scene(["Foo.S01E01.mkv", "Foo.S01E02.mkv"])
        _ = try await scene.operations.addShow(AddShowRequest("Severance"))
        let error = await #expect(throws: OperationError.self) { try await scene.route(line) }
        #expect("\(error as Any)".contains(words))
        #expect(await scene.place("Foo.S01E01") == "Foo S01E01")
    }

    @Test func aDryPlacingChangesNothing() async throws {
        let scene = try await Scene(["Foo.S01E01.mkv"])
        _ = try await scene.operations.addShow(AddShowRequest("Severance"))
        let report = try await scene.route("--dry-run Foo --as Severance S01E03")
        #expect(report.moved.first?.place == "Severance S01E03")
        #expect(await scene.place("Foo") == "Foo S01E01")
    }

    // MARK: Explaining

    @Test func aPlaceIsExplainedByWhatTheNameSays() async throws {
        let scene = try await Scene(["Severance.S01E05.1080p.WEB.H264-CREW.mkv"])
        _ = try await scene.operations.addShow(AddShowRequest("Severance"))
        let found = try await scene.operations.explain("S01E05").files
        #expect(found.first?.place == "Severance S01E05")
        #expect(found.first?.rule == "show by title, season and episode")
        #expect(found.first?.evidence.contains { $0.hasPrefix("title: 'Severance'") } ?? false)
        #expect(found.first?.evidence.contains { $0.hasPrefix("group: 'CREW'") } ?? false)
        // They are kept with the decision, and not read anew.
        let spans = await scene.library.contents.files.first?.decision.spans?.all
        #expect(spans?.first == Spans.Span(fact: "title", bytes: 3..<12))
        await #expect(throws: OperationError.self) { try await scene.operations.explain("nope") }
    }

    // MARK: Shows that only files know

    @Test func autoAddAsksOncePerShowAndSkipsJunk() async throws {
        let scene = try await Scene([
            "Severance.S01E01.mkv", "Severance.S01E02.mkv", "readme.mkv", "sample-x.S01E01.mkv",
            "Nobody.Knows.This.S01E01.mkv", "[Crew] Sousou no Frieren - 05 [1080p].mkv",
        ])
        let report = try await scene.route("--auto-add all")
        #expect(await scene.place("Severance.S01E02") == "Severance S01E02")
        #expect(await scene.place("Frieren") == "Frieren: Beyond Journey's End S01E05")
        #expect(await scene.place("Nobody") == "Nobody Knows This S01E01")
        #expect(await scene.place("sample-x") == nil)
        #expect(report.notes.count == 3)
        #expect(scene.tmdb.count("/3/tv/95396") == 1)
        #expect(scene.tmdb.count("/3/search/tv") == 3)
        // Added once is added.
        let again = try await scene.route("--auto-add all")
        #expect(again.notes.count == 1)
    }

    @Test func aCountryInANameFindsItsShow() async throws {
        let scene = try await Scene(["The.Office.US.S02E03.mkv", "Doctor.Who.S01E03.mkv"])
        let report = try await scene.route("--auto-add all")
        #expect(await scene.place("Office") == "The Office S02E03")
        let open = report.notes.first { $0.contains("Doctor Who") } ?? ""
        #expect(open.contains("tmdb:57243") && open.contains("tmdb:121") && !open.contains("\n"))
    }

    @Test func aDryAutoAddChangesNothing() async throws {
        let scene = try await Scene(["Severance.S01E01.mkv"])
        let report = try await scene.route("--dry-run --auto-add all")
        #expect(report.notes.first?.hasPrefix("would add") ?? false)
        #expect(await scene.library.contents.shows.allSatisfy { $0.details == nil })
    }

    // MARK: A model

    @Test func aModelReadsWhatTheParserCannot() async throws {
        let scene = try await Scene(["severance ... the one with the goats.mkv", "A.S01E01.mkv"]) {
            _,
            input in
            let count = input.split(separator: "\n").count
            let name =
                #"{"title":"severance","season":1,"episodes":[3],"confidence":0.85}"#
            return "{\"names\":[\(Array(repeating: name, count: count).joined(separator: ","))]}"
        }
        _ = try await scene.operations.addShow(AddShowRequest("Severance"))
        #expect(await scene.place("goats") == nil)
        // Not sure enough for what was asked.
        _ = try await scene.route("--use-llm --llm-confidence 0.9 unrouted")
        #expect(await scene.place("goats") == nil)
        let report = try await scene.route("--use-llm unrouted")
        #expect(await scene.place("goats") == "Severance S01E03")
        #expect(await scene.decision("goats")?.by == .languageModel)
        #expect(report.notes.first?.contains("read 1 of 1") ?? false)
        // It stays, without asking again, while the parser knows no better.
        _ = try await scene.route("all")
        #expect(await scene.place("goats") == "Severance S01E03")
    }

    @Test func aModelThatIsAwayHoldsUpNothing() async throws {
        let scene = try await Scene(["something unclear.mkv", "Severance.S01E02.mkv"])
        for _ in 0..<3 { scene.model.answerNext(ModelStandIn.error(503, "overloaded")) }
        let report = try await scene.route("--use-llm all")
        #expect(report.notes.first?.contains("was of no use") ?? false)
        #expect(await scene.place("Severance") == "Severance S01E02")
    }

    @Test func aModelChoosesAmongNamesakes() async throws {
        let scene = try await Scene([]) { _, _ in #"{"number":57243,"confidence":0.9}"# }
        await #expect(throws: OperationError.self) {
            try await scene.operations.addShow(AddShowRequest("Doctor Who"))
        }
        var request = try AddShowRequest("Doctor Who")
        request.useLLM = true
        #expect(try await scene.operations.addShow(request).tmdbID == 57243)
    }

    // MARK: What was done

    @Test func everyChangeHasItsEntryAndCanBeTakenBack() async throws {
        let scene = try await Scene(["Severance.S01E05.mkv"])
        _ = try await scene.operations.addShow(AddShowRequest("Severance"))
        _ = try await scene.route("Severance --as Severance S01E07")
        let done = try await scene.operations.history("")
        #expect(done.map(\.author) == ["person", "person", "scan"])
        #expect(done.map(\.number) == [3, 2, 1])
        #expect(done[0].operation == "route-files --as 'Severance S01E07'")
        #expect(done[1].operation == "add-show tmdb:95396")
        #expect(done[1].extent.hasPrefix("1 show, "))
        // A later change touched the same file.
        let error = await #expect(throws: OperationError.self) {
            try await scene.operations.undo("2")
        }
        #expect(error?.code == .busy)
        #expect(error?.message.contains("change 3") ?? false)
        _ = try await scene.operations.undo("3")
        #expect(await scene.place("Severance") == "Severance S01E05")
        // An undo is a change like any other.
        _ = try await scene.operations.undo("4")
        #expect(await scene.place("Severance") == "Severance S01E07")
        await #expect(throws: OperationError.self) { try await scene.operations.undo("99") }
        await #expect(throws: OperationError.self) { try await scene.operations.history("none") }
    }

    @Test func oneMachineScansAtATime() async throws {
        let scene = try await Scene(["Severance.S01E05.mkv"])
        #expect(try await scene.library.takeScan(as: "nas2", seconds: 60) == nil)
        let error = await #expect(throws: OperationError.self) { try await scene.operations.scan() }
        #expect(error?.code == .busy)
        #expect(error?.message.contains("nas2") ?? false)
        await scene.library.endScan(of: "nas2")
        #expect(try await scene.operations.scan().files == 1)
    }

    @Test func whatAnotherMachineMountsIsNotGone() async throws {
        let scene = try await Scene(["Severance.S01E05.mkv"])
        var elsewhere = SeedboxScanner.Result()
        elsewhere.files = [
            RemoteFile(path: RemotePath("/e/Dark.S01E01.mkv"), size: 1, modifiedSeconds: 1)
        ]
        let other = Library(
            store: scene.store,
            roots: [RemotePath("/e")],
            log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await other.load()
        _ = await other.mountedByOthers(than: "nas2")
        let theirs = await other.mountedByOthers(than: "nas2")
        #expect(theirs == [RemotePath("/d")])
        #expect(try await other.record(elsewhere, others: theirs).gone == 0)
        #expect(try await scene.operations.scan().gone == 0)
        #expect(try await scene.store.contents().files.count == 2)
    }

    /// A scan that took long did not see what came meanwhile.
    @Test func whatCameDuringAScanIsNotGone() async throws {
        let scene = try await Scene(["Severance.S01E05.mkv"])
        let known = await scene.library.contents.nextFileID
        var meanwhile = SeedboxScanner.Result()
        meanwhile.files = ["Severance.S01E05.mkv", "Severance.S01E06.mkv"].map {
            RemoteFile(path: RemotePath("/d/" + $0), size: 1, modifiedSeconds: 1)
        }
        _ = try await scene.library.record(meanwhile)
        var late = SeedboxScanner.Result()
        late.files = [meanwhile.files[0]]
        #expect(try await scene.library.record(late, known: known).gone == 0)
        #expect(try await scene.library.record(late).gone == 1)
    }

    // MARK: Looking for shows

    @Test(arguments: [
        ("brekin bad", "Breaking Bad"),
        ("nach dem ende der reise", "Frieren: Beyond Journey's End"),
        ("sousou no friren", "Frieren: Beyond Journey's End"), ("severence", "Severance"),
        ("dark 2017", "Dark"),
    ])
    func aShowIsFoundByWhatSomebodyRemembers(_ text: String, _ name: String) async throws {
        let scene = try await Scene([])
        for show in ["Frieren", "Breaking Bad", "Severance", "Dark"] {
            _ = try await scene.operations.addShow(AddShowRequest(show))
        }
        #expect(try await scene.operations.search(text).first?.name == name)
        await #expect(throws: OperationError.self) { try await scene.operations.search("qqqq") }
    }

    @Test func whatIsLikeAShowIsFoundAndItsVectorsAreKept() async throws {
        let scene = try await Scene([])
        for show in ["Frieren", "Breaking Bad", "Severance", "Dark"] {
            _ = try await scene.operations.addShow(AddShowRequest(show))
        }
        let found = try await scene.operations.similar(to: "Dark")
        #expect(found.count == 3 && !found.contains { $0.name == "Dark" })
        #expect(found.map(\.score) == found.map(\.score).sorted(by: >))
        let kept = try await scene.library.vectors(of: "hashed-384-v1")
        #expect(kept.count == 4 && kept.allSatisfy { $0.vector.count == 384 })
        await #expect(throws: OperationError.self) { try await scene.operations.similar(to: "x") }
    }
}
