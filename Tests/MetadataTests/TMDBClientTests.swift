import HTTPFetch
import Metadata
import Primitives
import StandIns
import Testing

@Suite(.serialized) struct TMDBClientTests {
    private let standIn: TMDBStandIn

    init() throws {
        standIn = try TMDBStandIn()
    }

    private func client(
        _ credential: TMDBClient.Credential = .apiKey(TMDBStandIn.key),
        language: String = "en-US",
        kept: any AnswerKeeper = AnswersInMemory()
    ) -> TMDBClient {
        TMDBClient(
            baseURL: standIn.baseURL,
            credential: credential,
            language: language,
            http: HTTPFetcher(),
            kept: kept
        )
    }

    @Test func theStateTellsWhetherTMDBAnswers() async throws {
        #expect(client(.none).state.hasPrefix("no key"))
        let client = client()
        #expect(client.state == "key set")
        standIn.answerNext(TMDBStandIn.tooMany(retryAfter: "0"))
        standIn.answerNext(TMDBStandIn.tooMany(retryAfter: "0"))
        standIn.answerNext(TMDBStandIn.tooMany(retryAfter: "0"))
        await #expect(throws: MetadataError.self) { try await client.show(209867) }
        #expect(client.state.contains("fewer requests"))
        _ = try await client.show(209867)
        #expect(client.state == "key set")
    }

    @Test func whatDidNotChangeIsNotSentAgain() async throws {
        let client = client()
        let first = try await client.show(209867)
        #expect(standIn.spared == 0)
        #expect(try await client.show(209867) == first)
        #expect(standIn.spared == 1)
    }

    @Test func whatIsNotTranslatedIsTakenInEnglish() async throws {
        let show = try await client(language: "de-DE").show(209867)
        #expect(show.overview.hasPrefix("After the hero's quest"))
        #expect(show.seasons[1].episodes[4].name == "Phantoms of the Dead")
        #expect(standIn.count("/3/tv/209867") == 2)
    }

    @Test(arguments: [("de-DE", "16"), ("en-US", "TV-MA"), ("fr-FR", "TV-MA")])
    func theContentRatingIsThatOfTheCountry(_ language: String, _ rating: String) async throws {
        #expect(try await client(language: language).show(209867).contentRating == rating)
    }

    @Test(arguments: [("de-DE", "poster-de"), ("en-US", "poster-en"), ("fr-FR", "poster-en")])
    func picturesAreInTheLanguageThatPeopleRead(_ language: String, _ poster: String) async throws {
        let show = try await client(language: language).show(209867)
        #expect(show.artwork["poster"] == "/\(poster)-209867.jpg")
        #expect(show.artwork["backdrop"] == "/backdrop-209867.jpg")
        #expect(show.artwork["logo"] == "/logo-209867.jpg")
        #expect(show.genres == ["Animation", "Sci-Fi & Fantasy"])
        #expect(show.keywords.contains("elf"))
        #expect(show.cast.first == "Atsumi Tanezaki")
        #expect(try await client().show(37854).artwork.isEmpty)
    }

    @Test func whatWasAnsweredInAnotherRunIsNotSentAgain() async throws {
        let kept = AnswersInMemory()
        let first = try await client(kept: kept).show(209867)
        #expect(try await client(kept: kept).show(209867) == first)
        #expect(standIn.spared == 1)
    }

    @Test func aShowComesInOneRequestWithItsSpecials() async throws {
        let show = try await client().show(209867)
        #expect(show.name == "Frieren: Beyond Journey's End")
        #expect(show.seasons.map(\.number) == [0, 1])
        #expect(show.seasons[1].episodes[4].name == "Phantoms of the Dead")
        #expect(show.seasons[1].episodes[4].absolute == 5)
        #expect(show.seasons[0].episodes.allSatisfy { $0.absolute == nil })
        #expect(show.alternativeTitles.contains { $0.title == "Sousou no Frieren" })
        #expect(show.translations.contains { $0.language == "de" })
        #expect(show.externalIDs["imdb"] == "tt22248376")
        #expect(standIn.count("/3/tv/209867") == 1)
    }

    @Test func manySeasonsComeInFurtherRequests() async throws {
        let show = try await client().show(37854)
        #expect(show.seasons.count == 23)
        #expect(show.seasons.last?.episodes.last?.absolute == 1100)
        #expect(standIn.count("/3/tv/37854") == 2)
    }

