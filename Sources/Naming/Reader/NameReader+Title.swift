/// The title is what stands before everything that says something else.
extension NameReader {
    mutating func takeTitle() {
        takeYear()
        var range = titleRange()
        if range.isEmpty { range = titleInBrackets() ?? titleInFront() ?? range }
        guard !range.isEmpty else { return }
        takeCountry(&range)
        trim(&range)
        guard !range.isEmpty else { return }
        set(range)
        name.evidence.append(Evidence(fact: .title, bytes: text.origin(bytes(of: range))))
        takeEpisodeTitle(behind: range)
    }

    // MARK: Where it stands

    private func titleRange() -> Range<Int> {
        var first = start
        if let numbering, numbering.form == .leading, numbering.words.lowerBound <= start + 1 {
            // Below a season's folder it is the episode that is named.
            guard !isInSeasonFolder else { return first..<first }
            first = numbering.words.upperBound
            // "003. Show - Episode": the first of both.
            let upper = boundary(from: first)
            let dash = (first..<max(first, upper)).first { $0 > first && words[$0].isSpacedDash }
            return first..<max(first, dash ?? upper)
        }
        let upper = numbering?.words.lowerBound ?? end
        while first < min(upper, end),
            !isFree(first) || words[first].isSquare || isTag(first..<(first + 1))
        {
            first += 1
        }
        if first >= upper, start < upper { return start..<start }
        if let numbering, numbering.words.lowerBound >= first {
            let upper = beforeNumbers(numbering.words.lowerBound, from: first)
            return first..<max(first, upper)
        }
        if numbering != nil { return first..<first }
        return first..<max(first, boundary(from: first))
    }

    /// Before the numbers; technical words that run up to them are no title.
    private func beforeNumbers(_ number: Int, from first: Int) -> Int {
        var upper = number
        if let claim = (first..<number).first(where: {
            $0 > first && !isFree($0) && !isTitleYear($0) && !technical[$0]
        }) {
            upper = claim
        }
        while upper > first + 1, technical[upper - 1] || isTitleYear(upper - 1) && upper < number {
            upper -= 1
        }
        // "[Group] Title [BD] - 05"
        if let bracket = (first..<upper).first(where: {
            $0 > first && words[$0].isSquare && (technical[$0] || words[$0].number != nil)
        }) {
            upper = bracket
        }
        if let year = yearClaim, year > first, year < upper, closesTitle(year) { upper = year }
        return upper
    }

    /// "Title S01-S03 001-068".
    private func seasonMark(_ range: Range<Int>) -> Int? {
        range.first { index in
            index > range.lowerBound && NumberForms.season(low(index)) != nil
                && low(index).first == UInt8(ascii: "s") && low(index).count == 3
        }
    }

    private func isTitleYear(_ index: Int) -> Bool { yearClaim == index }

    /// Before the first bracket, technical word or year.
    private func boundary(from first: Int) -> Int {
        (first..<end).first { index in
            guard index > first else { return false }
            // "Title-x02-Name" is a bonus of a season that is not told.
            if words[index].isTightDash, NumberForms.crossed(low(index)) != nil { return true }
            return !isFree(index) || technical[index] || words[index].isSquare
                || has(index, .complete) && isAtEnd(index + 1)
        } ?? end
    }

    /// "[Group][Title][05]": the brackets before the number, or before what is technical.
    private func titleInBrackets() -> Range<Int>? {
        let upper = numbering?.words.lowerBound ?? end
        var best: Range<Int>?
        var index = start == 0 && words.first?.isSquare == true ? behindBracket(0) : start
        if let first = words.first, index >= upper, first.isSquare, numbering != nil { index = 0 }
        while index < upper {
            let next = min(behindBracket(index), upper)
            let range = index..<next
            index = next
            guard range.contains(where: { isFree($0) && !technical[$0] }),
                !range.allSatisfy({ has($0, .tag) || words[$0].number != nil || technical[$0] }),
                !isTag(range)
            else { continue }
            // The first with Latin letters only, else with some, else the first of all.
            if hasLatin(range), !hasAsian(range) { return range }
            if best.map({ !hasLatin($0) && hasLatin(range) }) ?? true { best = range }
        }
        return best
    }

    /// "[Title] S01E05": what looks like a group bears the title when nothing else does.
    private mutating func titleInFront() -> Range<Int>? {
        guard let numbering, numbering.words.lowerBound == start, start > 0,
            numbering.form == .seasonEpisode, name.group != nil, words[0].isSquare,
            !isSite(0..<start)
        else { return nil }
        name.group = nil
        return 0..<start
    }

    private func behindBracket(_ index: Int) -> Int {
        words.dropFirst(max(0, index)).firstIndex { $0.bracket != words[index].bracket }
            ?? words.count
    }

    /// "[10月新番]", "[国漫]".
    private func isTag(_ range: Range<Int>) -> Bool {
        range.allSatisfy { index in
            has(index, .tag) || low(index).suffix(6).elementsEqual("新番".utf8)
                || low(index).suffix(3).elementsEqual("月".utf8)
        }
    }

    // MARK: Year and country

    /// The year that has been claimed.
    private var yearClaim: Int? {
        guard let year = name.year else { return nil }
        return words.indices.first {
            words[$0].number == year && words[$0].digits == 4 && !isFree($0)
        }
    }

