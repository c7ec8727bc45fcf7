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