    @Test func absoluteNumbersAreThoseOfTMDBsOwnOrder() async throws {
        let show = try await client().show(65942)
        let seasons = Dictionary(uniqueKeysWithValues: show.seasons.map { ($0.number, $0) })
        #expect(seasons[0]?.episodes.map(\.absolute) == [1, nil, nil])
        #expect(seasons[1]?.episodes[4].absolute == 6)
        #expect(seasons[2]?.episodes[0].absolute == 27)
        #expect(standIn.count("/3/tv/episode_group/group65942") == 1)
    }

    @Test func aTokenIsSentAsABearer() async throws {
        let hits = try await client(.init(TMDBStandIn.token)).search("Frieren")
        #expect(hits.map(\.tmdbID) == [209867])
    }

    @Test func titlesOfStrangersAreCleaned() async throws {
        let show = try await client().show(999_002)
        let texts = [show.name] + show.seasons.flatMap(\.episodes).map(\.name)
        #expect(!texts.joined().unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
    }

    @Test func aMissingKeyIsSaidWithTheRemedy() async {
        let error = await #expect(throws: MetadataError.self) {
            try await client(.none).search("x")
        }
        #expect(error?.code == .notConfigured)
        #expect(error?.message.contains("SYNC2NAS_TMDB_API_KEY") ?? false)
    }

    @Test func aWrongKeyIsNotTriedAgain() async {
        let error = await #expect(throws: MetadataError.self) {
            try await client(.apiKey("wrong")).search("x")
        }
        #expect(error?.code == .unauthorised)
        #expect(!"\(String(describing: error))".contains("wrong"))
        #expect(standIn.count("/3/search/tv") == 1)
    }

    @Test func anUnknownNumberIsNotFound() async {
        let error = await #expect(throws: MetadataError.self) { try await client().show(5) }
        #expect(error?.code == .notFound)
    }

    @Test func tooManyRequestsAreTriedAgain() async throws {
        standIn.answerNext(TMDBStandIn.tooMany(retryAfter: "0"))
        #expect(try await client().search("Dark").map(\.tmdbID) == [70523])
    }

    @Test func aCutAnswerIsTriedAgain() async throws {
        standIn.answerNext(.init(body: Array(repeating: 0x20, count: 500), cut: 10))
        #expect(try await client().search("Dark").map(\.tmdbID) == [70523])
    }

    @Test func anAnswerThatIsNoJSONIsMalformed() async {
        standIn.answerNext(.init(body: Array("<html>".utf8)))
        let error = await #expect(throws: MetadataError.self) { try await client().search("Dark") }
        #expect(error?.code == .malformed)
    }

    @Test func aServerThatIsAwayIsUnavailable() async throws {
        // Held, but not listened at: nobody else can get the port meanwhile.
        let port = try HeldPort()
        let client = TMDBClient(
            baseURL: "http://127.0.0.1:\(port.number)/3",
            credential: .apiKey(TMDBStandIn.key),
            http: HTTPFetcher()
        )
        let error = await #expect(throws: MetadataError.self) { try await client.search("Dark") }
        port.release()
        #expect(error?.code == .unavailable)
        #expect(!"\(String(describing: error))".contains(TMDBStandIn.key))
    }
}

@Suite struct ShowChoiceTests {
    private let office = [
        SearchHit(
            tmdbID: 1,
            name: "The Office",
            firstAirDate: "2001-07-09",
            popularity: 1,
            originCountry: ["GB"]
        ),
        SearchHit(
            tmdbID: 2,
            name: "The Office",
            firstAirDate: "2005-03-24",
            popularity: 9,
            originCountry: ["US"]
        ),
        SearchHit(tmdbID: 3, name: "The Office Party", firstAirDate: "2007-01-01"),
    ]

    @Test func namesakesAreLeftToThePerson() {
        #expect(
            ShowChoice.choose(from: office, name: "the office", year: nil)
                == .ambiguous([office[1], office[0]])
        )
    }

    @Test func aYearOrACountryDecides() {
        #expect(ShowChoice.choose(from: office, name: "The Office", year: 2001) == .one(office[0]))
        #expect(
            ShowChoice.choose(from: office, name: "The Office US", year: nil) == .one(office[1])
        )
    }

    @Test func theBeginningOfATitleIsEnoughWhenItIsTheOnlyOne() {
        let hit = SearchHit(tmdbID: 4, name: "Frieren: Beyond Journey's End")
        #expect(ShowChoice.choose(from: [hit], name: "Frieren", year: nil) == .one(hit))
    }

    @Test func nothingIsNothing() {
        #expect(ShowChoice.choose(from: [], name: "x", year: nil) == .none)
        #expect(ShowChoice.choose(from: office, name: "The Office", year: 1950) == .none)
    }
}
