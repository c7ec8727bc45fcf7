import Embedding
import Testing

@Suite struct HashedEncoderTests {
    private let encoder = HashedEncoder()

    private func nearness(_ one: String, _ other: String) -> Float {
        cosine(encoder.vector(of: one), encoder.vector(of: other))
    }

    @Test(arguments: ["", "Dark", "進撃の巨人", "?!", String(repeating: "ship at sea ", count: 900)])
    func everyVectorHasLengthOne(_ text: String) async throws {
        let vectors = try await encoder.vectors(of: [text])
        #expect(vectors.map(\.count) == [384])
        #expect(abs(nearness(text, text) - 1) < 1e-5)
    }

    @Test func vectorIsTheSameOnEveryMachine() {
        let vector = encoder.vector(of: "Game of Thrones")
        let places = vector.indices.filter { vector[$0] != 0 }
        #expect(places.prefix(6) == Self.places[...])
        #expect(places.count == Self.count)
    }

    /// Of this version; other vectors need another name of the encoder.
    private static let places = [0, 17, 58, 104, 109, 114]
    private static let count = 21

    @Test(arguments: [
        ("Braking Bad", "Breaking Bad", "Baking Bread"),
        ("Pokemon", "Pokémon", "Pocoyo"),
        ("Thrones Game", "Game of Thrones", "Squid Game"),
        ("Battlestar Galactia", "Battlestar Galactica", "Starstruck"),
        ("進撃の巨", "進撃の巨人", "巨人の星"),
    ])
    func misspeltIsNearerToTheRightOne(_ typed: String, _ right: String, _ wrong: String) {
        #expect(nearness(typed, right) > nearness(typed, wrong))
        #expect(nearness(typed, right) > 0.5)
    }

    @Test func caseAccentsAndPunctuationDoNotMatter() {
        #expect(abs(nearness("Schitt’s CREEK!", "schitts creek") - 1) < 1e-5)
        #expect(abs(nearness("Élite", "elite") - 1) < 1e-5)
    }
}
