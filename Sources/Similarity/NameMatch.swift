/// A name or a query in the form in which both are compared.
struct ComparedName: Sendable {
    struct Word: Sendable {
        let letters: Spelling.Letters
        /// How much it tells: rare words more than common ones.
        let weight: Float
    }

    let words: [Word]
    /// All letters without spaces.
    let joined: Spelling.Letters
    let weight: Float

    init(_ words: [String], weights: [Float]) {
        self.words = zip(words, weights).map { word, weight in
            Word(letters: word.unicodeScalars.map(\.value), weight: weight)
        }
        joined = self.words.flatMap(\.letters)
        weight = weights.reduce(0, +)
    }
}

/// Compares a query with names, word by word and as a whole.
struct NameMatch {
    private var spelling = Spelling()

    /// 0 for nothing alike to 1 for the same name.
    mutating func score(_ query: ComparedName, _ name: ComparedName) -> Float {
        guard query.weight > 0, name.weight > 0 else { return 0 }
        if query.joined == name.joined { return 1 }
        let asked = coverage(of: query, by: name, allowsPrefix: true)
        let said = coverage(of: name, by: query, allowsPrefix: false)
        // A query may leave words out; words that the name has not are worse.
        let words = 0.72 * asked + 0.18 * said + 0.05 * order(query, name)
        let whole = 0.95 * spelling.likeness(query.joined, name.joined)
        return max(words, whole) * 0.8 + (words + whole) / 2 * 0.18
    }

    /// The share of one name's words, by weight, that the other has too, well or badly spelt.
    private mutating func coverage(
        of one: ComparedName,
        by other: ComparedName,
        allowsPrefix: Bool
    ) -> Float {
        var sum: Float = 0
        for word in one.words {
            var best: Float = 0
            for candidate in other.words where best < 1 {
                best = max(best, likeness(word.letters, candidate.letters, allowsPrefix))
            }
            sum += best * word.weight
        }
        return sum / one.weight
    }

    private mutating func likeness(
        _ word: Spelling.Letters,
        _ candidate: Spelling.Letters,
        _ allowsPrefix: Bool
    ) -> Float {
        if allowsPrefix, word.count > 1, word.count < candidate.count,
            candidate.starts(with: word)
        {
            // "brook" for "brooklyn": the more of the word, the surer.
            return 0.7 + 0.25 * Float(word.count) / Float(candidate.count)
        }
        return spelling.likeness(word, candidate)
    }

    /// 1 when the query's first word begins the name, as people begin at the beginning.
    private mutating func order(_ query: ComparedName, _ name: ComparedName) -> Float {
        guard let asked = query.words.first, let said = name.words.first else { return 0 }
        return likeness(asked.letters, said.letters, true)
    }
}
