/// A season that stands apart from its episode, or without one.
extension NameReader {
    struct SeasonMark {
        var season: Int
        /// Behind the words that say it.
        var next: Int
        /// "Season 2", not "S2".
        var isWord: Bool
    }

    /// A season whose words begin at `index`.
    func season(at index: Int) -> SeasonMark? {
        let word = low(index)
        if let season = NumberForms.season(word) {
            return SeasonMark(season: season, next: index + 1, isWord: word.count > 5)
        }
        if let season = NumberForms.otherSeason(word) {
            return SeasonMark(season: season, next: index + 1, isWord: true)
        }
        guard index + 1 < end else { return nil }
        let isSpelled =
            words[index].range.count == 1 && word.first == UInt8(ascii: "s")
            && words[index + 1].digits == 2 && words[index + 1].gap == .space
        if has(index, .seasonWord) || isSpelled, !words[index + 1].isSpacedDash,
            !words[index + 1].gap.contains(.bracket) || has(index, .seasonWord) && isPlural(index),
            let season = seasonNumber(index + 1),
            !(word.elementsEqual("series".utf8) && season > 40)
        {
            return SeasonMark(season: season, next: index + 2, isWord: true)
        }
        guard has(index + 1, .seasonWord), words[index + 1].gap != .dash else { return nil }
        let isBefore = ["сезон", "сезона", "sezon", "sez", "сез", "сезоны"].contains {
            low(index + 1).elementsEqual($0.utf8)
        }
        if isBefore, let number = words[index].number, number < 100 {
            return SeasonMark(season: number, next: index + 2, isWord: true)
        }
        let ordinal =
            has(index, .ordinal) ? words[index].entry.value : NumberForms.ordinal(word)
        guard let ordinal else { return nil }
        return SeasonMark(season: ordinal, next: index + 2, isWord: true)
    }

    private func isPlural(_ index: Int) -> Bool {
        low(index).last == UInt8(ascii: "s") && !low(index).elementsEqual("series".utf8)
    }

    private func seasonNumber(_ index: Int) -> Int? {
        guard !technical[index] else { return nil }
        // "Series 2" may be a title's end; "Series 10708" is no season.
        if let number = words[index].number {
            return words[index].digits <= 2 || isYear(index) ? number : nil
        }
        if has(index, .numberWord) || has(index, .roman) {
            return words[index].entry.value
        }
        var scanner = Scanner(low(index))
        _ = scanner.take("№")
        guard let number = scanner.number(digits: 1...2) else { return nil }
        // "2of5", "1:11"
        let isWhole =
            scanner.isAtEnd || NumberForms.of(low(index)) != nil || scanner.take(":")
        return isWhole ? number : nil
    }

    // MARK: Season 2 Episode 5, S2 - 05

    mutating func takeSeasonThenEpisode() -> Bool {
        for index in words.indices where index < end && isFree(index) {
            guard let mark = season(at: index), !has(index, .numberWord) else { continue }
            // "S01-S03 001-068" counts over all of them.
            if index > 0, words[index].isRangeGap, season(at: index - 1) != nil { continue }
            guard let found = episodes(behind: mark, from: index) else { continue }
            if !found.isClose, isSaidAgain(behind: mark) { continue }
            name.season = found.season ?? mark.season
            name.episodes = found.episodes
            name.version = found.version ?? name.version
            claim(index..<mark.next, .season)
            number(.seasonThenEpisode, found.words, .episodes)
            numbering = Numbering(
                form: .seasonThenEpisode,
                words: index..<max(mark.next, found.isClose ? found.words.upperBound : mark.next)
            )
            takeVersion(found.words.upperBound)
            return true
        }
        return false
    }

    /// Whether the season is said again behind another title: "作品 第二季 / Title S2 - 10".
    private func isSaidAgain(behind mark: SeasonMark) -> Bool {
        (mark.next..<max(mark.next, end)).contains { index in
            season(at: index).map {
                $0.season == mark.season && episodes(behind: $0, from: index) != nil
            }
                ?? false
        }
    }

    struct Found {
        var episodes: [Int]
        var words: Range<Int>
        var version: Int?
        /// Where the episode's number holds it, too.
        var season: Int?
        /// Whether nothing stands between the season and it.
        var isClose = true
    }

