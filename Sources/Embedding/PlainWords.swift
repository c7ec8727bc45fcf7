import Foundation

/// The words of a text in one spelling: lower case, without accents, width and punctuation.
///
/// A script that puts no spaces between words gives one word for each run of its letters.
///
/// - Parameters:
///   - text: Any text.
///   - most: Words that are wanted.
/// - Returns: At most `most` words of letters and digits, in order.
public func plainWords(_ text: String, most: Int = .max) -> [String] {
    var words: [String] = []
    var word = String.UnicodeScalarView()
    func end() {
        guard !word.isEmpty else { return }
        words.append(String(word))
        word = String.UnicodeScalarView()
    }
    for scalar in spelledPlainly(text).unicodeScalars {
        guard words.count < most else { return words }
        switch scalar {
        case "a"..."z", "0"..."9": word.append(scalar)
        // "Grey's" is one word, and "Greys" its common spelling.
        case "'", "’", "‘", "`", "´", "ʼ": break
        case "&":
            end()
            words.append("and")
        default:
            if scalar.isASCII || !isLetterOrDigit(scalar) { end() } else { word.append(scalar) }
        }
    }
    if words.count < most { end() }
    return words
}

/// Lower case without accents and width.
private func spelledPlainly(_ text: String) -> String {
    let lower = text.lowercased()
    guard !lower.utf8.allSatisfy({ $0 < 0x80 }) else { return lower }
    var plain = String.UnicodeScalarView()
    for scalar in lower.precomposedStringWithCompatibilityMapping.unicodeScalars {
        if let letters = spelledOut[scalar] {
            plain.append(contentsOf: letters.unicodeScalars)
        } else if hasAccents(scalar) {
            let parts = String(scalar).decomposedStringWithCanonicalMapping.unicodeScalars
            plain.append(contentsOf: parts.filter { !(0x300...0x36F).contains($0.value) })
        } else if !(0x300...0x36F).contains(scalar.value) {
            plain.append(scalar)
        }
    }
    return String(plain)
}

/// Latin, Greek and Cyrillic; in other scripts marks make other letters.
private func hasAccents(_ scalar: Unicode.Scalar) -> Bool {
    (0xC0...0x52F).contains(scalar.value) || (0x1E00...0x1FFF).contains(scalar.value)
}

/// Letters that Unicode does not decompose, as people type them.
private let spelledOut: [Unicode.Scalar: String] = [
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i",
]

private func isLetterOrDigit(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter,
        .decimalNumber, .letterNumber, .otherNumber, .nonspacingMark, .spacingMark:
        true
    default: false
    }
}
