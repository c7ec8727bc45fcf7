import Catalogue
import Primitives
import Testing
import VirtualTree

@Suite struct SafeNameTests {
    @Test(arguments: [
        ("Frieren: Beyond", "Frieren - Beyond"), ("a/b\\c", "a-b-c"), ("..", "_"), ("", "_"),
        ("what?*<>", "what"), ("end. ", "end"), ("con", "_con"), ("NUL.txt", "_NUL.txt"),
        ("tab\tand\nline", "tab and line"), ("\u{202E}evil", "evil"), ("a\u{0}b", "a b"),
        ("say \"hi\"", "say 'hi'"),
    ])
    func isSafe(_ given: String, _ expected: String) {
        #expect(SafeName.make(given) == expected)
    }

    @Test func longNamesKeepTheirEnding() {
        let name = SafeName.make(String(repeating: "語", count: 200), ending: " [1080p].mkv")
        #expect(name.utf8.count <= SafeName.maximumBytes)
        #expect(name.hasSuffix(" [1080p].mkv"))
    }

    @Test func anyScalarGivesAUsableName() {
        for value in UInt32(0)...0x2FFF {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let name = SafeName.make(String(scalar))
            #expect(!name.isEmpty && name != "." && name != ".." && !name.contains("/"))
            #expect(!name.unicodeScalars.contains { $0.value < 0x20 })
        }
    }
}

@Suite struct TreeTests {
    private static let details = ShowDetails(
        tmdbID: 7,
        name: "Quiet Harbour",
        firstAired: "2019-02-03"
    )

    private func file(
        _ id: Int64,
        _ path: String,
        kind: FileKind = .video,
        season: Int = 1,
        episodes: [Int]? = nil,
        traits: FileTraits = FileTraits()
    ) -> LibraryFile {
        LibraryFile(
            id: id,
            file: RemoteFile(path: RemotePath("/d/" + path), size: 10, modifiedSeconds: 100),
            kind: kind,
            decision: Decision(
                placement: episodes.map { Placement(showID: 1, season: season, episodes: $0) },
                rule: "",
                confidence: 1,
                traits: traits
            )
        )
    }

    private func tree(
        _ files: [LibraryFile],
        shows: [Show] = [Show(id: 1, systemName: "Quiet Harbour", details: details)],
        episodes: [Episode] = [],
        stamps: [UInt64: DirectoryStamp] = [:],
        now: Int64 = 1000
    ) -> Tree {
        Tree(
            CatalogueContents(shows: shows, episodes: episodes, files: files),
            roots: [RemoteRoot(path: RemotePath("/d"))],
            stamps: stamps,
            nowSeconds: now
        )
    }

    private func paths(_ tree: Tree) -> [String] {
        func list(_ id: NodeID, _ prefix: String) -> [String] {
            guard let node = tree[id], case .directory(let entries) = node.content else {
                return [prefix]
            }
            return entries.flatMap { list($0.id, prefix + "/" + $0.name) }
        }
        return list(.root, "")
    }

    @Test func anEpisodeStandsUnderShowAndSeason() {
        let episode = Episode(
            showTMDBID: 7,
            tmdbID: 1,
            season: 1,
            number: 5,
            absolute: 5,
            name: "The Tide"
        )
        let tree = tree(
            [file(1, "x.mkv", episodes: [5], traits: FileTraits(resolution: "1080p"))],
            episodes: [episode]
        )
        let path =
            "/library/Quiet Harbour (2019) {tmdb-7}/Season 01/"
            + "Quiet Harbour (2019) - S01E05 - The Tide [1080p].mkv"
        #expect(paths(tree) == [path])
    }

    @Test func theNextEpisodeFollowsAndThenTheNextSeason() {
        let files = [
            file(1, "a.mkv", episodes: [1], traits: FileTraits(resolution: "720p")),
            file(2, "b.mkv", episodes: [1], traits: FileTraits(resolution: "1080p")),
            file(3, "c.mkv", episodes: [2]), file(4, "d.mkv", season: 2, episodes: [1]),
        ]
        let tree = tree(files)
        let following = files.map { tree.following(.file($0.id, $0.file))?.path.text }
        #expect(following == ["/d/c.mkv", "/d/c.mkv", "/d/d.mkv", nil])
        #expect(tree.following(.library) == nil)
    }

    @Test func whatIsNotKnownIsLeftOut() {
        let tree = tree(
            [file(1, "x.mkv", season: 0, episodes: [1, 2])],
            shows: [Show(id: 1, systemName: "Quiet Harbour")]
        )
        #expect(paths(tree) == ["/library/Quiet Harbour/Season 00/Quiet Harbour - S00E01-E02.mkv"])
    }

    @Test func aFolderIsCalledAsAPersonSaid() {
        let tree = tree(
            [file(1, "x.mkv", episodes: [1])],
            shows: [
                Show(
                    id: 1,
                    systemName: "Quiet Harbour",
                    details: Self.details,
                    folder: "my ../show"
                )
            ]
        )
        let folders = Set(paths(tree).map { $0.split(separator: "/")[1] })
        #expect(folders.count == 1)
        #expect(folders.first?.hasPrefix("my ") ?? false)
        #expect(folders.first?.contains("tmdb") == false)
    }

    @Test func twoVersionsAreToldApart() {
        let tree = tree([
            file(1, "a.mkv", episodes: [1], traits: FileTraits(resolution: "1080p", group: "ONE")),
            file(2, "b.mkv", episodes: [1], traits: FileTraits(resolution: "1080p", group: "TWO")),
            file(3, "c.mkv", episodes: [1], traits: FileTraits(resolution: "1080p", group: "TWO")),
        ])
        let names = paths(tree).compactMap { $0.split(separator: "/").last.map(String.init) }
        #expect(Set(names).count == 3)
        #expect(names.contains("Quiet Harbour (2019) - S01E01 [1080p].mkv"))
        #expect(names.contains("Quiet Harbour (2019) - S01E01 [TWO] [1080p].mkv"))
    }