    private func episodes(behind mark: SeasonMark, from first: Int) -> Found? {
        var next = mark.next
        while next < end, has(next, .special), isUpper(next) || low(next).count > 4 { next += 1 }
        // "OVA [Group] OVA - 05"
        if next > mark.next, next < end, words[next].isSquare, !words[next].kinds.contains(.special)
        {
            let behind = words.dropFirst(max(0, next)).firstIndex { $0.bracket == 0 } ?? end
            if behind < end, has(behind, .special) { next = behind + 1 }
        }
        guard next < end else { return nil }
        if var found = marked(at: next, season: mark.season) {
            found.isClose = true
            return found
        }
        if let number = NumberForms.crossed(low(next)) {
            return Found(episodes: [number], words: next..<(next + 1))
        }
        if NumberForms.of(low(next - 1)) != nil, let number = NumberForms.of(low(next)) {
            return Found(episodes: [number], words: next..<(next + 1))
        }
        if let found = plainEpisode(at: next, behind: mark, first) { return found }
        // Somewhere behind: "Season 2 Some Name E05".
        for index in (next + 1)..<max(next + 1, end) where isFree(index) && !technical[index] {
            if var found = marked(at: index, season: mark.season) {
                found.isClose = false
                return found
            }
        }
        return nil
    }

    /// "S2 - 05", "Season 2 [05]", "S2-14".
    private func plainEpisode(at index: Int, behind mark: SeasonMark, _ first: Int) -> Found? {
        guard let form = NumberForms.plain(low(index)), isFree(index), !technical[index],
            let number = form.episodes.first, !(isYear(index) && words[index].bracket > 0)
        else { return nil }
        let word = words[index]
        let isSameBracket = word.bracket == words[mark.next - 1].bracket
        let isDashed = word.gap.contains(.dash) && word.gap.contains(.long)
        if word.isTightDash {
            let isZeroed = word.digits == 2 && low(index).first == 48
            guard isSameBracket, first > 0 || word.digits > 1, !mark.isWord || isZeroed else {
                return nil
            }
            // "S01-08" is a pack, "S2-14" an episode.
            let season = words[first].range.count
            guard season == 2 && word.range.count >= 2 || number > 20 || mark.isWord,
                !isPlural(first)
            else { return nil }
        } else if isDashed && word.bracket == 0 || word.isSpacedDash {
            guard word.range.count >= 2 || isAtEnd(index + 1), !word.gap.contains(.tilde) else {
                return nil
            }
            if mark.isWord, word.digits == 1, number > mark.season { return nil }
        } else if word.bracket > 0 {
            guard !isSameBracket, isAlone(index) else { return nil }
        } else {
            // "S02 03", "S21 999", but not "S01 02 03".
            let next = index + 1
            let isListed = next < end && words[next].digits == 2 && !words[next].isRangeGap
            guard !mark.isWord, word.digits >= 2, word.digits <= 4, !isYear(index), !isListed else {
                return nil
            }
        }
        let (numbers, next) = extended(form.episodes, at: index + 1)
        return Found(episodes: numbers, words: index..<next, version: form.version)
    }

    /// Whether the bracket of a word holds nothing but numbers.
    func isAlone(_ index: Int) -> Bool {
        !words.contains {
            $0.bracket == words[index].bracket && NumberForms.plain(text.low[$0.range]) == nil
                && $0.range != words[index].range && !$0.kinds.contains(.final)
        }
    }

    // MARK: Packs

    /// Whether a season is named and no number behind it could be an episode's, as in
    /// "The 100 Season 1 Complete".
    func endsInSeason() -> Bool {
        guard
            let first = words.indices.lazy.filter({ $0 < end && isFree($0) })
                .compactMap({ packSeason(at: $0) }).first
        else { return false }
        var mark = first
        mark.next = seasonsContinued([mark.season], at: mark.next).next
        return !(mark.next..<max(mark.next, end)).contains { index in
            isFree(index) && !technical[index] && NumberForms.plain(low(index)) != nil
                && !isYear(index) && (words[index].digits != 1 || words[index].gap.contains(.dash))
                && !(index > 0 && has(index - 1, .part))
        }
    }

