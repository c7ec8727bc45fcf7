/// The ways in which one word writes season and episode.
enum NumberForms {
    struct SeasonEpisode: Equatable {
        var season: Int
        var episodes: [Int]
        var version: Int?
    }

    /// "s01e05", "s01e05e06", "s01e05v2", "s1ep5", "1x05", "1x05x06".
    static func seasonEpisode(_ word: String) -> SeasonEpisode? {
        guard let first = word.utf8.first,
            first == UInt8(ascii: "s") || (48...57).contains(first) || word.hasPrefix("с")
        else { return nil }
        var scanner = Scanner(word)
        if scanner.take("s") || scanner.take("с") {
            guard let season = scanner.number(digits: 1...4) else { return nil }
            return episodes(&scanner, season: season)
        }
        guard let season = scanner.number(digits: 1...2), scanner.take("x") || scanner.take("х"),
            let episode = scanner.number(digits: 1...4)
        else { return nil }
        var result = SeasonEpisode(season: season, episodes: [episode])
        while scanner.take("x"), let more = scanner.number(digits: 2...3) {
            result.episodes.append(more)
        }
        return finish(&scanner, result)
    }

    private static func episodes(_ scanner: inout Scanner, season: Int) -> SeasonEpisode? {
        var result = SeasonEpisode(season: season, episodes: [])
        while takeMark(&scanner), let episode = scanner.number(digits: 1...5) {
            result.episodes.append(episode)
        }
        return result.episodes.isEmpty ? nil : finish(&scanner, result)
    }

    private static func takeMark(_ scanner: inout Scanner) -> Bool {
        scanner.take("episode") || scanner.take("ep") || scanner.take("e") || scanner.take("е")
    }

    /// A version or a part letter may follow; anything else makes it another word.
    private static func finish(
        _ scanner: inout Scanner,
        _ result: SeasonEpisode
    ) -> SeasonEpisode? {
        var result = result
        if scanner.take("v") { result.version = scanner.number(digits: 1...1) }
        _ = scanner.take("a") || scanner.take("b")
        return scanner.isAtEnd ? result : nil
    }

    /// "s01", "s2024".
    static func season(_ word: String) -> Int? {
        var scanner = Scanner(word)
        guard scanner.take("s") || scanner.take("с"), let season = scanner.number(digits: 1...4),
            scanner.isAtEnd
        else { return nil }
        return season
    }

    /// "e05", "ep05", "e05v2", "e05e06", "#05", "第05話", "05话".
    static func episode(_ word: String) -> (episodes: [Int], version: Int?)? {
        var scanner = Scanner(word)
        if scanner.take("#") {
            guard let number = scanner.number(digits: 1...4), scanner.isAtEnd else { return nil }
            return ([number], nil)
        }
        if scanner.take("第"), let number = scanner.number(digits: 1...4), takeCounter(&scanner) {
            return ([number], nil)
        }
        scanner = Scanner(word)
        if let number = scanner.number(digits: 1...4), takeCounter(&scanner) {
            return ([number], nil)
        }
        scanner = Scanner(word)
        var numbers: [Int] = []
        while takeMark(&scanner), let number = scanner.number(digits: 1...4) {
            numbers.append(number)
        }
        guard !numbers.isEmpty else { return nil }
        let version = scanner.take("v") ? scanner.number(digits: 1...1) : nil
        return scanner.isAtEnd ? (numbers, version) : nil
    }

    private static func takeCounter(_ scanner: inout Scanner) -> Bool {
        scanner.take("話") || scanner.take("话") || scanner.take("集") || scanner.take("回")
            || scanner.take("화")
    }

    /// "第2季", "2期", "시즌2".
    static func asianSeason(_ word: String) -> Int? {
        var scanner = Scanner(word)
        _ = scanner.take("第") || scanner.take("시즌")
        guard let number = scanner.number(digits: 1...2) else { return nil }
        if word.hasPrefix("시즌"), scanner.isAtEnd { return number }
        return scanner.take("季") || scanner.take("期") || scanner.take("기") ? number : nil
    }

    /// "05", "05v2", "1000v3".
    static func plain(_ word: String) -> (number: Int, version: Int?)? {
        var scanner = Scanner(word)
        guard let number = scanner.number(digits: 1...4) else { return nil }
        if scanner.isAtEnd { return (number, nil) }
        guard scanner.take("v"), let version = scanner.number(digits: 1...1), scanner.isAtEnd else {
            return nil
        }
        return (number, version)
    }

    /// "2nd" and its like.
    static func ordinal(_ word: String) -> Int? {
        if let number = Vocabulary.ordinals[word] { return number }
        var scanner = Scanner(word)
        guard let number = scanner.number(digits: 1...2),
            scanner.take("st") || scanner.take("nd") || scanner.take("rd") || scanner.take("th"),
            scanner.isAtEnd
        else { return nil }
        return number
    }

    /// "20240115".
    static func compactDate(_ word: String) -> AirDate? {
        guard word.utf8.count == 8, let number = Int(word) else { return nil }
        let date = AirDate(year: number / 10000, month: number / 100 % 100, day: number % 100)
        return date.flatMap { $0.year >= 1990 && $0.year <= 2030 ? $0 : nil }
    }
}
