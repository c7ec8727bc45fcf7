/// Numbers that only their place explains: fansub numbers, packs, bare digits.
extension NameReader {
    mutating func takeSpecialWords() {
        for (index, token) in tokens.enumerated() where index > 0 {
            guard
                Vocabulary.specialWords.contains(token.lower)
                    || specialWithNumber(token.lower) != nil
            else { continue }
            if token.lower == "sp" || token.lower == "pv" || token.lower == "special",
                token.text.first?.isLowercase == true
            {
                continue
            }
            name.isSpecial = true
            if let number = specialWithNumber(token.lower), name.episodes.isEmpty {
                pendingSpecial = number
                claim(index, .special)
            } else if token.lower != "special" && token.lower != "specials" || token.isSpacedDash
                || token.bracket > 0
            {
                claim(index, .special)
            }
        }
    }

    private func specialWithNumber(_ word: String) -> Int? {
        for prefix in ["ova", "ona", "oad", "sp", "ncop", "nced", "special"]
        where word.hasPrefix(prefix) {
            guard let (number, _) = NumberForms.plain(String(word.dropFirst(prefix.count))) else {
                continue
            }
            return number
        }
        return nil
    }

    // MARK: E05, Episode 5, 第05話

    mutating func takeMarkedEpisode() -> Bool {
        for index in tokens.indices where !claimed.contains(index) && index >= 0 {
            let token = tokens[index]
            if let form = NumberForms.episode(token.lower), index > 0 || token.lower.hasPrefix("e")
            {
                return take(form.episodes, form.version, index..<(index + 1))
            }
            guard Vocabulary.episodeWords.contains(token.lower), index + 1 < tokens.count,
                token.lower.count > 1 || token.text == "E",
                let (number, version) = NumberForms.plain(tokens[index + 1].lower)
            else { continue }
            // "Cap.102" is how Spanish releases write season 1, episode 2.
            if token.lower == "cap", number >= 100, number % 100 > 0 {
                _ = seasonInTitle()
                return take([number % 100], version, index..<(index + 2), season: number / 100)
            }
            return take([number], version, index..<(index + 2))
        }
        // "5 серия", "Part 3".
        for index in tokens.indices.dropLast() where !claimed.contains(index) {
            if let number = tokens[index].number, index > 0,
                ["серия", "серии", "эпизод"].contains(tokens[index + 1].lower)
            {
                return take([number], nil, index..<(index + 2))
            }
            guard tokens[index].lower == "part" || tokens[index].lower == "pt", index > 0 else {
                continue
            }
            let next = tokens[index + 1]
            let number =
                next.number ?? Vocabulary.romanNumerals[next.lower] ?? Vocabulary.numberWords[
                    next.lower
                ]
                ?? (next.text == "I" ? 1 : nil)
            if let number, number < 30, hasTechnicalWords {
                return take([number], nil, index..<(index + 2), season: 1)
            }
        }
        return false
    }

    private var hasTechnicalWords: Bool {
        tokens.contains { Vocabulary.isTechnical($0.lower) }
    }

    private mutating func take(
        _ episodes: [Int],
        _ version: Int?,
        _ range: Range<Int>,
        season: Int? = nil
    ) -> Bool {
        var episodes = episodes
        for index in range { claim(index, .episodes) }
        var next = range.upperBound
        if next < tokens.count, ["-", "~", " - "].contains(tokens[next].gap),
            let end = tokens[next].number
                ?? NumberForms.episode(tokens[next].lower)?.episodes.first,
            let last = episodes.last, end > last, end - last < 200,
            tokens[next].text.utf8.count <= 4
        {
            episodes = (episodes + Array((last + 1)...end)).limited
            claim(next, .episodes)
            next += 1
        }
        name.episodes = episodes
        name.version = version ?? name.version
        name.season = season ?? name.season ?? seasonInTitle()
        return true
    }

    /// "Title S2 … E05": a season that stands apart from its episode.
    private mutating func seasonInTitle() -> Int? {
        for index in tokens.indices where !claimed.contains(index) && index > 0 {
            guard let (season, next, _) = season(at: index) else { continue }
            for position in index..<next { claim(position, .season) }
            return season
        }
        return nil
    }

