import Catalogue
import Foundation
import Testing

@Suite struct StoredJSONTests {
    private static func byEncoder(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private static let texts =
        ["", "a/b", "Café 🎬", "\"quoted\" \\ back", "e\u{301}\u{2028}\u{7F}"]
        + (UInt8(0)..<0x21).map { "x\(Character(UnicodeScalar($0)))y" }

    @Test(arguments: texts, [0, 0.001, 0.07, 0.5, 1.0 / 3, 0.1 + 0.2, 1, 0.0004, 1e-9])
    func manyDecisionsAreWrittenAsEverythingElse(_ text: String, confidence: Double) throws {
        let bare = Decision(placement: nil, rule: text, confidence: confidence)
        let full = Decision(
            placement: Placement(showID: -3, season: 2, episodes: [7, 8], airDate: text),
            rule: text,
            confidence: confidence,
            candidates: [text, "Dark"],
            traits: FileTraits(
                resolution: text,
                source: text,
                isProper: true,
                group: text,
                version: 2,
                episodeTitle: text,
                part: 1,
                language: text,
                flags: [text, "sdh"]
            ),
            spans: Spans([Spans.Span(fact: text, bytes: 0..<4)]),
            by: .languageModel
        )
        for decision in [bare, full] {
            let written = try StoredJSON.text(decision)
            #expect(try written == Self.byEncoder(decision))
            #expect(StoredJSON.value(written) == decision)
        }
    }

    @Test(arguments: texts) func listsAreWrittenAsEverythingElse(_ text: String) throws {
        for list in [[], [text], [text, "b", text]] {
            #expect(try StoredJSON.text(list) == Self.byEncoder(list))
        }
        for names in [[:], ["a": text], [text: "b", "c": text]] {
            #expect(try StoredJSON.text(names) == Self.byEncoder(names))
        }
    }

    /// What is written by hand for speed is what JSONEncoder writes.
    @Test(arguments: texts) func manyEpisodesAreWrittenAsEverythingElse(_ text: String) throws {
        var edits = CatalogueEdits()
        edits.shows = [Show(id: 3, systemName: text, details: nil)]
        edits.removedFiles = [1, 2]
        for number in 0..<3 {
            edits.episodes.append(
                Episode(
                    showTMDBID: 70_523,
                    tmdbID: -number,
                    season: 1,
                    number: number,
                    absolute: number == 0 ? nil : number,
                    name: text,
                    overview: number == 1 ? text : "",
                    airDate: number == 2 ? text : nil,
                    type: text
                )
            )
        }
        #expect(try StoredJSON.text(edits) == Self.byEncoder(edits))
        let entry = JournalEntry(
            revision: 7,
            seconds: -1,
            origin: Origin(.person, text, reason: text),
            inverse: edits
        )
        #expect(try StoredJSON.text(entry) == Self.byEncoder(entry))
        let read: JournalEntry? = StoredJSON.value(try StoredJSON.text(entry))
        #expect(read == entry)
    }
}
