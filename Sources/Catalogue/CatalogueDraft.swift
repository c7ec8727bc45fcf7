import Primitives

/// A copy of the catalogue in which one change is made before it is committed.
///
/// What shows and files mean to each other is decided here, once for every store: which number
/// is whose, that titles are kept, that a placement names a show that is there.
public struct CatalogueDraft: Sendable {
    public private(set) var contents: CatalogueContents
    private let original: CatalogueContents
    private var edits = CatalogueEdits()
    /// Built when files are recorded, and only then.
    private var fileIDs: [RemotePath: Int64]?

    public init(_ contents: CatalogueContents) {
        self.contents = contents
        original = contents
    }

    public var isEmpty: Bool { edits.isEmpty }

    /// The change as a store takes it.
    ///
    /// - Parameters:
    ///   - origin: Who made it.
    ///   - seconds: When, since 1970, UTC.
    /// - Returns: The change; ``contents`` is what the catalogue holds after it, but for the
    ///   revision.
    public func change(_ origin: Origin, seconds: Int64) -> CatalogueChange {
        let revision = original.revision + 1
        var after = contents
        after.revision = revision
        return CatalogueChange(
            edits: edits,
            entry: JournalEntry(
                revision: revision,
                seconds: seconds,
                origin: origin,
                inverse: edits.inverse(in: original)
            ),
            after: after
        )
    }

    /// Puts and takes out rows.
    public mutating func apply(_ more: CatalogueEdits) {
        edits.shows.merge(more.shows, without: more.removedShows, by: \.id)
        edits.episodes.merge(more.episodes, without: more.removedEpisodes, by: \.key)
        edits.files.merge(more.files, without: more.removedFiles, by: \.id)
        edits.removedShows = Self.joined(
            edits.removedShows,
            more.removedShows,
            edits.shows.map(\.id)
        )
        edits.removedEpisodes = Self.joined(
            edits.removedEpisodes,
            more.removedEpisodes,
            edits.episodes.map(\.key)
        )
        edits.removedFiles = Self.joined(
            edits.removedFiles,
            more.removedFiles,
            edits.files.map(\.id)
        )
        contents.apply(more)
    }

    /// What must not be, in words for people: nil when all is as it shall be.
    public var contradiction: String? {
        var paths: Set<RemotePath> = []
        for file in contents.files {
            guard paths.insert(file.file.path).inserted else {
                return "'\(file.file.path.printable)' would be there twice"
            }
            if let id = file.decision.placement?.showID, contents.show(id) == nil {
                return "'\(file.file.path.printable)' would stand in a show that is not there"
            }
        }
        var numbers: Set<Int> = []
        for show in contents.shows {
            if let tmdbID = show.details?.tmdbID, !numbers.insert(tmdbID).inserted {
                return "tmdb:\(tmdbID) would be two shows"
            }
        }
        return nil
    }

    private static func joined<Key: Hashable & Comparable>(
        _ one: [Key],
        _ other: [Key],
        _ put: [Key]
    ) -> [Key] {
        guard !one.isEmpty || !other.isEmpty else { return [] }
        return Set(one).union(other).subtracting(put).sorted()
    }
}

/// A change that is ready to be committed.
public struct CatalogueChange: Sendable {
    public let edits: CatalogueEdits
    public let entry: JournalEntry
    /// What the catalogue holds then.
    public let after: CatalogueContents

    public init(edits: CatalogueEdits, entry: JournalEntry, after: CatalogueContents) {
        self.edits = edits
        self.entry = entry
        self.after = after
    }
}

// MARK: Files

extension CatalogueDraft {
    /// Records what a scan found and where routing put it.
    ///
    /// - Parameter change: The files to record and to drop. A path that is already known keeps
    ///   its number.
    /// - Throws: ``CatalogueError`` with code `.notFound` when a file is placed in a show that is
    ///   not there.
    public mutating func apply(_ change: FileChange) throws(CatalogueError) {
        var files = CatalogueEdits()
        files.removedFiles = change.gone.filter { contents.file($0) != nil }
        var known = fileIDs ?? [:]
        if fileIDs == nil, !change.records.isEmpty {
            known = Dictionary(contents.files.map { ($0.file.path, $0.id) }) { first, _ in first }
        }
        var started: [ShowDraft: Int64] = [:]
        var isThere: Set<Int64> = []
        // Of a path that is recorded twice, the later counts.
        var places: [Int64: Int] = [:]
        var next = contents.nextFileID
        for record in change.records {
            var decision = record.decision
            if let draft = record.newShow, decision.placement != nil {
                if started[draft] == nil {
                    started[draft] = try save(draft, replacing: nil, seconds: 0).id
                }
                let id = started[draft] ?? 0
                decision.placement?.showID = id
            }
            if let id = decision.placement?.showID, isThere.insert(id).inserted,
                contents.show(id) == nil
            {
                throw CatalogueError(.notFound, "no show has the number \(id)")
            }
            let id = known[record.file.path] ?? next
            if id == next { next += 1 }
            known[record.file.path] = id
            let file = LibraryFile(
                id: id,
                file: record.file,
                kind: record.kind,
                decision: decision
            )
            if let place = places[id] {
                files.files[place] = file
            } else {
                places[id] = files.files.count
                files.files.append(file)
            }
        }
        for id in change.gone {
            if let file = contents.file(id) { known[file.file.path] = nil }
        }
        files.files.sort { $0.id < $1.id }
        if !change.records.isEmpty { fileIDs = known }
        apply(files)
    }
}

