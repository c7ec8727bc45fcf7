/// The shows that the stand-in knows: facts about well-known series, in our own words.
struct TMDBShow {
    var id: Int
    var name: String
    var original: String
    var first: String
    var country: String
    var status = "Ended"
    var popularity = 50.0
    var overview = ""
    /// Country and title.
    var alternatives: [(String, String)] = []
    /// Language, country and name.
    var translations: [(String, String, String)] = []
    /// Season number, and the episodes' names.
    var seasons: [(Int, [String])]
    var poster: String?
    var genres: [String] = []
    var keywords: [String] = []
    var cast: [String] = []
    var imdb: String?
    var tvdb: Int?
    /// Seasons and numbers in the absolute order, where TMDB has one.
    var absolute: [(Int, Int)] = []
}

enum TMDBShows {
    private static func numbered(_ count: Int) -> [String] { (1...count).map { "Episode \($0)" } }

    static let all: [TMDBShow] = [
        TMDBShow(
            id: 209867,
            name: "Frieren: Beyond Journey's End",
            original: "葬送のフリーレン",
            first: "2023-09-29",
            country: "JP",
            status: "Returning Series",
            popularity: 210,
            overview: "After the hero's quest is done, an elf learns what her companions meant.",
            alternatives: [
                ("JP", "Sousou no Frieren"), ("US", "Frieren"), ("JP", "Frieren at the Funeral"),
            ],
            translations: [
                ("de", "DE", "Frieren – Nach dem Ende der Reise"), ("ja", "JP", "葬送のフリーレン"),
            ],
            seasons: [
                (0, ["Magic of the Mark 1", "Magic of the Mark 2"]),
                (
                    1,
                    [
                        "The Journey's End", "It Didn't Have to Be Magic…", "Killing Magic",
                        "The Land Where Souls Rest", "Phantoms of the Dead",
                        "The Hero of the Village",
                        "Like a Fairy Tale", "Frieren the Slayer", "Aura the Guillotine",
                        "A Powerful Mage",
                    ] + numbered(18)
                ),
            ],
            poster: "/frieren.jpg",
            genres: ["Animation", "Sci-Fi & Fantasy"],
            keywords: ["magic", "elf", "anime"],
            cast: ["Atsumi Tanezaki", "Kana Ichinose"],
            imdb: "tt22248376",
            tvdb: 424536
        ),
        TMDBShow(
            id: 2996,
            name: "The Office",
            original: "The Office",
            first: "2001-07-09",
            country: "GB",
            popularity: 60,
            seasons: [(1, numbered(6)), (2, numbered(6))],
            tvdb: 78107
        ),
        TMDBShow(
            id: 2316,
            name: "The Office",
            original: "The Office",
            first: "2005-03-24",
            country: "US",
            popularity: 300,
            seasons: [
                (0, numbered(3)), (1, numbered(6)),
                (2, ["The Dundies", "Sexual Harassment", "Office Olympics"] + numbered(19)),
            ],
            imdb: "tt0386676"
        ),
        TMDBShow(
            id: 70523,
            name: "Dark",
            original: "Dark",
            first: "2017-12-01",
            country: "DE",
            popularity: 90,
            seasons: [
                (1, ["Secrets", "Lies", "Past and Present"] + numbered(7)), (2, numbered(8)),
                (3, numbered(8)),
            ],
            imdb: "tt5753856"
        ),
        TMDBShow(
            id: 1396,
            name: "Breaking Bad",
            original: "Breaking Bad",
            first: "2008-01-20",
            country: "US",
            popularity: 400,
            seasons: [
                (0, ["Good Cop / Bad Cop", "The Cousins"]),
                (1, ["Pilot", "Cat's in the Bag…"] + numbered(5)), (2, numbered(13)),
            ]
        ),
        TMDBShow(
            id: 95396,
            name: "Severance",
            original: "Severance",
            first: "2022-02-17",
            country: "US",
            status: "Returning Series",
            popularity: 150,
            seasons: [
                (
                    1,
                    ["Good News About Hell", "Half Loop", "In Perpetuity", "The You You Are"]
                        + numbered(5)
                )
            ]
        ),
        TMDBShow(
            id: 37854,
            name: "One Piece",
            original: "ワンピース",
            first: "1999-10-20",
            country: "JP",
            status: "Returning Series",
            popularity: 500,
            seasons: [(0, numbered(4))] + (1...22).map { ($0, numbered(50)) }
        ),
        TMDBShow(
            id: 121,
            name: "Doctor Who",
            original: "Doctor Who",
            first: "1963-11-23",
            country: "GB",
            popularity: 80,
            seasons: (1...26).map { ($0, numbered(20)) }
        ),
        TMDBShow(
            id: 57243,
            name: "Doctor Who",
            original: "Doctor Who",
            first: "2005-03-26",
            country: "GB",
            popularity: 180,
            seasons: [(0, numbered(10)), (1, numbered(13))]
        ),
        TMDBShow(
            id: 65942,
            name: "Re:ZERO -Starting Life in Another World-",
            original: "Re:ゼロから始める異世界生活",
            first: "2016-04-04",
            country: "JP",
            seasons: [(0, numbered(3)), (1, numbered(25)), (2, numbered(25))],
            // Counted as it was broadcast: the first episode in two parts, of which TMDB has one
            // among the specials.
            absolute: [(0, 1)] + (1...25).map { (1, $0) } + (1...25).map { (2, $0) }
        ),
        TMDBShow(
            id: 42509,
            name: "Steins;Gate",
            original: "シュタインズ・ゲート",
            first: "2011-04-06",
            country: "JP",
            popularity: 70,
            seasons: [(1, numbered(24))]
        ),
        TMDBShow(
            id: 999_001,
            name: "The Late Hour",
            original: "The Late Hour",
            first: "2026-01-15",
            country: "US",
            status: "Returning Series",
            popularity: 20,
            seasons: [(3, numbered(30))]
        ),
        // Titles are strangers' text too.
        TMDBShow(
            id: 999_002,
            name: "../../etc/passwd\u{0}\n\u{202E}evil",
            original: "..",
            first: "2020-01-01",
            country: "XX",
            popularity: 1,
            seasons: [(1, ["../../../up", "a/b\u{7}c", ""])]
        ),
    ]
}
