/// The title is what stands before everything that says something else; the group stands at
/// either end.
extension NameReader {
    mutating func takeTitle() {
        let start = titleStart()
        takeYear(from: start)
        var end = min(titleEnd, boundary(from: start))
        if end <= start, let inBrackets = bracketedTitle() {
            name.title = joined(inBrackets)
            return
        }
        takeCountry(from: start, to: &end)
        // "Title (Other Title) - 05": what is in brackets stands beside the title.
        let words = (start..<max(start, end)).filter { tokens[$0].bracket == 0 }
        guard let first = words.first, let last = words.last else {
            if let inBrackets = bracketedTitle() { name.title = joined(inBrackets) }
            return
        }
        let title = joined(first..<(last + 1), outsideOnly: true)
        splitAlternatives(title)
        name.evidence.append(
            Evidence(
                fact: .title,
                bytes: tokens[first].bytes.lowerBound..<tokens[last].bytes.upperBound
            )
        )
    }

    /// Behind the group's bracket, or a web site's name.
    private func titleStart() -> Int {
        guard let first = tokens.first else { return 0 }
        if first.bracket > 0, first.bracketKind != "(" {
            let next = tokens.firstIndex { $0.bracket != first.bracket } ?? tokens.count
            return next
        }
        if first.lower == "www", let dash = tokens.firstIndex(where: { $0.isSpacedDash }) {
            return dash
        }
        return 0
    }

    /// Before the first bracket, technical word, year or service.
    private func boundary(from start: Int) -> Int {
        for index in tokens.indices where index >= start {
            let token = tokens[index]
            if index > start, token.bracket > 0,
                token.bracketKind == "[" || token.bracketKind == "{" || token.bracketKind == "【"
            {
                return index
            }
            if index > start,
                Vocabulary.edition.contains(token.lower)
                    || Vocabulary.services.contains(token.lower)
                        && token.text == token.text.uppercased(),
                followsTechnical(index)
            {
                return index
            }
        }
        return tokens.count
    }

    private func followsTechnical(_ index: Int) -> Bool {
        index + 1 >= tokens.count || claimed.contains(index + 1)
            || Vocabulary.isTechnical(tokens[index + 1].lower)
            || tokens[index + 1].bracket > 0 || Vocabulary.edition.contains(tokens[index + 1].lower)
            || Vocabulary.languages.contains(tokens[index + 1].lower)
    }

    private mutating func takeYear(from start: Int) {
        for index in tokens.indices where index > start && !claimed.contains(index) {
            guard let number = tokens[index].number, (1900...2099).contains(number),
                tokens[index].text.utf8.count == 4
            else { continue }
            let inBrackets =
                tokens[index].bracketKind == "("
                && !tokens.contains {
                    $0.bracket == tokens[index].bracket && $0.bytes != tokens[index].bytes
                        && Vocabulary.resolution($0.lower) == nil && $0.number == nil
                }
            // Behind the numbers a bare year belongs to an episode's title.
            guard inBrackets || index <= titleEnd else { continue }
            if !inBrackets, index + 1 < titleEnd, !tokens[index + 1].isSpacedDash,
                tokens[index + 1].bracket == 0,
                Vocabulary.countries[tokens[index + 1].lower] == nil
            {
                continue
            }
            name.year = number
            claim(index, .year)
            return
        }
    }

    /// "Title US" is a title with a country when the word is in capitals at its end.
    private mutating func takeCountry(from start: Int, to end: inout Int) {
        guard end - 1 > start, let country = Vocabulary.countries[tokens[end - 1].lower],
            tokens[end - 1].text == tokens[end - 1].text.uppercased()
                || tokens[end - 1].bracketKind == "("
        else { return }
        name.country = country
        if tokens[end - 1].bracketKind == "(" { end -= 1 }
    }

    /// "Title AKA Other", "タイトル / Title".
    private mutating func splitAlternatives(_ title: String) {
        for separator in [" AKA ", " aka ", " a.k.a. ", " / ", " | "] {
            guard let range = title.firstRange(of: separator) else { continue }
            let first = String(title[..<range.lowerBound])
            let second = String(title[range.upperBound...])
            guard !first.isEmpty, !second.isEmpty else { continue }
            name.title = first
            name.alternativeTitles = [second]
            return
        }
        name.title = title.isEmpty ? nil : title
    }

    /// "[Group][Title][05]": the title is the second bracket.
    private func bracketedTitle() -> Range<Int>? {
        guard let first = tokens.first, first.bracket > 0 else { return nil }
        guard
            let start = tokens.firstIndex(where: { $0.bracket != first.bracket && $0.bracket > 0 }),
            !claimed.contains(start)
        else { return nil }
        let end =
            tokens[start...].firstIndex { $0.bracket != tokens[start].bracket } ?? tokens.count
        let words = start..<end
        return words.contains { claimed.contains($0) } ? nil : words
    }

