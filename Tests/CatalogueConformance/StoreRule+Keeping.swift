import Catalogue
import Foundation
import Primitives
import Synchronization
import Testing

/// What is kept beside the library.
extension StoreRule {
    private static let stamp = DirectoryStamp(listing: .max - 3, modifiedSeconds: 12)

    static let keeping: [StoreRule] = [
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
        StoreRule("what was saved in the database's own form comes back") { store in
            let show = ShowDraft(systemName: "S", details: ShowDetails(tmdbID: 7, name: "S"))
            try await store.save(show, episodes: [episode(1, name: "one")])
            try await store.apply(FileChange(records: [record("/a", showID: 1), record("/b")]))
            let before = try await store.copy()
            let path = FileManager.default.temporaryDirectory.path + "/backup-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: path) }
            // Milvus has none for a catalogue alone.
            guard try await store.backUp(to: path) else { return }
            try await store.save(ShowDraft(systemName: "later"))
            let revision = try await store.revision()
            try await store.restore(from: path)
            #expect(try await store.copy().tallies == before.tallies)
            #expect(try await store.revision() > revision)
            try await store.save(ShowDraft(systemName: "later still"))
            #expect(try await store.contents().shows.count == 2)
        },
        StoreRule("a right that one has is not given to another") { store in
            #expect(try await store.lease("scan", to: "one", seconds: 3_600) == nil)
            #expect(try await store.lease("scan", to: "two", seconds: 3_600) == "one")
            #expect(try await store.lease("scan", to: "one", seconds: 3_600) == nil)
            #expect(try await store.lease("other", to: "two", seconds: 3_600) == nil)
            try await store.endLease("scan", of: "two")
            #expect(try await store.lease("scan", to: "two", seconds: 3_600) == "one")
            try await store.endLease("scan", of: "one")
            #expect(try await store.lease("scan", to: "two", seconds: 3_600) == nil)
        },
        StoreRule("a right ends with its time") { store async throws in
            #expect(try await store.lease("scan", to: "one", seconds: -1) == nil)
            #expect(try await store.lease("scan", to: "two", seconds: 3_600) == nil)
        },
        StoreRule("the nearest vectors are found, and go with their shows") { store in
            for name in ["a", "b", "c"] { try await store.save(ShowDraft(systemName: name)) }
            func vector(_ show: Int64, _ first: Float, _ second: Float) -> ShowVector {
                ShowVector(showID: show, text: .max - UInt64(show), vector: [first, second])
            }
            let all = [vector(1, 1, 0), vector(2, 0.8, 0.6), vector(3, 0, 1)]
            try await store.save(all + [vector(99, 1, 0)], of: "one")
            try await store.save([vector(1, 0, 1)], of: "other")
            #expect(try await store.vectors(of: "one") == all)
            #expect(try await store.vectors(of: "none").isEmpty)
            let near = try await store.nearest(to: [1, 0], of: "one", count: 2)
            #expect(near.map(\.showID) == [1, 2])
            #expect(near.allSatisfy { (0.79...1.001).contains($0.nearness) })
            #expect(try await store.nearest(to: [1, 0], of: "none", count: 2).isEmpty)
            try await store.save([vector(1, 0, 1)], of: "one")
            try await store.change { draft throws(CatalogueError) in
                var edits = CatalogueEdits()
                edits.removedShows = [3]
                draft.apply(edits)
            }
            #expect(
                try await store.nearest(to: [0, 1], of: "one", count: 9).map(\.showID) == [1, 2]
            )
        },
        StoreRule("everything of another store takes the place of all that is there") { store in
            try await store.save(ShowDraft(systemName: "old"))
            try await store.apply(FileChange(records: [record("/old", showID: 1)]))
            try await store.saveDirectoryStamps([1: stamp], removed: [])
            let old = try await store.copy()
            try await store.save(
                ShowDraft(systemName: "new", details: ShowDetails(tmdbID: 7, name: "N")),
                episodes: [episode(1, name: "one")]
            )
            try await store.apply(FileChange(records: [record("/new", showID: 2)], gone: [1]))
            try await store.keep(KeptAnswer(source: "s", question: "q", tag: "t", answer: [1]))
            try await store.saveDirectoryStamps([.max: stamp], removed: [1])
            let new = try await store.copy()
            #expect(new.tallies.map(\.rows) == [2, 1, 1, 4, 1, 1])
            let revision = try await store.revision()
            try await store.replaceAll(with: old)
            #expect(try await store.revision() > revision)
            #expect(try await store.contents().nextShowID >= new.contents.nextShowID)
            #expect(try await store.copy().tallies == old.tallies)
            try await store.replaceAll(with: new)
            #expect(try await store.copy().tallies == new.tallies)
            #expect(try await store.problems().isEmpty)
        },
        StoreRule("a move that was broken off goes on where it stopped; half of it is no library") {
            store in
            let copy = moving(shows: 3)
            await breakOff(copy, mark: "three", into: store)
            #expect(try await store.isHalfMoved())
            await #expect(throws: CatalogueError.self) { try await store.contents() }
            await #expect(throws: CatalogueError.self) { try await store.revision() }
            let change = CatalogueDraft(CatalogueContents()).change(
                Origin(.person, "t"),
                seconds: 1
            )
            await #expect(throws: CatalogueError.self) { try await store.commit(change) }
            let begun = Mutex<[Int]>([])
            try await store.moveIn(copy, mark: "three") { rows in begun.withLock { $0.append(rows) }
            }
            #expect(begun.withLock { $0.first } ?? 0 >= 3)
            #expect(begun.withLock { $0.last } == copy.rows)
            #expect(try await !store.isHalfMoved())
            #expect(try await store.copy().tallies == copy.tallies)
            // Something else begins anew, over the half of the first.
            let other = moving(shows: 2)
            await breakOff(other, mark: "two", into: store)
            try await store.moveIn(copy, mark: "three") { _ in }
            #expect(try await store.copy().tallies == copy.tallies)
            // And what replaces all ends it, too.
            await breakOff(other, mark: "two", into: store)
            try await store.replaceAll(with: copy)
            #expect(try await store.copy().tallies == copy.tallies)
            try await store.save(ShowDraft(systemName: "new"))
            #expect(try await store.contents().shows.count == 4)
        },
        StoreRule("of two moves at a time one gives way") { store in
            // Where a move is one transaction there is nothing between two parts.
            guard let store = store as? any MoveTarget else { return }
            let (one, other) = (moving(shows: 3), moving(shows: 2))
            #expect(try await store.beginMove("one") == 0)
            try await store.put(one, of: one, MoveStep(mark: "one", partsBefore: 0))
            #expect(try await store.beginMove("other") == 0)
            let late = MoveStep(mark: "one", partsBefore: 1)
            await gives(.conflict) { () async throws(CatalogueError) in
                try await store.put(one, of: one, late)
            }
            await gives(.conflict) { () async throws(CatalogueError) in
                try await store.endMove(one, late)
            }
            let first = MoveStep(mark: "other", partsBefore: 0)
            try await store.put(other, of: other, first)
            await gives(.conflict) { () async throws(CatalogueError) in
                try await store.put(other, of: other, first)
            }
            try await store.endMove(other, MoveStep(mark: "other", partsBefore: 1))
            #expect(try await store.copy().tallies == other.tallies)
        },
        StoreRule("a sound catalogue has no problems, and tells what it holds") { store in
            try await store.save(ShowDraft(systemName: "S"))
            try await store.apply(FileChange(records: [record("/a", showID: 1)]))
            #expect(try await store.problems().isEmpty)
            let statistics = try await store.statistics()
            #expect(statistics.contains { $0.name == "revision" && $0.value == "2" })
            #expect(statistics.contains { $0.name == "tv_shows" && $0.value.hasPrefix("1 row") })
            #expect(
                statistics.contains { $0.name == "downloaded_files" && $0.value.hasPrefix("1 row") }
            )
        },
    ]
    private static func moving(shows count: Int64) -> CatalogueCopy {
        let shows = (1...count).map { number in
            Show(
                id: number,
                systemName: "show \(number)",
                details: ShowDetails(tmdbID: Int(number) + 6, name: "N"),
                aliases: []
            )
        }
        return CatalogueCopy(
            contents: CatalogueContents(
                shows: shows,
                episodes: (1...4).map { episode($0, name: "e") },
                revision: 5
            ),
            stamps: [1: stamp]
        )
    }

    private static func gives(
        _ code: CatalogueError.Code,
        _ body: () async throws(CatalogueError) -> Void
    ) async {
        do throws(CatalogueError) {
            try await body()
            Issue.record("nothing was refused")
        } catch {
            #expect(error.code == code)
        }
    }

    /// Moves until the first rows are there, and no further.
    private static func breakOff(
        _ copy: CatalogueCopy,
        mark: String,
        into store: any CatalogueStore
    ) async {
        await #expect(throws: CatalogueError.self) {
            try await Task {
                try await store.moveIn(copy, mark: mark) { rows in
                    guard rows > 0 else { return }
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }.value
        }
    }
}
