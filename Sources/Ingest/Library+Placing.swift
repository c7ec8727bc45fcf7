public import Catalogue
public import Naming
public import Primitives
import Routing

/// What a person puts right, and what follows from it.
extension Library {
    /// Puts files where a person says, for good.
    ///
    /// The titles that the files bear become other titles of their shows, so that what follows of
    /// the same release goes there too.
    ///
    /// - Parameters:
    ///   - decisions: Places by the files' numbers.
    ///   - origin: Who says so.
    /// - Returns: The files that now stand elsewhere, those that followed included.
    /// - Throws: ``CatalogueError``.
    public func place(
        _ decisions: [Int64: Placement],
        _ origin: Origin
    ) async throws(CatalogueError) -> [Move] {
        try await exclusively { () async throws(CatalogueError) in
            try await self.placeAlone(decisions, origin)
        }
    }

    private func placeAlone(
        _ decisions: [Int64: Placement],
        _ origin: Origin
    ) async throws(CatalogueError) -> [Move] {
        try await change(origin) { draft throws(CatalogueError) in
            try self.place(decisions, in: &draft)
        }
    }

    private func place(
        _ places: [Int64: Placement],
        in draft: inout CatalogueDraft
    ) throws(CatalogueError) -> [Move] {
        let files = draft.contents.files.filter { places[$0.id] != nil }
        let router = FileRouter(draft.contents, roots: roots)
        var change = FileChange()
        var moves: [Move] = []
        for (file, record) in zip(files, router.records(for: files.map(\.file))) {
            var decision = record.decision
            decision.placement = places[file.id]
            decision.rule = "placed by hand"
            decision.confidence = 1
            decision.candidates = []
            decision.by = .person
            change.records.append(
                FileChange.Record(file: file.file, kind: file.kind, decision: decision)
            )
            moves.append(Move(file: file, new: decision, newShow: nil))
        }
        try draft.apply(change)
        try learn(files, places, in: &draft)
        let followed = try reroute(in: &draft) { file in
            file.decision.placement == nil || file.decision.by == nil
        }
        return moves + followed.moves
    }

    /// Makes the files' titles other titles of the shows that they were given.
    private func learn(
        _ files: [LibraryFile],
        _ places: [Int64: Placement],
        in draft: inout CatalogueDraft
    ) throws(CatalogueError) {
        let names = FileRouter(draft.contents, roots: roots).parsed(files.map(\.file))
        var titles: [Int64: Set<String>] = [:]
        for file in files {
            guard let place = places[file.id], let title = names[file.file.path]?.title else {
                continue
            }
            titles[place.showID, default: []].insert(title)
        }
        for (id, titles) in titles {
            guard let show = draft.contents.show(id) else { continue }
            let known = Set(show.titles.map(normalisedTitle))
            let new = titles.filter { !known.contains(normalisedTitle($0)) }.sorted()
            if !new.isEmpty { try draft.addAliases(new, to: id) }
        }
    }

    /// Turns a show into another: its files and its folder stay, what TMDB says is replaced.
    ///
    /// - Parameters:
    ///   - id: The show's number in the catalogue.
    ///   - show: What it shall be.
    ///   - episodes: All episodes of that.
    ///   - origin: Who says so.
    /// - Returns: The show as saved.
    /// - Throws: ``CatalogueError``.
    public func replace(
        _ id: Int64,
        by show: ShowDraft,
        episodes: [Episode],
        _ origin: Origin
    ) async throws(CatalogueError) -> Show {
        try await exclusively { () async throws(CatalogueError) in
            try await self.replaceAlone(id, by: show, episodes: episodes, origin)
        }
    }

    private func replaceAlone(
        _ id: Int64,
        by show: ShowDraft,
        episodes: [Episode],
        _ origin: Origin
    ) async throws(CatalogueError) -> Show {
        let seconds = now()
        return try await change(origin) { draft throws(CatalogueError) in
            let saved = try draft.save(show, replacing: id, episodes: episodes, seconds: seconds)
            _ = try self.reroute(in: &draft)
            return saved
        }
    }

    /// What the parser reads in files' names, their neighbours considered.
    public func names(of files: [LibraryFile]) -> [RemotePath: ParsedName] {
        FileRouter(contents, roots: roots).parsed(files.map(\.file))
    }

    /// Shows that TMDB knows but that lack an episode which a file claims to be.
    public func outdatedShows() -> Set<Int> {
        let open = contents.files.filter { $0.decision.placement == nil && $0.decision.by == nil }
        let router = Router(shows: contents.shows, episodes: contents.episodes)
        let names = FileRouter(contents, roots: roots).parsed(open.map(\.file))
        return Set(names.values.compactMap { router.route($0).outdatedShow })
    }
}
