import Similarity
import Testing

@Suite struct TitleSearchTests {
    private let titles: [Resource.Title]
    private let queries: [Resource.Query]
    private let library: [TitleSearch.Title]
    private let search: TitleSearch

    init() throws {
        titles = try Resource.read("titles")
        queries = try Resource.read("queries")
        library = titles.map { TitleSearch.Title([$0.name] + $0.aliases, year: $0.year) }
        search = TitleSearch(library)
    }

    @Test func whatIsTypedFindsTheShow() {
        let wrong = queries.filter { !finds($0, search) }
        #expect(Double(wrong.count) <= 0.1 * Double(queries.count))
    }

    /// Whether the right show is among the first `most`.
    private func finds(_ query: Resource.Query, _ search: TitleSearch, most: Int = 1) -> Bool {
        search.matches(for: query.query, most: most).contains { match in
            guard titles.indices.contains(match.place) else { return false }
            let title = titles[match.place]
            return title.name == query.name && title.year == query.year
        }
    }

    @Test func everyNameFindsItsOwnShow() {
        for title in titles {
            for name in [title.name] + title.aliases {
                let found = search.matches(for: "\(name) \(title.year)", most: 2)
                #expect(found.contains { titles[$0.place].name == title.name }, "\(name)")
            }
        }
    }

    @Test(arguments: ["", "?!", "   ", "qqqqxxxx"])
    func nothingIsFoundByNothing(_ query: String) {
        #expect(search.matches(for: query).allSatisfy { $0.score < 0.4 })
    }

    @Test func eachShowComesOnceAndTheNameIsTheOneTyped() {
        let found = search.matches(for: "haus des geldes")
        #expect(found.first?.name == "Haus des Geldes")
        #expect(Set(found.map(\.place)).count == found.count)
    }

    @Test func emptyLibraryHasNothing() {
        #expect(TitleSearch([]).matches(for: "dark").isEmpty)
        #expect(TitleSearch([.init(["?"]), .init([])]).matches(for: "dark").isEmpty)
    }

    @Test func theShowIsFoundAmongTensOfThousands() {
        let large = TitleSearch(library + invented(50_000 - titles.count))
        // An invented "House on the Hill" is as good an answer to "hill house".
        let wrong = queries.filter { !finds($0, large, most: 10) }
        #expect(Double(wrong.count) <= 0.1 * Double(queries.count))
    }

    /// Titles made of words of the real ones, so that every word of a query is common.
    private func invented(_ count: Int) -> [TitleSearch.Title] {
        let words = library.flatMap(\.names).flatMap { $0.split(separator: " ") }
        var state: UInt64 = 1
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        return (0..<count).map { _ in
            let words = (0...(1 + next(4))).map { _ in String(words[next(words.count)]) }
            return TitleSearch.Title([words.joined(separator: " ")], year: 1950 + next(75))
        }
    }
}
