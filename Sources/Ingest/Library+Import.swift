public import Catalogue
import Primitives

extension Library {
    /// What an import changed.
    public struct ImportSummary: Hashable, Sendable {
        public var shows = 0
        public var episodes = 0
        public var files = 0
    }

    /// Takes in a library of another program, as one change; a second time it changes nothing.
    ///
    /// What the catalogue knows already stays: only titles are added to it.
    ///
    /// - Parameters:
    ///   - imported: The library.
    ///   - origin: Where it comes from.
    /// - Returns: What was new.
    /// - Throws: ``CatalogueError``; nothing is changed then.
    public func take(
        _ imported: ImportedLibrary,
        _ origin: Origin
    ) async throws(CatalogueError) -> ImportSummary {
        try await exclusively { () async throws(CatalogueError) in
            try await self.takeAlone(imported, origin)
        }
    }

    private func takeAlone(
        _ imported: ImportedLibrary,
        _ origin: Origin
    ) async throws(CatalogueError) -> ImportSummary {
        try await change(origin) { draft throws(CatalogueError) in
            var summary = ImportSummary()
            for show in imported.shows {
                let isNew = try Self.take(show, in: &draft)
                summary.shows += isNew ? 1 : 0
                summary.episodes += isNew ? show.episodes.count : 0
            }
            let known = Set(draft.contents.files.map(\.file.path))
            let new = imported.files.filter { !known.contains($0.path) }
            summary.files = new.count
            let router = FileRouter(draft.contents, roots: self.roots)
            try draft.apply(FileChange(records: router.records(for: new)))
            return summary
        }
    }

    /// - Returns: Whether the show was new.
    private static func take(
        _ imported: ImportedLibrary.ImportedShow,
        in draft: inout CatalogueDraft
    ) throws(CatalogueError) -> Bool {
        let show = imported.show
        let known = draft.contents.shows.first { known in
            guard let tmdbID = show.details?.tmdbID else {
                return known.titles.contains(show.systemName)
            }
            return known.details?.tmdbID == tmdbID
        }
        guard let known else {
            // Asked about at once by the next refresh: what the original kept may be old.
            try draft.save(show, replacing: nil, episodes: imported.episodes, seconds: 0)
            return true
        }
        let new = ([show.systemName] + show.aliases).filter { !known.titles.contains($0) }
        if !new.isEmpty { try draft.addAliases(new, to: known.id) }
        return false
    }
}
