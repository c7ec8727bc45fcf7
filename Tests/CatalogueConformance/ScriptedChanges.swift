public import Catalogue
import Primitives

/// Changes that follow from their number alone, of every kind that there is: whoever finds a
/// catalogue at some revision can tell what it must hold.
public enum ScriptedChanges {
    /// Makes the change with a number in a draft; none is empty.
    public static func make(
        _ number: Int64,
        in draft: inout CatalogueDraft
    ) throws(CatalogueError) {
        try makeKind(number, in: &draft)
        if draft.isEmpty { try draft.apply(files(number, draft.contents)) }
    }

    private static func makeKind(
        _ number: Int64,
        in draft: inout CatalogueDraft
    ) throws(CatalogueError) {
        let tmdbID = Int(number / 8 % 6) + 1
        switch number % 8 {
        case 0, 1:
            try draft.save(
                show(tmdbID, number),
                replacing: nil,
                episodes: episodes(tmdbID, number),
                seconds: number
            )
        case 2, 3, 4: try draft.apply(files(number, draft.contents))
        case 5:
            if let show = draft.contents.shows.first {
                try draft.addAliases(["é\(number)"], to: show.id)
            }
            try draft.apply(files(number, draft.contents))
        case 6:
            // Files go, some of them only to come back.
            let gone = draft.contents.files.prefix(Int(number % 40)).map(\.id)
            try draft.apply(FileChange(gone: gone))
        default:
            // A show becomes another, with other episodes.
            guard let show = draft.contents.shows.last else { return }
            let other = show.details?.tmdbID == 90 ? 91 : 90
            guard !draft.contents.shows.contains(where: { $0.details?.tmdbID == other }) else {
                return
            }
            try draft.save(
                Self.show(other, number),
                replacing: show.id,
                episodes: episodes(other, number),
                seconds: number
            )
        }
    }

    /// What a catalogue holds after so many.
    ///
    /// - Parameters:
    ///   - count: How many changes.
    ///   - known: What it held after fewer.
    /// - Returns: What it must hold.
    /// - Throws: ``CatalogueError`` when the changes themselves are wrong.
    public static func contents(
        after count: Int64,
        from known: CatalogueContents = CatalogueContents()
    ) throws(CatalogueError) -> CatalogueContents {
        var contents = known
        for number in (known.revision + 1)..<max(count, known.revision) + 1 {
            var draft = CatalogueDraft(contents)
            try make(number, in: &draft)
            contents = draft.change(origin(number), seconds: number).after
        }
        return contents
    }

    public static func origin(_ number: Int64) -> Origin {
        Origin(.person, "step \(number)", reason: "é'\"")
    }

    private static func show(_ tmdbID: Int, _ number: Int64) -> ShowDraft {
        ShowDraft(
            systemName: "Show \(tmdbID)",
            details: ShowDetails(
                tmdbID: tmdbID,
                name: "Show \(tmdbID) at \(number)",
                overview: String(repeating: "long ", count: Int(number % 300)),
                keywords: ["k\(number)"]
            ),
            aliases: ["alias \(number % 5)"]
        )
    }

    private static func episodes(_ tmdbID: Int, _ number: Int64) -> [Episode] {
        (1...Int(20 + number % 60)).map { episode in
            Episode(
                showTMDBID: tmdbID,
                tmdbID: tmdbID * 1_000 + episode,
                season: episode / 12,
                number: episode % 12,
                absolute: episode,
                name: "Episode \(episode) at \(number % 7)"
            )
        }
    }

    private static func files(_ number: Int64, _ contents: CatalogueContents) -> FileChange {
        FileChange(
            records: (0..<(number % 50 + 1)).map { index in
                let place =
                    contents.shows.isEmpty
                    ? nil : contents.shows[Int(index) % contents.shows.count].id
                let decision = Decision(
                    placement: place.map {
                        Placement(showID: $0, season: 1, episodes: [Int(index)])
                    },
                    rule: "step \(number)",
                    confidence: 0.5
                )
                return FileChange.Record(
                    file: RemoteFile(
                        path: RemotePath("/d/\(number % 9)/\(index).mkv"),
                        size: UInt64(number),
                        modifiedSeconds: number
                    ),
                    kind: .video,
                    decision: decision
                )
            }
        )
    }
}
