/// Seasons and episodes: the surest forms first, each only when none before it was found.
extension NameReader {
    mutating func takeNumbers() {
        takeSpecialWords()
        if takeSeasonEpisode() || takeSeasonThenEpisode() || takeDate() || takeMarkedEpisode()
            || endsInSeason() && takeFullSeason() || takeFansubNumber()
        {
            return
        }
        if takeFullSeason() || takeRange() || takeBareNumber() { return }
    }

    // MARK: S01E05

    private mutating func takeSeasonEpisode() -> Bool {
        for index in tokens.indices {
            guard !claimed.contains(index),
                var form = NumberForms.seasonEpisode(tokens[index].lower)
            else { continue }
            // "1x264" and resolutions are no episodes.
            if form.season > 0, tokens[index].lower.first?.isNumber == true,
                form.episodes[0] == 264
                    || form.episodes[0] == 265
            {
                continue
            }
            claim(index, .episodes)
            name.season = form.season
            name.version = form.version ?? name.version
            var next = index + 1
            while next < tokens.count, let more = continuation(next, of: form) {
                form.episodes = more
                claim(next, .episodes)
                next += 1
            }
            name.episodes = Self.expanded(form.episodes)
            takeAbsolute(behind: next)
            takeEpisodeTitle(from: next)
            return true
        }
        return false
    }

    /// What follows may be the end of a range or one more episode of the same file.
    private func continuation(_ index: Int, of form: NumberForms.SeasonEpisode) -> [Int]? {
        let token = tokens[index]
        guard let last = form.episodes.last, token.bracket == tokens[index - 1].bracket else {
            return nil
        }
        let isRange = token.gap.contains("-") || token.gap.contains("~")
        if let more = NumberForms.seasonEpisode(token.lower), more.season == form.season,
            let episode = more.episodes.last, episode > last
        {
            return isRange
                ? Array(form.episodes + Array((last + 1)...episode)).limited
                : form.episodes + more.episodes
        }
        if let more = NumberForms.episode(token.lower)?.episodes, let episode = more.last,
            episode > last,
            token.lower.hasPrefix("e")
        {
            return isRange
                ? (form.episodes + Array((last + 1)...episode)).limited : form.episodes + more
        }
        if token.gap == "-" || token.gap == "~" || token.gap == " - ", let number = token.number,
            number > last,
            token.text.utf8.count <= 3, number - last < 100,
            token.gap != " - " || token.text.utf8.count >= 2 && number - last < 30
        {
            return (form.episodes + Array((last + 1)...number)).limited
        }
        return nil
    }

    /// "S01E01E03" names two episodes, "S01E01-E03" three; a descending pair is taken as written.
    private static func expanded(_ episodes: [Int]) -> [Int] {
        var seen: Set<Int> = []
        return episodes.filter { seen.insert($0).inserted }
    }

    /// "S02E05 (30)" and "S02E05 - 030" tell the absolute number as well.
    private mutating func takeAbsolute(behind index: Int) {
        guard index < tokens.count, name.episodes.count == 1, let number = tokens[index].number,
            tokens[index].bracketKind == "(" || tokens[index].isSpacedDash,
            tokens[index].text.utf8.count >= 2, tokens[index].text.utf8.count <= 4,
            number > 0, !(1900...2099).contains(number)
        else { return }
        if tokens[index].bracketKind == "(" || tokens[index].text.utf8.count == 3 {
            name.absolute = [number]
            claim(index, .absolute)
        }
    }

    private mutating func takeEpisodeTitle(from start: Int) {
        var end = start
        while end < tokens.count, tokens[end].bracket == 0, !claimed.contains(end),
            !Vocabulary.isTechnical(tokens[end].lower),
            !Vocabulary.edition.contains(tokens[end].lower),
            !Vocabulary.services.contains(tokens[end].lower)
        {
            end += 1
        }
        guard end > start else { return }
        // A release without technical words ends in its group.
        if end == tokens.count, end - start > 0, tokens[end - 1].isTightDash { end -= 1 }
        guard end > start else { return }
        if Vocabulary.languages.contains(tokens[start].lower) || tokens[start].lower == "v2" {
            return
        }
        let title = joined(start..<end)
        if title.contains(where: \.isLetter) { name.episodeTitle = title }
    }

    // MARK: Season 1 Episode 5, S1 - 05, 2nd Season - 05

    private mutating func takeSeasonThenEpisode() -> Bool {
        for index in tokens.indices where !claimed.contains(index) {
            guard let (season, next, isWord) = season(at: index) else { continue }
            // "Seasons 1-4", "S01-S03": a range of seasons, which is looked for later.
            if isWord, next < tokens.count, tokens[next].gap == "-" { continue }
            if index > 0, tokens[index].gap == "-",
                NumberForms.season(tokens[index - 1].lower) != nil
            {
                continue
            }
            guard next < tokens.count, let (episodes, version, end) = episode(at: next) else {
                continue
            }
            for position in index..<end { claim(position, .episodes) }
            name.season = season
            name.episodes = episodes
            name.version = version ?? name.version
            takeEpisodeTitle(from: end)
            return true
        }
        return false
    }

