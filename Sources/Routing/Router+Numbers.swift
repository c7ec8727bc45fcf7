import Catalogue
import Naming

/// Which episodes a file holds.
extension Router {
    enum Numbers {
        /// The placement's show is not filled in yet; the factor is what of the name's confidence
        /// is left.
        case known(Placement, rule: String, factor: Double)
        /// Outdated when TMDB may know by now what we do not.
        case unknown(String, isOutdated: Bool)
    }

    func numbers(of name: ParsedName, in show: Show?) -> Numbers {
        // A show whose episodes we do not have is taken at the name's word.
        let tmdbID = show?.details.map(\.tmdbID).flatMap { episodes.knows(show: $0) ? $0 : nil }
        if let date = name.airDate, name.episodes.isEmpty, name.absolute.isEmpty {
            return aired(on: date, tmdbID)
        }
        if !name.episodes.isEmpty {
            guard let season = name.isSpecial && name.season == nil ? 0 : name.season else {
                return counted(name.episodes, isAbsolute: false, tmdbID)
            }
            return inSeason(season, name.episodes, name.isSpecial, tmdbID)
        }
        if !name.absolute.isEmpty {
            if name.isSpecial { return special(name.absolute, tmdbID) }
            if let season = name.season { return inSeason(season, name.absolute, false, tmdbID) }
            return counted(name.absolute, isAbsolute: true, tmdbID)
        }
        if !name.decimal.isEmpty {
            return .unknown("a recap between two episodes", isOutdated: false)
        }
        let reason =
            name.isFullSeason ? "one file for a whole season" : "the name has no episode number"
        return .unknown(reason, isOutdated: false)
    }

    /// Numbers with a season.
    private func inSeason(
        _ season: Int,
        _ numbers: [Int],
        _ isSpecial: Bool,
        _ tmdbID: Int?
    ) -> Numbers {
        let rule = "season and episode"
        guard let tmdbID else { return Self.placed(season, numbers, rule) }
        if episodes.containsAll(numbers, season: season, ofShow: tmdbID) {
            return Self.placed(season, numbers, rule)
        }
        if isSpecial { return special(numbers, tmdbID) }
        // "S4 - 76": fansubs count on over the seasons.
        if let keys = absolutes(numbers, tmdbID), keys.allSatisfy({ $0.season == season }) {
            return Self.placed(season, keys.map(\.number), "number counted on over seasons", 0.97)
        }
        // "S2 - 03" of a show that TMDB keeps as one season with parts.
        if season > 1, episodes.count(season: season, ofShow: tmdbID) == 0,
            episodes.seasons(ofShow: tmdbID) == [1]
        {
            let known = episodes.count(season: 1, ofShow: tmdbID)
            if numbers.allSatisfy({ $0 <= known }) {
                return .unknown("TMDB has no season \(season) of this show", isOutdated: true)
            }
        }
        return Self.placed(season, numbers, rule + ", not on TMDB yet", 0.85)
    }

    private func special(_ numbers: [Int], _ tmdbID: Int?) -> Numbers {
        guard let tmdbID, !episodes.containsAll(numbers, season: 0, ofShow: tmdbID) else {
            return Self.placed(0, numbers, "special", tmdbID == nil ? 1 : 0.95)
        }
        return Self.placed(0, numbers, "special, not on TMDB yet", 0.7)
    }

    /// Numbers without a season: of the first season, or over the whole show.
    private func counted(_ numbers: [Int], isAbsolute: Bool, _ tmdbID: Int?) -> Numbers {
        guard let tmdbID else { return Self.placed(1, numbers, "episode number") }
        let isInFirst = episodes.containsAll(numbers, season: 1, ofShow: tmdbID)
        // TMDB's own order may differ from its seasons', and fansubs mean that one.
        if isInFirst, !isAbsolute || absolutes(numbers, tmdbID) == nil {
            return Self.placed(1, numbers, "episode number")
        }
        if let keys = absolutes(numbers, tmdbID), let first = keys.first,
            keys.allSatisfy({ $0.season == first.season })
        {
            let isPlain = isInFirst && first.season == 1 && keys.map(\.number) == numbers
            let rule = isPlain ? "episode number" : "absolute number"
            return Self.placed(first.season, keys.map(\.number), rule)
        }
        if isInFirst { return Self.placed(1, numbers, "episode number", 0.9) }
        let list = numbers.map(String.init).joined(separator: ", ")
        return .unknown("TMDB does not know episode \(list) of this show yet", isOutdated: true)
    }

    private func absolutes(_ numbers: [Int], _ tmdbID: Int) -> [EpisodeTable.Key]? {
        let keys = numbers.compactMap { episodes.absolute($0, ofShow: tmdbID) }
        return keys.count == numbers.count ? keys : nil
    }

    /// The episode of a day; a day to either side counts, since time zones differ.
    private func aired(on date: AirDate, _ tmdbID: Int?) -> Numbers {
        for (day, rule, factor) in [
            (date, "air date", 1.0), (date.next, "air date, a day later", 0.9),
            (date.previous, "air date, a day before", 0.9),
        ] {
            let keys = tmdbID.map { episodes.aired(on: day.description, ofShow: $0) } ?? []
            if let first = keys.first, keys.allSatisfy({ $0.season == first.season }) {
                return Self.placed(first.season, keys.map(\.number), rule, factor)
            }
        }
        return .known(
            Placement(showID: 0, season: date.year, episodes: [], airDate: date.description),
            rule: "date",
            factor: tmdbID == nil ? 1 : 0.85
        )
    }

    private static func placed(
        _ season: Int,
        _ numbers: [Int],
        _ rule: String,
        _ factor: Double = 1
    ) -> Numbers {
        .known(
            Placement(showID: 0, season: season, episodes: Set(numbers).sorted()),
            rule: rule,
            factor: factor
        )
    }
}
