import Catalogue
import Embedding
import Ingest
import Logging
import Primitives
import Similarity
import Synchronization

/// A show of the library that was looked for, and how well it fits.
public struct FoundShow: Sendable, Codable {
    public let name: String
    public let year: Int?
    public let tmdbID: Int?
    /// 0 to 1.
    public let score: Double
}

/// The index of titles, made anew when the library has changed.
struct TitleIndex: Sendable {
    let revision: Int64
    let shows: [Show]
    let search: TitleSearch

    init(_ contents: CatalogueContents) {
        revision = contents.revision
        shows = contents.shows
        search = TitleSearch(shows.map { TitleSearch.Title($0.titles, year: $0.details?.year) })
    }
}

extension Operations {
    /// Shows of the library by what somebody remembers of their titles: misspelt, a part, in
    /// another language, with the year or without.
    ///
    /// - Parameter text: As a person types it.
    /// - Returns: The best first, at most ten.
    /// - Throws: ``OperationError`` with code `.notFound` or `.invalid`.
    public func search(_ text: String) async throws(OperationError) -> [FoundShow] {
        guard !text.isEmpty else { throw OperationError(.invalid, "say what to look for") }
        let contents = await services.library.contents
        let index =
            titles.withLock { known in
                if known?.revision != contents.revision { known = nil }
                return known
            } ?? TitleIndex(contents)
        titles.withLock { $0 = index }
        let found = index.search.matches(for: text, most: 10).filter { $0.score >= Self.leastScore }
        guard !found.isEmpty else {
            throw OperationError(
                .notFound,
                "no show of the library is called anything like '\(text)'"
            )
        }
        return found.map { FoundShow(index.shows[$0.place], score: Double($0.score)) }
    }

    /// What is less like what was typed is not what was meant.
    private static let leastScore: Float = 0.3

    /// Shows of the library that are like one of them.
    ///
    /// - Parameter text: Its name, or `tmdb:209867`.
    /// - Returns: The most like it first, at most ten.
    /// - Throws: ``OperationError``: `.notFound`, `.ambiguous`, `.unavailable`.
    public func similar(to text: String) async throws(OperationError) -> [FoundShow] {
        let contents = await services.library.contents
        let shows = contents.shows.filter { $0.details != nil }
        let show = try show(text, in: shows)
        let embedder = await usableEmbedder()
        let vectors = try await currentVectors(of: shows, by: embedder)
        let facts = shows.map(\.facts)
        let likeness = Likeness(
            library: facts,
            shares: embedder.name == HashedEncoder().name ? .spelling : .meaning
        )
        let near = try await near(show, vectors, embedder)
        let scored = zip(shows, facts).filter { other, facts in
            other.id != show.id && (near.contains(other.id) || facts.shares(show.facts))
        }.map { other, facts in
            let both = vectors[show.id].flatMap { mine in vectors[other.id].map { (mine, $0) } }
            let score = likeness.likeness(of: show.facts, and: facts, vectors: both)
            return FoundShow(other, score: Double(score))
        }
        return Array(scored.sorted { $0.score > $1.score }.prefix(10))
    }

    private static let mostNear = 100

    private func near(
        _ show: Show,
        _ vectors: [Int64: [Float]],
        _ embedder: any Embedder
    ) async throws(OperationError) -> Set<Int64> {
        guard let vector = vectors[show.id] else { return [] }
        do throws(CatalogueError) {
            let near = try await services.library.nearest(
                to: vector,
                of: embedder.name,
                count: Self.mostNear
            )
            return Set(near.map(\.showID))
        } catch {
            throw OperationError(.unavailable, "cannot look for what is like it", cause: error)
        }
    }

    /// Makes the vectors of shows that have none yet or whose texts have changed.
    ///
    /// Nothing waits for it; who looks for something finds those that are there.
    public func renewVectors() async {
        let shows = await services.library.contents.shows.filter { $0.details != nil }
        let embedder = await usableEmbedder()
        _ = try? await currentVectors(of: shows, by: embedder)
    }

    /// The configured one; while that cannot be asked, the built-in one.
    private func usableEmbedder() async -> any Embedder {
        do throws(EmbeddingError) {
            return try await services.embedder()
        } catch {
            services.log.warning("there are no vectors of meaning: \(error)")
            return HashedEncoder()
        }
    }

    private static let vectorsAtOnce = 64

    private func currentVectors(
        of shows: [Show],
        by embedder: any Embedder
    ) async throws(OperationError) -> [Int64: [Float]] {
        let library = services.library
        do throws(CatalogueError) {
            let known = try await library.vectors(of: embedder.name)
            var current = Dictionary(known.map { ($0.showID, $0) }) { first, _ in first }
            let stale = shows.filter { current[$0.id]?.text != $0.facts.fingerprint }
            for start in stride(from: 0, to: stale.count, by: Self.vectorsAtOnce) {
                let some = Array(stale[start...].prefix(Self.vectorsAtOnce))
                let made: [[Float]]
                do throws(EmbeddingError) {
                    made = try await embedder.vectors(of: some.map(\.facts.text))
                } catch {
                    services.log.warning("\(stale.count - start) shows have no vector: \(error)")
                    break
                }
                let new = zip(some, made).map { show, vector in
                    ShowVector(showID: show.id, text: show.facts.fingerprint, vector: vector)
                }
                try await library.save(new, of: embedder.name)
                for vector in new { current[vector.showID] = vector }
            }
            return current.mapValues(\.vector)
        } catch {
            throw OperationError(.unavailable, "cannot keep vectors", cause: error)
        }
    }
}

extension FoundShow {
    fileprivate init(_ show: Show, score: Double) {
        self.init(
            name: show.name,
            year: show.details?.year,
            tmdbID: show.details?.tmdbID,
            score: score
        )
    }
}

extension Show {
    fileprivate var facts: ShowFacts {
        ShowFacts(
            name: name,
            originalName: details?.originalName ?? "",
            aliases: aliases.filter { $0 != name && $0 != details?.originalName },
            overview: details?.overview ?? "",
            genres: details?.genres ?? [],
            keywords: details?.keywords ?? [],
            cast: details?.cast ?? []
        )
    }
}

extension ShowFacts {
    fileprivate var fingerprint: UInt64 {
        var print = Fingerprint()
        print.add(text.utf8)
        return print.value
    }

    fileprivate func shares(_ other: ShowFacts) -> Bool {
        !Set(keywords).isDisjoint(with: other.keywords) || !Set(cast).isDisjoint(with: other.cast)
    }
}