    // MARK: [Group] Title - 05 [1080p]

    mutating func takeFansubNumber() -> Bool {
        if let pendingSpecial {
            name.season = 0
            name.episodes = [pendingSpecial]
            return true
        }
        guard let index = fansubNumberIndex(),
            let (number, version) = NumberForms.plain(tokens[index].lower)
        else { return false }
        claim(index, .absolute)
        name.version = version ?? name.version
        if index + 1 < tokens.count, let half = tokens[index + 1].number,
            tokens[index + 1].gap == ".",
            tokens[index + 1].text.utf8.count == 1, !claimed.contains(index + 1),
            index + 2 == tokens.count || tokens[index + 2].gap != "."
        {
            name.decimal = [Double(number) + Double(half) / 10]
            claim(index + 1, .absolute)
            return true
        }
        var numbers = [number]
        var next = index + 1
        if next < tokens.count, ["-", "~", " ~ ", " - "].contains(tokens[next].gap),
            let end = tokens[next].number, end > number, end - number < 1500,
            !claimed.contains(next),
            tokens[next].text.utf8.count >= tokens[index].text.utf8.count
        {
            numbers = Array(number...end)
            claim(next, .absolute)
            next += 1
        }
        name.absolute = numbers
        takeEpisodeTitleBehindNumber(next)
        return true
    }

    private mutating func takeEpisodeTitleBehindNumber(_ start: Int) {
        guard start < tokens.count, tokens[start].isSpacedDash else { return }
        var end = start
        while end < tokens.count, tokens[end].bracket == 0, !claimed.contains(end),
            !Vocabulary.isTechnical(tokens[end].lower)
        { end += 1 }
        if end > start { name.episodeTitle = joined(start..<end) }
    }

    /// The number that a fansub name puts behind its title.
    private func fansubNumberIndex() -> Int? {
        let isFansub = tokens.first?.bracketKind == "[" || tokens.first?.bracketKind == "【"
        func isPlain(_ index: Int) -> Bool {
            guard !claimed.contains(index), let (number, _) = NumberForms.plain(tokens[index].lower)
            else { return false }
            return !(tokens[index].bracket > 0 && (1900...2099).contains(number))
        }
        // The last dash that a number follows.
        let dashed = tokens.indices.filter { index in
            index > 0 && tokens[index].bracket == 0 && isPlain(index)
                && tokens[index].gap.contains("-") && tokens[index].gap != "-"
        }
        if let index = dashed.first(where: { endsHere($0 + 1) }) ?? dashed.last,
            isFansub || endsHere(index + 1) || tokens[index].text.utf8.count >= 2
        {
            return index
        }
        // [Group][Title][05][1080p]
        if isFansub {
            let bracketed = tokens.indices.first { index in
                index > 1 && tokens[index].bracketKind != "(" && tokens[index].bracket > 0
                    && isPlain(index)
                    && !tokens.contains(where: {
                        $0.bracket == tokens[index].bracket && $0.bytes != tokens[index].bytes
                            && $0.number == nil
                    })
            }
            if let bracketed { return bracketed }
            // [Group] Title 05 [1080p]
            let last = tokens.indices.last { $0 > 1 && tokens[$0].bracket == 0 }
            if let last, isPlain(last), tokens[last].text.utf8.count >= 2 || last + 1 < tokens.count
            {
                if !(1900...2099).contains(tokens[last].number ?? 0) { return last }
            }
        }
        return nil
    }

    /// Whether the name has no title word any more from here on.
    private func endsHere(_ index: Int) -> Bool {
        index >= tokens.count || tokens[index].bracket > 0 || claimed.contains(index)
            || Vocabulary.isTechnical(tokens[index].lower)
            || Vocabulary.edition.contains(tokens[index].lower)
            || tokens[index].gap.contains("-")
    }

    // MARK: Packs and bare numbers

