import Foundation
import Similarity

/// Text resources of the tests, as values.
enum Resource {
    struct LabelledShow: Decodable {
        let family: String
        let name: String
        let originalName: String
        let year: Int
        let overview: String
        let genres: [String]
        let keywords: [String]
        let cast: [String]

        var facts: ShowFacts {
            ShowFacts(
                name: name,
                originalName: originalName,
                overview: overview,
                genres: genres,
                keywords: keywords,
                cast: cast
            )
        }
    }

    struct Title: Decodable {
        let name: String
        let year: Int
        let aliases: [String]
    }

    struct Query: Decodable {
        let kind: String
        let query: String
        let name: String
        let year: Int
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
