/// A word of a name, with what stands before it.
struct Token {
    let text: String
    /// In lower case, with Cyrillic and accents as they are.
    let lower: String
    /// UTF-8 offsets in the input.
    let bytes: Range<Int>
    /// The characters between the word before and this one.
    let gap: String
    /// Counts the bracket that holds the word, from 1; 0 outside of all.
    let bracket: Int
    /// "[", "(" or "{" of that bracket.
    let bracketKind: Character?

    /// The value, for a word of digits only.
    let number: Int?

    var isSpacedDash: Bool {
        gap.contains("-") && gap.contains { $0 == " " || $0 == "_" || $0 == "." }
    }
    var isTightDash: Bool { gap == "-" }

    init(
        text: String,
        bytes: Range<Int>,
        gap: String,
        bracket: Int,
        bracketKind: Character?
    ) {
        self.text = text
        lower = text.lowercased()
        self.bytes = bytes
        self.gap = gap
        self.bracket = bracket
        self.bracketKind = bracketKind
        number =
            text.utf8.count <= 8 && text.utf8.allSatisfy { (48...57).contains($0) }
            ? Int(text) : nil
    }
}

/// Cuts a name into words.
///
/// Spaces, dots, underscores, dashes, slashes, tildes and brackets separate; apostrophes, colons
/// and the like belong to words, as in "Re:Zero" and "That's".
enum Tokenizer {
    private static let closing: [Character: Character] = [
        "[": "]", "(": ")", "{": "}", "【": "】", "「": "」", "（": "）", "［": "］",
    ]
    private static let closers: Set<Character> = Set(closing.values)
    private static let separators: Set<Character> = [
        " ", ".", "_", "-", "–", "—", "~", ",", "\t", "|", "\u{3000}", "/", "\\", "+",
    ]

    /// - Parameters:
    ///   - name: The text to cut.
    ///   - offset: Of the text in the input, in UTF-8 bytes.
    /// - Returns: The words in their order.
    static func tokens(of name: Substring, offset: Int) -> [Token] {
        var tokens: [Token] = []
        var gap = ""
        var word = ""
        var start = offset
        var position = offset
        var brackets = 0
        var open: (number: Int, kind: Character)?
        func end() {
            guard !word.isEmpty else { return }
            tokens.append(
                Token(
                    text: word,
                    bytes: start..<position,
                    gap: gap,
                    bracket: open?.number ?? 0,
                    bracketKind: open?.kind
                )
            )
            word = ""
            gap = ""
        }
        for character in name {
            let length = character.utf8.count
            if closing[character] != nil, open == nil || character == "[" || character == "(" {
                end()
                brackets += 1
                open = (brackets, character)
                gap.append(character)
            } else if closers.contains(character) {
                end()
                open = nil
                gap.append(character)
            } else if separators.contains(character) {
                end()
                gap.append(character == "–" || character == "—" ? "-" : character)
            } else {
                if word.isEmpty { start = position }
                word.append(character)
            }
            position += length
        }
        end()
        return tokens
    }
}

/// Reads words character by character, in place of regular expressions.
struct Scanner {
    private let bytes: [UInt8]
    private(set) var index = 0

    init(_ text: String) {
        bytes = Array(text.utf8)
    }

    var isAtEnd: Bool { index == bytes.count }

    /// Takes `word` when it comes next.
    mutating func take(_ word: StaticString) -> Bool {
        let wanted = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard bytes.count - index >= wanted.count,
            bytes[index..<(index + wanted.count)].elementsEqual(wanted)
        else { return false }
        index += wanted.count
        return true
    }

    /// Takes a number of at most `digits` digits.
    ///
    /// - Returns: nil, and nothing is taken, when none comes next or it is longer.
    mutating func number(digits: ClosedRange<Int>) -> Int? {
        var end = index
        var value = 0
        while end < bytes.count, (48...57).contains(bytes[end]), end - index <= digits.upperBound {
            value = value * 10 + Int(bytes[end] - 48)
            end += 1
        }
        guard digits.contains(end - index) else { return nil }
        index = end
        return value
    }
}
