import Catalogue
import Naming
import Routing
import Testing

@Suite struct RouterTests {
    private let router = Router(
        shows: [
            Show(
                id: 1,
                systemName: "Long Voyage",
                details: ShowDetails(
                    tmdbID: 10,
                    name: "Long Voyage: The Far Shore",
                    firstAired: "2010-04-01",
                    countries: ["JP"]
                ),
                aliases: ["Nagai Tabi"]
            ),
            Show(
                id: 2,
                systemName: "The Desk",
                details: ShowDetails(
                    tmdbID: 20,
                    name: "The Desk",
                    firstAired: "2001-01-01",
                    countries: ["GB"]
                )
            ),
            Show(
                id: 3,
                systemName: "The Desk",
                details: ShowDetails(
                    tmdbID: 30,
                    name: "The Desk",
                    firstAired: "2005-01-01",
                    countries: ["US"]
                )
            ),
        ],
        episodes: (1...30).map { number in
            Episode(
                showTMDBID: 10,
                tmdbID: number,
                season: number <= 12 ? 1 : 2,
                number: number <= 12 ? number : number - 12,
                absolute: number,
                name: "\(number)",
                airDate: number == 14 ? "2011-05-05" : nil
            )
        }
    )

    private func route(_ name: String) -> Router.Outcome { router.route(NameParser().parse(name)) }

    @Test func anAliasFindsItsShow() {
        let outcome = route("[Crew] Nagai Tabi - 05 [1080p].mkv")
        #expect(outcome.decision.placement == Placement(showID: 1, season: 1, episodes: [5]))
        #expect(outcome.newShow == nil)
    }

    @Test func anAbsoluteNumberIsCountedOverTheSeasons() {
        let outcome = route("[Crew] Nagai Tabi - 15 [1080p].mkv")
        #expect(outcome.decision.placement == Placement(showID: 1, season: 2, episodes: [3]))
    }

    @Test func anUnknownAbsoluteNumberIsLeftOpen() {
        let outcome = route("[Crew] Nagai Tabi - 99 [1080p].mkv")
        #expect(outcome.decision.placement == nil)
        #expect(!outcome.decision.candidates.isEmpty)
    }

    @Test func aDateFindsItsEpisode() {
        let outcome = route("Long.Voyage.2011.05.05.720p.HDTV.x264-CREW.mkv")
        #expect(outcome.decision.placement == Placement(showID: 1, season: 2, episodes: [2]))
    }

    @Test func namesakesAreToldApartByYearAndCountry() {
        #expect(route("The.Desk.2005.S01E01.mkv").decision.placement?.showID == 3)
        #expect(route("The.Desk.US.S01E01.720p.mkv").decision.placement?.showID == 3)
        #expect(route("The.Desk.UK.S01E01.720p.mkv").decision.placement?.showID == 2)
    }

    @Test func namesakesWithNothingToTellThemApartAreLeftOpen() {
        let outcome = route("The.Desk.S01E01.mkv")
        #expect(outcome.decision.placement == nil)
        #expect(outcome.decision.candidates.count == 2)
    }

    @Test func anUnknownShowIsBegunByItsName() {
        let outcome = route("Quiet.Harbour.S01E02.mkv")
        #expect(outcome.newShow?.systemName == "Quiet Harbour")
        #expect(outcome.decision.placement?.episodes == [2])
    }

    @Test(arguments: [
        "A.Film.2019.1080p.mkv", "readme.mkv", "Quiet.Harbour.S01E02-sample.mkv",
        "d41d8cd98f00b204e9800998ecf8427e.mkv",
    ])
    func junkStartsNoShow(_ name: String) {
        let outcome = route(name)
        #expect(outcome.decision.placement == nil)
        #expect(outcome.newShow == nil)
        #expect(!outcome.decision.rule.isEmpty)
    }
}

/// How titles and numbers are matched when neither stands as TMDB has it.
@Suite struct MatchingTests {
    private func router(_ shows: [Show] = MatchingTests.shows) -> Router {
        Router(shows: shows, episodes: MatchingTests.episodes)
    }

    private static func show(_ id: Int64, _ name: String, _ year: Int = 2015) -> Show {
        let details = ShowDetails(tmdbID: Int(id) * 10, name: name, firstAired: "\(year)-01-01")
        return Show(id: id, systemName: name, details: details)
    }

