/// One title, or the same in several languages and scripts.
enum Titles {
    /// - Returns: The title that catalogues know best, and then the others.
    static func split(_ range: Range<Int>, _ reader: NameReader) -> [String] {
        var pieces = separated(range, reader)
        if pieces.count == 1 { pieces = byScript(range, reader) }
        var texts = pieces.map { moved(reader.joined($0)) }.filter { !$0.isEmpty }
        // A catalogue in English is the likeliest to have Latin letters.
        if let latin = pieces.firstIndex(where: { isLatin($0, reader) }),
            latin > 0, latin < texts.count
        {
            texts.insert(texts.remove(at: latin), at: 0)
        }
        return texts
    }

    /// "Title / Other", "Title | Other", "Title AKA Other".
    private static func separated(_ range: Range<Int>, _ reader: NameReader) -> [Range<Int>] {
        var pieces: [Range<Int>] = []
        var first = range.lowerBound
        for index in range where index > first {
            let word = reader.words[index]
            let isAKA =
                reader.low(index).elementsEqual("aka".utf8) && index + 1 < range.upperBound
            let isApart =
                word.gap.contains(.slash) || word.gap.contains(.bar)
                || word.gap.contains([.underscore, .long, .space])
            guard isApart || isAKA else { continue }
            pieces.append(first..<index)
            first = isAKA ? index + 1 : index
        }
        if first < range.upperBound { pieces.append(first..<range.upperBound) }
        return pieces
    }

    /// "作品名 Title" and "Title 作品名": two titles, unless the scripts alternate.
    private static func byScript(_ range: Range<Int>, _ reader: NameReader) -> [Range<Int>] {
        let kinds = range.map { kind($0, reader) }
        guard kinds.contains(.latin), kinds.contains(.asian) else { return [range] }
        var changes: [Int] = []
        var last: Script?
        for (index, kind) in zip(range, kinds) where kind != .neither {
            if let last, last != kind { changes.append(index) }
            last = kind
        }
        guard changes.count == 1, let change = changes.first else { return [range] }
        return [range.lowerBound..<change, change..<range.upperBound]
    }

    private enum Script { case latin, asian, neither }

    private static func kind(_ index: Int, _ reader: NameReader) -> Script {
        let bytes = reader.low(index)
        let isLatin = bytes.contains { (97...122).contains($0) }
        let isAsian = bytes.contains { $0 >= 0xE3 }
        return isLatin ? .latin : isAsian ? .asian : .neither
    }

    private static func isLatin(_ range: Range<Int>, _ reader: NameReader) -> Bool {
        !reader.hasAsian(range)
            && range.contains { reader.low($0).count { (97...122).contains($0) } >= 2 }
    }

    /// "Simpsons, The".
    private static func moved(_ title: String) -> String {
        for article in ["The", "A", "An"] where title.hasSuffix(", " + article) {
            return article + " " + title.dropLast(article.count + 2)
        }
        return title
    }
}