// MARK: Shows

extension CatalogueDraft {
    /// Saves a show with its episodes.
    ///
    /// A show with the same TMDB number, or the one named by `id`, is updated in place and
    /// keeps its number; episodes that TMDB no longer has are dropped.
    ///
    /// - Parameters:
    ///   - draft: The show as it shall be.
    ///   - id: The show to turn into it, or nil to find it by its TMDB number or add it.
    ///   - episodes: All episodes of the show; ignored when the draft has no details.
    ///   - seconds: When TMDB was asked, since 1970, UTC.
    /// - Returns: The show as saved.
    /// - Throws: ``CatalogueError``: `.notFound` when there is no show with the number,
    ///   `.rejected` when another show has the TMDB number.
    @discardableResult
    public mutating func save(
        _ draft: ShowDraft,
        replacing id: Int64?,
        episodes: [Episode] = [],
        seconds: Int64
    ) throws(CatalogueError) -> Show {
        let known = try known(draft, replacing: id)
        let kept = draft.replacesAliases ? [] : known?.aliases ?? []
        let show = Show(
            id: known?.id ?? contents.nextShowID,
            systemName: draft.systemName,
            details: draft.details,
            aliases: Self.sorted(kept + draft.aliases),
            folder: draft.folder ?? known?.folder,
            askedSeconds: draft.details == nil ? nil : seconds
        )
        var edits = CatalogueEdits()
        // That it was asked about once more is no change: see CatalogueStore.noteAsked.
        var asked = known
        asked?.askedSeconds = show.askedSeconds
        if asked != show { edits.shows = [show] }
        if let old = known?.details?.tmdbID {
            let wanted = old == draft.details?.tmdbID ? Set(episodes.map(\.key)) : []
            edits.removedEpisodes = contents.episodes(ofShow: old).map(\.key)
                .filter { !wanted.contains($0) }
        }
        if let tmdbID = draft.details?.tmdbID {
            let unique = Dictionary(
                episodes.filter { $0.showTMDBID == tmdbID }.map { ($0.key, $0) }
            ) { _, later in later }
            edits.episodes = unique.values.sorted { $0.key < $1.key }.filter { episode in
                contents.episodes.element(at: episode.key, by: \.key) != episode
            }
        }
        apply(edits)
        return show
    }

    /// Adds titles to a show.
    ///
    /// - Throws: ``CatalogueError`` with code `.notFound`.
    public mutating func addAliases(
        _ titles: [String],
        to id: Int64
    ) throws(CatalogueError) {
        guard var show = contents.show(id) else {
            throw CatalogueError(.notFound, "no show has the number \(id)")
        }
        show.aliases = Self.sorted(show.aliases + titles)
        var edits = CatalogueEdits()
        edits.shows = [show]
        apply(edits)
    }

    /// A draft with details is the show with its TMDB number; one without is the show without
    /// details that bears the same name.
    private func known(
        _ draft: ShowDraft,
        replacing id: Int64?
    ) throws(CatalogueError) -> Show? {
        let same = contents.shows.first { show in
            guard let details = draft.details else {
                return show.details == nil && show.systemName == draft.systemName
            }
            return show.details?.tmdbID == details.tmdbID
        }
        guard let id else { return same }
        guard let show = contents.show(id) else {
            throw CatalogueError(.notFound, "no show has the number \(id)")
        }
        if let same, same.id != id, let tmdbID = draft.details?.tmdbID {
            throw CatalogueError(.rejected, "tmdb:\(tmdbID) is '\(same.name)' already")
        }
        return show
    }

    /// By their bytes, as every store sorts them.
    private static func sorted(_ titles: [String]) -> [String] {
        Set(titles).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
