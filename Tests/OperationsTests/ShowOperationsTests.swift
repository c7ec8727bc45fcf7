import Catalogue
import Ingest
import Operations
import StandIns
import Testing

@Suite struct ShowOperationsTests {
    @Test func showsAreFoundOnTMDBAndInTheLibrary() async throws {
        let scene = try await Scene(["Severance.S01E02.mkv"])
        #expect(try await scene.operations.searchTMDB("Severance").first?.tmdbID == 95396)
        #expect(try await scene.operations.searchTMDB("tmdb:95396").first?.episodes ?? 0 > 0)
        _ = try await scene.operations.addShow(AddShowRequest("Severance"))
        let found = try await scene.operations.searchShows("sever")
        #expect(found.map(\.tmdbID) == [95396])
        #expect(found.first?.files == 1)
        #expect(try await scene.operations.searchShows("all").count == 1)
        await #expect(throws: OperationError.self) {
            try await scene.operations.searchShows("nothing")
        }
    }

    @Test func aWrongShowIsTurnedIntoTheRightOne() async throws {
        let scene = try await Scene(["Doctor.Who.S01E02.mkv"])
        _ = try await scene.operations.addShow(AddShowRequest("tmdb:121"))
        let folder = await scene.library.contents.shows.map(\.id)
        let fixed = try await scene.operations.fixShow("Doctor Who tmdb:57243")
        #expect(fixed.tmdbID == 57243 && fixed.files == 1)
        let contents = await scene.library.contents
        // The folder, and so what points to it, is the same.
        #expect(contents.shows.map(\.id) == folder)
        #expect(contents.episodes.allSatisfy { $0.showTMDBID == 57243 })
        await #expect(throws: OperationError.self) {
            try await scene.operations.fixShow("Doctor Who")
        }
        await #expect(throws: OperationError.self) {
            try await scene.operations.fixShow("Nobody tmdb:121")
        }
    }

    @Test func aShowThatTheLibraryHasIsNotMadeTwice() async throws {
        let scene = try await Scene([])
        _ = try await scene.operations.addShow(AddShowRequest("Severance"))
        _ = try await scene.operations.addShow(AddShowRequest("Breaking Bad"))
        let error = await #expect(throws: OperationError.self) {
            try await scene.operations.fixShow("Severance tmdb:1396")
        }
        #expect(error?.code == .alreadyExists)
        #expect(await scene.library.contents.shows.count == 2)
    }

    @Test func episodesAreRenewedOnWish() async throws {
        let scene = try await Scene([])
        _ = try await scene.operations.addShow(AddShowRequest("Severance"))
        let lines = try await scene.operations.updateEpisodes("all")
        #expect(lines.count == 1 && lines[0].contains("0 new, 0 gone"))
        #expect(try await scene.operations.updateEpisodes("new") == ["no show needs it"])
        #expect(try await scene.operations.updateEpisodes("tmdb:95396").count == 1)
        await #expect(throws: OperationError.self) {
            try await scene.operations.updateEpisodes("Nobody")
        }
    }

    /// A season of files that TMDB did not know yet costs one question.
    @Test func anOutdatedShowIsRenewedOnceForAllItsFiles() async throws {
        let scene = try await Scene([])
        _ = try await scene.operations.addShow(AddShowRequest("Steins;Gate"))
        let asked = scene.tmdb.count("/3/tv/42509")
        try await scene.add((25...36).map { "[Crew] Steins;Gate - \($0) [1080p].mkv" })
        await scene.operations.renewWhatIsDue()
        #expect(scene.tmdb.count("/3/tv/42509") == asked + 1)
        await scene.operations.renewWhatIsDue()
        #expect(scene.tmdb.count("/3/tv/42509") == asked + 1)
    }

    @Test func aFolderIsCalledAsAPersonWantsAndStaysSo() async throws {
        let scene = try await Scene(["Severance.S01E02.mkv"])
        var request = try AddShowRequest("severance")
        request.overridesFolder = true
        _ = try await scene.operations.addShow(request)
        #expect(await scene.library.contents.shows.map(\.folder) == ["severance"])
        _ = try await scene.operations.updateEpisodes("all")
        #expect(await scene.library.contents.shows.map(\.folder) == ["severance"])
        #expect(await scene.library.contents.shows.first?.details?.contentRating == "TV-MA")
    }

    @Test func aShorterNameIsSuggested() async throws {
        let scene = try await Scene([]) { _, _ in #"{"name":"Quiet Harbour"}"# }
        #expect(
            try await scene.operations.suggestName("20 The Long Tale of a Harbour")
                == "Quiet Harbour"
        )
        for wrong in ["", "20", "x The Tale", "7 The Tale", "256 The Tale"] {
            await #expect(throws: OperationError.self) {
                try await scene.operations.suggestName(wrong)
            }
        }
    }

    @Test func nothingIsLostWhenTMDBIsAway() async throws {
        let scene = try await Scene(["Severance.S01E02.mkv"])
        _ = try await scene.operations.addShow(AddShowRequest("Severance"))
        #expect(scene.operations.status().tmdb == "key set")
        scene.tmdb.stop()
        await #expect(throws: OperationError.self) {
            try await scene.operations.updateEpisodes("Severance")
        }
        // And the status says so.
        #expect(scene.operations.status().tmdb.contains("cannot be asked"))
        #expect(await scene.place("Severance") == "Severance S01E02")
        let report = try await scene.route("--auto-add all")
        #expect(report.considered == 1)
    }
}
