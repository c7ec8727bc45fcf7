import Catalogue
import Primitives
import Testing

/// What is put in comes back, and keeps its numbers.
extension StoreRule {
    static let contents: [StoreRule] = [
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
            #expect(again.askedSeconds == 1_000)
            let revision = try await store.revision()
            try await store.noteAsked(2_000, about: 7)
            try await store.noteAsked(2_000, about: 99)
            #expect(try await store.contents().shows.first?.askedSeconds == 2_000)
            #expect(try await store.revision() == revision)
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
