import Naming
import StandIns
import Testing

/// The ways in which releases are named, on names of our own.
@Suite struct NameFormsTests {
    private let parser = NameParser()

    /// "Title y2024 s1 e2-3", "Title a5" for absolute numbers, "Title s2 all" for a pack.
    private func summary(_ name: ParsedName) -> String {
        func range(_ numbers: [Int]) -> String {
            guard let first = numbers.first, let last = numbers.last else { return "" }
            return first == last ? "\(first)" : "\(first)-\(last)"
        }
        var words = [name.title ?? "-"]
        if let year = name.year { words.append("y\(year)") }
        if let season = name.season {
            words.append("s" + (name.seasons.count > 1 ? range(name.seasons) : "\(season)"))
        }
        if !name.episodes.isEmpty { words.append("e" + range(name.episodes)) }
        if !name.absolute.isEmpty { words.append("a" + range(name.absolute)) }
        if let half = name.decimal.first { words.append("half\(half)") }
        if let date = name.airDate { words.append("\(date)") }
        if name.isFullSeason { words.append("all") }
        return words.joined(separator: " ")
    }

    @Test(arguments: NameForms.all)
    func reads(_ form: (name: String, summary: String)) {
        #expect(summary(parser.parse(form.name)) == form.summary)
    }

    /// Whatever a name is made of, reading it ends, and what is found lies inside of it.
    @Test(arguments: 1...4)
    func brokenNamesAreRead(_ seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let signs = Array(" ._-~[](){}/\\+,&#:'|0123456789sexpvSEX第集話季№ªºⅡ×·【】\u{3000}")
        for _ in 0..<1_500 {
            var name = Array(NameForms.all.randomElement(using: &random)?.name ?? "")
            for _ in 0..<Int.random(in: 1...5, using: &random) {
                let place = Int.random(in: 0...name.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0:
                    let other = Array(NameForms.all.randomElement(using: &random)?.name ?? "")
                    name.insert(contentsOf: other.prefix(place), at: place)
                case 1: name.removeSubrange(place..<min(name.count, place + 4))
                default: name.insert(signs.randomElement(using: &random) ?? " ", at: place)
                }
            }
            let text = String(name)
            let parsed = parser.parse(text)
            #expect(
                parsed.evidence.allSatisfy { $0.bytes.upperBound <= text.utf8.count },
                "seed \(seed): \(text)"
            )
            #expect(parser.parse(text) == parsed)
        }
    }

    @Test(arguments: ["S01E01", "[", "Season 1 ", "01-", "& 1 ", "a/", "第"])
    func endlessNamesAreRead(_ piece: String) {
        let name = String(repeating: piece, count: 65_536 / piece.utf8.count)
        #expect(parser.parse(name).confidence <= 1)
    }

    @Test(arguments: [
        ("[Crew] Long Voyage - NCOP1 [1080p].mkv", Exclusion.extra),
        ("[Crew] Long Voyage NCED (BD 1080p).mkv", .extra),
        ("sample-quiet.harbour.s01e02.mkv", .sample),
        ("Quiet.Harbour.S01E02.720p.x264-CREW-sample.mkv", .sample),
        ("Quiet Harbour/Featurettes/Making of.mkv", .extra),
        ("0f3a9c1be24d7705aa31.mkv", .obfuscated),
    ])
    func whatIsNoEpisodeIsTold(_ name: String, _ exclusion: Exclusion) {
        #expect(parser.parse(name).exclusion == exclusion)
    }

    /// Scene files may bear their name backwards.
    @Test func aNameTurnedAroundIsRead() {
        let parsed = parser.parse("CREW-462x.p027.70E20S.ruobraH.teiuQ.mkv")
        #expect(summary(parsed) == "Quiet Harbour s2 e7")
    }

    @Test func subtitlesBearScripts() {
        let parsed = parser.parse("Quiet.Harbour.S01E02.zh-Hans.ass")
        #expect(parsed.subtitle?.language == "zh-Hans")
        #expect(summary(parsed) == "Quiet Harbour s1 e2")
    }

    @Test func whatWasReadIsShownInTheName() {
        let name = "[字幕组] Quiet Harbour - 05 [1080p].mkv"
        let parsed = parser.parse(name)
        let bytes = Array(name.utf8)
        let title = parsed.evidence.first { $0.fact == .title }
        #expect(title.map { String(decoding: bytes[$0.bytes], as: UTF8.self) } == "Quiet Harbour")
        let number = parsed.evidence.first { $0.fact == .absolute }
        #expect(number.map { String(decoding: bytes[$0.bytes], as: UTF8.self) } == "05")
    }
}
