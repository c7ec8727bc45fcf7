/// Numbers that only their place explains.
extension NameReader {
    // MARK: [Group] Title - 05 [1080p]

    mutating func takeFansubNumber() -> Bool {
        guard let index = fansubNumber(), let form = NumberForms.plain(low(index)),
            let number = form.episodes.first
        else { return false }
        name.version = form.version ?? name.version
        name.part = form.part
        let next = index + 1
        if let half = half(behind: index) {
            name.decimal = [Double(number) + half]
            self.number(.fansub, index..<(next + 1), .absolute)
            return true
        }
        let (numbers, upper) = extended(form.episodes, at: next)
        name.absolute = numbers
        self.number(.fansub, index..<upper, .absolute)
        takeVersion(upper)
        takeSecondCount(upper)
        return true
    }

    /// "12.5".
    private func half(behind index: Int) -> Double? {
        let next = index + 1
        guard next < end, words[next].gap == .dot, words[next].digits == 1, isFree(next),
            let number = words[next].number, next + 1 >= end || words[next + 1].gap != .dot
        else { return nil }
        return Double(number) / 10
    }

    /// "15 (03)": over the whole show, and within the season.
    private mutating func takeSecondCount(_ index: Int) {
        guard index < end, words[index].opener == UInt8(ascii: "("), isAlone(index),
            words[index].digits == 2, words[index - 1].bracket == 0
        else { return }
        claim(index, .absolute)
    }

    private func isPlain(_ index: Int) -> Bool {
        isFree(index) && !technical[index] && NumberForms.plain(low(index)) != nil
            && !(words[index].bracket > 0 && isYear(index))
    }

    /// The number that a fansub name puts behind its title.
    private func fansubNumber() -> Int? {
        let isFansub = words.first?.isSquare ?? false
        // The last dash that a number follows.
        let dashed = words.indices.filter { index in
            index > start && index < end && words[index].bracket == 0 && isPlain(index)
                && words[index].isSpacedDash && !words[index].gap.contains(.slash)
        }
        let closed = dashed.filter { endsNumber($0) && !(isYear($0) && !isFansub) }
        if let index = closed.first ?? (isFansub ? dashed.last : nil) {
            return firstOfSpacedRange(index)
        }
        if let index = dashed.last, words[index].range.count >= 2, !isYear(index) { return index }
        return bracketedNumber(isFansub) ?? lastNumber(isFansub)
    }

    /// "01 - 119 [Batch]".
    private func firstOfSpacedRange(_ index: Int) -> Int {
        guard index - 1 > start, let from = words[index - 1].number, words[index - 1].digits >= 2,
            isPlain(index - 1), let to = words[index].number, from < to,
            low(index - 1).first == 48 || words.contains(where: { $0.kinds.contains(.complete) })
        else { return index }
        return index - 1
    }

    private func endsNumber(_ index: Int) -> Bool {
        isAtEnd(index + 1) || NumberForms.version(low(index + 1)) != nil
            || has(index + 1, [.until, .edition, .language])
    }

    /// "[Group][Title][05][1080p]", "Title (2010) {01} Name".
    private func bracketedNumber(_ isFansub: Bool) -> Int? {
        words.indices.first { index in
            index > start && index < end && words[index].isSquare && isPlain(index)
                && isAlone(index) && (isFansub || index < end - 1 || words[index].opener == 123)
                && !(words[index].digits == 4 && words[index].number ?? 0 > 2100)
        }
    }

    /// "[Group] Title 05 [1080p]", "Title 603 VOSTFR", "Title 05v2".
    private func lastNumber(_ isFansub: Bool) -> Int? {
        let last = words.indices.last { index in
            index > start && index < end && words[index].bracket == 0 && isPlain(index)
                && endsNumber(index)
        }
        guard let last, !isYear(last) else { return nil }
        let word = words[last]
        // "-2" behind a word belongs to it, and a number behind the year to nobody.
        guard !word.isTightDash || isRangeStart(last), word.gap != .plus,
            !(word.gap == .dot && pendingSpecial == last - 1)
        else { return nil }
        let first = firstOfRange(last)
        if isFansub || name.crc32 != nil {
            return word.range.count >= 2 || name.crc32 != nil || word.gap.contains(.dash)
                ? first : nil
        }
        if NumberForms.plain(low(last))?.version != nil { return first }
        let isFansubLike = last + 1 < end && has(last + 1, [.edition]) && technical[last + 1]
        if isFansubLike, word.digits >= 2, yearIndex == nil { return first }
        // "Title 101.avi"
        if word.digits == 3, word.gap == .space, last + 1 == end, yearIndex == nil,
            name.container != nil
        {
            return first
        }
        return first < last && words[first].digits >= 2 && hasBracketBehind(last) ? first : nil
    }

