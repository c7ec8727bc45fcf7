import Catalogue
import Naming
import Routing
import Testing

/// Release names of every kind, and where a person would put them.
@Suite struct RoutingTableTests {
    private static let router = Router(shows: RoutingTable.shows, episodes: RoutingTable.episodes)

    /// "Show (Year) S01E02-3", or "-" for no place.
    private static func place(_ name: String) -> (place: String, confidence: Double, rule: String) {
        let decision = router.route(NameParser().parse(name)).decision
        guard let placement = decision.placement else {
            return ("-", decision.confidence, decision.rule)
        }
        let show = RoutingTable.shows.first { $0.id == placement.showID }
        let title = show.map { "\($0.name) (\($0.details?.year ?? 0))" } ?? "new"
        let list = placement.episodes.map(String.init).joined(separator: ",")
        return ("\(title) S\(placement.season)E\(list)", decision.confidence, decision.rule)
    }

    @Test func namesGoWhereAPersonWouldPutThem() {
        let names = Self.byHand + Self.byRule
        #expect(names.count >= 200)
        #expect(RoutingTable.shows.count == 300)
        var wrong: [String] = []
        var silent: [String] = []
        for (name, expected) in names {
            let found = Self.place(name)
            guard found.place != expected else { continue }
            let line =
                "\(name): \(found.place), not \(expected) (\(found.rule), \(found.confidence))"
            wrong.append(line)
            if found.confidence >= 0.9, found.place != "-" { silent.append(line) }
        }
        #expect(silent.isEmpty, "\(silent.joined(separator: "\n"))")
        #expect(wrong.count * 100 <= names.count * 3, "\(wrong.joined(separator: "\n"))")
    }

    /// How the same episode is written by different people.
    private static let forms: [@Sendable (Show, Int, Int) -> String] = [
        { "\(dotted($0)).S\(two($1))E\(two($2)).1080p.WEB.H264-CREW.mkv" },
        { "\(plain($0)) - S\(two($1))E\(two($2)) - A Title [WEBDL-1080p].mkv" },
        { "\(plain($0)) \($1)x\(two($2)) A Title.mkv" },
        { "\(dotted($0).lowercased()).s\(two($1))e\(two($2)).720p.hdtv.x264-crew.mkv" },
        { "\(plain($0)) Season \($1) Episode \($2) 720p.mkv" },
        { "\(plain($0))/Season \($1)/\(two($2)) - A Title.mkv" },
        { "\(plain($0))/Season \(two($1))/S\(two($1))E\(two($2)).mkv" },
        { "\(dotted($0)).S\(two($1)).1080p.BluRay.x264-CREW/e\(two($2)).mkv" },
        { "[Crew] \(plain($0)) - S\(two($1))E\(two($2)) [1080p][AAC].mkv" },
        { "\(dotted($0)).S\(two($1))E\(two($2)).German.DL.1080p.BluRay.x264-CREW.mkv" },
        { "\(plain($0)) - \($1)x\(two($2)) - A Title [720p].avi" },
        { "www.site.org - \(dotted($0)).S\(two($1))E\(two($2)).XviD-CREW.avi" },
    ]

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func plain(_ show: Show) -> String {
        show.name.filter { !":;*!".contains($0) }
    }

    private static func dotted(_ show: Show) -> String {
        plain(show).split { " .".contains($0) }.joined(separator: ".")
    }

    /// Every show of the table whose name it does not share, each written in another way.
    private static let byRule: [(String, String)] = {
        let counts = Dictionary(grouping: RoutingTable.shows, by: \.name)
        let known = Set(RoutingTable.episodes.map { [$0.showTMDBID, $0.season, $0.number] })
        return RoutingTable.shows.filter { counts[$0.name]?.count == 1 && $0.id < 1_060 }
            .enumerated().map { number, show in
                let tmdbID = show.details?.tmdbID ?? 0
                let season = known.contains([tmdbID, 2, 1]) && number % 2 == 1 ? 2 : 1
                let episode = known.contains([tmdbID, season, 1 + number % 7]) ? 1 + number % 7 : 1
                let name = forms[number % forms.count](show, season, episode)
                return (name, "\(show.name) (\(show.details?.year ?? 0)) S\(season)E\(episode)")
            }
    }()

