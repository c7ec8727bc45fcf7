import Naming
import Testing

@Suite struct SiblingsTests {
    private func read(_ names: [String]) -> [ParsedName] { NameParser().parse(siblings: names) }

    @Test func threeDigitsThatCrossAHundredAreCounted() {
        let names = read(
            ["Quiet.Harbour.99.HDTV.mkv", "Quiet.Harbour.100.HDTV.mkv"]
                + (101...104).map { "Quiet.Harbour.\($0).HDTV.mkv" }
        )
        #expect(names.map(\.absolute) == [[99], [100], [101], [102], [103], [104]])
        #expect(names.allSatisfy { $0.season == nil })
    }

    @Test func threeDigitsThatBeginAnewAreSeasons() {
        let numbers = Array(101...113) + Array(201...213)
        let names = read(numbers.map { "Quiet Harbour \($0).mkv" })
        #expect(names.map(\.season) == numbers.map { $0 / 100 })
        #expect(names.map(\.episodes) == numbers.map { [$0 % 100] })
    }

    @Test func whatSaysNeitherStaysAsItWasReadAlone() {
        let names = (101...104).map { "Quiet.Harbour.\($0).HDTV.mkv" }
        #expect(read(names).map(\.episodes) == names.map { NameParser().parse($0).episodes })
        let signed = [99, 201, 202, 301, 302].map { "[Crew] Quiet Harbour - \($0) [1080p].mkv" }
        #expect(read(signed).map(\.absolute) == [[99], [201], [202], [301], [302]])
    }

    @Test func aDayIsReadAsItsNeighboursWriteIt() {
        let monthFirst = read([
            "Late Hour 05-06-2019.mkv", "Late Hour 05-13-2019.mkv", "Late Hour 05-20-2019.mkv",
        ])
        #expect(monthFirst.first?.airDate?.description == "2019-05-06")
        let dayFirst = read([
            "Late Hour 05-06-2019.mkv", "Late Hour 13-06-2019.mkv", "Late Hour 20-06-2019.mkv",
        ])
        #expect(dayFirst.first?.airDate?.description == "2019-06-05")
        // Neighbours that contradict each other say nothing.
        let both = read([
            "Late Hour 05-06-2019.mkv", "Late Hour 13-06-2019.mkv", "Late Hour 06-20-2019.mkv",
        ])
        #expect(both.first?.airDate == nil)
    }

    @Test func aNumberThatAllBearIsTheTitles() {
        let names = read(["Area 51 - Landing.mkv", "Area 51 - Signal.mkv", "Area 51 - Return.mkv"])
        #expect(names.allSatisfy { $0.title == "Area 51" && !$0.hasNumbers })
        // Versions of one episode have one name.
        let versions = read([
            "Quiet Harbour - 05 - Fog.mkv", "Quiet Harbour - 05 - Fog.en.srt",
            "Quiet Harbour - 05 - Fog.de.srt",
        ])
        #expect(versions.allSatisfy { $0.absolute == [5] })
    }

    @Test func aNameWithoutATitleHasItsNeighbours() {
        let names = read([
            "Quiet.Harbour.S01E01.mkv", "Quiet.Harbour.S01E02.mkv", "Quiet.Harbour.S01E03.mkv",
            "S01E04.mkv",
        ])
        #expect(names.last?.title == "Quiet Harbour")
        #expect(names.last?.episodes == [4])
    }
}
