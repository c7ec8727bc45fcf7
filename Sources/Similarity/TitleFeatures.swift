import Embedding
import Primitives

/// What a name is found by: pieces that survive the ways in which people misspell it.
enum TitleFeatures {
    /// One number for each feature of a name; equal features have equal numbers.
    ///
    /// - Parameter words: By ``plainWords(_:most:)``.
    /// - Returns: About six for each word.
    static func features(of words: [String]) -> Set<UInt64> {
        var features: Set<UInt64> = [feature("joined", words.joined().utf8)]
        for word in words {
            features.insert(feature("word", word.utf8))
            let letters = Array(word.unicodeScalars)
            guard word.utf8.allSatisfy({ $0 < 0x80 }) else {
                addLetters(letters, to: &features)
                continue
            }
            for piece in pieces(of: "  \(word) ", length: 3) {
                features.insert(feature("piece", piece))
            }
            // Letters that changed places are still the same letters.
            if letters.count > 2 { features.insert(feature("letters", word.utf8.sorted())) }
            features.insert(feature("sound", sound(of: word)))
        }
        for initials in initials(of: words) { features.insert(feature("initials", initials)) }
        return features
    }

    /// What a query of one word may be short for: "got", "tbbt".
    static func abbreviation(_ word: String) -> UInt64 { feature("initials", word.utf8) }

    /// Of a script without spaces each letter, as there it is half a word, and each pair.
    private static func addLetters(_ letters: [Unicode.Scalar], to features: inout Set<UInt64>) {
        for start in letters.indices {
            features.insert(feature("piece", String(letters[start]).utf8))
            if start + 1 < letters.count {
                let pair = String(letters[start]) + String(letters[start + 1])
                features.insert(feature("piece", pair.utf8))
            }
        }
    }

    /// First letters of all words, and of those that are not small.
    private static func initials(of words: [String]) -> [[UInt8]] {
        let small: Set<String> = ["the", "a", "an", "of", "and", "in", "on", "to"]
        let all = words.compactMap(\.utf8.first)
        let telling = words.filter { !small.contains($0) }.compactMap(\.utf8.first)
        return (all == telling ? [all] : [all, telling]).filter { $0.count > 1 }
    }

    private static func pieces(of text: String, length: Int) -> [ArraySlice<UInt8>] {
        let bytes = Array(text.utf8)
        guard bytes.count >= length else { return [bytes[...]] }
        return (0...(bytes.count - length)).map { bytes[$0..<($0 + length)] }
    }

    /// A word as it is heard, roughly: without vowels behind the first letter, doubled letters
    /// and the choice between letters of one sound.
    private static func sound(of word: String) -> [UInt8] {
        var sound: [UInt8] = []
        let bytes = Array(word.utf8)
        var place = 0
        while place < bytes.count {
            var letter = bytes[place]
            switch letter {
            case UInt8(ascii: "p")
            where place + 1 < bytes.count && bytes[place + 1] == UInt8(ascii: "h"):
                letter = UInt8(ascii: "f")
                place += 1
            case UInt8(ascii: "c"), UInt8(ascii: "q"): letter = UInt8(ascii: "k")
            case UInt8(ascii: "z"): letter = UInt8(ascii: "s")
            default: break
            }
            place += 1
            let isVowel = "aeiouyh".utf8.contains(letter)
            if sound.isEmpty || (!isVowel && sound.last != letter) { sound.append(letter) }
        }
        return sound
    }

    private static func feature(_ kind: String, _ bytes: some Sequence<UInt8>) -> UInt64 {
        var print = Fingerprint()
        print.add(kind.utf8)
        print.add(bytes)
        return print.value
    }
}