    private func hasBracketBehind(_ index: Int) -> Bool {
        index + 1 >= end || words[index + 1].bracket > 0 || technical[index + 1]
            || has(index + 1, .complete)
    }

    private func isRangeStart(_ index: Int) -> Bool { firstOfRange(index) < index }

    /// "01-12": the reader begins at the first number.
    private func firstOfRange(_ index: Int) -> Int {
        let before = index - 1
        guard before > start, words[index].isRangeGap, isPlain(before),
            let from = NumberForms.plain(low(before))?.episodes.first,
            let to = NumberForms.plain(low(index))?.episodes.first, from < to, !isYear(before)
        else {
            // "01+02", "01-03 & 05-07"
            if before > start, words[index].gap.contains(.plus), isPlain(before) { return before }
            if before > start + 1, has(before, .and), isPlain(before - 1) {
                return firstOfRange(before - 1)
            }
            return index
        }
        if before > start + 1, has(before - 1, .and), isPlain(before - 2) {
            return firstOfRange(before - 2)
        }
        return before
    }

    var yearIndex: Int? {
        words.indices.first { $0 > start && $0 < end && isYear($0) && isFree($0) }
    }

    // MARK: Title 01-12 [Batch]

    mutating func takeRange() -> Bool {
        for index in words.indices where index > start && index + 1 < end && isPlain(index) {
            let next = words[index + 1]
            guard let first = NumberForms.plain(low(index))?.episodes.first,
                let last = NumberForms.plain(low(index + 1))?.episodes.first,
                next.isRangeGap, last > first, last - first < 1500, !isYear(index),
                words[index].range.count >= 2 || words[index].bracket > 0 || first == 1,
                index + 2 >= end || words[index + 2].bracket != words[index + 1].bracket
                    || technical[index + 2] || words[index + 2].gap.contains(.bracket)
                    || NumberForms.plain(low(index + 2)) == nil && words[index + 2].gap != .dash
            else { continue }
            let (numbers, upper) = extended([first], at: index + 1)
            name.absolute = numbers.count > 1 ? numbers : Array(first...last)
            number(.range, index..<max(upper, index + 2), .absolute)
            return true
        }
        return false
    }

    // MARK: 05 - Title

    mutating func takeLeadingNumber() -> Bool {
        guard start < end, isPlain(start), isFree(start), end - start > 1,
            words[start].bracket == 0 || words[start].isSquare && isAlone(start)
                || words[start].isSquare && words[start + 1].gap == .dot
        else { return takeLonelyNumber() }
        let (word, next) = (words[start], words[start + 1])
        guard let number = word.number, word.digits <= 3 else { return takeLonelyNumber() }
        if takeLeadingPair(number, next) { return true }
        let isSeparated =
            next.isSpacedDash || next.gap.contains(.dot) && next.gap.contains(.long)
            || next.isRangeGap && next.number != nil
        let isOrdered = word.digits >= 2 && (low(start).first == 48 || word.digits == 3)
        guard
            isSeparated || isOrdered && next.gap != .dot && next.gap != .dash || start > 0
                || word.digits == 2 && low(start).first == 48 && next.gap == .dash
                    && next.number == nil
                || isInSeasonFolder,
            yearIndex == nil, !isUnit(start + 1)
        else { return false }
        guard
            start > 0 || isSeparated || low(start).first == 48 || word.bracket > 0
                || isInSeasonFolder
        else { return false }
        let (numbers, upper) = extended([number], at: start + 1)
        name.absolute = numbers
        self.number(.leading, start..<upper, .absolute)
        return true
    }

    /// "05 - Title - …".
    var isZeroLed: Bool {
        start + 1 < end && low(start).first == 48 && words[start].digits == 2
            && words[start].bracket == 0 && words[start + 1].isSpacedDash && start == 0
    }

    /// Season and episode in front: "2-06 Title", "[5.01] Title".
    private mutating func takeLeadingPair(_ season: Int, _ next: Word) -> Bool {
        guard let episode = next.number, next.digits == 2 || next.digits == 3, season < 40,
            words[start].digits == 1 && next.gap == .dash
                || words[start].isSquare && next.gap == .dot
                || words[start].digits == 2 && next.gap == .underscore && end - start == 2,
            yearIndex == nil
        else { return false }
        name.season = season
        name.episodes = [episode]
        number(.leading, start..<(start + 2), .episodes)
        return true
    }

    private func isUnit(_ index: Int) -> Bool {
        let word = String(decoding: low(index), as: UTF8.self)
        return ["hours", "days", "minutes", "years", "men", "street", "weeks"].contains(word)
    }