    mutating func takeYear() {
        let upper = numbering?.words.lowerBound ?? end
        for index in words.indices
        where index > start && index < end && isFree(index) && isYear(index) {
            let inBrackets = words[index].bracket > 0 && isAlone(index)
            // Behind the numbers a bare year belongs to an episode's title or the release.
            guard inBrackets || index < upper || isAmongTechnical(index) else { continue }
            if !inBrackets, index < upper, !closesTitle(index) { continue }
            // "Title 2049 2017"
            if index + 1 < end, isYear(index + 1), isFree(index + 1), !inBrackets { continue }
            name.year = words[index].number
            claim(index, .year)
            return
        }
        // "2005-2009"
    }

    private func isAmongTechnical(_ index: Int) -> Bool {
        technical[index - 1] || index + 1 < end && technical[index + 1] || index + 1 == end
    }

    /// Whether the title ends before the year at `index`.
    private func closesTitle(_ index: Int) -> Bool {
        let next = index + 1
        if words[index].bracket > 0 { return true }
        return next >= end || !isFree(next) || technical[next] || words[next].bracket > 0
            || words[next].isSpacedDash || numbering == nil && words[index].gap == .dot
            || has(next, [.country, .complete])
    }

    /// "Title US" is a title with a country when the word is in capitals at its end.
    private mutating func takeCountry(_ range: inout Range<Int>) {
        let last = range.upperBound - 1
        if let bracket = range.first(where: {
            $0 > range.lowerBound && has($0, .country) && words[$0].bracket > 0 && isAloneWord($0)
        }) {
            name.country = country(bracket)
            range = range.lowerBound..<bracket
            return
        }
        guard last > range.lowerBound, has(last, .country), isUpper(last) else { return }
        name.country = country(last)
    }

    private func isAloneWord(_ index: Int) -> Bool {
        !words.contains {
            $0.bracket == words[index].bracket && $0.range != words[index].range
        }
    }

    private func country(_ index: Int) -> String {
        switch String(decoding: low(index), as: UTF8.self) {
        case "us", "usa": "US"
        case "uk", "gb": "GB"
        case let other: other.uppercased()
        }
    }

    // MARK: What it says

    /// Takes off what stands at the ends without being part of the title.
    private func trim(_ range: inout Range<Int>) {
        if range.count > 2, let last = range.last, has(last - 1, .complete),
            low(last).elementsEqual("series".utf8)
        {
            range = range.lowerBound..<(last - 1)
        }
        while range.count > 1, let last = range.last,
            has(last, .complete) && words[last].range.count > 3
                || isTitleYear(last)
                || has(last, .seasonWord) && precedesNumbers(last)
                    && !low(last).elementsEqual("series".utf8)
                || low(last).elementsEqual("the".utf8) && precedesNumbers(last)
                || has(last, .until) && low(last).elementsEqual("-".utf8)
                || low(last).elementsEqual("all".utf8) && precedesNumbers(last)
                || low(last).elementsEqual("&".utf8)
        {
            range = range.lowerBound..<last
        }
        // A day in front: "260115 Title ep12".
        while range.count > 1, words[range.lowerBound].digits == 6 {
            range = (range.lowerBound + 1)..<range.upperBound
        }
    }

    private func precedesNumbers(_ index: Int) -> Bool {
        guard let numbering else { return false }
        return numbering.form == .season && index < numbering.words.lowerBound
    }

    private mutating func set(_ range: Range<Int>) {
        let pieces = Titles.split(range, self)
        guard let main = pieces.first else { return }
        name.title = main
        name.alternativeTitles = Array(pieces.dropFirst())
    }

    func hasLatin(_ range: Range<Int>) -> Bool {
        range.contains { index in low(index).contains { (97...122).contains($0) } }
    }

    func hasAsian(_ range: Range<Int>) -> Bool {
        range.contains { index in low(index).contains { $0 >= 0xE3 } }
    }

    /// Words with single spaces between them, dashes kept.
    func joined(_ range: Range<Int>) -> String {
        var result = ""
        var bracket = 0
        for index in range {
            let word = words[index]
            let isFirst = result.isEmpty
            if word.bracket != bracket, !isFirst {
                if bracket > 0 { result += ")" }
                result += word.bracket > 0 ? " (" : " "
            } else if !isFirst {
                result += separator(word.gap)
            }
            bracket = word.bracket
            result += string(index)
        }
        let opened = result.utf8.count { $0 == 40 }
        if bracket > 0, opened > result.utf8.count(where: { $0 == 41 }) { result += ")" }
        return result
    }

    private func separator(_ gap: Word.Gap) -> String {
        if gap == .dash { return "-" }
        if gap.contains(.dash) { return " - " }
        if gap.contains(.slash) || gap.contains(.bar) { return " / " }
        if gap.contains(.plus) { return "+" }
        if gap.contains(.comma) { return ", " }
        return " "
    }

    // MARK: The episode's title

    private mutating func takeEpisodeTitle(behind title: Range<Int>) {
        guard let numbering, numbering.words.lowerBound >= title.lowerBound else { return }
        var first = numbering.words.upperBound
        while first < end, !isFree(first) { first += 1 }
        guard first < end, words[first].bracket == 0, !technical[first] else { return }
        let upper =
            (first..<end).first { index in
                index > first && (!isFree(index) || technical[index] || words[index].isSquare)
            } ?? end
        guard first < upper else { return }
        name.episodeTitle = joined(first..<upper)
    }
}