    private static let byHand: [(String, String)] = [
        // Namesakes.
        ("The.Office.US.S02E03.720p.mkv", "The Office (2005) S2E3"),
        ("The.Office.UK.S02E03.720p.mkv", "The Office (2001) S2E3"),
        ("The Office (2005) - S05E14.mkv", "The Office (2005) S5E14"),
        ("The.Office.S02E03.720p.mkv", "-"),
        ("Doctor.Who.2005.S03E10.1080p.mkv", "Doctor Who (2005) S3E10"),
        ("Doctor Who (1963) 1x05.mkv", "Doctor Who (1963) S1E5"),
        ("House.of.Cards.US.S03E01.mkv", "House of Cards (2013) S3E1"),
        ("House.of.Cards.2013.S03E01.mkv", "House of Cards (2013) S3E1"),
        ("Shameless.US.S04E02.HDTV.mkv", "Shameless (2011) S4E2"),
        ("Shameless.UK.S03E02.HDTV.mkv", "Shameless (2004) S3E2"),
        ("Ghosts.2021.S02E11.1080p.WEB.mkv", "Ghosts (2021) S2E11"),
        ("Ghosts.UK.S02E03.mkv", "Ghosts (2019) S2E3"),
        ("Battlestar.Galactica.2003.S02E05.mkv", "Battlestar Galactica (2004) S2E5"),
        ("Battlestar.Galactica.1978.S01E05.mkv", "Battlestar Galactica (1978) S1E5"),
        ("Lost.in.Space.2018.S02E05.mkv", "Lost in Space (2018) S2E5"),
        ("Cowboy.Bebop.2021.S01E05.mkv", "Cowboy Bebop (2021) S1E5"),
        ("Lost.S03E05.720p.mkv", "Lost (2004) S3E5"),
        // Titles in another spelling or language.
        ("Agents.of.SHIELD.S03E05.720p.mkv", "Marvel's Agents of S.H.I.E.L.D. (2013) S3E5"),
        ("Marvels.Agents.of.S.H.I.E.L.D.S03E05.mkv", "Marvel's Agents of S.H.I.E.L.D. (2013) S3E5"),
        ("Law.and.Order.S02E05.mkv", "Law & Order (1990) S2E5"),
        ("Law.and.Order.SVU.S02E05.mkv", "Law & Order: Special Victims Unit (1999) S2E5"),
        (
            "Law.&.Order.Special.Victims.Unit.S02E05.mkv",
            "Law & Order: Special Victims Unit (1999) S2E5"
        ),
        ("Will.and.Grace.S02E05.mkv", "Will & Grace (1998) S2E5"),
        ("MASH.S02E05.mkv", "M*A*S*H (1972) S2E5"),
        ("Good.Wife.S02E05.mkv", "The Good Wife (2009) S2E5"),
        ("La.Casa.de.Papel.S02E05.SPANISH.mkv", "Money Heist (2017) S2E5"),
        ("Dix.Pour.Cent.S02E05.FRENCH.mkv", "Call My Agent! (2015) S2E5"),
        ("Gomorra.La.Serie.S02E05.iTALiAN.mkv", "Gomorrah (2014) S2E5"),
        ("오징어 게임.Squid.Game.S01E05.1080p.mkv", "Squid Game (2021) S1E5"),
        ("Star.Trek.TNG.S03E05.mkv", "Star Trek: The Next Generation (1987) S3E5"),
        ("Star.Trek.The.Original.Series.S01E05.mkv", "Star Trek (1966) S1E5"),
        ("Peaky.Blindres.S02E05.720p.mkv", "Peaky Blinders (2013) S2E5"),
        ("Extraodinary.Attorney.Woo.S01E05.mkv", "Extraordinary Attorney Woo (2022) S1E5"),
        ("Naruto.Shippuuden.S01E05.mkv", "Naruto Shippūden (2007) S1E5"),
        // Fansubs: absolute numbers, seasons in titles, Japanese.
        ("[Crew] Sousou no Frieren - 05 [1080p].mkv", "Frieren: Beyond Journey's End (2023) S1E5"),
        ("[Crew] 葬送のフリーレン - 12 [1080p].mkv", "Frieren: Beyond Journey's End (2023) S1E12"),
        ("[Crew][葬送のフリーレン][12][1080p].mkv", "Frieren: Beyond Journey's End (2023) S1E12"),
        (
            "[字幕组] 葬送的芙莉莲 / Sousou no Frieren [12][1080p].mkv",
            "Frieren: Beyond Journey's End (2023) S1E12"
        ),
        ("[Crew] Shingeki no Kyojin - 30 [1080p].mkv", "Attack on Titan (2013) S2E5"),
        ("[Crew] Shingeki no Kyojin S3 - 10 [1080p].mkv", "Attack on Titan (2013) S3E10"),
        ("[Crew] Shingeki no Kyojin Season 4 - 60 [1080p].mkv", "Attack on Titan (2013) S4E1"),
        ("[Crew] Kimetsu no Yaiba - 05 [1080p].mkv", "Demon Slayer: Kimetsu no Yaiba (2019) S1E5"),
        ("[Crew] Jujutsu Kaisen 2nd Season - 05 [1080p].mkv", "Jujutsu Kaisen (2020) S2E5"),
        ("[Crew] Jujutsu Kaisen - 29 [1080p].mkv", "Jujutsu Kaisen (2020) S2E5"),
        ("[Crew] Boku no Hero Academia - 87 [1080p].mkv", "My Hero Academia (2016) S4E24"),
        ("[Crew] Boku no Hero Academia S4 - 24 [1080p].mkv", "My Hero Academia (2016) S4E24"),
        ("[Crew] Mob Psycho 100 III - 05 [1080p].mkv", "Mob Psycho 100 (2016) S3E5"),
        ("[Crew] Mob Psycho 100 II - 05 [1080p].mkv", "Mob Psycho 100 (2016) S2E5"),
        ("[Crew] Mob Psycho 100 - 05 [1080p].mkv", "Mob Psycho 100 (2016) S1E5"),
        ("[Crew] One Punch Man 2 - 05 [1080p].mkv", "One-Punch Man (2015) S2E5"),
        ("[Crew] Steins;Gate 0 - 05 [1080p].mkv", "Steins;Gate 0 (2018) S1E5"),
        ("[Crew] Steins;Gate - 05 [1080p].mkv", "Steins;Gate (2011) S1E5"),
        (
            "[Crew] Re Zero kara Hajimeru Isekai Seikatsu - 30 [1080p].mkv",
            "Re:ZERO -Starting Life in Another World- (2016) S2E5"
        ),
        (
            "[Crew] Tensei Shitara Slime Datta Ken S3 - 05 [1080p].mkv",
            "That Time I Got Reincarnated as a Slime (2018) S3E5"
        ),
        (
            "[Crew] Tate no Yuusha no Nariagari Season 3 - 05 [1080p].mkv",
            "The Rising of the Shield Hero (2019) S3E5"
        ),
        ("[Crew] 86 - 05 [1080p].mkv", "86 EIGHTY-SIX (2021) S1E5"),
        ("[Crew] Zom 100 - 05 [1080p].mkv", "Zom 100: Bucket List of the Dead (2023) S1E5"),
        ("[Crew] Kaijuu 8-gou - 05 [1080p].mkv", "Kaiju No. 8 (2024) S1E5"),
        ("[Crew] SPY×FAMILY - 30 [1080p].mkv", "Spy x Family (2022) S2E5"),
        ("[Crew] Spy x Family Season 2 - 05 [1080p].mkv", "Spy x Family (2022) S2E5"),
        ("[Crew] One Piece - 1000 [1080p].mkv", "One Piece (1999) S19E71"),
        ("[Crew] One Piece - 062 [1080p].mkv", "One Piece (1999) S2E1"),
        ("One.Piece.E062.1080p.WEB.mkv", "One Piece (1999) S2E1"),
        ("[Crew] Bleach - 042 [480p].mkv", "Bleach (2004) S3E1"),
        ("[Crew] Dragon Ball Z - 045 [480p].mkv", "Dragon Ball Z (1989) S2E6"),
        (
            "[Crew] Fullmetal Alchemist Brotherhood - 45 [720p].mkv",
            "Fullmetal Alchemist: Brotherhood (2009) S1E45"
        ),
        ("[Crew] Fullmetal Alchemist - 45 [480p].mkv", "Fullmetal Alchemist (2003) S1E45"),
        ("[Crew] Hunter x Hunter (2011) - 145 [1080p].mkv", "Hunter x Hunter (2011) S1E145"),
        ("[Crew] Hunter x Hunter - 145v2 [1080p].mkv", "Hunter x Hunter (2011) S1E145"),
        ("[Crew] Shin Seiki Evangelion - 12 [BD].mkv", "Neon Genesis Evangelion (1995) S1E12"),
        ("[Crew] 3-gatsu no Lion - 25 [1080p].mkv", "March Comes in Like a Lion (2016) S2E3"),
        ("[Crew] Oshi no Ko - 11 END [1080p].mkv", "Oshi no Ko (2023) S1E11"),
        ("[Crew] Vinland Saga S2 - 24 [1080p].mkv", "Vinland Saga (2019) S2E24"),
        ("[Crew] Chainsaw Man - 12 [1080p].mkv", "Chainsaw Man (2022) S1E12"),
        ("[Crew] Death Note - 37 [720p].mkv", "Death Note (2006) S1E37"),
        ("[Crew] Death Note - 38 [720p].mkv", "-"),
        // Numbers in titles.
        ("24.S03E05.720p.mkv", "24 (2001) S3E5"),
        ("The.100.S02E05.720p.mkv", "The 100 (2014) S2E5"),
        ("The 100/Season 2/05.mkv", "The 100 (2014) S2E5"),
        ("1883.S01E05.1080p.mkv", "1883 (2021) S1E5"),
        ("1923.S02E05.1080p.mkv", "1923 (2022) S2E5"),
        ("11.22.63.S01E05.1080p.mkv", "11.22.63 (2016) S1E5"),
        ("9-1-1.S03E05.1080p.mkv", "9-1-1 (2018) S3E5"),
        ("9-1-1.Lone.Star.S02E05.1080p.mkv", "9-1-1: Lone Star (2020) S2E5"),
        ("90210.S02E05.mkv", "90210 (2008) S2E5"),
        ("Babylon.5.S02E05.mkv", "Babylon 5 (1994) S2E5"),
        ("Space.1999.S01E05.mkv", "Space: 1999 (1975) S1E5"),
        ("Room.104.S02E05.mkv", "Room 104 (2017) S2E5"),
        // Several episodes, old codes, specials, packs' folders.
        ("Breaking.Bad.S02E05E06.720p.mkv", "Breaking Bad (2008) S2E5,6"),
        ("Breaking.Bad.S02E05-E07.720p.mkv", "Breaking Bad (2008) S2E5,6,7"),
        ("Breaking Bad 2x05-06.mkv", "Breaking Bad (2008) S2E5,6"),
        ("breaking.bad.205.hdtv-crew.mkv", "Breaking Bad (2008) S2E5"),
        ("Breaking.Bad.S00E02.720p.mkv", "Breaking Bad (2008) S0E2"),
        ("Breaking Bad (2008)/Specials/S00E01.mkv", "Breaking Bad (2008) S0E1"),
        ("Breaking.Bad.S02.1080p.BluRay-CREW/Breaking.Bad.S02E05.mkv", "Breaking Bad (2008) S2E5"),
        ("Breaking.Bad.S02E05.720p.x264-CREW/bb.205.mkv", "Breaking Bad (2008) S2E5"),
        ("Breaking.Bad.S02E05.720p.x264-CREW/0f3a9c1be24d7705aa31.mkv", "Breaking Bad (2008) S2E5"),
        ("Breaking.Bad.S02E05.720p.x264-CREW/Subs/2_English.srt", "Breaking Bad (2008) S2E5"),
        ("Chernobyl.Part.3.1080p.WEB.mkv", "Chernobyl (2019) S1E3"),
        ("Band.of.Brothers.3of10.720p.mkv", "Band of Brothers (2001) S1E3"),
        ("The.Pacific.E03.720p.mkv", "The Pacific (2010) S1E3"),
        // What has no place.
        ("Breaking.Bad.S02E05-sample.mkv", "-"),
        ("Breaking.Bad.S02.1080p.BluRay-CREW/Sample/bb-sample.mkv", "-"),
        ("El.Camino.A.Breaking.Bad.Movie.2019.1080p.mkv", "-"),
        ("0f3a9c1be24d7705aa310f3a9c1be24d.mkv", "-"),
        ("[Crew] Sousou no Frieren - NCOP1 [1080p].mkv", "-"),
    ]
}