    /// "05.mkv" in a folder that says the rest.
    private mutating func takeLonelyNumber() -> Bool {
        let others = words.indices.filter { $0 < end && !technical[$0] }
        guard others.count == 1, let index = others.first,
            let form = NumberForms.plain(low(index)), words[index].range.count <= 4,
            !isYear(index), isFree(index)
        else { return false }
        let number = form.episodes.first ?? 0
        if words[index].digits == 4, number % 100 > 0, number < 5000 {
            name.season = number / 100
            name.episodes = [number % 100]
        } else {
            name.absolute = form.episodes
        }
        name.version = form.version ?? name.version
        self.number(.leading, index..<(index + 1), .absolute)
        return true
    }

    // MARK: show.101.hdtv

    /// Digits alone, believed only where a release goes on behind them or the name ends.
    mutating func takeBareNumber() -> Bool {
        if takeBarePair() { return true }
        let candidates = words.indices.filter { index in
            index > start && index < end && words[index].bracket == 0 && isFree(index)
                && !technical[index] && words[index].number != nil && !isYear(index)
                && !words[index].gap.contains(.plus)
        }
        for index in candidates.reversed() where takeBare(index) { return true }
        return false
    }

    private mutating func takeBare(_ index: Int) -> Bool {
        let word = words[index]
        guard let number = word.number, number > 0 else { return false }
        let isClosed = isAtEnd(index + 1)
        let isZeroed = low(index).first == 48 && word.digits == 3
        switch word.digits {
        case 3, 4:
            let isCode = !isZeroed && number % 100 > 0
            let isBehindYear = yearIndex.map { $0 + 1 == index } ?? false
            let isPlausible =
                word.gap == .dot || word.gap == .underscore
                || hasTechnicalWords && yearIndex == nil
            if isCode, isClosed || isBehindYear || isBeforeTitle(index), isPlausible,
                yearIndex == nil || isBehindYear
            {
                return takeCodes(index, number)
            }
            guard isZeroed, yearIndex == nil, isClosed || word.gap == .dot else { return false }
        case 5, 6:
            guard isClosed, hasTechnicalWords else { return false }
            let (season, first, second) = (number / 10_000, number / 100 % 100, number % 100)
            guard second == first + 1, season > 0 else { return false }
            name.season = season
            name.episodes = [first, second]
            self.number(.bare, index..<(index + 1), .episodes)
            return true
        case 2:
            guard yearIndex == nil, isClosed || index + 1 == end || low(index).first == 48 else {
                return false
            }
            if low(index).first != 48, hasTechnicalWords, word.gap == .space { return false }
            if name.resolution != nil, low(index).first != 48, word.gap == .space {
                return false
            }
        default: return false
        }
        let form = NumberForms.Episodes(episodes: [number])
        let (numbers, next) = extended(form.episodes, at: index + 1)
        name.absolute = numbers
        self.number(.bare, index..<next, .absolute)
        takeVersion(next)
        return true
    }

    /// "Title.101.Name.720p.HDTV-GROUP".
    private func isBeforeTitle(_ index: Int) -> Bool {
        words[index].digits == 3 && words[index].gap == .dot && index > start + 1
            && words[index + 1].gap == .dot
            && (index..<end).contains { technical[$0] && has($0, [.source, .resolution, .codec]) }
            && end > index + 3 && words[end - 1].isTightDash
    }

    /// "101", and what goes on from it: "101.102".
    private mutating func takeCodes(_ index: Int, _ number: Int) -> Bool {
        var first = index
        var episodes = [number % 100]
        while first - 1 > start, let before = words[first - 1].number,
            words[first - 1].digits == words[index].digits, before / 100 == number / 100,
            before % 100 + 1 == episodes[0], words[first].gap == .dot
        {
            episodes.insert(before % 100, at: 0)
            first -= 1
        }
        name.season = number / 100
        name.episodes = episodes
        self.number(.bare, first..<(index + 1), .episodes)
        return true
    }

    /// "office_03_19", "Title.02.09": season and episode at the end.
    private mutating func takeBarePair() -> Bool {
        let index = end - 1
        guard index - 1 > start || index - 1 > 0, index > 0, words[index].digits == 2,
            words[index - 1].digits == 2, isFree(index), isFree(index - 1), !technical[index],
            words[index].gap == .underscore || words[index].gap == .dot,
            words[index].bracket == 0, let season = words[index - 1].number,
            let episode = words[index].number, season > 0, season < 40, !hasTechnicalWords
        else { return false }
        name.season = season
        name.episodes = [episode]
        number(.bare, (index - 1)..<(index + 1), .episodes)
        return true
    }
}
