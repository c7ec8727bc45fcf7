import Catalogue

/// A catalogue of three hundred shows, and release names with the place of each.
///
/// Shows and their seasons are real or near enough; what matters is that titles hold numbers, are
/// parts of each other, exist twice and bear other names.
enum RoutingTable {
    /// Name, year, country, episodes of each season, and other titles.
    private static let told = """
        Breaking Bad|2008|US|7,13,13,13,16|
        Better Call Saul|2015|US|10,10,10,10,10,13|
        Severance|2022|US|9,10|
        Dark|2017|DE|10,8,8|
        The Office|2001|GB|6,6|
        The Office|2005|US|6,22,25,19,28,26,26,24,25|
        House of Cards|1990|GB|4|
        House of Cards|2013|US|13,13,13,13,13,8|
        Doctor Who|1963|GB|42,39,45,46,43,40|
        Doctor Who|2005|GB|13,13,13,13,13,13|
        Shameless|2004|GB|7,10,8,8|
        Shameless|2011|US|12,12,12,12|
        Ghosts|2019|GB|6,6,6|
        Ghosts|2021|US|18,22,10|
        24|2001|US|24,24,24,24,24,24,24,24|
        The 100|2014|US|13,16,16,13,13,13,16|
        1883|2021|US|10|
        1923|2022|US|8,7|
        11.22.63|2016|US|8|
        9-1-1|2018|US|10,18,18,14,18|
        9-1-1: Lone Star|2020|US|10,14,18,18|
        90210|2008|US|24,22,24,24|
        Room 104|2017|US|12,12,12,12|
        The 4400|2004|US|5,13,13,13|
        Zoey 101|2005|US|13,13,26|
        Babylon 5|1994|US|22,22,22,22,22|
        Space: 1999|1975|GB|24,24|
        Sense8|2015|US|11,12|
        Se7en Days|1998|US|22,22|
        Marvel's Agents of S.H.I.E.L.D.|2013|US|22,22,22,22,22,13,13|Agents of SHIELD
        Mr. Robot|2015|US|10,12,10,13|
        M*A*S*H|1972|US|24,24,24|MASH
        Law & Order|1990|US|22,22,22|
        Law & Order: Special Victims Unit|1999|US|22,21,23,25|Law and Order SVU
        Will & Grace|1998|US|22,24,25|
        Mike & Molly|2010|US|24,23,23|
        Halt and Catch Fire|2014|US|10,10,10,10|
        The Good Wife|2009|US|23,23,22|
        The Good Fight|2017|US|10,13,10|
        The Good Place|2016|US|13,13,13,14|
        The Good Doctor|2017|US|18,18,20|
        Good Omens|2019|GB|6,6|
        Fargo|2014|US|10,10,10,11,10|
        True Detective|2014|US|8,8,8,6|
        Chernobyl|2019|US|5|
        Band of Brothers|2001|US|10|
        The Pacific|2010|US|10|
        The Wire|2002|US|13,12,12,13,10|
        The Sopranos|1999|US|13,13,13,13,13,21|
        Six Feet Under|2001|US|13,13,13,12,12|
        Oz|1997|US|8,8,8,16,8,8|
        Lost|2004|US|25,24,23,14,17,18|
        Lost Girl|2010|CA|13,22,13|
        Lost in Space|1965|US|29,30,24|
        Lost in Space|2018|US|10,10,8|
        Battlestar Galactica|1978|US|24|
        Battlestar Galactica|2004|US|13,20,20,20|
        Star Trek|1966|US|29,26,24|Star Trek: The Original Series
        Star Trek: The Next Generation|1987|US|26,22,26,26,26,26,26|Star Trek TNG
        Star Trek: Discovery|2017|US|15,14,13,13|
        Star Trek: Strange New Worlds|2022|US|10,10|
        The Mandalorian|2019|US|8,8,8|
        Andor|2022|US|12,12|
        The Last of Us|2023|US|9,7|
        The Walking Dead|2010|US|6,13,16,16,16,16|
        Fear the Walking Dead|2015|US|6,15,16|
        The Expanse|2015|US|10,13,13,10,10,6|
        For All Mankind|2019|US|10,10,10|
        Ted Lasso|2020|US|10,12,12|
        Slow Horses|2022|GB|6,6,6,6|
        Peaky Blinders|2013|GB|6,6,6,6,6,6|
        Line of Duty|2012|GB|5,6,6,6,6,6,7|
        Sherlock|2010|GB|3,3,3,4|
        Broadchurch|2013|GB|8,8,8|
        Downton Abbey|2010|GB|7,8,8,8,8,8|
        Black Mirror|2011|GB|3,3,6,6,3,5|
        Money Heist|2017|ES|15,16,10|La Casa de Papel
        Elite|2018|ES|8,8,8|
        Babylon Berlin|2017|DE|8,8,12|
        Lupin|2021|FR|10,7|
        Call My Agent!|2015|FR|6,6,6,6|Dix pour cent
        Gomorrah|2014|IT|12,12,12,12,10|Gomorra la serie
        Squid Game|2021|KR|9,7|오징어 게임
        Kingdom|2019|KR|6,6|
        Extraordinary Attorney Woo|2022|KR|16|
        Alice in Borderland|2020|JP|8,8|
        Frieren: Beyond Journey's End|2023|JP|28|Sousou no Frieren,葬送のフリーレン
        Attack on Titan|2013|JP|25,12,22,28|Shingeki no Kyojin,進撃の巨人
        Demon Slayer: Kimetsu no Yaiba|2019|JP|26,18,11,8|Kimetsu no Yaiba
        Jujutsu Kaisen|2020|JP|24,23|呪術廻戦
        My Hero Academia|2016|JP|13,25,25,25,25,25|Boku no Hero Academia
        Mob Psycho 100|2016|JP|12,13,12|
        One-Punch Man|2015|JP|12,12|One Punch Man
        Steins;Gate|2011|JP|24|
        Steins;Gate 0|2018|JP|23|
        Re:ZERO -Starting Life in Another World-|2016|JP|25,25,16|Re:Zero kara Hajimeru Isekai Seikatsu
        That Time I Got Reincarnated as a Slime|2018|JP|24,24,24|Tensei Shitara Slime Datta Ken
        The Rising of the Shield Hero|2019|JP|25,13,12|Tate no Yuusha no Nariagari
        86 EIGHTY-SIX|2021|JP|23|86
        Zom 100: Bucket List of the Dead|2023|JP|12|Zom 100
        Kaiju No. 8|2024|JP|12,11|Kaijuu 8-gou
        Spy x Family|2022|JP|25,12|SPY×FAMILY
        Chainsaw Man|2022|JP|12|
        Bleach|2004|JP|20,21,22,28,18,22,20,16,22,16,7,17,36,51,26,24|
        Naruto|2002|JP|57,43,41,48,31|
        Naruto Shippūden|2007|JP|32,21,18,17,24|Naruto Shippuden
        One Piece|1999|JP|61,16,14,39,13,52,33,35,73,45,26,14,101,58,62,50,118,33,98|
        Dragon Ball Z|1989|JP|39,35,33,32,26,29|
        Fullmetal Alchemist|2003|JP|51|
        Fullmetal Alchemist: Brotherhood|2009|JP|64|
        Hunter x Hunter|2011|JP|148|
        Cowboy Bebop|1998|JP|26|
        Cowboy Bebop|2021|US|10|
        Neon Genesis Evangelion|1995|JP|26|Shin Seiki Evangelion
        Death Note|2006|JP|37|
        Oshi no Ko|2023|JP|11,13|
        Vinland Saga|2019|JP|24,24|
        March Comes in Like a Lion|2016|JP|22,22|3-gatsu no Lion
        """