    /// A season and the word behind it.
    func season(at index: Int) -> (season: Int, next: Int, isWord: Bool)? {
        let word = tokens[index].lower
        if let season = NumberForms.season(word) { return (season, index + 1, false) }
        if let season = NumberForms.asianSeason(word) { return (season, index + 1, true) }
        if Vocabulary.seasonWords.contains(word), index + 1 < tokens.count,
            tokens[index + 1].bracket == tokens[index].bracket
        {
            let next = tokens[index + 1]
            if let number = next.number,
                number < 100 || word != "series" && (1950...2100).contains(number)
            {
                return (number, index + 2, true)
            }
            if let number = Vocabulary.romanNumerals[next.lower]
                ?? Vocabulary.numberWords[next.lower], word != "series"
            {
                return (number, index + 2, true)
            }
        }
        let isOrdinal =
            NumberForms.ordinal(word) ?? (tokens[index].number.flatMap { $0 < 30 ? $0 : nil })
        if let number = isOrdinal, index + 1 < tokens.count,
            Vocabulary.seasonWords.contains(tokens[index + 1].lower),
            tokens[index + 1].lower != "series",
            tokens[index].number == nil
                || !(index + 2 < tokens.count && tokens[index + 2].number != nil),
            tokens[index + 1].bracket == tokens[index].bracket
        {
            return (number, index + 2, true)
        }
        // "Season1", "Saison01".
        for prefix in ["season", "saison", "staffel", "temporada"] where word.hasPrefix(prefix) {
            if let number = Int(word.dropFirst(prefix.count)), number < 100 {
                return (number, index + 1, true)
            }
        }
        return nil
    }

    /// An episode that follows a season.
    private func episode(at index: Int) -> (episodes: [Int], version: Int?, end: Int)? {
        let token = tokens[index]
        if let form = NumberForms.episode(token.lower) {
            return range(from: form.episodes, version: form.version, at: index + 1)
        }
        if Vocabulary.episodeWords.contains(token.lower), index + 1 < tokens.count,
            let (number, version) = NumberForms.plain(tokens[index + 1].lower)
        {
            return range(from: [number], version: version, at: index + 2)
        }
        guard let (number, version) = NumberForms.plain(token.lower), token.text.utf8.first != nil,
            token.gap.contains("-") || token.gap.contains("_") || token.gap == " "
                || token.bracket > 0 || token.gap == ".",
            !(1900...2099).contains(number), Vocabulary.resolution(token.lower) == nil
        else { return nil }
        // "S01 2" may be anything; "S01-S03" was looked at before.
        if token.gap == "-", NumberForms.season(tokens[index - 1].lower) != nil, number > 1,
            token.text.utf8.count <= 2
        {
            return nil
        }
        return range(from: [number], version: version, at: index + 1)
    }

    /// Goes on with "-06", "-E06" or "~06".
    private func range(
        from episodes: [Int],
        version: Int?,
        at index: Int
    ) -> (episodes: [Int], version: Int?, end: Int) {
        guard index < tokens.count, let last = episodes.last else {
            return (episodes, version, index)
        }
        let token = tokens[index]
        let isRange =
            token.gap == "-" || token.gap == "~" || token.gap == " ~ " || token.gap == " - "
        let number =
            token.number
            ?? (token.lower.hasPrefix("e") ? NumberForms.episode(token.lower)?.episodes.last : nil)
        guard isRange, let number, number > last, number - last < 200, token.text.utf8.count <= 4,
            token.gap != " - "
                || episodes.count == 1 && token.text.utf8.count >= 2 && number - last < 60
        else { return (episodes, version, index) }
        return ((episodes + Array((last + 1)...number)).limited, version, index + 1)
    }

    // MARK: Dates

    private mutating func takeDate() -> Bool {
        for index in tokens.indices where !claimed.contains(index) {
            if let date = NumberForms.compactDate(tokens[index].text), index > 0 {
                return take(date, index..<(index + 1))
            }
            guard index + 2 < tokens.count,
                let first = tokens[index].number ?? NumberForms.ordinal(tokens[index].lower),
                let third = tokens[index + 2].number
            else { continue }
            let middle = tokens[index + 1]
            guard let second = middle.number ?? Self.month(middle.lower) else { continue }
            let gaps = (tokens[index + 1].gap, tokens[index + 2].gap)
            guard gaps.0 == gaps.1 || middle.number == nil, gaps.0.utf8.count == 1 else { continue }
            if let date = Self.date(
                first,
                second,
                third,
                tokens[index].text,
                tokens[index + 2].text
            ) {
                return take(date, index..<(index + 3))
            }
        }
        return false
    }

    private static func date(
        _ first: Int,
        _ second: Int,
        _ third: Int,
        _ firstText: String,
        _ thirdText: String
    ) -> AirDate? {
        if firstText.utf8.count == 4 {
            return AirDate(year: first, month: second, day: third)
                ?? AirDate(year: first, month: third, day: second)
        }
        guard firstText.utf8.count <= 2 else { return nil }
        if thirdText.utf8.count == 4 {
            // Both orders are used; where both are possible, nothing is said.
            let european = AirDate(year: third, month: second, day: first)
            let american = AirDate(year: third, month: first, day: second)
            if let european, let american, european != american { return nil }
            return european ?? american
        }
        guard firstText.utf8.count == 2, thirdText.utf8.count == 2 else { return nil }
        return AirDate(year: 2000 + first, month: second, day: third)
            .flatMap { $0.year <= 2030 ? $0 : nil }
    }

    private static func month(_ word: String) -> Int? {
        let names = [
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ]
        return names.firstIndex { word.hasPrefix($0) }.map { $0 + 1 }
    }

    private mutating func take(_ date: AirDate, _ range: Range<Int>) -> Bool {
        name.airDate = date
        for index in range { claim(index, .airDate) }
        takeEpisodeTitle(from: range.upperBound)
        return true
    }
}

extension [Int] {
    /// A range that a lying name makes too long is cut: no file holds a thousand episodes.
    var limited: [Int] { count > 1000 ? Array(prefix(1)) : self }
}
