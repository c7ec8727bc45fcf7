import Embedding
import Similarity
import StandIns
import Testing

@Suite struct LikenessTests {
    private let shows: [Resource.LabelledShow]

    init() throws {
        shows = try Resource.read("shows")
    }

    /// The share of the three nearest shows of each that are of its family.
    private func share(_ likeness: (Int, Int) -> Float) -> Double {
        var right = 0
        for one in shows.indices {
            let nearest = shows.indices.filter { $0 != one }
                .map { ($0, likeness(one, $0)) }
                .sorted { $0.1 > $1.1 }
                .prefix(3)
            right += nearest.count { shows[$0.0].family == shows[one].family }
        }
        return Double(right) / Double(3 * shows.count)
    }

    private func shares(
        _ embedder: some Embedder,
        _ shares: Likeness.Shares
    ) async throws -> (alone: Double, joined: Double) {
        let facts = shows.map(\.facts)
        let vectors = try await embedder.vectors(of: facts.map(\.text))
        let likeness = Likeness(library: facts, shares: shares)
        let alone = share { cosine(vectors[$0], vectors[$1]) }
        let joined = share { one, other in
            likeness.likeness(
                of: facts[one],
                and: facts[other],
                vectors: (vectors[one], vectors[other])
            )
        }
        print("\(embedder.name): top 3 of the family: \(alone) by vectors, \(joined) joined")
        return (alone, joined)
    }

    @Test func meaningPutsShowsOfOneFamilyTogether() async throws {
        let (alone, joined) = try await shares(MiniLM(directory: MiniLMFiles.directory()), .meaning)
        #expect(alone >= 0.8)
        #expect(joined >= 0.85)
    }

    @Test func withoutAModelGenresKeywordsAndCastDo() async throws {
        let (_, joined) = try await shares(HashedEncoder(), .spelling)
        #expect(joined >= 0.8)
    }

    @Test func withoutVectorsTheRestDecides() {
        let facts = shows.map(\.facts)
        let likeness = Likeness(library: facts, shares: .spelling)
        let joined = share { likeness.likeness(of: facts[$0], and: facts[$1], vectors: nil) }
        print("no vectors: top 3 of the family: \(joined)")
        #expect(joined >= 0.8)
    }

    @Test func likenessIsTheSameInBothDirectionsAndOneForItself() {
        let facts = shows.map(\.facts)
        let likeness = Likeness(library: facts, shares: .meaning)
        let (one, other) = (facts[0], facts[1])
        let there = likeness.likeness(of: one, and: other, vectors: nil)
        #expect(there == likeness.likeness(of: other, and: one, vectors: nil))
        #expect(there > 0 && there < 1)
        #expect(abs(likeness.likeness(of: one, and: one, vectors: ([1], [1])) - 1) < 1e-5)
    }

    @Test func rareKeywordTellsMoreThanACommonGenre() {
        let library = [
            ShowFacts(name: "A", genres: ["Drama"], keywords: ["time loop", "village"]),
            ShowFacts(name: "B", genres: ["Comedy"], keywords: ["time loop", "office"]),
            ShowFacts(name: "C", genres: ["Drama"], keywords: ["farm"]),
            ShowFacts(name: "D", genres: ["Drama"], keywords: ["harbour"]),
            ShowFacts(name: "E", genres: ["Drama"], keywords: ["school"]),
        ]
        let likeness = Likeness(library: library, shares: .spelling)
        let ofLoop = likeness.likeness(of: library[0], and: library[1], vectors: nil)
        #expect(ofLoop > 0.2)
        #expect(likeness.likeness(of: library[1], and: library[2], vectors: nil) == 0)
    }

    @Test func showWithoutFactsIsLikeNoOther() {
        let likeness = Likeness(library: [], shares: .spelling)
        let nothing = ShowFacts(name: "")
        #expect(likeness.likeness(of: nothing, and: nothing, vectors: nil) == 0)
    }

    @Test func textHoldsWhatAShowIsAbout() {
        let show = ShowFacts(
            name: "Dark",
            originalName: "Dunkel",
            overview: "Children disappear.",
            genres: ["Drama", "Mystery"],
            keywords: ["time travel"],
            cast: ["Louis Hofmann"]
        )
        #expect(show.text == "Drama, Mystery: time travel. Children disappear. Dark (Dunkel).")
        #expect(ShowFacts(name: "Who?", originalName: "Who?").text == "Who?")
    }
}
