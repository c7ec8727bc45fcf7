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
    /// - Parameter decisions: Places by the files' numbers.
    /// - Returns: The files that now stand elsewhere, those that followed included.
    /// - Throws: ``CatalogueError``.
    public func place(
        _ decisions: [Int64: Placement]
    ) async throws(CatalogueError) -> [Move] {
        try await exclusively { () async throws(CatalogueError) in
            try await self.placeAlone(decisions)
        }
    }

    private func placeAlone(_ places: [Int64: Placement]) async throws(CatalogueError) -> [Move] {
        let files = contents.files.filter { places[$0.id] != nil }
        var change = FileChange()
        var moves: [Move] = []
        for (file, record) in zip(files, route(files.map(\.file))) {
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
        try await commit(change)
        try await learn(files, places)
        let followed = try await rerouteAlone(
            where: { file in file.decision.placement == nil || file.decision.by == nil },
            dryRun: false
        )
        return moves + followed.moves
    }

    /// Makes the files' titles other titles of the shows that they were given.
    private func learn(
        _ files: [LibraryFile],
        _ places: [Int64: Placement]
    ) async throws(CatalogueError) {
        let names = parsed(files.map(\.file))
        var titles: [Int64: Set<String>] = [:]
        for file in files {
            guard let place = places[file.id], let title = names[file.file.path]?.title else {
                continue
            }
            titles[place.showID, default: []].insert(title)
        }
        for (id, titles) in titles {
            guard let show = contents.shows.first(where: { $0.id == id }) else { continue }
            let known = Set(show.titles.map(normalisedTitle))
            let new = titles.filter { !known.contains(normalisedTitle($0)) }.sorted()
            guard !new.isEmpty else { continue }
            let draft = ShowDraft(
                systemName: show.systemName,
                details: show.details,
                aliases: show.aliases + new
            )
            let episodes = contents.episodes.filter { $0.showTMDBID == show.details?.tmdbID }
            try await store.save(draft, replacing: show.id, episodes: episodes)
        }
        contents = try await store.contents()
    }

    /// Turns a show into another: its files and its folder stay, what TMDB says is replaced.
    ///
    /// - Parameters:
    ///   - id: The show's number in the catalogue.
    ///   - draft: What it shall be.
    ///   - episodes: All episodes of that.
    /// - Returns: The show as saved.
    /// - Throws: ``CatalogueError``.
    public func replace(
        _ id: Int64,
        by draft: ShowDraft,
        episodes: [Episode]
    ) async throws(CatalogueError) -> Show {
        try await exclusively { () async throws(CatalogueError) in
            try await self.replaceAlone(id, by: draft, episodes: episodes)
        }
    }

    private func replaceAlone(
        _ id: Int64,
        by draft: ShowDraft,
        episodes: [Episode]
    ) async throws(CatalogueError) -> Show {
        let show = try await store.save(draft, replacing: id, episodes: episodes)
        contents = try await store.contents()
        _ = try await rerouteAlone(where: { _ in true }, dryRun: false)
        await publish(contents)
        return show
    }

    /// What the parser reads in files' names, their neighbours considered.
    public func names(of files: [LibraryFile]) -> [RemotePath: ParsedName] {
        parsed(files.map(\.file))
    }

    /// Shows that TMDB knows but that lack an episode which a file claims to be.
    public func outdatedShows() -> Set<Int> {
        let open = contents.files.filter { $0.decision.placement == nil && $0.decision.by == nil }
        let router = Router(shows: contents.shows, episodes: contents.episodes)
        return Set(parsed(open.map(\.file)).values.compactMap { router.route($0).outdatedShow })
    }
}
