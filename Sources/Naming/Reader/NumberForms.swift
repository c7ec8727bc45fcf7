/// The ways in which one word writes season and episode.
enum NumberForms {
    /// "s01e05", "1x05v2".
    struct SeasonEpisodes: Equatable {
        var season: Int
        var episodes: [Int]
        var version: Int?
        /// "a" is 1.
        var part: Int?
    }

    /// "e05", "第05話", "05v2".
    struct Episodes: Equatable {
        var episodes: [Int]
        var version: Int?
        var part: Int?
    }

    private static let episodeMarks: [StaticString] = ["episode", "epi", "ep", "e", "е"]
    private static let seasonMarks: [StaticString] = ["s", "с", "t"]

    /// "s01e05", "s01e05e06", "s01xe05", "t1e5", "s01e05v2", "1x05", "1x05x06", "2009x03".
    static func seasonEpisodes(_ word: ArraySlice<UInt8>) -> SeasonEpisodes? {
        var scanner = Scanner(word)
        if scanner.take(oneOf: seasonMarks) {
            // A letter that looks like a nought: "SO1E02".
            if scanner.next == UInt8(ascii: "o") { _ = scanner.take("o") }
            guard let season = scanner.number(digits: 1...4) else { return nil }
            // "s1205"
            if scanner.isAtEnd, season > 99, season % 100 > 0, !(1900...2099).contains(season),
                word.count == 5
            {
                return SeasonEpisodes(season: season / 100, episodes: [season % 100])
            }
            var result = SeasonEpisodes(season: season, episodes: [])
            _ = scanner.take("x")
            let isBare = result.episodes.isEmpty && scanner.index > word.startIndex
            while scanner.take(oneOf: episodeMarks) || scanner.take("x")
                || result.episodes.isEmpty && isBare
                    && word[scanner.index - 1] == UInt8(ascii: "x"),
                let episode = scanner.number(digits: 1...5)
            {
                result.episodes.append(episode)
                // "s01e05s01e06"
                while scanner.take("s"), scanner.number(digits: 1...2) == nil { return nil }
            }
            return finish(&scanner, &result)
        }
        guard let season = scanner.number(digits: 1...4), season < 100 || season > 1900,
            scanner.take("x") || scanner.take("х")
        else { return nil }
        _ = scanner.take("e")
        guard let episode = scanner.number(digits: season < 100 ? 1...4 : 1...2) else { return nil }
        // "1x264" and sizes of pictures are no episodes.
        guard episode != 264, episode != 265,
            season > 0 || episode > 9 || scanner.index > word.startIndex + 3
        else { return nil }
        var result = SeasonEpisodes(season: season, episodes: [episode])
        while scanner.take("x"), let more = scanner.number(digits: 1...3) {
            result.episodes.append(more)
        }
        return finish(&scanner, &result)
    }

    private static func finish(
        _ scanner: inout Scanner,
        _ result: inout SeasonEpisodes
    ) -> SeasonEpisodes? {
        guard !result.episodes.isEmpty else { return nil }
        (result.version, result.part) = ending(&scanner)
        return scanner.isAtEnd ? result : nil
    }

    /// A version, a letter for a part, a full stop of the series: "v2", "a", "fin".
    private static func ending(_ scanner: inout Scanner) -> (version: Int?, part: Int?) {
        var part: Int?
        if let next = scanner.next, (UInt8(ascii: "a")...UInt8(ascii: "d")).contains(next) {
            _ = scanner.take(oneOf: ["a", "b", "c", "d"])
            part = Int(next - UInt8(ascii: "a")) + 1
        }
        let version = scanner.take("v") ? scanner.number(digits: 1...1) : nil
        _ = scanner.take(oneOf: ["完结", "完結", "完", "end", "finale", "fin", "tv", "'"])
        return (version, part)
    }

    /// "s01", "t1", "s2024", "сезон2".
    static func season(_ word: ArraySlice<UInt8>) -> Int? {
        var scanner = Scanner(word)
        guard scanner.take(oneOf: ["season", "saison", "temporada", "se", "s", "с", "t", "сезон"]),
            let season = scanner.number(digits: 1...4), scanner.isAtEnd
        else { return nil }
        return season
    }

    /// "s01s02s03".
    static func seasons(_ word: ArraySlice<UInt8>) -> [Int]? {
        var scanner = Scanner(word)
        var seasons: [Int] = []
        while scanner.take("s"), let season = scanner.number(digits: 1...2) {
            seasons.append(season)
        }
        return seasons.count > 1 && scanner.isAtEnd ? seasons : nil
    }

    /// "s01d03", "s04dvd7", "s01extras", "s06p1": part of a season, but no episode of it.
    static func partOfSeason(_ word: ArraySlice<UInt8>) -> (season: Int, isExtra: Bool)? {
        var scanner = Scanner(word)
        guard scanner.take("s"), let season = scanner.number(digits: 1...4) else { return nil }
        if scanner.take("extras") || scanner.take("extra") || scanner.take("bonus") {
            return scanner.isAtEnd ? (season, true) : nil
        }
        guard scanner.take(oneOf: ["dvd", "disc", "disk", "bd", "vol", "d", "p"]),
            scanner.number(digits: 1...2) != nil, scanner.isAtEnd
        else { return nil }
        return (season, false)
    }

