/// Who made the release: at either end of its name.
extension NameReader {
    mutating func takeGroup() {
        // "[Site].Title.S01E01.x264-GROUP": dots mark a scene release.
        let isScene = words.count > 4 && words[words.count / 2].gap == .dot
        if isScene, takeGroupBehindRelease() { return }
        if takeGroupInFront() || takeGroupBehindBy() || takeGroupBehindRelease() { return }
        if takeGroupInBracket() || takeGroupBehindDash() || takeGroupBehindTechnicalWords() {
            return
        }
        takeGroupAmongBrackets()
    }

    /// "x264-GROUP", "x264-GROUP-raws", "MP4-THE GROUP".
    private mutating func takeGroupBehindRelease() -> Bool {
        let first = words.indices.last { index in
            index > start && index > 0 && index < end && words[index].gap.contains(.dash)
                && (words[index].isTightDash || words[index].gap.contains(.bracket))
                && isFree(index) && !technical[index] && words[index].bracket == 0
                && (technical[index - 1] || isContainer(index - 1)
                    || words[index].gap.contains(.bracket) && !words[index].gap.contains(.space)
                        && index == end - 1)
                && !isNumberOnly(index)
        }
        guard let first, isGroupName(first, isSpaced: false), hasReleaseBefore(first) else {
            return false
        }
        var upper = first + 1
        while upper < end, words[upper].bracket == words[first].bracket, isFree(upper),
            NumberForms.version(low(upper)) == nil,
            !technical[upper] || words[upper].isTightDash,
            words[upper].isTightDash || words[upper].gap == .space || isLetters(upper)
        {
            upper += 1
        }
        guard upper - first <= 4 else { return false }
        name.group = verbatim(first..<upper)
        claim(first..<upper, .group)
        return true
    }

    private func isContainer(_ index: Int) -> Bool {
        let word = String(decoding: low(index), as: UTF8.self)
        return Vocabulary.containers.contains(word)
    }

    private func isNumberOnly(_ index: Int) -> Bool {
        words[index].number != nil && words[index].digits < 3 || isHexadecimal(index)
    }

    /// Whether single letters with dots go on, as in "C.R.W".
    private func isLetters(_ index: Int) -> Bool {
        words[index].gap == .dot && words[index].range.count == 1
            && words[index - 1].range.count == 1 && words[index].number == nil
    }

    /// "HDTVMux by Group".
    private mutating func takeGroupBehindBy() -> Bool {
        guard let by = words.indices.last(where: { low($0).elementsEqual("by".utf8) && $0 < end }),
            by > start, by + 1 < end, technical[by - 1], end - by <= 4
        else { return false }
        let range = (by + 1)..<end
        guard !range.contains(where: { technical[$0] }) else { return false }
        name.group = verbatim(range)
        claim(range, .group)
        return true
    }

    /// "Title [Group] (1080p)", "…[Group][ABCD1234]".
    private mutating func takeGroupAmongBrackets() {
        var index = end - 1
        while index > start {
            let bracket = words[index].bracket
            let first = (words.prefix(max(0, index)).lastIndex { $0.bracket != bracket } ?? -1) + 1
            let range = first..<(index + 1)
            index = first - 1
            guard bracket > 0, words[range.lowerBound].isSquare, range.count <= 6,
                range.allSatisfy({ isFree($0) && !technical[$0] && words[$0].number == nil }),
                !range.contains(where: { has($0, [.complete, .final, .special, .tag]) }),
                !range.allSatisfy({ has($0, .language) })
            else { continue }
            name.group = verbatim(range)
            claim(range, .group)
            return
        }
    }

    /// "[Group] Title".
    private mutating func takeGroupInFront() -> Bool {
        let isInFront = start > 0 && words[0].bracket > 0
        guard let index = isInFront ? 0 : words.firstIndex(where: { $0.isSquare }), index < 2 else {
            return false
        }
        let upper =
            words.dropFirst(max(0, index)).firstIndex { $0.bracket != words[index].bracket }
            ?? words.count
        let range = index..<upper
        guard upper < words.count, !isSite(range), index == 0 || words[0].number != nil,
            !range.allSatisfy({ technical[$0] && words[$0].kinds.isDisjoint(with: .service) }),
            !range.allSatisfy({ words[$0].number != nil }),
            name.crc32 == nil || index < start || range.count > 1 || !isHexadecimal(index)
        else { return false }
        name.group = verbatim(range)
        claim(range, .group)
        return true
    }

