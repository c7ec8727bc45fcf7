import Embedding
import Foundation
import StandIns

/// Text resources of the tests, as values.
enum Resource {
    struct Reference: Decodable {
        let text: String
        let tokens: [Int32]
        let vector: [Float]
    }

    static func read<Value: Decodable>(_ name: String) throws -> [Value] {
        guard
            let url = Bundle.module.url(
                forResource: name,
                withExtension: "json",
                subdirectory: "Resources"
            )
        else { throw Missing(description: "there is no resource \(name).json") }
        return try JSONDecoder().decode([Value].self, from: Data(contentsOf: url))
    }

    /// Why a test cannot run.
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }
}

/// The model, loaded once for all tests.
enum Model {
    static func loaded() throws -> MiniLM { try shared.get() }

    private static let shared = Result<MiniLM, any Error> {
        try MiniLM(directory: MiniLMFiles.directory())
    }
}
