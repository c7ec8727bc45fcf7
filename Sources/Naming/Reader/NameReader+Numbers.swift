/// Seasons and episodes: the surest forms first, each only when none before it was found.
extension NameReader {
    mutating func takeNumbers() {
        takeSpecialWords()
        // "Title Movie - 03" counts films.
        for index in words.indices
        where words[index].number != nil && words[index].isSpacedDash
            && low(index - 1).elementsEqual("movie".utf8)
        {
            claimed[index] = true
        }
        if takeSeasonEpisode() {
            takeAbsoluteBeside()
            takeDateBeside()
            return
        }
        if takeSeasonThenEpisode() {
            takeDateBeside()
            return
        }
        if end == 3, takeShortDate() { return }
        if isInSeasonFolder || isZeroLed, takeLeadingNumber() { return }
        if takeDate() || takeMarkedEpisodes() || endsInSeason() && takeFullSeason() { return }
        if isFolder, !hasTechnicalWords, !(words.first?.isSquare ?? false) {
            _ = takeFullSeason()
            return
        }
        if takeFansubNumber() || takeFullSeason() || takeRange() || takeLeadingNumber() { return }
        if takeParts() || takeBareNumber() || takeShortDate() { return }
        takePendingSpecial()
    }

    // MARK: S01E05

    private mutating func takeSeasonEpisode() -> Bool {
        for index in words.indices where index < end && isFree(index) && !isResolution(index) {
            if let form = NumberForms.seasonEpisodes(low(index)) {
                if index + 1 < end, crossedDate(index) != nil { continue }
                take(form, index..<(index + 1))
                return true
            }
            if let form = spacedForm(index) {
                take(form, index..<(index + 2))
                return true
            }
        }
        return takeGlued()
    }

    /// "S01 E05", "S01.E05", "s03-x02".
    private func spacedForm(_ index: Int) -> NumberForms.SeasonEpisodes? {
        let next = index + 1
        guard next < end, isFree(next), let season = NumberForms.season(low(index)),
            low(next).first == UInt8(ascii: "e") || low(next).first == UInt8(ascii: "x")
        else { return nil }
        if let number = NumberForms.crossed(low(next)) {
            return NumberForms.SeasonEpisodes(season: season, episodes: [number])
        }
        guard let form = NumberForms.markedEpisodes(low(next)) else { return nil }
        return NumberForms.SeasonEpisodes(
            season: season,
            episodes: form.episodes,
            version: form.version,
            part: form.part
        )
    }

    private func isResolution(_ index: Int) -> Bool { words[index].kinds.contains(.resolution) }

    private mutating func take(_ form: NumberForms.SeasonEpisodes, _ range: Range<Int>) {
        name.season = form.season
        name.version = form.version ?? name.version
        name.part = form.part
        var (episodes, next) = continued(form.episodes, at: range.upperBound, season: form.season)
        episodes = episodes.isEmpty ? form.episodes : episodes
        name.episodes = episodes
        next = passTotal(next)
        number(.seasonEpisode, range.lowerBound..<next, .episodes)
        takeVersion(next)
    }

    /// "S2E1 of 10".
    private func passTotal(_ next: Int) -> Int {
        guard next + 1 < end, has(next, .of), let total = words[next + 1].number,
            total >= name.episodes.last ?? 0, total < 2000
        else { return next }
        return next + 2
    }

    mutating func takeVersion(_ index: Int) {
        guard index < end, let version = NumberForms.version(low(index)), isFree(index) else {
            return
        }
        name.version = version
        claim(index, .version)
    }