    /// "x264-GROUP", "… - GROUP".
    private mutating func takeGroupBehindDash() -> Bool {
        guard end > 1 else { return false }
        let last = NumberForms.version(low(end - 1)) != nil && end > 2 ? end - 2 : end - 1
        if takeWordsBehindDash(last) { return true }
        // "x264-C.R.W"
        var first = last
        while first > 1, words[first].gap == .dot, words[first].range.count == 1,
            words[first - 1].range.count == 1, words[first].number == nil
        {
            first -= 1
        }
        if first < last, !words[first].isTightDash { first = last }
        // "H264.The-CREW": a word that nothing explains belongs to it.
        if first == last, words[first].isTightDash, first > 2, isFree(first - 1),
            !technical[first - 1],
            technical[first - 2],
            words[first - 1].gap == .dot || words[first - 1].gap == .underscore
                || words[first - 1].isTightDash, words[first - 1].number == nil
        {
            first -= 1
        }
        guard words[first].gap.contains(.dash) || first < last,
            isFree(first) || words[first].isTightDash,
            words[first].bracket == 0 || words[first].bracket == words[first - 1].bracket,
            first > start
        else { return false }
        let isSpaced = !words[first].isTightDash && first == last
        guard isGroupName(first, isSpaced: isSpaced) else { return false }
        if isSpaced, !technical[first - 1], name.resolution == nil { return false }
        guard hasReleaseBefore(first) else { return false }
        name.group = verbatim(first..<(last + 1))
        claim(first..<(last + 1), .group)
        return true
    }

    /// A name of several words behind a dash: "HDTV - THE TEAM".
    private mutating func takeWordsBehindDash(_ last: Int) -> Bool {
        guard let dash = words.indices.last(where: { $0 <= last && words[$0].isSpacedDash }),
            dash < last, last - dash < 3, technical[dash - 1], hasReleaseBefore(dash),
            (dash...last).allSatisfy({
                isFree($0) && !technical[$0] && words[$0].number == nil && isUpper($0)
            })
        else { return false }
        name.group = verbatim(dash..<(last + 1))
        claim(dash..<(last + 1), .group)
        return true
    }

    private func isGroupName(_ index: Int, isSpaced: Bool) -> Bool {
        let word = words[index]
        if word.isTightDash, has(index, .tail), technical[index], technical[index - 1] {
            return false
        }
        if word.kinds.contains(.resolution) { return false }
        if isSpaced, !word.kinds.isDisjoint(with: .technical) { return false }
        if !word.kinds.isDisjoint(with: [.codec, .source]), !word.kinds.contains(.weak) {
            return false
        }
        if index == end - 1, isHexadecimal(index), name.crc32 != nil { return false }
        return word.number == nil || !isSpaced && technical[index - 1] && word.digits > 2
    }

    private func hasReleaseBefore(_ index: Int) -> Bool {
        guard let numbering else { return technical.contains(before: index) }
        return numbering.words.lowerBound < index
            && (technical.contains(before: index) || numbering.words.upperBound <= index)
    }

    /// "Title - S01E05 (1080p) [Group]": the last bracket, when it says nothing technical.
    private mutating func takeGroupInBracket() -> Bool {
        guard end > 1, words[end - 1].isSquare, hasReleaseBefore(end - 1) else { return false }
        let bracket = words[end - 1].bracket
        let first = words.prefix(max(0, end)).firstIndex { $0.bracket == bracket } ?? end
        let range = first..<end
        guard range.count <= 3, isBehindRelease(first),
            range.allSatisfy({ words[$0].bracket == bracket && isFree($0) && !technical[$0] }),
            !range.contains(where: {
                words[$0].number != nil || has($0, [.complete, .final]) || has($0, .technical)
            })
        else { return false }
        name.group = verbatim(range)
        claim(range, .group)
        return true
    }

    private func isBehindRelease(_ index: Int) -> Bool {
        technical[index - 1] || words[index - 1].bracket > 0 || words[index - 1].gap.contains(.dash)
    }

    /// "(1080p BluRay x265 Group)", "… AAC2.0 H.264 GROUP".
    private mutating func takeGroupBehindTechnicalWords() -> Bool {
        guard end > 2 else { return false }
        let last = end - 1
        guard isFree(last), !technical[last], words[last].number == nil,
            words[last].range.count > 1, !words[last].gap.contains(.dash),
            !has(last, [.complete, .final, .month, .part, .seasonWord]),
            hasReleaseBefore(last)
        else { return false }
        // "(… x265 Name) GROUP"
        let isBehindBracket =
            words[last].bracket == 0 && words[last - 1].bracket > 0
            && words.contains {
                $0.bracket == words[last - 1].bracket
                    && !$0.kinds.isDisjoint(with: [.codec, .resolution])
            }
        guard
            isBehindBracket || technical[last - 1] && words[last].bracket == words[last - 1].bracket
        else { return false }
        name.group = string(last)
        claim(last, .group)
        return true
    }

    private func verbatim(_ range: Range<Int>) -> String { text.string(bytes(of: range)) }
}
