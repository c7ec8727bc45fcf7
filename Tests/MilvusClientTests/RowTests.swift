import Foundation
import MilvusClient
import StandIns
import Testing

extension RealServerTests {
    @Suite struct RowTests {
        static let awkward = [
            "Pokémon/第1話 – «Ж» 🎬.mkv", "a \"quoted\" name", "back\\slash and 'apostrophe'",
            "two\nlines\tand a tab", "e\u{301} is not \u{E9}", "", " ", "100% {x} [y] $0 ; -- //",
        ]

        @Test(arguments: MilvusLite.Version.allCases)
        func rowsComeBackAsTheyWereWritten(_ version: MilvusLite.Version) async throws {
            let scene = try await Scene(version)
            let texts = Self.awkward
            let ids: [Int64] = [.min + 1, -5, 0, 1, 2, 3, 4, .max]
            let documents = try texts.map { try JSONEncoder().encode(["text": $0]) }
            let rows = MilvusRows(
                ids: ids,
                columns: [
                    "path": .text(texts), "size": .int64(ids),
                    "rating": .double([0, -0.5, 1e300, 2.5e-300, 0.1, 1.0 / 3, 8.25, -1e-9]),
                    "document": .json(documents),
                    "vector": .vectors((0..<16).map { Float($0) / 3 + 1 }, dimensions: 2),
                ]
            )
            try await scene.client.upsert(rows, into: scene.name)
            let fields = Scene.fields.map(\.name)
            let back = try await scene.client.query(scene.name, fields: fields)
            #expect(back.ids == ids)
            for name in ["path", "size", "rating", "vector"] {
                #expect(back.columns[name] == rows.columns[name])
            }
            let decoded = try back.json("document").map {
                try JSONDecoder().decode([String: String].self, from: $0)["text"]
            }
            #expect(decoded == texts)
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func aTextWithQuotesIsFoundByItsLiteral(_ version: MilvusLite.Version) async throws {
            let scene = try await Scene(version)
            let texts = Self.awkward.filter { !$0.contains("\n") }
            var columns = Scene.rows((1...Int64(texts.count))).columns
            columns["path"] = .text(texts)
            let rows = MilvusRows(ids: Array(1...Int64(texts.count)), columns: columns)
            try await scene.client.upsert(rows, into: scene.name)
            for (index, text) in texts.enumerated() {
                let filter = "path == \(MilvusFilter.literal(text))"
                let found = try await scene.client.query(
                    scene.name,
                    where: filter,
                    fields: ["path"]
                )
                #expect(found.ids == [Int64(index + 1)], "\(text)")
            }
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func upsertReplacesTheRowOfTheSameKey(_ version: MilvusLite.Version) async throws {
            let scene = try await Scene(version)
            try await scene.client.upsert(Scene.rows(1...10), into: scene.name)
            var columns = Scene.rows([4]).columns
            columns["size"] = .int64([99])
            try await scene.client.upsert(MilvusRows(ids: [4], columns: columns), into: scene.name)
            let found = try await scene.client.rows([4], of: scene.name, fields: ["size"])
            #expect(try found.int64("size") == [99])
            #expect(try await scene.client.count(of: scene.name) == 10)
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func thousandsOfRowsAreReplacedAndTheOthersStay(
            _ version: MilvusLite.Version
        ) async throws {
            let scene = try await Scene(version)
            _ = try await scene.client.connect()
            try await scene.client.upsert(Scene.rows(1...3000), into: scene.name)
            try await scene.client.flush(scene.name)
            let ids = Array(Int64(501)...3500)
            var columns = Scene.rows(501...3500).columns
            columns["size"] = .int64(ids.map { $0 * 7 })
            try await scene.client.replace(MilvusRows(ids: ids, columns: columns), in: scene.name)
            #expect(try await scene.client.count(of: scene.name) == 3500)
            let found = try await scene.client.rows(
                [500, 501, 3500],
                of: scene.name,
                fields: ["size"]
            )
            let sizes = Dictionary(uniqueKeysWithValues: zip(found.ids, try found.int64("size")))
            #expect(sizes[501] == 3507 && sizes[3500] == 24500)
            #expect(sizes[500] == (try Scene.rows([500]).int64("size").first))
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func deletedRowsAreGoneAndTheOthersStay(_ version: MilvusLite.Version) async throws {
            let scene = try await Scene(version)
            try await scene.client.upsert(Scene.rows(1...3000), into: scene.name)
            try await scene.client.flush(scene.name)
            try await scene.client.delete(ids: Array(11...2990) + [77777], from: scene.name)
            #expect(
                try await scene.client.query(scene.name, fields: []).ids == Array(1...10)
                    + Array(2991...3000)
            )
            #expect(try await scene.client.count(of: scene.name) == 20)
            #expect(try await scene.client.count(of: scene.name, where: "size < 5000015") == 4)
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func keysWithoutARowAreLeftOut(_ version: MilvusLite.Version) async throws {
            let scene = try await Scene(version)
            try await scene.client.upsert(Scene.rows(1...2500), into: scene.name)
            let found = try await scene.client.rows(
                Array(1000...2700),
                of: scene.name,
                fields: ["path"]
            )
            #expect(found.ids.sorted() == Array(1000...2500))
            #expect(try await scene.client.rows([9999], of: scene.name, fields: ["path"]).isEmpty)
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func anEmptyCollectionHasNoRows(_ version: MilvusLite.Version) async throws {
            let scene = try await Scene(version)
            let none = try await scene.client.query(scene.name, fields: ["path"])
            #expect(none.isEmpty)
            #expect(try none.text("path").isEmpty)
            #expect(try await scene.client.count(of: scene.name) == 0)
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func twentyThousandRowsComeOnceAndInOrder(_ version: MilvusLite.Version) async throws {
            let scene = try await Scene(version)
            // Written out of order, so that the order is the server's work.
            for start in stride(from: Int64(19_000), through: 0, by: -1000) {
                try await scene.client.upsert(Scene.rows(start..<start + 1000), into: scene.name)
            }
            var pages = 0
            var ids: [Int64] = []
            try await scene.client.eachPage(of: scene.name, fields: ["path", "document"]) { page in
                pages += 1
                ids += page.ids
            }
            #expect(ids == Array(0..<20_000))
            #expect(pages > 2)
            let some = try await scene.client.query(
                scene.name,
                where: "id >= 100",
                fields: ["path"],
                limit: 1234
            )
            #expect(
                some
                    == MilvusRows(
                        ids: Array(100..<1334),
                        columns: ["path": try #require(Scene.rows(100..<1334).columns["path"])]
                    )
            )
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func theNearestVectorsAreFound(_ version: MilvusLite.Version) async throws {
            for metric in [MilvusMetric.euclidean, .cosine] {
                let scene = try await Scene(version, metric: metric)
                try await scene.client.upsert(Scene.rows(1...200), into: scene.name)
                let hits = try await scene.client.search(
                    scene.name,
                    field: "vector",
                    nearest: [1, 1],
                    metric: metric,
                    count: 3,
                    where: "id != 2",
                    fields: ["path", "size"]
                )
                #expect(hits.rows.ids.first == 1)
                #expect(hits.rows.count == 3)
                #expect(!hits.rows.ids.contains(2))
                #expect(abs(hits.scores[0] - (metric == .cosine ? 1 : 0)) < 1e-4)
                #expect(try hits.rows.text("path").first == "/tv/Show 1/S01E01.mkv")
            }
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func aVectorOfTheWrongLengthIsRejected(_ version: MilvusLite.Version) async throws {
            let scene = try await Scene(version)
            try await scene.client.upsert(Scene.rows(1...2), into: scene.name)
            #expect(
                await code {
                    _ = try await scene.client.search(
                        scene.name,
                        field: "vector",
                        nearest: [1, 2, 3],
                        metric: .euclidean,
                        count: 1
                    )
                } == .rejected
            )
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func columnsOfDifferentLengthsAreRejectedUnsent(_ version: MilvusLite.Version) async throws
        {
            let scene = try await Scene(version)
            _ = try await scene.client.connect()
            try await scene.client.upsert(Scene.rows(1...2), into: scene.name)
            let rows = MilvusRows(ids: [1, 2], columns: ["size": .int64([1])])
            for put in [scene.client.upsert, scene.client.replace] {
                let error = await #expect(throws: MilvusError.self) {
                    try await put(rows, scene.name)
                }
                #expect(error?.description.hasSuffix("'size' has 1 values for 2 rows") == true)
            }
            #expect(try await scene.client.count(of: scene.name) == 2)
        }

        @Test(arguments: MilvusLite.Version.allCases)
        func eightTasksAtOnceGetTheirOwnAnswers(_ version: MilvusLite.Version) async throws {
            let scene = try await Scene(version)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<Int64(8) {
                    group.addTask {
                        for turn in 0..<Int64(10) {
                            let id = task * 1000 + turn
                            try await scene.client.upsert(Scene.rows([id]), into: scene.name)
                            let found = try await scene.client.rows(
                                [id],
                                of: scene.name,
                                fields: ["path"]
                            )
                            #expect(try found.text("path") == ["/tv/Show \(id)/S01E01.mkv"])
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await scene.client.count(of: scene.name) == 80)
        }
    }
}
