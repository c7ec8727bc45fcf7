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

    private static func record(
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

    private static func episode(_ number: Int, name: String) -> Episode {
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

    public static let all: [StoreRule] = [
        StoreRule("a new catalogue is empty") { store in
            let contents = try await store.contents()
            #expect(contents.shows.isEmpty && contents.episodes.isEmpty && contents.files.isEmpty)
        },
        StoreRule("a file comes back as it was recorded") { store in
            let path = RemotePath(bytes: [0x2F, 0xE9, 0x0A, 0x27])
            let record = FileChange.Record(
                file: RemoteFile(path: path, size: 1 << 40, modifiedSeconds: -5),
                kind: .subtitle,
                decision: record("/x").decision
            )
            try await store.apply(FileChange(records: [record]))
            let file = try await store.contents().files.first
            #expect(file?.file == record.file)
            #expect(file?.kind == .subtitle)
            #expect(file?.decision == record.decision)
        },
        StoreRule("a known path keeps its number, and numbers are not used again") { store in
            try await store.apply(FileChange(records: [record("/a"), record("/b")]))
            let first = try await store.contents().files
            try await store.apply(FileChange(records: [record("/a", size: 9)], gone: [first[1].id]))
            try await store.apply(FileChange(records: [record("/c")]))
            let files = try await store.contents().files
            #expect(files.map(\.id).first == first[0].id)
            #expect(files.first?.file.size == 9)
            #expect(files.last?.id ?? 0 > first[1].id)
        },
        StoreRule("a new show is made once for all its files") { store in
            let draft = ShowDraft(systemName: "Quiet Harbour")
            try await store.apply(
                FileChange(records: [record("/a", newShow: draft), record("/b", newShow: draft)])
            )
            let contents = try await store.contents()
            #expect(contents.shows.count == 1)
            let id = contents.shows.first?.id
            #expect(contents.files.allSatisfy { $0.decision.placement?.showID == id })
        },
        StoreRule("a show that was a name becomes a known one and keeps its number") { store in
            let draft = ShowDraft(systemName: "Quiet Harbour")
            try await store.apply(FileChange(records: [record("/a", newShow: draft)]))
            let id = try await store.contents().shows.first?.id
            let details = ShowDetails(
                tmdbID: 7,
                name: "Quiet, Harbour",
                originalName: "港",
                overview: "o",
                firstAired: "2020-01-01",
                status: "Ended",
                countries: ["GB"],
                externalIDs: ["imdb": "tt1"]
            )
            let saved = try await store.save(
                ShowDraft(systemName: "Quiet, Harbour", details: details, aliases: ["A, B", "C"]),
                replacing: id,
                episodes: [episode(1, name: "one"), episode(2, name: "two")]
            )
            #expect(saved.id == id)
            let contents = try await store.contents()
            #expect(contents.shows == [saved])
            #expect(contents.shows.first?.details == details)
            #expect(contents.shows.first?.aliases == ["A, B", "C"])
            #expect(contents.episodes == [episode(1, name: "one"), episode(2, name: "two")])
        },
        StoreRule("saving a show again renews its episodes and drops those that are gone") {
            store in
            var draft = ShowDraft(
                systemName: "S",
                details: ShowDetails(
                    tmdbID: 7,
                    name: "S",
                    contentRating: "16",
                    artwork: ["poster": "/p"],
                    genres: ["Drama"],
                    keywords: ["sea"],
                    cast: ["A. B."]
                )
            )
            draft.folder = "s"
            let first = try await store.save(
                draft,
                replacing: nil,
                episodes: [episode(1, name: "a"), episode(2, name: "b")]
            )
            let again = try await store.save(
                draft,
                replacing: nil,
                episodes: [episode(2, name: "B"), episode(3, name: "c")]
            )
            #expect(first.id == again.id)
            let contents = try await store.contents()
            #expect(contents.episodes.map(\.name) == ["B", "c"])
            #expect(contents.shows == [again])
            #expect(again.folder == "s" && again.details == draft.details)
            // When that was is known, so that it is asked about again in time.
            let age = Int64(Date().timeIntervalSince1970) - (contents.askedSeconds[7] ?? 0)
            #expect((-60...600).contains(age))
        },
        StoreRule("other titles are kept, unless they were another show's") { store in
            var draft = ShowDraft(
                systemName: "S",
                details: ShowDetails(tmdbID: 7, name: "S"),
                aliases: ["a"]
            )
            let first = try await store.save(draft, replacing: nil, episodes: [])
            draft.aliases = ["b"]
            #expect(
                try await store.save(draft, replacing: nil, episodes: []).aliases == ["a", "b"]
            )
            draft.aliases = ["c"]
            draft.replacesAliases = true
            let last = try await store.save(draft, replacing: first.id, episodes: [])
            #expect(last.aliases == ["c"])
            #expect(try await store.contents().shows == [last])
        },
        StoreRule("a change that fails leaves nothing behind") { store in
            let draft = ShowDraft(systemName: "S", details: ShowDetails(tmdbID: 7, name: "S"))
            await #expect(throws: CatalogueError.self) {
                try await store.save(draft, replacing: 99, episodes: [])
            }
            await #expect(throws: CatalogueError.self) {
                try await store.apply(
                    FileChange(records: [record("/a"), record("/b", showID: 99)])
                )
            }
            let contents = try await store.contents()
            #expect(contents.files.isEmpty && contents.shows.isEmpty)
        },
        StoreRule("directory times come back, and go when they are removed") { store in
            let stamp = DirectoryStamp(listing: .max - 3, modifiedSeconds: 12)
            try await store.saveDirectoryStamps([.max: stamp, 5: stamp], removed: [])
            try await store.saveDirectoryStamps([:], removed: [5])
            #expect(try await store.directoryStamps() == [.max: stamp])
        },
        StoreRule("what a service answered comes back until it is answered anew") { store in
            let first = KeptAnswer(source: "s", question: "q?", tag: "t", answer: [0, 0xFF, 10])
            try await store.keep(first)
            #expect(try await store.keptAnswer(of: "s", to: "q?") == first)
            #expect(try await store.keptAnswer(of: "s", to: "q") == nil)
            #expect(try await store.keptAnswer(of: "x", to: "q?") == nil)
            let second = KeptAnswer(source: "s", question: "q?", answer: [])
            try await store.keep(second)
            #expect(try await store.keptAnswer(of: "s", to: "q?") == second)
        },
        StoreRule("of what services answered the oldest gives way") { store in
            let half = [UInt8](repeating: 7, count: CatalogueLimits.answerBytes / 2)
            for question in ["a", "b", "c"] {
                try await store.keep(KeptAnswer(source: "s", question: question, answer: half))
            }
            try await store.keep(KeptAnswer(source: "other", question: "a", answer: half))
            #expect(try await store.keptAnswer(of: "s", to: "a") == nil)
            #expect(try await store.keptAnswer(of: "s", to: "b")?.answer == half)
            #expect(try await store.keptAnswer(of: "s", to: "c")?.answer == half)
            #expect(try await store.keptAnswer(of: "other", to: "a") != nil)
        },
        StoreRule("writers at once do not lose each other's files") { store in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        try await store.apply(FileChange(records: [record("/\(number)")]))
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.contents().files.count == 20)
        },
    ]
}
