/// Episodes that a word or a sign tells, without a season beside them.
extension NameReader {
    mutating func takeMarkedEpisodes() -> Bool {
        for index in words.indices where index < end && isFree(index) && !technical[index] {
            guard let found = marked(at: index, season: nil) ?? dottedInPlace(index),
                index > 0 || isSureAtStart(index) || found.season != nil
            else { continue }
            name.episodes = found.episodes
            name.version = found.version ?? name.version
            number(.marked, found.words, .episodes)
            takeVersion(found.words.upperBound)
            name.season = found.season ?? name.season
            return true
        }
        return false
    }

    /// "- 2.05 -", "[2.05]".
    private func dottedInPlace(_ index: Int) -> Found? {
        let isDashed = words[index].isSpacedDash && index + 2 < end && words[index + 2].isSpacedDash
        let isBracketed = words[index].isSquare && isAlone(index)
        return isDashed || isBracketed ? dottedPair(index) : nil
    }

    private func isSureAtStart(_ index: Int) -> Bool {
        low(index).first == UInt8(ascii: "e") || has(index, .episodeWord)
            || low(index).starts(with: "第".utf8)
    }

    /// "Cap.102" is how Spanish releases write season 1, episode 2.
    private func spanish(_ numbers: [Int], _ index: Int) -> (season: Int, episodes: [Int])? {
        guard let last = numbers.last,
            low(index).starts(with: "cap".utf8)
                || low(index).starts(with: "caap".utf8), last >= 100, last < 10_000, last % 100 > 0
        else { return nil }
        return (
            last / 100, numbers.filter { $0 / 100 == last / 100 && $0 % 100 > 0 }.map { $0 % 100 }
        )
    }

    /// An episode whose words begin at `index`: "E05", "Ep 5", "5 серия", "1 of 6", "第05話".
    func marked(at index: Int, season: Int?) -> Found? {
        guard isFree(index) else { return nil }
        let word = low(index)
        if let form = NumberForms.markedEpisodes(word) {
            return finish(form.episodes, form.version, index, index + 1)
        }
        if let number = NumberForms.of(word) {
            return Found(episodes: [number], words: index..<(index + 1))
        }
        guard index + 1 < end else { return nil }
        if has(index, .episodeWord), word.count > 1 || isUpper(index),
            let form = numberBehindMark(index + 1), !(isYear(index + 1) && word.count > 4)
        {
            if let pair = dottedPair(index + 1) { return pair }
            return finish(form.episodes, form.version, index, index + 2)
        }
        if let number = words[index].number, words[index].digits <= 4 {
            // "1-8 серия"
            if index + 2 < end, words[index + 1].isTightDash, let to = words[index + 1].number,
                to > number, to - number < 500,
                has(index + 2, .episodeWord) && standsBehind(index + 2)
                    || low(index + 2).elementsEqual("of".utf8) && words[index + 3].number ?? 0 >= to
            {
                return Found(episodes: Array(number...to), words: index..<passTotal(index + 3))
            }
            if has(index + 1, .episodeWord),
                standsBehind(index + 1),
                index > 0 || season != nil
            {
                return Found(episodes: [number], words: index..<passTotal(index + 2))
            }
            // "1 of 6"
            if index + 2 < end, low(index + 1).elementsEqual("of".utf8), index > 0,
                let total = words[index + 2].number, total >= number, total < 200,
                words[index].digits <= 3
            {
                let first = has(index - 1, .part) ? index - 1 : index
                return Found(episodes: [number], words: first..<(index + 3))
            }
        }
        return nil
    }

    /// Whether the word is written behind its number: "5 серия", "60.Bölüm".
    private func standsBehind(_ index: Int) -> Bool {
        let word = low(index)
        return word.first ?? 0 >= 0xD0 || word.starts(with: "ser".utf8)
            || word.first == UInt8(ascii: "b") && word.contains(UInt8(ascii: "l"))
    }

    /// "1.22": season and episode.
    func dottedPair(_ index: Int) -> Found? {
        guard index + 1 < end, let season = words[index].number, words[index].digits <= 2,
            words[index + 1].gap == .dot, let episode = words[index + 1].number,
            words[index + 1].digits == 2 || words[index + 1].digits == 3, isFree(index),
            isFree(index + 1), !technical[index], index + 2 >= end || words[index + 2].gap != .dot,
            season > 0
        else { return nil }
        return Found(episodes: [episode], words: index..<(index + 2), season: season)
    }

