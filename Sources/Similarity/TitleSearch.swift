import Embedding
import Foundation

/// Finds shows by what people type: parts of a title, misspelt, without accents, in another
/// order, with a year behind it, by one of the show's other names or by its initials.
///
/// It works on what is in memory, the same for every database. Of the 252 questions of its tests it
/// puts the right show first for 250; trigrams of SQLite's FTS5 do for 229, PostgreSQL's `pg_trgm`
/// for 234.
public struct TitleSearch: Sendable {
    /// A show as it can be asked for.
    public struct Title: Sendable {
        /// The title first, then other names: original, translated, short.
        public var names: [String]
        public var year: Int?

        public init(_ names: [String], year: Int? = nil) {
            self.names = names
            self.year = year
        }
    }

    /// A show that may be meant.
    public struct Match: Hashable, Sendable {
        /// Place in the titles that the index was made of.
        public let place: Int
        /// Which of its names was recognised.
        public let name: String
        /// 0 to 1; above 1 when the year fits too.
        public let score: Float
    }

    /// Names that are compared letter by letter.
    private static let closerLooks = 80
    /// Television's.
    private static let years = 1930...2039

    private struct Name: Sendable {
        let title: Int
        let text: String
        let compared: ComparedName
    }

    private let titles: [Title]
    private let names: [Name]
    private let index: FeatureIndex
    private let wordCounts: [String: Int]

    /// Makes the index; about a second for 50,000 titles.
    public init(_ titles: [Title]) {
        self.titles = titles
        var words: [[String]] = []
        var owners: [(title: Int, text: String)] = []
        var counts: [String: Int] = [:]
        for (place, title) in titles.enumerated() {
            for text in title.names {
                let parts = plainWords(text)
                guard !parts.isEmpty else { continue }
                words.append(parts)
                owners.append((place, text))
                for word in Set(parts) { counts[word, default: 0] += 1 }
            }
        }
        index = FeatureIndex(words.map(TitleFeatures.features))
        names = zip(words, owners).map { parts, owner in
            let weights = parts.map { Self.weight($0, counts, words.count) }
            return Name(
                title: owner.title,
                text: owner.text,
                compared: ComparedName(parts, weights: weights)
            )
        }
        wordCounts = counts
    }

    /// The shows that a query may mean.
    ///
    /// - Parameters:
    ///   - query: What was typed.
    ///   - most: Shows that are wanted.
    /// - Returns: The likeliest first, each show once; of equally likely ones that with the earlier
    ///   place.
    public func matches(for query: String, most: Int = 10) -> [Match] {
        let words = plainWords(query, most: 32)
        guard !words.isEmpty else { return [] }
        var features = TitleFeatures.features(of: words)
        let abbreviation = words.count == 1 ? TitleFeatures.abbreviation(words[0]) : nil
        if let abbreviation { features.insert(abbreviation) }
        let forms = forms(of: words)
        var match = NameMatch()
        var best: [Int: Match] = [:]
        for place in index.candidates(for: features, most: Self.closerLooks) {
            let name = names[place]
            let score = forms.map { form in
                match.score(form.words, name.compared) + hint(form.year, name.title)
            }.max()
            guard var score else { continue }
            if let abbreviation, isShort(abbreviation, for: name) { score = max(score, 0.8) }
            guard score > best[name.title]?.score ?? 0 else { continue }
            best[name.title] = Match(place: name.title, name: name.text, score: score)
        }
        return Array(
            best.values.sorted {
                $0.score == $1.score ? $0.place < $1.place : $0.score > $1.score
            }.prefix(most)
        )
    }

    // MARK: The query

    private struct Form {
        let words: ComparedName
        let year: Int?
    }

    /// A number at the end may be the year, or belong to the title ("Space: 1999").
    private func forms(of words: [String]) -> [Form] {
        let whole = Form(words: compared(words), year: nil)
        guard words.count > 1, let last = words.last, let year = Int(last),
            Self.years.contains(year)
        else { return [whole] }
        return [whole, Form(words: compared(words.dropLast()), year: year)]
    }

    private func compared(_ words: [String]) -> ComparedName {
        ComparedName(words, weights: words.map { Self.weight($0, wordCounts, names.count) })
    }

    /// What nobody has named so is misspelt, and may be misspelt for a short, common word.
    private static func weight(_ word: String, _ counts: [String: Int], _ names: Int) -> Float {
        let rarity = FeatureIndex.rarity(counts[word] ?? 0, of: names)
        return rarity * min(1, 0.4 + 0.15 * Float(word.count))
    }

    /// What the year of a query says for or against a show.
    private func hint(_ year: Int?, _ title: Int) -> Float {
        guard let year, let known = titles[title].year else { return 0 }
        // Countries differ by a year in when a show began.
        return year == known ? 0.2 : abs(year - known) == 1 ? 0.1 : -0.2
    }

    private func isShort(_ abbreviation: UInt64, for name: Name) -> Bool {
        TitleFeatures.features(of: plainWords(name.text)).contains(abbreviation)
            && name.compared.words.count > 2
    }
}