    private static let shows = [
        show(1, "The Quiet Harbour"), show(2, "Mind Reader 100"), show(3, "Salt & Iron"),
        show(4, "Lighthouse Keepers"), show(5, "Lighthouse Sleepers"), show(6, "Evening Talk"),
        show(7, "Endless Road"),
    ]

    private static let episodes: [Episode] = {
        func season(_ show: Int, _ season: Int, _ count: Int, from first: Int) -> [Episode] {
            (1...count).map { number in
                Episode(
                    showTMDBID: show * 10,
                    tmdbID: show * 10_000 + season * 100 + number,
                    season: season,
                    number: number,
                    absolute: season == 0 ? nil : first + number - 1,
                    name: "\(number)",
                    airDate: show == 6 && number == 3 ? "2026-01-15" : nil
                )
            }
        }
        return season(1, 1, 10, from: 1) + season(1, 0, 2, from: 0) + season(2, 1, 12, from: 1)
            + season(2, 2, 12, from: 13) + season(2, 3, 12, from: 25) + season(3, 1, 8, from: 1)
            + season(4, 1, 8, from: 1) + season(5, 1, 8, from: 1) + season(6, 1, 5, from: 1)
            + season(7, 1, 30, from: 1)
    }()

    private func place(_ name: String) -> Placement? {
        router().route(NameParser().parse(name)).decision.placement
    }

    @Test(arguments: [
        ("Quiet.Harbour.S01E05.720p.mkv", 1, 1, 5),
        ("the quiet harbour 1x05.mkv", 1, 1, 5),
        ("Salt.and.Iron.S01E02.1080p.mkv", 3, 1, 2),
        ("Salt Iron S01E02.mkv", 3, 1, 2),
        ("[Crew] Mind Reader One Hundred - 05 [1080p].mkv", 0, 0, 0),
        ("[Crew] Mind Reader 100 III - 05 [1080p].mkv", 2, 3, 5),
        ("[Crew] Mind Reader 100 2 - 05 [1080p].mkv", 2, 2, 5),
        ("[Crew] Mind Reader 100 - 30 [1080p].mkv", 2, 3, 6),
        // Fansubs count on over the seasons.
        ("[Crew] Mind Reader 100 S3 - 30 [1080p].mkv", 2, 3, 6),
        ("[Crew] Mind Reader 100 S2 - 12 [1080p].mkv", 2, 2, 12),
        ("Quiet.Harbor.S01E05.720p.mkv", 1, 1, 5),
        ("Lighthose.Keepers.S01E05.720p.mkv", 4, 1, 5),
        // Time zones.
        ("Evening.Talk.2026.01.15.720p.mkv", 6, 1, 3),
        ("Evening.Talk.2026.01.14.720p.mkv", 6, 1, 3),
        ("Evening.Talk.2026.01.16.720p.mkv", 6, 1, 3),
        ("Quiet Harbour S00E02.mkv", 1, 0, 2),
    ])
    func findsItsPlace(_ name: String, _ show: Int64, _ season: Int, _ episode: Int) {
        let outcome = router().route(NameParser().parse(name))
        guard show > 0 else {
            #expect(outcome.decision.placement.map { $0.showID == 0 } ?? true)
            return
        }
        #expect(
            outcome.decision.placement
                == Placement(showID: show, season: season, episodes: [episode]),
            "\(outcome.decision.rule)"
        )
    }

    /// Two shows are spelled nearly so: a person must say which.
    @Test func tooNearTitlesAreLeftOpen() {
        let outcome = router().route(NameParser().parse("Lighthouse.Reepers.S01E05.720p.mkv"))
        #expect(outcome.decision.placement == nil)
        #expect(outcome.decision.candidates.count == 2)
    }

    @Test func numbersInTitlesAreNeverGuessed() {
        let outcome = router().route(NameParser().parse("Mind.Reader.200.S01E05.720p.mkv"))
        #expect(outcome.newShow?.systemName == "Mind Reader 200")
    }

    @Test func anUnknownEpisodeTellsThatTheShowIsOutdated() {
        let outcome = router().route(NameParser().parse("[Crew] Endless Road - 31 [720p].mkv"))
        #expect(outcome.decision.placement == nil)
        #expect(outcome.outdatedShow == 70)
    }

    @Test func aNamesakeOfAnotherYearIsAShowOfItsOwn() {
        let outcome = router().route(NameParser().parse("Evening Talk (1999) S01E01.mkv"))
        #expect(outcome.newShow?.systemName == "Evening Talk (1999)")
        #expect(!outcome.decision.candidates.isEmpty)
    }
}
