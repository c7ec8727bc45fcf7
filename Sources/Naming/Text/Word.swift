/// A word of a name, with what stands before it.
struct Word {
    /// What separates a word from the one before.
    struct Gap: OptionSet {
        let rawValue: UInt16

        static let space = Gap(rawValue: 1)
        static let dot = Gap(rawValue: 2)
        static let underscore = Gap(rawValue: 4)
        static let dash = Gap(rawValue: 8)
        static let tilde = Gap(rawValue: 16)
        static let comma = Gap(rawValue: 32)
        static let plus = Gap(rawValue: 64)
        static let slash = Gap(rawValue: 128)
        static let bar = Gap(rawValue: 256)
        static let bracket = Gap(rawValue: 512)
        /// More than one character.
        static let long = Gap(rawValue: 1024)
    }

    /// Bytes of the text.
    let range: Range<Int>
    let gap: Gap
    /// Counts the innermost bracket that holds the word, from 1; 0 outside of all.
    let bracket: Int
    /// The byte that opens that bracket.
    let opener: UInt8
    /// The value of a word of digits only, and how many they are.
    let number: Int?
    let entry: Vocabulary.Entry

    var digits: Int { number == nil ? 0 : range.count }
    var kinds: Vocabulary.Kinds { entry.kinds }
    var isSquare: Bool { bracket > 0 && opener != UInt8(ascii: "(") }
    /// "a-b".
    var isTightDash: Bool { gap == .dash }
    /// "a - b" and its like.
    var isSpacedDash: Bool { gap.contains(.dash) && gap.contains(.long) && !gap.contains(.bracket) }
    /// Behind a dash or a tilde, however they are spaced.
    var isRangeGap: Bool {
        (gap.contains(.dash) || gap.contains(.tilde)) && !gap.contains(.bracket)
    }
}

/// Cuts a name into words.
///
/// Spaces, dots, underscores, dashes, slashes, bars, tildes, commas, pluses and brackets separate;
/// apostrophes, colons and the like belong to words, as in "Re:Zero" and "That's".
enum WordCutter {
    /// No release has more; what is behind is noise that must not cost time.
    private static let mostWords = 160

    static func words(of text: NameText, in range: Range<Int>) -> Words {
        var words: [Word] = []
        words.reserveCapacity(range.count / 5 + 1)
        var gap: Word.Gap = []
        var open: [(number: Int, opener: UInt8)] = []
        var brackets = 0
        var start = range.lowerBound
        var position = range.lowerBound
        func end() {
            guard position > start else { return }
            let bytes = text.low[start..<position]
            words.append(
                Word(
                    range: start..<position,
                    gap: gap,
                    bracket: open.last?.number ?? 0,
                    opener: open.last?.opener ?? 0,
                    number: number(bytes),
                    entry: Vocabulary.entry(of: bytes.last == 58 ? bytes.dropLast() : bytes)
                )
            )
            gap = []
        }
        while position < range.upperBound, words.count < mostWords {
            let byte = text.raw[position]
            var kind = separator(byte)
            if byte == UInt8(ascii: "&"), isBetweenDigits(position, text, range) { kind = .plus }
            guard kind != [] else {
                position += 1
                continue
            }
            end()
            gap.insert(gap == [] ? kind : [kind, .long])
            position += 1
            start = position
            guard kind == .bracket else { continue }
            if isOpener(byte) {
                // "[[" is one that was typed twice.
                if position - 2 >= range.lowerBound, text.raw[position - 2] == byte { continue }
                brackets += 1
                open.append((brackets, byte))
            } else {
                _ = open.popLast()
            }
        }
        end()
        return Words(words)
    }

    private static func isBetweenDigits(
        _ position: Int,
        _ text: NameText,
        _ range: Range<Int>
    ) -> Bool {
        guard position > range.lowerBound, position + 1 < range.upperBound else { return false }
        return (48...57).contains(text.raw[position - 1])
            && (48...57).contains(text.raw[position + 1])
    }

    private static func isOpener(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "[") || byte == UInt8(ascii: "(") || byte == UInt8(ascii: "{")
    }

    private static func separator(_ byte: UInt8) -> Word.Gap {
        switch byte {
        case UInt8(ascii: " "), UInt8(ascii: "\t"): .space
        case UInt8(ascii: "."): .dot
        case UInt8(ascii: "_"): .underscore
        case UInt8(ascii: "-"): .dash
        case UInt8(ascii: "~"): .tilde
        case UInt8(ascii: ","): .comma
        case UInt8(ascii: "+"): .plus
        case UInt8(ascii: "/"), UInt8(ascii: "\\"): .slash
        case UInt8(ascii: "|"): .bar
        case UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "("), UInt8(ascii: ")"),
            UInt8(ascii: "{"), UInt8(ascii: "}"):
            .bracket
        default: []
        }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int? {
        guard bytes.count <= 9 else { return nil }
        var value = 0
        for byte in bytes {
            guard (48...57).contains(byte) else { return nil }
            value = value * 10 + Int(byte - 48)
        }
        return value
    }
}
