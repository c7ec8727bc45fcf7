import Catalogue
import Primitives
import Testing

/// Changes are whole, in an order, and can be taken back.
extension StoreRule {
    static let changes: [StoreRule] = [
        StoreRule("a change is refused when somebody else was faster") { store in
            let before = try await store.contents()
            var (first, second) = (CatalogueDraft(before), CatalogueDraft(before))
            try first.save(ShowDraft(systemName: "first"), replacing: nil, seconds: 0)
            try second.save(ShowDraft(systemName: "second"), replacing: nil, seconds: 0)
            try await store.commit(first.change(Origin(.person, "one"), seconds: 1))
            let error = await #expect(throws: CatalogueError.self) {
                try await store.commit(second.change(Origin(.person, "two"), seconds: 2))
            }
            #expect(error?.code == .conflict)
            #expect(try await store.contents().shows.map(\.systemName) == ["first"])
            #expect(
                try await store.journal(before: nil, count: 9).map(\.origin.operation) == ["one"]
            )
        },
        StoreRule("every change has an entry with its reason, the latest first") { store in
            #expect(try await store.journal(before: nil, count: 9).isEmpty)
            for number in 1...3 {
                try await store.change(Origin(.refresh, "step \(number)", reason: "é'\"\n")) {
                    draft throws(CatalogueError) in
                    try draft.save(ShowDraft(systemName: "S\(number)"), replacing: nil, seconds: 0)
                }
            }
            let entries = try await store.journal(before: nil, count: 2)
            #expect(entries.map(\.revision) == [3, 2])
            #expect(entries.first?.origin == Origin(.refresh, "step 3", reason: "é'\"\n"))
            #expect(entries.first?.seconds == 1_000)
            #expect(try await store.journal(before: 2, count: 9).map(\.revision) == [1])
            #expect(try await store.revision() == 3)
        },
        StoreRule("the inverse of a change brings back what was") { store in
            let details = ShowDetails(tmdbID: 7, name: "S", genres: ["Drama"])
            var draft = ShowDraft(systemName: "S", details: details, aliases: ["a"])
            let show = try await store.save(
                draft,
                episodes: [episode(1, name: "a"), episode(2, name: "b")]
            )
            try await store.apply(
                FileChange(records: [record("/a", showID: show.id), record("/b")])
            )
            let before = try await store.contents()
            try await store.change { change throws(CatalogueError) in
                draft.aliases = ["b"]
                draft.folder = "elsewhere"
                try change.save(
                    draft,
                    replacing: nil,
                    episodes: [episode(3, name: "c")],
                    seconds: 2
                )
                let (first, second) = (record("/a", size: 5), record("/c", showID: show.id))
                try change.apply(FileChange(records: [first, second], gone: [before.files[1].id]))
            }
            let entry = try await store.journal(before: nil, count: 1)[0]
            try await store.change { $0.apply(entry.inverse) }
            let after = try await store.contents()
            #expect(after.shows == before.shows)
            #expect(after.episodes == before.episodes)
            #expect(after.files == before.files)
            #expect(after.nextFileID > before.nextFileID)
        },
        StoreRule("the journal forgets what is too old, and more than it may hold") { store in
            let age = journalLimits.age
            let contents = try await store.contents()
            // The last is that of a clock far ahead: the latest stay all the same.
            for (number, seconds) in [(1, 0), (2, age + 10), (3, age + 20), (4, 9 * age)] {
                _ = try await store.change(
                    number == 1 ? contents : store.contents(),
                    Origin(.person, "step \(number)"),
                    seconds: seconds
                ) { draft throws(CatalogueError) in
                    try draft.save(ShowDraft(systemName: "S\(number)"), replacing: nil, seconds: 0)
                }
            }
            #expect(try await store.journal(before: nil, count: 9).map(\.revision) == [4, 3])
        },
        StoreRule("a clock that was set back loses nothing") { store in
            for (number, seconds) in [(1, 50_000_000), (2, 1_000), (3, 50_000_001)]
                as [(Int, Int64)]
            {
                let contents = try await store.contents()
                _ = try await store.change(
                    contents,
                    Origin(.person, "step \(number)"),
                    seconds: seconds
                ) { draft throws(CatalogueError) in
                    try draft.save(ShowDraft(systemName: "S\(number)"), replacing: nil, seconds: 0)
                }
                #expect(try await store.revision() == Int64(number))
                let latest = try await store.journal(before: nil, count: 1).first
                #expect(latest?.origin.operation == "step \(number)")
            }
            #expect(try await store.contents().shows.count == 3)
        },
        StoreRule("who waits for a change hears of it, and of none too much") { store in
            let revision = try await store.revision()
            async let heard: Void = store.waitForChange(since: revision)
            try await store.save(ShowDraft(systemName: "S"))
            try await heard
            #expect(try await store.revision() == revision + 1)
            let waiting = Task { try await store.waitForChange(since: revision + 1) }
            waiting.cancel()
            try await waiting.value
        },
        StoreRule("titles in every script and with every sign come back, in their order") { store in
            let titles = ["Ω", "é", "e\u{301}x", "日本", "a'b\"c\\d", "😀", "%_", "A", "a", "z"]
            for title in titles {
                try await store.save(ShowDraft(systemName: title, aliases: titles))
            }
            let shows = try await store.contents().shows
            #expect(shows.map(\.systemName) == titles)
            #expect(shows.map(\.id) == shows.map(\.id).sorted())
            #expect(shows.allSatisfy { Set($0.aliases) == Set(titles) })
        },
        StoreRule("a season of a thousand episodes and files of any size come back") { store in
            let many = (1...1_200).map { number in
                Episode(
                    showTMDBID: 7,
                    tmdbID: number,
                    season: number / 100,
                    number: number % 100,
                    absolute: number % 3 == 0 ? nil : number,
                    name: "Nº \(number)",
                    overview: String(repeating: "long ", count: 400),
                    airDate: number % 2 == 0 ? nil : "2020-01-02"
                )
            }
            try await store.save(
                ShowDraft(systemName: "S", details: ShowDetails(tmdbID: 7, name: "S")),
                episodes: many.shuffled()
            )
            let sizes: [UInt64] = [0, 1 << 32, UInt64(Int64.max)]
            try await store.apply(
                FileChange(records: sizes.map { record("/\($0)", size: $0, showID: 1) })
            )
            let contents = try await store.contents()
            #expect(contents.episodes == many.sorted { $0.key < $1.key })
            #expect(contents.files.map(\.file.size) == sizes)
        },
    ]
}