    /// Whether a season is named and no number behind it could be an episode's, as in
    /// "The 100 Season 1 Complete".
    func endsInSeason() -> Bool {
        guard
            let index = tokens.indices.first(where: {
                $0 > 0 && !claimed.contains($0) && season(at: $0) != nil
            }), let (_, next, _) = season(at: index)
        else { return false }
        return !tokens.indices.contains { position in
            position >= next && !claimed.contains(position)
                && NumberForms.plain(tokens[position].lower) != nil
        }
    }

    mutating func takeFullSeason() -> Bool {
        for index in tokens.indices where !claimed.contains(index) {
            guard let (season, next, isWord) = season(at: index),
                index > 0 || isWord || tokens.count > 1
            else { continue }
            var seasons = [season]
            var end = next
            while end < tokens.count, let more = seasonContinuing(at: end, from: seasons) {
                seasons = more.seasons
                end = more.next
            }
            for position in index..<end { claim(position, .season) }
            name.season = seasons.first
            if seasons.count > 1 { name.seasons = seasons }
            name.isFullSeason = true
            return true
        }
        return false
    }

    private func seasonContinuing(
        at index: Int,
        from seasons: [Int]
    ) -> (seasons: [Int], next: Int)? {
        let token = tokens[index]
        guard let last = seasons.last else { return nil }
        let isRange = token.gap.contains("-") || token.gap.contains("~")
        if Vocabulary.rangeWords.contains(token.lower), index + 1 < tokens.count,
            let end = tokens[index + 1].number ?? NumberForms.season(tokens[index + 1].lower),
            end > last, end < 100
        {
            return (seasons + Array((last + 1)...end), index + 2)
        }
        let number =
            NumberForms.season(token.lower)
            ?? (isRange || token.gap.contains(",") ? token.number : nil)
        guard let number, number > last, number < 100 else { return nil }
        return (isRange ? seasons + Array((last + 1)...number) : seasons + [number], index + 1)
    }

    /// "Title 01-12 [Batch]", "[Group] Title (01-12)".
    mutating func takeRange() -> Bool {
        for index in tokens.indices.dropLast() where index > 0 && !claimed.contains(index) {
            let next = tokens[index + 1]
            guard let first = tokens[index].number, let last = next.number,
                next.gap == "-" || next.gap == "~" || next.gap == " ~ " || next.gap == " - ",
                last > first, tokens[index].text.utf8.count <= 4, last - first < 1500,
                !(1900...2099).contains(first),
                tokens[index].text.utf8.count >= 2 || tokens[index].bracket > 0
            else { continue }
            name.absolute = Array(first...last)
            claim(index, .absolute)
            claim(index + 1, .absolute)
            return true
        }
        return false
    }

    /// "show.101.hdtv" and "Title 05": digits alone, believed only where a release goes on behind
    /// them or the name ends.
    mutating func takeBareNumber() -> Bool {
        // "05.mkv" in a folder that says the rest.
        if tokens.count == 1, let (number, version) = NumberForms.plain(tokens[0].lower),
            tokens[0].text.utf8.count <= 3
        {
            name.absolute = [number]
            name.version = version ?? 1
            claim(0, .absolute)
            return true
        }
        let candidates = tokens.indices.filter { index in
            index > 0 && tokens[index].bracket == 0 && !claimed.contains(index)
                && tokens[index].number != nil
        }
        for index in candidates.reversed() {
            guard let number = tokens[index].number, endsHere(index + 1), number > 0 else {
                continue
            }
            let digits = tokens[index].text.utf8.count
            if digits == 3 || digits == 4 && tokens[index].text.first == "0"
                || digits == 4 && number < 1900,
                hasTechnicalWords, number % 100 > 0, index + 1 < tokens.count
            {
                name.season = number / 100
                name.episodes = [number % 100]
                claim(index, .episodes)
                return true
            }
            guard digits == 2 || digits == 3, name.year == nil else { continue }
            if hasTechnicalWords && tokens[index].text.first != "0"
                && !tokens[index].gap.contains("-")
            {
                continue
            }
            name.absolute = [number]
            claim(index, .absolute)
            return true
        }
        return false
    }
}
