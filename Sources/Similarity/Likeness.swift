import Embedding
import Foundation

/// Tells how like two shows of a library are, by their vectors and by what they share.
///
/// What few shows have counts more (inverse document frequency): two shows of "Drama" share
/// nothing worth telling, two about "time loop" do. Words of keywords count as well as whole ones,
/// so that "space station" and "space travel" have something in common.
public struct Likeness: Sendable {
    /// How much each side of two shows counts.
    public struct Shares: Sendable {
        public var vectors: Float
        public var genres: Float
        public var keywords: Float
        public var cast: Float

        /// For vectors of meaning.
        public static let meaning = Shares(vectors: 0.5, genres: 0.1, keywords: 0.35, cast: 0.05)
        /// For vectors of spelling, which see only that overviews use the same words.
        public static let spelling = Shares(vectors: 0.1, genres: 0.15, keywords: 0.67, cast: 0.08)

        public init(vectors: Float, genres: Float, keywords: Float, cast: Float) {
            self.vectors = vectors
            self.genres = genres
            self.keywords = keywords
            self.cast = cast
        }
    }

    private let shares: Shares
    private let shows: Int
    private let genreCounts: [String: Int]
    private let keywordCounts: [String: Int]
    private let castCounts: [String: Int]

    /// - Parameters:
    ///   - library: All shows, for what is rare among them.
    ///   - shares: By the kind of embedder whose vectors are compared.
    public init(library: [ShowFacts], shares: Shares) {
        self.shares = shares
        shows = library.count
        genreCounts = Self.counts(library.map(Self.genres))
        keywordCounts = Self.counts(library.map(Self.keywords))
        castCounts = Self.counts(library.map(Self.cast))
    }

    /// How like two shows are.
    ///
    /// - Parameters:
    ///   - one: A show, of the library or not.
    ///   - other: Another.
    ///   - vectors: Of both by one ``Embedder``; nil when one of them has none, and then the rest
    ///     decides alone.
    /// - Returns: 0 for nothing in common to 1 for the same; the same in both directions.
    public func likeness(
        of one: ShowFacts,
        and other: ShowFacts,
        vectors: ([Float], [Float])?
    ) -> Float {
        let sides: [(share: Float, nearness: Float)] = [
            (vectors == nil ? 0 : shares.vectors, vectors.map { max(0, cosine($0.0, $0.1)) } ?? 0),
            (shares.genres, overlap(Self.genres(one), Self.genres(other), genreCounts)),
            (shares.keywords, overlap(Self.keywords(one), Self.keywords(other), keywordCounts)),
            (shares.cast, overlap(Self.cast(one), Self.cast(other), castCounts)),
        ]
        let all = sides.reduce(0) { $0 + $1.share }
        guard all > 0 else { return 0 }
        return sides.reduce(0) { $0 + $1.share * $1.nearness } / all
    }

    // MARK: What shows share

    private static func genres(_ show: ShowFacts) -> Set<String> {
        Set(show.genres.map { plainWords($0).joined(separator: " ") })
    }

    private static func keywords(_ show: ShowFacts) -> Set<String> {
        var words: Set<String> = []
        for keyword in show.keywords {
            let parts = plainWords(keyword)
            words.insert(parts.joined(separator: " "))
            words.formUnion(parts.map(singular))
        }
        return words
    }

    private static func cast(_ show: ShowFacts) -> Set<String> {
        Set(show.cast.map { plainWords($0).joined(separator: " ") })
    }

    /// "lawyers" is "lawyer"; "boss" stays.
    private static func singular(_ word: String) -> String {
        guard word.count > 3, word.hasSuffix("s"), !word.hasSuffix("ss") else { return word }
        return String(word.dropLast())
    }

    private static func counts(_ sets: [Set<String>]) -> [String: Int] {
        var counts: [String: Int] = [:]
        for value in sets.joined() { counts[value, default: 0] += 1 }
        return counts
    }

    /// The cosine of both sets, each of whose values weighs the more the rarer it is.
    private func overlap(
        _ one: Set<String>,
        _ other: Set<String>,
        _ counts: [String: Int]
    ) -> Float {
        func weight(_ values: Set<String>) -> Float {
            // In order, as sums of floating-point numbers depend on it.
            values.sorted().reduce(0) { sum, value in
                let rarity = log(Float(shows + 1) / Float(counts[value, default: 0] + 1)) + 0.1
                return sum + rarity * rarity
            }
        }
        let shared = one.intersection(other)
        guard !shared.isEmpty else { return 0 }
        return weight(shared) / (weight(one) * weight(other)).squareRoot()
    }
}