    private func numberBehindMark(_ index: Int) -> NumberForms.Episodes? {
        if let form = NumberForms.plain(low(index)) { return form }
        if has(index, .numberWord), isAtEnd(index + 1) {
            return NumberForms.Episodes(episodes: [words[index].entry.value])
        }
        if let form = NumberForms.markedEpisodes(low(index)),
            low(index).first == 35
                || low(index).starts(with: "№".utf8)
        {
            // "#1.2": season and episode.
            if index + 1 < end, words[index + 1].gap == .dot, let number = words[index + 1].number,
                words[index + 1].digits <= 2
            {
                return NumberForms.Episodes(episodes: [number])
            }
            return form
        }
        return nil
    }

    private func passTotal(_ next: Int) -> Int {
        guard next + 1 < end, has(next, .of), words[next + 1].number != nil else { return next }
        return next + 2
    }

    private func finish(_ episodes: [Int], _ version: Int?, _ first: Int, _ next: Int) -> Found {
        let (numbers, upper) = extended(episodes, at: next)
        var found = Found(episodes: numbers, words: first..<upper, version: version)
        if let (season, episodes) = spanish(numbers, first) {
            found.season = season
            found.episodes = episodes
        }
        return found
    }

    /// "-08", "~ 12", " al 18", ", 07", "& 05-07" behind an episode.
    func extended(_ numbers: [Int], at start: Int) -> (numbers: [Int], next: Int) {
        var numbers = numbers
        var next = start
        while next < end, let last = numbers.last {
            var index = next
            let isUntil = has(index, .until)
            let isJoined =
                has(index, .and) && low(index).count <= 3 || words[index].gap.contains(.plus)
                || words[index].gap.contains(.comma)
            if isUntil || has(index, .and) && low(index).count <= 3 { index += 1 }
            guard index < end, isFree(index), !technical[index] else { break }
            let form =
                NumberForms.plain(low(index))
                ?? (low(index).first == UInt8(ascii: "e")
                    ? NumberForms.markedEpisodes(low(index)) : nil)
            guard let to = form?.episodes.first, to > last, words[index].range.count <= 6,
                !isYear(index) || last > 1900
            else { break }
            // "[Cap.102_103]"
            let isLow =
                words[index].gap == .underscore && words[index].digits >= 3
                && words[index - 1].digits == words[index].digits
            let isRange = isUntil || isLow || words[index].isRangeGap && !isJoined
            let isSpaced = words[index].gap.contains(.long)
            if isRange {
                guard to - last < 1500,
                    isUntil || !isSpaced
                        || isAtEnd(index + 1) && words[index].range.count >= 2
                            && index + 1 < end && words[index + 1].bracket > 0
                else { break }
                numbers += Array((last + 1)...to)
            } else if isJoined {
                numbers.append(to)
            } else if words[index].range.count == 2, words[index - 1].range.count <= 3,
                words[index].gap == .space || words[index].gap == .dot,
                index + 1 >= end || words[index + 1].digits == 2,
                low(next - 1).first == UInt8(ascii: "e") || words[index - 1].digits == 2
            {
                // "E01 02 04"
                numbers.append(to)
            } else {
                break
            }
            next = index + 1
        }
        return (numbers, next)
    }

    // MARK: Part 3

    mutating func takeParts() -> Bool {
        for index in words.indices.dropFirst()
        where index + 1 < end && isFree(index) && has(index, .part) {
            guard let number = partNumber(index + 1), number < 30,
                hasTechnicalWords || index + 2 >= end
                    || has(index + 2, .and)
            else { continue }
            var numbers = [number]
            var next = index + 2
            if next + 2 < end, has(next, .and), has(next + 1, .part),
                let more = partNumber(next + 2)
            {
                numbers.append(more)
                next += 3
            }
            // A season pack may be in parts, and a film, too, whose year comes behind.
            guard !words.indices.contains(where: { $0 < end && season(at: $0) != nil }),
                words[index].bracket == 0,
                !words.indices.contains(where: { $0 > index && $0 < end && isYear($0) })
            else { return false }
            name.season = 1
            name.episodes = numbers
            self.number(.marked, index..<next, .episodes)
            return true
        }
        return false
    }

    private func partNumber(_ index: Int) -> Int? {
        if let number = words[index].number { return words[index].digits <= 2 ? number : nil }
        return has(index, [.roman, .numberWord]) ? words[index].entry.value : nil
    }
}