    /// "e05", "ep05e06", "#05", "第05話", "05话", "cap05", "ep05v2".
    static func markedEpisodes(_ word: ArraySlice<UInt8>) -> Episodes? {
        var scanner = Scanner(word)
        if scanner.take("第") || scanner.take("제") {
            guard let number = scanner.number(digits: 1...4) else { return nil }
            // "第01-12話" goes on in the next word.
            guard scanner.isAtEnd || takeCounter(&scanner) else { return nil }
            let version = scanner.take("v") ? scanner.number(digits: 1...1) : nil
            return Episodes(episodes: [number], version: version)
        }
        if scanner.take("#") || scanner.take("№") {
            guard let number = scanner.number(digits: 1...4) else { return nil }
            let (version, part) = ending(&scanner)
            guard scanner.isAtEnd else { return nil }
            return Episodes(episodes: [number], version: version, part: part)
        }
        if let number = scanner.number(digits: 1...4) {
            let ends = takeCounter(&scanner) && scanner.isAtEnd
            return ends ? Episodes(episodes: [number]) : nil
        }
        var result = Episodes(episodes: [])
        while scanner.take(oneOf: episodeMarks)
            || result.episodes.isEmpty
                && scanner.take(oneOf: ["caap", "cap", "folge", "serie", "серия", "эп"]),
            scanner.take("#") || true, let number = scanner.number(digits: 1...5)
        {
            result.episodes.append(number)
        }
        guard !result.episodes.isEmpty else { return nil }
        (result.version, result.part) = ending(&scanner)
        return scanner.isAtEnd ? result : nil
    }

    private static func takeCounter(_ scanner: inout Scanner) -> Bool {
        let isTaken = scanner.take(oneOf: ["話", "话", "集", "回", "화", "회", "期上", "夜"])
        if isTaken { _ = scanner.take(oneOf: ["完", "全"]) }
        return isTaken
    }

    /// "x05": goes on from a season that stands before.
    static func crossed(_ word: ArraySlice<UInt8>) -> Int? {
        var scanner = Scanner(word)
        guard scanner.take("x"), let number = scanner.number(digits: 1...3), scanner.isAtEnd,
            number != 264, number != 265
        else { return nil }
        return number
    }

    /// "全24集", "全12話": all of them.
    static func isWhole(_ word: ArraySlice<UInt8>) -> Bool {
        var scanner = Scanner(word)
        guard scanner.take(oneOf: ["全", "共"]), scanner.number(digits: 1...4) != nil else {
            return Scanner(word).isAtEnd ? false : word.elementsEqual("전체".utf8)
        }
        return takeCounter(&scanner)
    }

    /// "第2季", "2期", "시즌2", "第二季", "4ª", "2º".
    static func otherSeason(_ word: ArraySlice<UInt8>) -> Int? {
        var scanner = Scanner(word)
        let isKorean = scanner.take("시즌")
        if !isKorean { _ = scanner.take("第") }
        guard let number = scanner.number(digits: 1...2) ?? chineseNumber(&scanner) else {
            return nil
        }
        if isKorean { return scanner.isAtEnd ? number : nil }
        return scanner.take(oneOf: ["季", "期", "기", "部", "シーズン"]) ? number : nil
    }

    private static func chineseNumber(_ scanner: inout Scanner) -> Int? {
        let digits: [StaticString] = ["一", "二", "三", "四", "五", "六", "七", "八", "九", "十"]
        for (index, digit) in digits.enumerated() where scanner.take(digit) { return index + 1 }
        return nil
    }

    /// "2nd", "11th", "4ª", "10º", "3°".
    static func ordinal(_ word: ArraySlice<UInt8>) -> Int? {
        var scanner = Scanner(word)
        guard let number = scanner.number(digits: 1...2),
            scanner.take(oneOf: ["st", "nd", "rd", "th", "ª", "º", "°", "a", "o", "er", "e"]),
            scanner.isAtEnd
        else { return nil }
        return number
    }

    /// "05", "05v2", "1000v3", "05a", "24完".
    static func plain(_ word: ArraySlice<UInt8>) -> Episodes? {
        var scanner = Scanner(word)
        guard let number = scanner.number(digits: 1...4) else { return nil }
        if scanner.isAtEnd { return Episodes(episodes: [number]) }
        var result = Episodes(episodes: [number])
        (result.version, result.part) = ending(&scanner)
        return scanner.isAtEnd ? result : nil
    }

    /// "v2".
    static func version(_ word: ArraySlice<UInt8>) -> Int? {
        var scanner = Scanner(word)
        guard scanner.take("v"), let version = scanner.number(digits: 1...1), scanner.isAtEnd else {
            return nil
        }
        return version
    }

    /// "2of4".
    static func of(_ word: ArraySlice<UInt8>) -> Int? {
        var scanner = Scanner(word)
        guard let number = scanner.number(digits: 1...3), scanner.take("of"),
            let all = scanner.number(digits: 1...3), scanner.isAtEnd, number <= all
        else { return nil }
        return number
    }
}