    @Test func thePreferredVersionBearsThePlainName() {
        func names(_ preference: VersionPreference) -> [Int64: String] {
            let files = [
                file(
                    1,
                    "a.mkv",
                    episodes: [1],
                    traits: FileTraits(resolution: "720p", source: "HDTV", group: "ONE")
                ),
                file(
                    2,
                    "b.mkv",
                    episodes: [1],
                    traits: FileTraits(
                        resolution: "720p",
                        source: "HDTV",
                        isProper: true,
                        group: "TWO"
                    )
                ),
                file(
                    3,
                    "c.mkv",
                    episodes: [1],
                    traits: FileTraits(resolution: "720p", source: "WEB-DL", group: "THREE")
                ),
            ]
            let tree = Tree(
                CatalogueContents(
                    shows: [Show(id: 1, systemName: "Quiet Harbour")],
                    files: files
                ),
                roots: [],
                preference: preference,
                stamps: [:],
                nowSeconds: 1
            )
            guard let season = tree[.season(1, ofShow: 1)],
                case .directory(let entries) = season.content
            else { return [:] }
            var names: [Int64: String] = [:]
            for file in files {
                names[file.id] = entries.first { $0.id == .file(file.id, file.file) }?.name
            }
            return names
        }
        let plain = "Quiet Harbour - S01E01 [720p].mkv"
        let usual = names(VersionPreference())
        #expect(usual[3] == plain)
        #expect(Set(usual.values).count == 3)
        #expect(names(VersionPreference([.proper, .source]))[2] == plain)
        #expect(names(VersionPreference([]))[1] == plain)
    }

    @Test func subtitlesBearTheirVideosName() {
        let tree = tree([
            file(1, "a.mkv", episodes: [1], traits: FileTraits(resolution: "1080p")),
            file(
                2,
                "a.srt",
                kind: .subtitle,
                episodes: [1],
                traits: FileTraits(language: "en", flags: ["forced"])
            ),
            file(
                3,
                "b.srt",
                kind: .subtitle,
                episodes: [1],
                traits: FileTraits(language: "en", flags: ["forced"])
            ),
        ])
        let names = paths(tree).compactMap { $0.split(separator: "/").last.map(String.init) }
        #expect(names.contains("Quiet Harbour (2019) - S01E01 [1080p].en.forced.srt"))
        #expect(names.count == 3)
    }

    @Test func unroutedFilesStandAsOnTheSeedbox() {
        let tree = tree([file(1, "Some.Film/film.mkv"), file(2, "..bad/a\nb.mkv")])
        #expect(
            paths(tree) == ["/views/unrouted/Some.Film/film.mkv", "/views/unrouted/bad/a b.mkv"]
        )
    }

    @Test func namesThatDifferOnlyInCaseAreToldApart() {
        let tree = tree([file(1, "Film.mkv"), file(2, "film.mkv")])
        #expect(Set(paths(tree).map { $0.lowercased() }).count == 2)
    }

    @Test func aDirectorysTimeChangesExactlyWhenItsListingDoes() {
        let first = tree([file(1, "a.mkv", episodes: [1])], now: 1000)
        let same = tree([file(1, "a.mkv", episodes: [1])], stamps: first.changedStamps, now: 2000)
        #expect(same.changedStamps.isEmpty)
        #expect(same[.season(1, ofShow: 1)]?.modifiedSeconds == 1000)
        let more = tree(
            [file(1, "a.mkv", episodes: [1]), file(2, "b.mkv", episodes: [2])],
            stamps: first.changedStamps,
            now: 3000
        )
        #expect(more[.season(1, ofShow: 1)]?.modifiedSeconds == 3000)
        #expect(more[.show(1)]?.modifiedSeconds == 1000)
        #expect(more[.library]?.modifiedSeconds == 1000)
    }

    @Test func theKernelIsToldOfWhatIsNewGoneOrChanged() {
        let first = tree([file(1, "a.mkv", episodes: [1])])
        let live = LiveTree(first, control: NoControl())
        let replaced = live.replace(
            with: tree([file(2, "b.mkv", episodes: [2])], stamps: first.changedStamps, now: 2000)
        )
        let season = NodeID.season(1, ofShow: 1)
        #expect(
            replaced.contains(.entry(directory: season, name: "Quiet Harbour (2019) - S01E01.mkv"))
        )
        #expect(
            replaced.contains(.entry(directory: season, name: "Quiet Harbour (2019) - S01E02.mkv"))
        )
        #expect(replaced.contains(.node(season)))
        #expect(!replaced.contains(.node(.library)))
    }

    @Test func numbersOfDifferentNodesDiffer() {
        func file(_ size: UInt64, _ time: Int64) -> RemoteFile {
            RemoteFile(path: RemotePath("/a.mkv"), size: size, modifiedSeconds: time)
        }
        let ids: [NodeID] = [
            .root, .library, .views, .unrouted, .show(1), .season(0, ofShow: 1),
            .season(1, ofShow: 0), .file(1, file(5, 6)), .file(65537, file(5, 6)),
            .file(1, file(5, 7)), .file(1, file(6, 6)), .control(1), .season(1, ofShow: 1),
        ]
        #expect(Set(ids).count == ids.count)
    }
}

private struct NoControl: ControlTree {
    var root: NodeID { .control(1) }
    func attributes(of id: NodeID) -> NodeAttributes? { nil }
    func entries(of id: NodeID) -> [DirectoryEntry]? { nil }
    func open(_ id: NodeID) -> (any ControlSession)? { nil }
}
