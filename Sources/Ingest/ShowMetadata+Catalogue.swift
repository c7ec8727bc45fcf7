public import Catalogue
public import Metadata

/// What TMDB says, as the catalogue keeps it.
extension ShowMetadata {
    /// The show with all its titles; `typedName`, what the user called it, is one of them.
    ///
    /// - Parameter typedName: Files may call the show so too.
    /// - Returns: A draft with details.
    public func draft(typedName: String?) -> ShowDraft {
        let titles =
            [typedName, originalName].compactMap(\.self)
            + alternativeTitles.map(\.title) + translations.map(\.name)
        var seen: Set<String> = [name]
        return ShowDraft(
            systemName: name,
            details: ShowDetails(
                tmdbID: tmdbID,
                name: name,
                originalName: originalName,
                overview: overview,
                firstAired: firstAirDate,
                lastAired: lastAirDate,
                status: status,
                countries: originCountry,
                externalIDs: externalIDs,
                contentRating: contentRating,
                artwork: artwork,
                genres: genres,
                keywords: keywords,
                cast: cast
            ),
            aliases: titles.filter { !$0.isEmpty && seen.insert($0).inserted }
        )
    }

    /// Every episode of every season, specials included.
    public var catalogueEpisodes: [Catalogue.Episode] {
        seasons.flatMap(\.episodes).map { episode in
            Catalogue.Episode(
                showTMDBID: tmdbID,
                tmdbID: episode.id,
                season: episode.season,
                number: episode.episode,
                absolute: episode.absolute,
                name: episode.name,
                overview: episode.overview,
                airDate: episode.airDate,
                type: episode.type
            )
        }
    }
}