    /// Further episodes behind one: "E06", "-E08", "-08", "+02", "& S01E03", "x06".
    private func continued(
        _ episodes: [Int],
        at start: Int,
        season: Int
    ) -> (episodes: [Int], next: Int) {
        var episodes = episodes
        var next = start
        while next < end, let last = episodes.last {
            var index = next
            var joins = words[index].gap.contains(.plus)
            if has(index, .and), index + 1 < end, low(index).count <= 3 {
                index += 1
                joins = true
            }
            let isUntil = has(index, .until) && index + 1 < end
            if isUntil { index += 1 }
            guard let found = episode(at: index, season: season, isJoined: joins || isUntil) else {
                break
            }
            if isUntil || words[index].isRangeGap, !joins, let to = found.first, to > last,
                to - last < 400
            {
                episodes += Array((last + 1)...to)
                episodes += found.dropFirst()
            } else {
                episodes += found.filter { !episodes.contains($0) }
            }
            next = index + 1
            if next < end, isBareEpisode(next - 1) { continue }
        }
        return (episodes, next)
    }

    private func isBareEpisode(_ index: Int) -> Bool { words[index].number != nil }

    /// An episode that goes on from one of `season`.
    private func episode(at index: Int, season: Int, isJoined: Bool) -> [Int]? {
        guard isFree(index), !isResolution(index) else { return nil }
        let word = low(index)
        if let form = NumberForms.seasonEpisodes(word) {
            return form.season == season ? form.episodes : nil
        }
        if let number = NumberForms.crossed(word) { return [number] }
        if word.first == UInt8(ascii: "e") || word.first == 0xD0,
            let form = NumberForms.markedEpisodes(word)
        {
            return form.episodes
        }
        guard let form = NumberForms.plain(word), !technical[index] else { return nil }
        // "S01E02-03" but not "2x12 - 24 Hours" nor "S01E01-1080".
        let isLow = words[index].gap == .underscore && words[index].digits == 2
        guard isJoined || words[index].isTightDash || words[index].gap == .tilde || isLow,
            words[index].range.count <= 3,
            words[index].range.count > 1 || isAtEnd(index + 1) || has(index + 1, .of),
            !isLow || isFollowing(index)
        else { return nil }
        return form.episodes
    }

    /// "2x01_02", but not "S01E02_77".
    private func isFollowing(_ index: Int) -> Bool {
        guard let number = words[index].number else { return false }
        return text.low[words[index - 1].range].suffix(2).elementsEqual(
            String(number + 99).suffix(2).utf8
        )
    }

    /// "titles01e11", "Title1x05": nothing stands between title and number.
    private mutating func takeGlued() -> Bool {
        for index in words.indices where index < end && isFree(index) {
            let range = words[index].range
            guard range.count > 6 else { continue }
            for place in (range.lowerBound + 3)..<(range.upperBound - 3) {
                let before = text.low[place - 1]
                guard (97...122).contains(before) || before >= 0x80,
                    let form = NumberForms.seasonEpisodes(text.low[place..<range.upperBound]),
                    form.episodes.count == 1, form.season < 100,
                    text.low[range.lowerBound..<place].allSatisfy({ $0 > 57 })
                else { continue }
                split(index, at: place)
                take(form, (index + 1)..<(index + 2))
                return true
            }
        }
        return false
    }

    private mutating func split(_ index: Int, at place: Int) {
        let word = words[index]
        func piece(_ range: Range<Int>, _ gap: Word.Gap) -> Word {
            Word(
                range: range,
                gap: gap,
                bracket: word.bracket,
                opener: word.opener,
                number: nil,
                entry: Vocabulary.Entry()
            )
        }
        words[index] = piece(word.range.lowerBound..<place, word.gap)
        words.insert(piece(place..<word.range.upperBound, []), at: index + 1)
        technical.insert(false, at: index + 1)
        claimed.insert(false, at: index + 1)
        end += 1
    }

    // MARK: Beside

    /// "Title - 12 (S01E12)", "Title s16e03-05 313-315": the number over the whole show.
    private mutating func takeAbsoluteBeside() {
        guard let numbering, !name.episodes.isEmpty, numbering.words.lowerBound > start else {
            return
        }
        if let found = absolutes(from: numbering.words.upperBound), found.next <= end {
            name.absolute = found.numbers
            claim(numbering.words.upperBound..<found.next, .absolute)
            return
        }
        takeAbsoluteBefore(numbering.words.lowerBound)
    }