    /// Words with single spaces between them, dashes kept.
    func joined(_ range: Range<Int>, outsideOnly: Bool = false) -> String {
        var text = ""
        for index in range where !outsideOnly || tokens[index].bracket == 0 {
            if text.isEmpty {
                text = tokens[index].text
                continue
            }
            let gap = tokens[index].gap
            if gap == "-" {
                text += "-"
            } else if gap.contains("-") {
                text += " - "
            } else if gap.contains("/") || gap.contains("|") {
                text += " / "
            } else if gap.contains("+") {
                text += "+"
            } else if gap.hasPrefix(",") {
                text += ", "
            } else {
                text += " "
            }
            text += tokens[index].text
        }
        return text
    }

    // MARK: Group

    mutating func takeGroup() {
        if let first = tokens.first, first.bracket == 1,
            first.bracketKind == "[" || first.bracketKind == "【",
            !claimed.contains(0) || first.number == nil
        {
            let end = tokens.firstIndex { $0.bracket != 1 } ?? tokens.count
            let words = 0..<end
            let isTechnical = words.contains { Vocabulary.isTechnical(tokens[$0].lower) }
            let hasTitleBehind = end < tokens.count
            if !isTechnical, hasTitleBehind,
                !words.contains(where: {
                    tokens[$0].lower == "www"
                        || ["com", "org", "net", "info", "to"].contains(tokens[$0].lower)
                            && tokens[$0].gap == "."
                })
            {
                name.group = Self.verbatim(tokens[words])
                for index in words { claim(index, .group, endsTitle: false) }
                return
            }
        }
        takeTrailingGroup()
    }

    /// "…-GROUP", also with something in brackets behind it.
    private mutating func takeTrailingGroup() {
        let outside = tokens.indices.filter { tokens[$0].bracket == 0 }
        guard var last = outside.last, last > 0 else { return takeBracketedGroupAtEnd() }
        // Those who post a release again append a word of theirs.
        if Vocabulary.reposters.contains(tokens[last].lower), tokens[last].isTightDash,
            last > 1, tokens[last - 1].isTightDash
        {
            last -= 1
        }
        // "-E.N.D" and "-Group Name" are rare: the word behind the last dash is the group.
        let hasFacts =
            name.resolution != nil || name.source != nil || name.codec != nil
            || name.hasNumbers || name.isFullSeason
        guard hasFacts,
            tokens[last].gap == "-" || tokens[last].gap == "- " || tokens[last].gap == " -",
            !claimed.contains(last),
            !Vocabulary.isTechnical(tokens[last].lower),
            tokens[last].number == nil || tokens[last].text.utf8.count > 4,
            tokens[last].lower != "dl", tokens[last].lower != "rip",
            last > (claimed.filter { tokens[$0].bracket == 0 }.max() ?? -1)
        else { return takeBracketedGroupAtEnd() }
        var word = tokens[last].text
        for junk in ["-rakuv", "-postbot", "-obfuscated", "-scrambled"]
        where word.lowercased().hasSuffix(junk) {
            word = String(word.dropLast(junk.count))
        }
        name.group = word
        claim(last, .group)
        if name.episodeTitle?.hasSuffix("-\(word)") == true {
            name.episodeTitle = name.episodeTitle.map { String($0.dropLast(word.count + 1)) }
        }
    }

    /// "Title - S01E05 (1080p) [Group]": the last bracket, when it says nothing technical.
    private mutating func takeBracketedGroupAtEnd() {
        guard let last = tokens.indices.last, tokens[last].bracket > 0
        else { return }
        let words = tokens.indices.filter { tokens[$0].bracket == tokens[last].bracket }
        if tokens[last].bracketKind == "(" { return takeGroupBehindTechnicalWords(words) }
        guard tokens[last].bracketKind == "[", let first = words.first, words.count <= 3,
            last == words.last,
            !words.contains(where: {
                claimed.contains($0) || Vocabulary.isTechnical(tokens[$0].lower)
                    || tokens[$0].number != nil
                    || Vocabulary.edition.contains(tokens[$0].lower)
                    || Vocabulary.languages.contains(tokens[$0].lower)
            }),
            name.hasNumbers || name.isFullSeason
        else { return }
        name.group = Self.verbatim(tokens[first...last])
        for index in words { claim(index, .group) }
    }

    /// "(1080p BluRay x265 Group)": the word behind the technical ones.
    private mutating func takeGroupBehindTechnicalWords(_ words: [Int]) {
        guard words.count > 2, let last = words.last, tokens[last].number == nil,
            tokens[last].text.utf8.count > 1, !claimed.contains(last),
            tokens[last].gap == " " || tokens[last].gap == ".",
            words.contains(where: { name.resolution != nil && claimed.contains($0) })
        else { return }
        let word = tokens[last].lower
        guard !Vocabulary.isTechnical(word), !Vocabulary.edition.contains(word),
            !Vocabulary.languages.contains(word), !Vocabulary.services.contains(word)
        else { return }
        name.group = tokens[last].text
        claim(last, .group)
    }

    private static func verbatim(_ words: ArraySlice<Token>) -> String {
        var text = ""
        for word in words {
            text += text.isEmpty ? word.text : word.gap + word.text
        }
        return text
    }
}
