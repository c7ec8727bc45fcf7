import Foundation
import StandIns
import Testing

@testable import Embedding

@Suite struct MiniLMTests {
    private static func reference() throws -> [Resource.Reference] {
        try Resource.read("minilm-reference")
    }

    @Test func piecesOfWordsAreThoseOfTheReference() throws {
        let words = try WordPiece(vocabulary: MiniLMFiles.directory() + "/vocab.txt")
        for reference in try Self.reference() {
            #expect(words.tokens(of: reference.text) == reference.tokens, "\(reference.text)")
        }
    }

    @Test func vectorsAreThoseOfTheReference() async throws {
        let reference = try Self.reference()
        let vectors = try await Model.loaded().vectors(of: reference.map(\.text))
        try #require(vectors.count == reference.count)
        var largest: Float = 0
        for (vector, reference) in zip(vectors, reference) {
            try #require(vector.count == 384)
            for (one, other) in zip(vector, reference.vector) {
                largest = max(largest, abs(one - other))
            }
        }
        print("largest difference from the reference: \(largest)")
        #expect(largest < 1e-5)
    }

    @Test func vectorDoesNotDependOnTheTextsBesideIt() async throws {
        let texts = try Self.reference().map(\.text)
        let together = try await Model.loaded().vectors(of: texts)
        for place in [0, 5, texts.count - 1] {
            let alone = try await Model.loaded().vectors(of: [texts[place]])
            #expect(alone == [together[place]])
        }
    }

    @Test func noTextsGiveNoVectors() async throws {
        #expect(try await Model.loaded().vectors(of: []) == [])
    }

    @Test func cancelledCallEndsWithoutVectors() async throws {
        let model = try Model.loaded()
        let task = Task { () async -> EmbeddingError.Code? in
            do throws(EmbeddingError) {
                let text = String(repeating: "ship ", count: 300)
                _ = try await model.vectors(of: Array(repeating: text, count: 10_000))
                return nil
            } catch { return error.code }
        }
        task.cancel()
        #expect(await task.value == .cancelled)
    }

    // MARK: Files that are not the model

    private func message(in directory: String) -> String? {
        do throws(EmbeddingError) {
            _ = try MiniLM(directory: directory)
            return nil
        } catch {
            #expect(error.code == .notConfigured)
            return error.description
        }
    }

    private func folder(_ tensors: (String) throws -> Void) throws -> String {
        let folder = FileManager.default.temporaryDirectory.path + "/minilm-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: folder + "/vocab.txt",
            withDestinationPath: MiniLMFiles.directory() + "/vocab.txt"
        )
        try tensors(folder + "/model.safetensors")
        return folder
    }

    @Test func missingVocabularyIsNamed() {
        #expect(message(in: "/nowhere")?.contains("'/nowhere/vocab.txt'") == true)
    }

    @Test func missingTensorsAreNamed() throws {
        let folder = try folder { _ in }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let message = try #require(self.message(in: folder))
        #expect(message.contains("'\(folder)/model.safetensors'"))
        #expect(message.contains("No such file"))
    }

    @Test func shortFileIsToldFromAForeignOne() throws {
        let whole = try MiniLMFiles.directory() + "/model.safetensors"
        let folder = try folder { path in
            let file = try #require(FileHandle(forReadingAtPath: whole))
            let start = try #require(try file.read(upToCount: 1 << 20))
            try start.write(to: URL(fileURLWithPath: path))
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let message = try #require(self.message(in: folder))
        #expect(message.contains("it ends at byte 1048576"))
        #expect(message.contains("fetch it again"))
    }

    @Test(arguments: [
        ("", "fewer than 8 bytes"),
        ("<html>not found</html>", "cannot hold a header"),
        ("\u{2}\0\0\0\0\0\0\0[]", "no JSON object"),
        ("\u{2}\0\0\0\0\0\0\0{}", "no tensor 'embeddings.word_embeddings.weight'"),
        ("\u{15}\0\0\0\0\0\0\0{\"a\":{\"dtype\":\"F32\"}}", "wrong about 'a'"),
    ])
    func foreignFileIsRefused(_ content: String, _ why: String) throws {
        let folder = try folder { path in
            try Data(content.utf8).write(to: URL(fileURLWithPath: path))
        }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let message = try #require(self.message(in: folder))
        #expect(message.contains(why), "\(message)")
    }

    @Test func foreignVocabularyIsRefused() throws {
        let folder = try folder { path in try Data().write(to: URL(fileURLWithPath: path)) }
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.removeItem(atPath: folder + "/vocab.txt")
        try Data("a\nb\n".utf8).write(to: URL(fileURLWithPath: folder + "/vocab.txt"))
        #expect(message(in: folder)?.contains("it has 2 pieces, not 30522") == true)
    }
}