    private func absolutes(from index: Int) -> (numbers: [Int], next: Int)? {
        guard index < end, isFree(index), !technical[index], let first = words[index].number,
            words[index].gap != .dash
        else { return nil }
        let isApart = words[index].bracket > 0 && words[index].bracket != words[index - 1].bracket
        guard words[index].digits == 3 || words[index].digits == 2 && isApart else { return nil }
        var numbers = [first]
        var next = index + 1
        if next < end, words[next].isTightDash, let last = words[next].number, last > first,
            last - first < 50
        {
            numbers = Array(first...last)
            next += 1
        }
        return numbers.count == name.episodes.count ? (numbers, next) : nil
    }

    private mutating func takeAbsoluteBefore(_ index: Int) {
        guard index > start + 1 else { return }
        let isBracketed = words[index].bracket > 0 && words[index - 1].bracket == 0
        var first = index - 1
        // "15.5"
        if isBracketed, words[first].digits == 1, words[first].gap == .dot,
            words[first - 1].number != nil, words[first - 1].isSpacedDash
        {
            if let whole = words[first - 1].number, let half = words[first].number {
                name.decimal = [Double(whole) + Double(half) / 10]
                claim((first - 1)..<index, .absolute)
            }
            return
        }
        guard let last = NumberForms.plain(low(first))?.episodes.first, !technical[first] else {
            return
        }
        var numbers = [last]
        if first - 1 > start, words[first].isTightDash, let from = words[first - 1].number,
            from < last, last - from < 50
        {
            numbers = Array(from...last)
            first -= 1
        }
        let isDashed = words[first].isSpacedDash
        guard numbers.count == name.episodes.count,
            numbers.count > 1 || isBracketed && (isDashed || words[first].digits == 3)
        else { return }
        name.absolute = numbers
        claim(first..<index, .absolute)
    }

    // MARK: OVA, NCOP

    private mutating func takeSpecialWords() {
        for index in words.indices where index > start && index < end && isFree(index) {
            let number = specialNumber(index)
            guard has(index, .special) || number != nil else { continue }
            let isShort = low(index).count <= 2
            if isShort, number == nil, !(isUpper(index) && isAtEnd(index + 1)) { continue }
            if !isUpper(index), isShort || text.raw[words[index].range.lowerBound] > 90 { continue }
            name.isSpecial = true
            if isCredits(index) { name.exclusion = .extra }
            if number != nil { pendingSpecial = index }
        }
    }

    /// Openings, endings and promotion belong to no episode.
    private func isCredits(_ index: Int) -> Bool {
        let word = low(index)
        return ["nc", "op", "ed", "pv"].contains { word.starts(with: $0.utf8) }
    }

    /// "OVA2", "NCOP1", "OP4a".
    func specialNumber(_ index: Int) -> Int? {
        var scanner = Scanner(low(index))
        guard
            scanner.take(oneOf: [
                "ova", "oav", "ona", "oad", "ncop", "nced", "sp", "op", "ed", "pv",
            ]),
            let number = scanner.number(digits: 1...2)
        else { return nil }
        _ = scanner.take(oneOf: ["a", "b", "v2", "v3"])
        return scanner.isAtEnd && (isUpper(index) || low(index).count > 4) ? number : nil
    }

    private mutating func takePendingSpecial() {
        guard let index = pendingSpecial, let number = specialNumber(index) else { return }
        // "OVA3.5"
        if index + 1 < end, words[index + 1].digits == 1, words[index + 1].gap == .dot,
            let half = words[index + 1].number
        {
            name.decimal = [Double(number) + Double(half) / 10]
            self.number(.special, index..<(index + 2), .special)
            return
        }
        name.season = 0
        name.episodes = [number]
        self.number(.special, index..<(index + 1), .special)
    }

    /// Whether no word of a title follows from here on.
    func isAtEnd(_ index: Int) -> Bool {
        index >= end || words[index].bracket > 0 || words[index].gap.contains(.bracket)
            || !isFree(index) || technical[index]
            || has(index, [.complete, .final]) || words[index].gap.contains(.dash)
    }

    var hasTechnicalWords: Bool { !technical.isEmpty }
}