    /// "T2" alone may be anything.
    private func packSeason(at index: Int) -> SeasonMark? {
        guard let mark = season(at: index), mark.isWord || index > start || end == 1 else {
            return nil
        }
        if !mark.isWord, low(index).first == UInt8(ascii: "t") { return nil }
        // "Series 2" and "Se 2" without anything behind are parts of titles.
        if low(index).elementsEqual("series".utf8), mark.next < end, !technical[mark.next],
            words[mark.next].bracket == 0
        {
            return nil
        }
        return mark
    }

    mutating func takeFullSeason() -> Bool {
        for index in words.indices where index < end && isFree(index) {
            if takeSeasonList(index) || takePartOfSeason(index) { return true }
            guard let mark = packSeason(at: index) else { continue }
            let (seasons, next) = seasonsContinued([mark.season], at: mark.next)
            name.season = seasons.first
            if seasons.count > 1 { name.seasons = seasons }
            name.isFullSeason = true
            let range = index..<passParts(next)
            number(.season, range, .season)
            return true
        }
        return false
    }

    /// "S01S02", "1xAll", "All Seasons (1-8)".
    private mutating func takeSeasonList(_ index: Int) -> Bool {
        if let seasons = NumberForms.seasons(low(index)), index > 0 {
            name.season = seasons.first
            name.seasons = seasons
            name.isFullSeason = true
            number(.season, index..<(index + 1), .season)
            return true
        }
        var scanner = Scanner(low(index))
        guard let season = scanner.number(digits: 1...2), scanner.take("xall"), scanner.isAtEnd
        else {
            return false
        }
        name.season = season
        name.isFullSeason = true
        number(.season, index..<(index + 1), .season)
        return true
    }

    private mutating func takePartOfSeason(_ index: Int) -> Bool {
        guard index > 0, let (season, isExtra) = NumberForms.partOfSeason(low(index)) else {
            return false
        }
        name.season = season
        name.isFullSeason = !isExtra
        if isExtra { name.isSpecial = true }
        number(.season, index..<(index + 1), .season)
        return true
    }

    /// "S06.P1", "S01 DISC 2", "S02 Part 1".
    private func passParts(_ next: Int) -> Int {
        guard next < end else { return next }
        if next + 1 < end, has(next, [.part, .disc]), words[next + 1].number != nil {
            return next + 2
        }
        return next
    }

    private func seasonsContinued(_ first: [Int], at start: Int) -> (seasons: [Int], next: Int) {
        var seasons = first
        var next = start
        // "1:11"
        if let to = afterColon(start - 1), let last = seasons.last, to > last {
            return (seasons + Array((last + 1)...to), next)
        }
        while next < end, let last = seasons.last {
            var index = next
            let isUntil = has(index, .until) && low(index).count > 1
            if isUntil || has(index, .and) { index += 1 }
            if index < end, has(index, .seasonWord), index + 1 < end { index += 1 }
            guard index < end, let number = continuing(index, isListed: index > next) else { break }
            guard number > last, number < 60 else { break }
            let isRange = words[index].isRangeGap || isUntil
            seasons += isRange ? Array((last + 1)...number) : [number]
            next = index + 1
        }
        return (seasons, next)
    }

    private func continuing(_ index: Int, isListed: Bool) -> Int? {
        if let number = NumberForms.season(low(index)) { return number }
        guard let number = words[index].number, words[index].digits <= 2, !technical[index],
            words[index].bracket == words[index - 1].bracket
        else { return nil }
        // "S01 04 (1080p": one number alone is no list.
        let next = index + 1
        let isListed =
            isListed || words[index].isRangeGap || words[index].gap.contains(.comma)
            || next < end && (words[next].digits > 0 && words[next].digits <= 2 || has(next, .and))
            || words[index].gap.contains(.plus)
            || index > 1 && words[index - 1].digits > 0 && words[index - 2].number != nil
            || index > 1 && words[index - 1].digits > 0 && has(index - 2, .seasonWord)
                && words[index].gap != .dot
        return isListed ? number : nil
    }

    private func afterColon(_ index: Int) -> Int? {
        var scanner = Scanner(low(index))
        guard scanner.number(digits: 1...2) != nil, scanner.take(":"),
            let number = scanner.number(digits: 1...2), scanner.isAtEnd
        else { return nil }
        return number
    }
}
