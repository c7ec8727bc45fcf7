import Foundation
import Primitives

/// Vectors of spelling: texts are near that share words and pieces of words.
///
/// Needs no model and knows no meaning: good for misspelt and partial titles, and for the same
/// text told twice; "space" and "galaxy" have nothing in common. Every feature is hashed to one of
/// the numbers and to a sign (Weinberger et al., "Feature Hashing for Large Scale Multitask
/// Learning", 2009), by a hash that is the same on every machine.
public struct HashedEncoder: Embedder {
    /// Changes whenever the vectors do.
    public static let name = "hashed-384-v1"

    /// Words of a text that are looked at: an overview has fewer than 200.
    private static let mostWords = 2_000

    /// Words that say nothing about a show, so that they count little.
    private static let common: Set<String> = [
        "a", "an", "the", "of", "and", "in", "on", "to", "is", "at", "by", "for", "with", "his",
        "her", "as", "from", "their", "who", "he", "she", "it", "they", "but", "that", "this",
    ]

    public init() {}

    public var name: String { Self.name }
    public var dimension: Int { 384 }

    /// Never throws but when cancelled.
    ///
    /// A text without words has a vector of its own, so that it
    /// is near to none.
    public func vectors(of texts: [String]) async throws(EmbeddingError) -> [[Float]] {
        var vectors: [[Float]] = []
        for text in texts {
            guard !Task.isCancelled else { throw EmbeddingError(.cancelled, "was given up") }
            vectors.append(vector(of: text))
            await Task.yield()
        }
        return vectors
    }

    /// The vector of one text, at once.
    public func vector(of text: String) -> [Float] {
        var counts: [String: Float] = [:]
        for word in plainWords(text, most: Self.mostWords) {
            for (feature, weight) in Self.features(of: word) {
                counts[feature, default: 0] += weight
            }
        }
        var vector = [Float](repeating: 0, count: dimension)
        // Sums of floating-point numbers depend on their order, and a dictionary has none.
        for (feature, count) in counts.sorted(by: { $0.key < $1.key }) {
            let (place, sign) = slot(of: feature)
            // The tenth time a word is said it tells less than the first time.
            vector[place] += sign * count / (1 + log2(1 + count) / 2)
        }
        if let unit = vector.unit() { return unit }
        vector[slot(of: "").place] = 1
        return vector
    }

    private func slot(of feature: String) -> (place: Int, sign: Float) {
        var print = Fingerprint()
        print.add(feature.utf8)
        // The lowest bits of FNV-1a depend on few bits of the text.
        let mixed = (print.value ^ (print.value >> 32)) &* 0x9E37_79B9_7F4A_7C15
        return (Int((mixed >> 32) % UInt64(dimension)), mixed & 0x8000_0000 == 0 ? 1 : -1)
    }

    /// A word, and its pieces of three and four letters; of scripts without spaces each letter
    /// and each pair, as there a letter is a word.
    private static func features(of word: String) -> [(String, Float)] {
        guard !common.contains(word) else { return [("=" + word, 0.2)] }
        var features: [(String, Float)] = [("=" + word, 1)]
        let isLatin = word.utf8.allSatisfy { $0 < 0x80 }
        let letters = Array(isLatin ? "^\(word)$" : word)
        for length in isLatin ? [3, 4] : [1, 2] where letters.count > length {
            let weight: Float = isLatin ? 0.4 : 0.6
            for start in 0...(letters.count - length) {
                features.append((String(letters[start..<(start + length)]), weight))
            }
        }
        return features
    }
}
