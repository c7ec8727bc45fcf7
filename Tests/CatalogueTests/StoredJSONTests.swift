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

    /// What is read by hand for speed is what JSONDecoder reads, also of what nobody wrote.
    @Test func whatIsReadDirectlyIsWhatTheDecoderReads() throws {
        var decision = Decision(
            placement: Placement(showID: -30, season: 2, episodes: [7, 18], airDate: "2020-01-02"),
            rule: "Café",
            confidence: 0.97,
            candidates: ["Dark", "1899"],
            traits: FileTraits(isProper: false, part: 1, flags: ["sdh"]),
            spans: Spans([Spans.Span(fact: "title", bytes: 0..<4)]),
            by: .person
        )
        for by in [Decision.Decider.person, nil] {
            decision.by = by
            let written = Array(try StoredJSON.text(decision).utf8)
            for place in written.indices {
                var texts = [Array(written[..<place]), written, written]
                texts[1].remove(at: place)
                texts[2].insert(written[place], at: place)
                for byte in "\"\\ 0-9.e,:{}[]n".utf8 + [0, 0xFF] {
                    texts.append(written)
                    texts[texts.endIndex - 1][place] = byte
                }
                for text in texts {
                    let decoded = try? JSONDecoder().decode(Decision.self, from: Data(text))
                    let read = try? StoredJSON.value(Data(text), of: "it") as Decision
                    #expect(read == decoded, "\(String(decoding: text, as: UTF8.self))")
                }
            }
        }
        for number in ["9223372036854775807", "9223372036854775808", "-9223372036854775808", "-0"] {
            let text = #"{"episodes":[\#(number)],"season":1,"showID":2}"#
            let json =
                #"{"candidates":[],"confidence":-0,"placement":\#(text),"rule":"","traits":{"flags":[],"version":1}}"#
            let decoded = try? JSONDecoder().decode(Decision.self, from: Data(json.utf8))
            let read = try? StoredJSON.value(Data(json.utf8), of: "it") as Decision
            #expect(read == decoded)
        }
    }

    @Test(arguments: texts) func listsAreWrittenAsEverythingElse(_ text: String) throws {
        for list in [[], [text], [text, "b", text]] {
            let written = try StoredJSON.text(list)
            #expect(try written == Self.byEncoder(list))
            #expect(StoredJSON.value(written) == list)
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
