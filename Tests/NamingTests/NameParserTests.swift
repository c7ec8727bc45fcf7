import Naming
import StandIns
import Testing

/// A name of our own making and what a person reads in it.
struct NameCase: CustomTestStringConvertible, Sendable {
    var name: String
    var title: String?
    var season: Int?
    var episodes: [Int] = []
    var absolute: [Int] = []
    var date: String?
    var group: String?
    var resolution: String?

    var testDescription: String { name }
}

@Suite struct NameParserTests {
    private let parser = NameParser()

    @Test(arguments: [
        NameCase(
            name: "Quiet.Harbour.S02E07.The.Tide.1080p.WEB.H264-CREW.mkv",
            title: "Quiet Harbour",
            season: 2,
            episodes: [7],
            group: "CREW",
            resolution: "1080p"
        ),
        NameCase(
            name: "Quiet Harbour - 2x07 - The Tide.mkv",
            title: "Quiet Harbour",
            season: 2,
            episodes: [7]
        ),
        NameCase(
            name: "Quiet.Harbour.S02E07-E09.720p.HDTV.x264-CREW.mkv",
            title: "Quiet Harbour",
            season: 2,
            episodes: [7, 8, 9],
            group: "CREW",
            resolution: "720p"
        ),
        NameCase(
            name: "Quiet.Harbour.S02E07E08.mkv",
            title: "Quiet Harbour",
            season: 2,
            episodes: [7, 8]
        ),
        NameCase(
            name: "Quiet Harbour Season 2 Episode 5.mkv",
            title: "Quiet Harbour",
            season: 2,
            episodes: [5]
        ),
        // Four digits, which the original program could not read.
        NameCase(
            name: "[Crew] Long Voyage - 1085 (1080p) [89ABCDEF].mkv",
            title: "Long Voyage",
            absolute: [1085],
            group: "Crew",
            resolution: "1080p"
        ),
        NameCase(
            name: "[Crew] Long Voyage - 05v2 [720p].mkv",
            title: "Long Voyage",
            absolute: [5],
            group: "Crew",
            resolution: "720p"
        ),
        NameCase(
            name: "[Crew] Long Voyage S2 - 07 (BD 1080p) [673FE79D].mkv",
            title: "Long Voyage",
            season: 2,
            episodes: [7],
            group: "Crew",
            resolution: "1080p"
        ),
        NameCase(
            name: "[Crew][Long Voyage][05][1080p].mkv",
            title: "Long Voyage",
            absolute: [5],
            group: "Crew",
            resolution: "1080p"
        ),
        NameCase(
            name: "Evening.Talk.2026.01.15.A.Guest.720p.HDTV.x264-CREW.mkv",
            title: "Evening Talk",
            date: "2026-01-15",
            group: "CREW",
            resolution: "720p"
        ),
        NameCase(
            name: "Quiet.Harbour.2019.S01E02.2160p.WEB-DL.mkv",
            title: "Quiet Harbour",
            season: 1,
            episodes: [2],
            resolution: "2160p"
        ),
        NameCase(
            name: "Quiet Harbour/Season 3/04.mkv",
            title: "Quiet Harbour",
            season: 3,
            episodes: [4]
        ),
    ])
    func reads(_ expected: NameCase) {
        let parsed = parser.parse(expected.name)
        #expect(parsed.title == expected.title)
        #expect(parsed.season == expected.season)
        #expect(parsed.episodes == expected.episodes)
        #expect(parsed.absolute == expected.absolute)
        #expect(parsed.airDate?.description == expected.date)
        #expect(parsed.group == expected.group)
        #expect(parsed.resolution == expected.resolution)
    }

    @Test func checksumComesFromTheLastBracket() {
        let parsed = parser.parse("[Crew] Long Voyage - 01 (1080p) [a1b2c3d4].mkv")
        #expect(parsed.crc32 == "A1B2C3D4")
    }

    @Test func samplesAreNeverPlaced() {
        #expect(parser.parse("Quiet.Harbour.S01E01.720p-crew-sample.mkv").exclusion == .sample)
        #expect(parser.parse("Quiet.Harbour.S01/Sample/qh.s01e01.mkv").exclusion == .sample)
    }

    @Test func randomNamesAreNeverPlaced() {
        #expect(parser.parse("0a1b2c3d4e5f60718293a4b5c6d7e8f9.mkv").exclusion == .obfuscated)
        #expect(parser.parse("aB3dE7gH1jK5mN9pQ2sT6v.mkv").exclusion == .obfuscated)
    }

    @Test func aFolderExplainsAScrambledFile() {
        let parsed = parser.parse(
            "Quiet.Harbour.S02E07.1080p.WEB-CREW/0a1b2c3d4e5f60718293a4b5.mkv"
        )
        #expect(parsed.title == "Quiet Harbour")
        #expect(parsed.episodes == [7])
        #expect(parsed.exclusion == nil)
    }

    @Test func subtitlesTellTheirLanguage() {
        let parsed = parser.parse("Quiet.Harbour.S02E07.en.forced.srt")
        #expect(parsed.subtitle?.language == "en")
        #expect(parsed.subtitle?.flags == ["forced"])
        let inFolder = parser.parse("Quiet.Harbour.S02E07.1080p.WEB-CREW/Subs/2_English.srt")
        #expect(inFolder.subtitle?.language == "en")
        #expect(inFolder.episodes == [7])
    }

    @Test func filmsHaveNoNumbers() {
        let parsed = parser.parse("A.Quiet.Film.2019.1080p.BluRay.x264-CREW.mkv")
        #expect(!parsed.hasNumbers)
        #expect(!parsed.isFullSeason)
    }

    /// Hostile names cost time in proportion to their length and never a crash.
    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8]) func anyBytesAreRead(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let pieces = [
            "S01E01", "-", "[", "]", "(", ".", "1080p", "\u{0}", "第", "🙂", "99999999", "e", "/",
            "v2", "~",
        ]
        for _ in 0..<500 {
            var name = ""
            for _ in 0..<Int.random(in: 0...40, using: &random) {
                name +=
                    Bool.random(using: &random)
                    ? pieces.randomElement(using: &random) ?? ""
                    : String(UnicodeScalar(UInt8.random(in: 0...255, using: &random)))
            }
            _ = parser.parse(name)
        }
        _ = parser.parse(String(repeating: "S01E01-", count: 10_000))
        _ = parser.parse(String(repeating: "[", count: 65_536))
    }

    @Test func titlesAreComparedWithoutCaseAccentsAndSigns() {
        #expect(normalisedTitle("Pokémon: The Séries!") == normalisedTitle("pokemon the series"))
        #expect(normalisedTitle("Law & Order") == normalisedTitle("Law and Order"))
        #expect(normalisedTitle("Ｆｕｌｌ Ｗｉｄｔｈ") == "fullwidth")
        #expect(normalisedTitle("葬送のフリーレン") == "葬送のフリーレン")
    }
}