    static let shows: [Show] = {
        var shows = told.split(separator: "\n").enumerated().map { number, line -> Show in
            let parts = line.trimmed.split(separator: "|", omittingEmptySubsequences: false)
            let details = ShowDetails(
                tmdbID: number + 1,
                name: String(parts[0]),
                firstAired: "\(parts[1])-01-01",
                countries: [String(parts[2])]
            )
            return Show(
                id: Int64(number + 1),
                systemName: String(parts[0]),
                details: details,
                aliases: parts[4].split(separator: ",").map(String.init)
            )
        }
        // Others that only have to be there, and to be taken for nothing else.
        let first = ["Quiet", "Long", "Broken", "Silver", "Northern", "Hidden", "Last", "Second"]
        let second = ["Harbour", "Voyage", "Mirror", "Road", "Garden", "Tide", "Witness", "Hour"]
        let third = ["", " House", " Stories", ": Origins"]
        for (number, words) in first.flatMap({ one in
            second.flatMap { two in third.map { "\(one) \(two)\($0)" } }
        }).prefix(300 - shows.count).enumerated() {
            let id = 1_000 + number
            let details = ShowDetails(tmdbID: id, name: words, firstAired: "2019-01-01")
            shows.append(Show(id: Int64(id), systemName: words, details: details))
        }
        return shows
    }()

    static let episodes: [Episode] = {
        var episodes: [Episode] = []
        func add(_ show: Int, _ counts: [Int]) {
            var absolute = 0
            for (index, count) in counts.enumerated() {
                for number in 1...count {
                    absolute += 1
                    episodes.append(
                        Episode(
                            showTMDBID: show,
                            tmdbID: episodes.count + 1,
                            season: index + 1,
                            number: number,
                            absolute: absolute,
                            name: "Episode \(number)"
                        )
                    )
                }
            }
            for number in 1...2 {
                episodes.append(
                    Episode(
                        showTMDBID: show,
                        tmdbID: episodes.count + 1,
                        season: 0,
                        number: number,
                        absolute: nil,
                        name: "Special \(number)"
                    )
                )
            }
        }
        for (number, line) in told.split(separator: "\n").enumerated() {
            let counts = line.trimmed.split(separator: "|", omittingEmptySubsequences: false)[3]
            add(number + 1, counts.split(separator: ",").compactMap { Int($0) })
        }
        for show in shows where show.id >= 1_000 { add(Int(show.id), [10, 10]) }
        return episodes
    }()
}

extension Substring {
    fileprivate var trimmed: Substring { drop { $0 == " " } }
}
