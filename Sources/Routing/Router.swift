public import Catalogue
public import Naming

/// Decides where in the library a file belongs, from its parsed name and the catalogue.
///
/// It guesses only where a wrong guess is unlikely; what it leaves open it says why, with the
/// shows that it considered.
public struct Router: Sendable {
    /// Below this the parser's reading of a name is not trusted with a place.
    public static let leastConfidence = 0.5

    private let index: ShowIndex
    private let episodes: EpisodeTable

    public init(shows: [Show], episodes: [Episode]) {
        index = ShowIndex(shows)
        self.episodes = EpisodeTable(episodes)
    }

    /// What the router decided about a file.
    public struct Outcome: Sendable {
        public var decision: Decision
        /// Set when the file starts a show that the catalogue does not have yet.
        public var newShow: ShowDraft?
    }

    public func route(_ name: ParsedName) -> Outcome {
        let traits = FileTraits(name)
        func open(_ reason: String, candidates: [String] = []) -> Outcome {
            Outcome(
                decision: Decision(
                    placement: nil,
                    rule: reason,
                    confidence: name.confidence,
                    candidates: candidates,
                    traits: traits
                )
            )
        }
        if let exclusion = name.exclusion { return open("left out: \(exclusion)") }
        guard let title = name.title, !title.isEmpty else { return open("the name has no title") }
        guard name.confidence >= Self.leastConfidence else {
            return open("the name is not understood well enough")
        }
        let found = index.find(title, year: name.year, country: name.country)
        if let found, found.shows.count > 1 {
            let candidates = found.shows.map(Self.label)
            return open("'\(title)' may be any of several shows", candidates: candidates)
        }
        let show = found?.shows.first
        switch numbers(of: name, in: show) {
        case .unknown(let reason):
            return open(reason, candidates: show.map { [Self.label($0)] } ?? [])
        case .known(var placement, let rule):
            placement.showID = show?.id ?? 0
            let weak = found?.strength == .mainTitle
            let how = show == nil ? "new show" : weak ? "show by main title" : "show by title"
            let decision = Decision(
                placement: placement,
                rule: "\(how), \(rule)",
                confidence: weak ? name.confidence * 0.9 : name.confidence,
                traits: traits
            )
            let draft = show == nil ? ShowDraft(systemName: title) : nil
            return Outcome(decision: decision, newShow: draft)
        }
    }

    private static func label(_ show: Show) -> String {
        guard let details = show.details else { return show.name }
        return show.name + (details.year.map { " (\($0))" } ?? "") + " {tmdb-\(details.tmdbID)}"
    }
}

/// Which episodes a file holds.
extension Router {
    private enum Numbers {
        /// The placement's show is not filled in yet.
        case known(Placement, rule: String)
        case unknown(String)
    }

    private func numbers(of name: ParsedName, in show: Show?) -> Numbers {
        let tmdbID = show?.details?.tmdbID
        if let date = name.airDate, name.episodes.isEmpty, name.absolute.isEmpty {
            return aired(on: date.description, year: date.year, tmdbID: tmdbID)
        }
        if !name.episodes.isEmpty {
            let season = name.isSpecial ? 0 : name.season
            if let season { return Self.placed(season, name.episodes, rule: "season and episode") }
            return counted(name.episodes, season: nil, tmdbID: tmdbID)
        }
        if !name.absolute.isEmpty {
            if name.isSpecial { return Self.placed(0, name.absolute, rule: "special") }
            return counted(name.absolute, season: name.season, tmdbID: tmdbID)
        }
        return .unknown(
            name.isFullSeason ? "one file for a whole season" : "the name has no episode number"
        )
    }

    /// Numbers without a season: of the first season, or over the whole show.
    private func counted(_ numbers: [Int], season: Int?, tmdbID: Int?) -> Numbers {
        guard let tmdbID, episodes.knows(show: tmdbID) else {
            return Self.placed(season ?? 1, numbers, rule: "episode number")
        }
        let wanted = numbers.map { EpisodeTable.Key(season: season ?? 1, number: $0) }
        if wanted.allSatisfy({ episodes.contains($0, ofShow: tmdbID) }) {
            return Self.placed(season ?? 1, numbers, rule: "episode number")
        }
        let keys = numbers.compactMap { episodes.absolute($0, ofShow: tmdbID) }
        guard keys.count == numbers.count, let first = keys.first,
            keys.allSatisfy({ $0.season == first.season })
        else {
            let list = numbers.map(String.init).joined(separator: ", ")
            return .unknown("TMDB does not know episode \(list) of this show yet")
        }
        return Self.placed(first.season, keys.map(\.number), rule: "absolute number")
    }

    private func aired(on date: String, year: Int, tmdbID: Int?) -> Numbers {
        let keys = tmdbID.map { episodes.aired(on: date, ofShow: $0) } ?? []
        if let first = keys.first, keys.allSatisfy({ $0.season == first.season }) {
            return Self.placed(first.season, keys.map(\.number), rule: "air date")
        }
        return .known(
            Placement(showID: 0, season: year, episodes: [], airDate: date),
            rule: "date"
        )
    }

    private static func placed(_ season: Int, _ numbers: [Int], rule: String) -> Numbers {
        .known(
            Placement(showID: 0, season: season, episodes: Set(numbers).sorted()),
            rule: rule
        )
    }
}

extension FileTraits {
    init(_ name: ParsedName) {
        self.init(
            resolution: name.resolution,
            group: name.group,
            version: name.version,
            episodeTitle: name.episodeTitle,
            part: name.part,
            language: name.subtitle?.language,
            flags: name.subtitle?.flags ?? []
        )
    }
}
