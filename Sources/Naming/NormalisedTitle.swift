/// One spelling for all the ways in which a title is written.
///
/// Case, accents, width, punctuation and spaces are folded away, and "&" is "and". Scripts without
/// case stay as they are.
///
/// - Parameter title: As a file or a database has it.
/// - Returns: Letters and digits only; empty when there are none.
public func normalisedTitle(_ title: String) -> String {
    var result = ""
    result.reserveCapacity(title.utf8.count)
    if title.utf8.allSatisfy({ $0 < 0x80 }) {
        for byte in title.utf8 {
            switch byte {
            case 0x41...0x5A: result.unicodeScalars.append(Unicode.Scalar(byte + 0x20))
            case 0x61...0x7A, 0x30...0x39: result.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: "&"): result += "and"
            default: break
            }
        }
        return result
    }
    for character in title {
        if character == "&" || character == "＆" {
            result += "and"
            continue
        }
        guard character.isLetter || character.isNumber else { continue }
        for scalar in folded(character) where !isMark(scalar) {
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}

/// A title by its words alone: what people leave out or write in another way is no difference.
///
/// Articles and "and" are dropped, Roman numerals and number words are digits.
///
/// - Parameter title: As a file or a database has it.
/// - Returns: The words with bars between them; empty when there are none.
public func looseTitle(_ title: String) -> String {
    let words = title.split { !$0.isLetter && !$0.isNumber && $0 != "'" && $0 != "’" }
        .map { normalisedTitle(String($0)) }
    let telling = words.enumerated().compactMap { place, word -> String? in
        if droppedWords.contains(word) { return nil }
        if place > 0, let number = romanNumerals[word] { return number }
        return numberWords[word] ?? word
    }
    return (telling.isEmpty ? words : telling).filter { !$0.isEmpty }.joined(separator: "|")
}

private let droppedWords: Set<String> = ["the", "a", "an", "and", ""]

private let romanNumerals = [
    "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9",
]

private let numberWords = [
    "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10",
]

/// Lower case without accents and width; what has no decomposition is spelled out by hand.
private func folded(_ character: Character) -> String.UnicodeScalarView {
    var scalars = String.UnicodeScalarView()
    for scalar in String(character).lowercased().decomposed {
        switch scalar.value {
        case 0xFF01...0xFF5E: scalars.append(Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar)
        case 0xDF: scalars.append(contentsOf: "ss".unicodeScalars)
        case 0xE6: scalars.append(contentsOf: "ae".unicodeScalars)
        case 0xF8: scalars.append("o")
        case 0x142: scalars.append("l")
        case 0xF0, 0x111: scalars.append("d")
        case 0x131: scalars.append("i")
        default: scalars.append(scalar)
        }
    }
    return String(scalars).lowercased().unicodeScalars
}

private func isMark(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    // Only Latin, Greek and Cyrillic accents: in other scripts marks make other letters.
    case .nonspacingMark: (0x300...0x36F).contains(scalar.value)
    default: false
    }
}

extension String {
    /// Canonical decomposition for the scripts whose accents are folded.
    fileprivate var decomposed: [Unicode.Scalar] {
        unicodeScalars.flatMap { scalar -> [Unicode.Scalar] in
            guard
                (0xC0...0x17F).contains(scalar.value) || (0x1CD...0x233).contains(scalar.value)
                    || (0x1E00...0x1EFF).contains(scalar.value),
                let base = LatinBases.base(of: scalar)
            else { return [scalar] }
            return [base]
        }
    }
}
