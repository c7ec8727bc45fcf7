/// What stands around a release's name and is not part of it.
extension NameReader {
    /// Takes the extension off, and from subtitles their language.
    mutating func takeExtension() -> Range<Int> {
        guard let dot = text.raw.lastIndex(of: UInt8(ascii: ".")), dot > 0, text.count - dot <= 9
        else { return 0..<text.count }
        let suffix = String(decoding: text.low[(dot + 1)...], as: UTF8.self)
        let isSubtitle = Vocabulary.subtitles.contains(suffix)
        guard isSubtitle || Vocabulary.containers.contains(suffix) else { return 0..<text.count }
        name.container = suffix
        return isSubtitle ? takeSubtitleTags(0..<dot) : 0..<dot
    }

    private mutating func takeSubtitleTags(_ stem: Range<Int>) -> Range<Int> {
        var rest = stem
        var tag = SubtitleTag()
        // At most a language and three flags.
        for _ in 0..<4 {
            let mark = text.raw[rest].lastIndex {
                $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "_")
            }
            guard let mark else { break }
            let word = String(decoding: text.low[(mark + 1)..<rest.upperBound], as: UTF8.self)
            if let flag = SubtitleWords.flags[word], !(word == "hi" && tag.language == nil) {
                tag.flags.insert(flag, at: 0)
            } else if let code = SubtitleWords.languages[word], tag.language == nil {
                tag.language = code
            } else {
                break
            }
            rest = rest.lowerBound..<mark
        }
        // "2_English.srt" below a folder that bears the episode.
        let word = String(decoding: text.low[rest], as: UTF8.self)
        if tag.language == nil, let code = SubtitleWords.languages[word] {
            tag.language = code
            rest = 0..<0
        } else if tag.language != nil, text.low[rest].allSatisfy({ (48...57).contains($0) }) {
            rest = 0..<0
        }
        name.subtitle = tag
        return rest
    }

    mutating func takeExclusion() {
        guard let last = words.indices.last else { return }
        // Inside a name these may belong to a title; at its end they do not.
        switch String(decoding: low(last), as: UTF8.self) {
        case "sample": name.exclusion = .sample
        case "trailer": name.exclusion = .trailer
        case "featurette", "featurettes": name.exclusion = .extra
        default: break
        }
        if words.count > 1, low(0).elementsEqual("sample".utf8), words[0].bracket == 0,
            words[1].isTightDash
        {
            name.exclusion = .sample
        }
    }

    /// Finds where the release's own name ends: sites and reposters put theirs behind it.
    mutating func takeEnd() {
        // "Name.mkv.vol003+04.PAR2.-.05.of.10"
        let isSplit = words.contains { text.low[$0.range].elementsEqual("par2".utf8) }
        for index in words.indices.dropFirst(2) where isSplit {
            let word = String(decoding: low(index), as: UTF8.self)
            guard Vocabulary.containers.contains(word), words[index].gap == .dot else { continue }
            end = index
            break
        }
        while end > 1, isPutBehind(end - 1) { end -= 1 }
        // "[TGx]", "[rartv]", "[www.site.net]", "-={Name}=-" behind a group.
        while end > 2, let words = trailingBracket(), words.lowerBound > 1,
            isSite(words) || isBehindGroup(words)
        {
            end = words.lowerBound
        }
        while end > 1, isPutBehind(end - 1) { end -= 1 }
    }

    private func isPutBehind(_ index: Int) -> Bool {
        if low(index).elementsEqual("=".utf8) { return true }
        guard words[index].isTightDash || words[index].gap == .dot else { return false }
        if has(index, .reposter) || low(index).starts(with: "rakuv".utf8) {
            return words[index].isTightDash || low(index).count > 6
        }
        // "-GROUP-1"
        if words[index].digits == 1, words[index].isTightDash, words[index - 1].isTightDash {
            return true
        }
        return low(index).starts(with: "hebsub".utf8)
    }

    private func trailingBracket() -> Range<Int>? {
        guard words[end - 1].isSquare else { return nil }
        let first = words.prefix(max(0, end)).lastIndex { $0.bracket != words[end - 1].bracket }
        return ((first ?? -1) + 1)..<end
    }

    /// "[www.site.net]".
    func isSite(_ range: Range<Int>) -> Bool {
        guard range.count > 1, range.count < 6 else { return false }
        let isFirst = low(range.lowerBound).elementsEqual("www".utf8)
        let last = String(decoding: low(range.upperBound - 1), as: UTF8.self)
        let isDomain = [
            "com", "net", "org", "ru", "to", "cc", "tv", "me", "eu", "info", "es", "cx", "se", "pl",
            "au", "in", "io", "pw", "biz", "ws", "st",
        ].contains(last)
        return (isFirst || isDomain) && words[range.upperBound - 1].gap == .dot
            && range.dropFirst().allSatisfy { words[$0].gap == .dot || words[$0].isTightDash }
    }

    /// "-GROUP[tgx]": who indexed the release.
    private func isBehindGroup(_ range: Range<Int>) -> Bool {
        range.count == 1 && has(range.lowerBound, .reposter)
    }

    /// Passes what stands in front of the title: a site's name, the group's bracket, a number
    /// that only orders the files.
    mutating func takeStart() {
        guard let first = words.first else { return }
        // "[ www.Site.com ] - Name"
        if first.bracket == 0 {
            let dash = words.prefix(7).firstIndex { $0.isSpacedDash || $0.gap.contains(.bracket) }
            if let dash, isSite(0..<dash) { start = dash }
            // "37 [Group] Title - 37"
            if first.number != nil, words.count > 3, words[1].isSquare { start = 1 }
            return
        }
        guard first.opener != UInt8(ascii: "(") else {
            // "(2019) Title"
            let behind = words.firstIndex { $0.bracket != first.bracket } ?? words.count
            if isSite(0..<behind), behind < end { start = behind }
            if isYear(0), isAlone(0), end > 1 {
                name.year = first.number
                claim(0, .year)
                start = 1
            } else if behind < end, behind <= 3,
                !words.prefix(behind).contains(where: {
                    $0.number != nil
                })
            {
                // "(Group) Title"
                start = behind
            }
            return
        }
        start = words.firstIndex { $0.bracket != first.bracket } ?? words.count
        if isSite(0..<start) { takeStartBehindSite() }
        // Nothing else says the title.
        if start >= end { start = 0 }
    }

    private mutating func takeStartBehindSite() {
        guard start < words.count, words[start].isSquare else { return }
        start =
            words.dropFirst(max(0, start)).firstIndex { $0.bracket != words[start].bracket }
            ?? words.count
    }

    func isHexadecimal(_ index: Int) -> Bool {
        low(index).count == 8
            && low(index).allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }
}
