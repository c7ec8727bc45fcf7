/// Scene groups shorten their files' names: "crew-qh102", "crew-harbour.102".
extension NameReader {
    /// Sizes of pictures and names of codecs that could be taken for episodes.
    private static let otherNumbers: Set<Int> = [264, 265, 480, 540, 576, 720, 1080]

    /// Reads such a name, which holds nothing else and no capital letter.
    mutating func takeAbbreviation(_ stem: Range<Int>) -> Bool {
        let bytes = text.raw[stem]
        guard !isFolder, let dash = bytes.firstIndex(of: UInt8(ascii: "-")),
            Self.isShortWord(bytes[..<dash])
        else { return false }
        let rest = bytes[(dash + 1)...]
        guard let first = rest.firstIndex(where: { (48...57).contains($0) }) else { return false }
        let hasDot = first > rest.startIndex && rest[first - 1] == UInt8(ascii: ".")
        let title = rest[..<(hasDot ? first - 1 : first)]
        var scanner = Scanner(rest[first...])
        guard Self.isShortWord(title), let number = scanner.number(digits: 3...4), scanner.isAtEnd,
            (101..<1_900).contains(number), number % 100 > 0,
            !Self.otherNumbers.contains(number),
            Vocabulary.entry(of: title).kinds.isDisjoint(with: [.episodeWord, .seasonWord, .part])
        else { return false }
        take(bytes.startIndex..<dash, .group)
        take(title.startIndex..<title.endIndex, .title)
        take(first..<rest.endIndex, .episodes)
        name.group = text.string(bytes.startIndex..<dash)
        name.title = text.string(title.startIndex..<title.endIndex)
        name.season = number / 100
        name.episodes = [number % 100]
        return true
    }

    private static func isShortWord(_ bytes: ArraySlice<UInt8>) -> Bool {
        (2...10).contains(bytes.count) && bytes.allSatisfy { (97...122).contains($0) }
    }

    private mutating func take(_ bytes: Range<Int>, _ fact: Evidence.Fact) {
        name.evidence.append(Evidence(fact: fact, bytes: text.origin(bytes)))
    }
}
