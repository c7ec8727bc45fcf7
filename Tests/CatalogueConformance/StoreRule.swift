public import Catalogue
import Foundation
import Primitives
public import Testing

/// A rule that every catalogue store keeps.
///
/// Each store's own tests run all of them, with a new, empty store for each.
public struct StoreRule: CustomTestStringConvertible, Sendable {
    public let testDescription: String
    public let check: @Sendable (any CatalogueStore) async throws -> Void

    init(
        _ description: String,
        _ check: @Sendable @escaping (any CatalogueStore) async throws -> Void
    ) {
        testDescription = description
        self.check = check
    }

    static func record(
        _ path: String,
        size: UInt64 = 1,
        newShow: ShowDraft? = nil,
        showID: Int64 = 0
    ) -> FileChange.Record {
        FileChange.Record(
            file: RemoteFile(path: RemotePath(path), size: size, modifiedSeconds: 5),
            kind: .video,
            decision: Decision(
                placement: newShow == nil && showID == 0
                    ? nil : Placement(showID: showID, season: 1, episodes: [1, 2]),
                rule: "r\"u\\le é",
                confidence: 0.5,
                candidates: ["a", "b"],
                traits: FileTraits(resolution: "1080p", flags: ["forced"]),
                spans: Spans([.init(fact: "title", bytes: 1..<5)])
            ),
            newShow: newShow
        )
    }

    static func episode(_ number: Int, name: String) -> Episode {
        Episode(
            showTMDBID: 7,
            tmdbID: 70 + number,
            season: 1,
            number: number,
            absolute: number,
            name: name,
            overview: "o",
            airDate: "2020-01-0\(number)"
        )
    }

    /// With these each store is made for its rules.
    public static let journalLimits = JournalLimits(least: 2)

    public static let all: [StoreRule] = contents + changes + keeping
}

extension CatalogueStore {
    /// Makes a change of a test's, on whatever is there.
    @discardableResult
    public func change<Value>(
        _ origin: Origin = Origin(.person, "test"),
        _ body: (inout CatalogueDraft) throws(CatalogueError) -> Value
    ) async throws(CatalogueError) -> Value {
        let contents = try await self.contents()
        return try await change(contents, origin, seconds: 1_000, body).value
    }

    func apply(_ files: FileChange) async throws(CatalogueError) {
        try await change { draft throws(CatalogueError) in try draft.apply(files) }
    }

    @discardableResult
    func save(
        _ show: ShowDraft,
        replacing id: Int64? = nil,
        episodes: [Episode] = []
    ) async throws(CatalogueError) -> Show {
        try await change { draft throws(CatalogueError) in
            try draft.save(show, replacing: id, episodes: episodes, seconds: 1_000)
        }
    }
}
