/// Days on which something was aired.
extension NameReader {
    mutating func takeDateBeside() {
        for index in words.indices where index < end {
            guard let (date, range) = date(at: index), range.allSatisfy({ isFree($0) }) else {
                continue
            }
            name.airDate = date
            claim(range, .airDate)
            return
        }
    }

    mutating func takeDate() -> Bool {
        setAsideOddDates()
        for index in words.indices where index < end {
            guard let (date, range) = date(at: index), range.allSatisfy({ isFree($0) }) else {
                continue
            }
            // "Title 12.BLM (15.01.2026)": the number says more.
            if words[index].bracket > 0, index > 0, numberBeforeBracket(index) { continue }
            name.airDate = date
            number(.date, range, .airDate)
            takePartBehind(range.upperBound)
            return true
        }
        return false
    }

    /// Days that cannot be meant, or in two ways: their numbers are nothing else.
    private mutating func setAsideOddDates() {
        for index in words.indices where index + 2 < end && isFree(index) {
            guard DateForms.looksLikeOne(words[index], words[index + 1], words[index + 2]),
                date(at: index) == nil
            else { continue }
            for place in index..<(index + 3) { claimed[place] = true }
        }
    }

    private func numberBeforeBracket(_ index: Int) -> Bool {
        words.prefix(max(0, index)).contains { $0.bracket == 0 && $0.digits >= 2 && $0.digits <= 3 }
            && words.prefix(max(0, index)).filter { $0.number != nil }.count == 1
    }

    private mutating func takePartBehind(_ index: Int) {
        guard index + 1 < end, has(index, .part), let part = words[index + 1].number else { return }
        name.part = part
        claim(index..<(index + 2), .episodes)
    }

    /// A day that begins at `index`.
    func date(at index: Int) -> (AirDate, Range<Int>)? {
        let word = words[index]
        if let date = DateForms.compact(word) { return (date, index..<(index + 1)) }
        if index + 1 < end, let date = crossedDate(index) { return (date, index..<(index + 2)) }
        guard index + 2 < end else { return nil }
        let (second, third) = (words[index + 1], words[index + 2])
        if second.gap == third.gap, !second.gap.contains(.bracket), !second.gap.contains(.long),
            let date = DateForms.ordered(word, second, third, dateOrder)
        {
            return (date, index..<(index + 3))
        }
        return wordedDate(index, third)
    }

    /// "2026x01.15".
    func crossedDate(_ index: Int) -> AirDate? {
        guard let form = NumberForms.seasonEpisodes(low(index)), form.season > 1900,
            words[index + 1].gap == .dot, words[index + 1].digits == 2
        else { return nil }
        return DateForms.plausible(form.season, form.episodes[0], words[index + 1].number ?? 0)
    }

    /// "4th November 2020", "November 4, 2020", "16-Feb-17".
    private func wordedDate(_ index: Int, _ third: Word) -> (AirDate, Range<Int>)? {
        func day(_ index: Int) -> Int? {
            words[index].number ?? NumberForms.ordinal(low(index))
                ?? (has(index, .ordinal) ? words[index].entry.value : nil)
        }
        guard let year = third.number else { return nil }
        let full =
            third.digits == 4 ? year : third.digits == 2 && third.isTightDash ? 2000 + year : 0
        let (month, number) =
            has(index + 1, .month)
            ? (words[index + 1].entry.value, day(index))
            : has(index, .month) ? (words[index].entry.value, day(index + 1)) : (0, nil)
        guard let number, let date = DateForms.plausible(full, month, number) else { return nil }
        return (date, index..<(index + 3))
    }

    /// "Late.Talk.140722.720p".
    mutating func takeShortDate() -> Bool {
        if end == 3, words.allSatisfy({ $0.digits == 2 }), let date = DateForms.short(words) {
            name.airDate = date
            number(.date, 0..<3, .airDate)
            return true
        }
        for index in words.indices where index > 0 && index + 1 < end && technical[index + 1] {
            guard let date = DateForms.short(words[index]), isFree(index) else { continue }
            name.airDate = date
            number(.date, index..<(index + 1), .airDate)
            return true
        }
        return false
    }
}
