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

/// Names, and what a person reads in them.
enum NameForms {
    static let all: [(name: String, summary: String)] = [
        ("Quiet.Harbour.S01E01-S01E03.720p.HDTV.x264-CREW", "Quiet Harbour s1 e1-3"),
        ("Quiet.Harbour.S01E01.E02.720p", "Quiet Harbour s1 e1-2"),
        ("Quiet.Harbour.S03E01-06.DUAL.BDRip.XviD.AC3.-HELLYWOOD", "Quiet Harbour s3 e1-6"),
        ("Quiet Harbour 2x09-2x12 HDTV", "Quiet Harbour s2 e9-12"),
        ("Quiet.Harbour.2014.S02E05.Title", "Quiet Harbour y2014 s2 e5"),
        ("Quiet Harbour - Temp 2 [HDTV][Cap.201_202][Spanish]", "Quiet Harbour s2 e1-2"),
        ("Quiet.Harbour.Season01.Ep03.720p", "Quiet Harbour s1 e3"),
        ("Quiet.Harbour.Season.01.Ep.04.Episode.Title.avi", "Quiet Harbour s1 e4"),
        ("Quiet Harbour S4E5 title", "Quiet Harbour s4 e5"),
        ("[www.test.com] - Quiet.Harbour.S01E02.720p.x264-CREW", "Quiet Harbour s1 e2"),
        ("www.Torrents.com - Quiet.Harbour.S01E02.720p.x264-CREW", "Quiet Harbour s1 e2"),
        ("Quiet Harbour Se02.Ep03.mkv", "Quiet Harbour s2 e3"),
        ("Quiet.Harbour.S1602.HDTV", "Quiet Harbour s16 e2"),
        ("Quiet.Harbour.12x13a.avi", "Quiet Harbour s12 e13"),
        ("Quiet Harbour Season 1 Episode 01-02", "Quiet Harbour s1 e1-2"),
        ("Quiet.Harbour.S2.E01_02.Title", "Quiet Harbour s2 e1-2"),
        ("Quiet.Harbour.S6E1-E2-E3.Title.1080p", "Quiet Harbour s6 e1-3"),
        ("Quiet.Harbour.1x01-x03.mkv", "Quiet Harbour s1 e1-3"),
        ("Quiet Harbour - 1x01x02x03 - name", "Quiet Harbour s1 e1-3"),
        ("[Crew] Long Voyage - 12v2 (1080p) [ABCDEF12].mkv", "Long Voyage a12"),
        ("[Crew] Long Voyage Season 2 - 12 [1080p][HEVC].mkv", "Long Voyage s2 e12"),
        ("[Crew] Long Voyage 2nd Season - 12 [1080p].mkv", "Long Voyage s2 e12"),
        ("[Crew] Long Voyage S2 - 12v3 [1080p].mkv", "Long Voyage s2 e12"),
        ("[Crew] Long Voyage III - 05 [720p].mkv", "Long Voyage III a5"),
        ("[Crew] Long Voyage Part 2 - 05 [720p].mkv", "Long Voyage Part 2 a5"),
        ("[Crew] Long Voyage 2nd Cour - 05 [720p].mkv", "Long Voyage 2nd Cour a5"),
        ("[Crew] Long Voyage (2024) - 05 [720p].mkv", "Long Voyage y2024 a5"),
        ("[Crew] Long Voyage - 01-12 [BD 1080p][Batch]", "Long Voyage a1-12"),
        ("[Crew] Long Voyage - 01 ~ 12 (1080p) [Batch]", "Long Voyage a1-12"),
        ("[Crew] Long Voyage (01-24) [1080p]", "Long Voyage a1-24"),
        ("[Crew] Long Voyage OVA - 02 [1080p].mkv", "Long Voyage OVA a2"),
        ("[Crew] Long Voyage - NCOP1 [1080p].mkv", "Long Voyage s0 e1"),
        ("[Crew] Long Voyage - 07.5 [1080p].mkv", "Long Voyage half7.5"),
        ("[Crew] Long Voyage - S02E05 [1080p].mkv", "Long Voyage s2 e5"),
        ("[Crew] 86 - 05 [1080p].mkv", "86 a5"),
        ("[Crew] Zom 100 - 05 [1080p].mkv", "Zom 100 a5"),
        ("[Crew] Mob Psycho 100 III - 05 [1080p].mkv", "Mob Psycho 100 III a5"),
        ("[Crew] Kaijuu 8-gou - 05 [1080p].mkv", "Kaijuu 8-gou a5"),
        ("[Crew] Steins;Gate 0 - 05 [1080p].mkv", "Steins;Gate 0 a5"),
        ("[Crew] Dr. Stone - New World Part 2 - 05 [1080p].mkv", "Dr Stone - New World Part 2 a5"),
        ("[Crew] 3-gatsu no Lion - 05 [1080p].mkv", "3-gatsu no Lion a5"),
        ("[Crew] Area 88 - 05 [480p].mkv", "Area 88 a5"),
        ("24.S01E05.720p.mkv", "24 s1 e5"),
        ("The.100.S02E03.720p.HDTV.x264-CREW", "The 100 s2 e3"),
        ("1883.S01E02.1080p.WEB", "1883 s1 e2"),
        ("1923.2022.S01E02.1080p.WEB", "1923 y2022 s1 e2"),
        ("9-1-1.S03E04.1080p.WEB.H264-CREW", "9-1-1 s3 e4"),
        ("9-1-1.Lone.Star.S03E04.1080p.WEB.H264-CREW", "9-1-1 Lone Star s3 e4"),
        ("The.4400.S01E02.720p", "The 4400 s1 e2"),
        ("90210.S02E03.HDTV", "90210 s2 e3"),
        ("Room.104.S02E03.HDTV", "Room 104 s2 e3"),
        ("Evening.Talk.2026.01.15.A.Guest.720p.HDTV.x264-CREW", "Evening Talk 2026-01-15"),
        ("Evening Talk 15-01-2026 720p", "Evening Talk 2026-01-15"),
        ("Evening.Talk.15.01.2026.720p.WEB", "Evening Talk 2026-01-15"),
        ("Evening Talk - 2026-01-15 - Guest", "Evening Talk 2026-01-15"),
        ("Evening.Talk.Jan.15.2026.720p", "Evening Talk 2026-01-15"),
        ("Evening.Talk.20260115.720p", "Evening Talk 2026-01-15"),
        ("Evening.Talk.(2026-01-15).mkv", "Evening Talk 2026-01-15"),
        ("Quiet.Harbour.Part.3.720p.HDTV.x264-CREW", "Quiet Harbour s1 e3"),
        ("Quiet.Harbour.Pt.II.720p.HDTV.x264-CREW", "Quiet Harbour s1 e2"),
        ("Quiet.Harbour.Part.Two.720p.HDTV.x264-CREW", "Quiet Harbour s1 e2"),
        ("Quiet.Harbour.E03.720p.HDTV.x264-CREW", "Quiet Harbour e3"),
        ("Quiet.Harbour.EP03.720p.HDTV.x264-CREW", "Quiet Harbour e3"),
        ("Quiet Harbour Episode 3 720p", "Quiet Harbour e3"),
        ("Quiet.Harbour.3of6.720p.HDTV", "Quiet Harbour e3"),
        ("Quiet.Harbour.S01.COMPLETE.720p.WEB.x264-CREW", "Quiet Harbour s1 all"),
        ("Quiet.Harbour.Season.1.COMPLETE.720p", "Quiet Harbour s1 all"),
        ("Quiet.Harbour.S01-S04.720p", "Quiet Harbour s1-4 all"),
        ("Quiet.Harbour.Season.1-4.720p", "Quiet Harbour s1-4 all"),
        ("Quiet Harbour Complete Series 1080p", "Quiet Harbour"),
        ("Quiet.Harbour.Seasons.1.to.4.720p", "Quiet Harbour s1-4 all"),
        ("Quiet.Harbour.S01.Disc.2.1080p", "Quiet Harbour s1 all"),
        ("Quiet.Harbour.Staffel.2.German.720p", "Quiet Harbour s2 all"),
        ("Quiet.Harbour.S02E03.German.DL.720p.WEB.h264-CREW", "Quiet Harbour s2 e3"),
        ("Тихая.гавань.S02E03.720p", "Тихая гавань s2 e3"),
        (
            "Тихая гавань / Quiet Harbour / Сезон: 2 / Серии: 1-8 из 10 [2024, WEB-DL 1080p]",
            "Quiet Harbour y2024 s2 e1-8"
        ),
        ("[字幕组] 静かな港 / Quiet Harbour - 05 [1080p][简体内嵌]", "Quiet Harbour a5"),
        ("[字幕组][静かな港][Quiet Harbour][05][1080p]", "Quiet Harbour a5"),
        ("[字幕组][静かな港][第05話][1080p]", "静かな港 e5"),
        ("静かな港 第2季 第05集 1080p", "静かな港 s2 e5"),
        ("조용한 항구.E05.240115.720p", "조용한 항구 e5"),
        ("Quiet.Harbour.US.S02E03.720p", "Quiet Harbour US s2 e3"),
        ("Quiet Harbour (UK) - S02E03", "Quiet Harbour s2 e3"),
        ("Quiet Harbour (2019) - S02E03 - Title", "Quiet Harbour y2019 s2 e3"),
        ("Quiet Harbour 2019 S02E03", "Quiet Harbour y2019 s2 e3"),
        ("QuietHarbour.s02e03.hdtv-crew", "QuietHarbour s2 e3"),
        ("quiet.harbour.203.hdtv-crew", "quiet harbour s2 e3"),
        ("Quiet Harbour/Season 2/05 - Title.mkv", "Quiet Harbour s2 e5"),
        ("Quiet Harbour/Season 2/05.mkv", "Quiet Harbour s2 e5"),
        ("Quiet Harbour/Season 2/Episode 05.mkv", "Quiet Harbour s2 e5"),
        ("Quiet Harbour/Season 2/E05 Title.mkv", "Quiet Harbour s2 e5"),
        ("Quiet Harbour/S02/Quiet Harbour 05.mkv", "Quiet Harbour s2 e5"),
        ("Quiet.Harbour.S01.1080p-GRP/e05.mkv", "Quiet Harbour s1 e5"),
        ("Quiet Harbour (2019)/Specials/S00E03 - Title.mkv", "Quiet Harbour y2019 s0 e3"),
        ("Quiet Harbour/Season 1/105.mkv", "Quiet Harbour s1 e5"),
        ("Quiet.Harbour.S01E05.PROPER.720p.HDTV.x264-CREW/qh.105.mkv", "Quiet Harbour s1 e5"),
        (
            "Quiet.Harbour.S01E05.720p.HDTV.x264-CREW/abc123def456abc123def456.mkv",
            "Quiet Harbour s1 e5"
        ),
        ("The.Movie.2019.1080p.BluRay.x264-CREW", "The Movie y2019"),
        ("The Movie Part 2 (2019) 1080p", "The Movie Part 2 y2019"),
        ("Movie.2.2019.1080p.BluRay", "Movie 2 y2019"),
        ("Apollo.13.1995.1080p", "Apollo 13 y1995"),
        ("Blade.Runner.2049.2017.1080p", "Blade Runner 2049 y2017"),
        ("300.2006.720p", "300 y2006"),
        ("Ocean's.8.2018.1080p", "Ocean's 8 y2018"),
    ]
}
