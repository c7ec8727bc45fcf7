public import Catalogue
public import Naming
internal import Primitives

/// Decides where in the library a file belongs, from its parsed name and the catalogue.
///
/// It guesses only where a wrong guess is unlikely; what it leaves open it says why, with the
/// shows that it considered.
public struct Router: Sendable {
    /// Below this the parser's reading of a name is not trusted with a place.
    public static let leastConfidence = 0.5

    /// Of a show that only this name tells, nothing is certain yet.
    private static let newShowFactor = 0.9

    private let index: ShowIndex
    let episodes: EpisodeTable
    /// The episodes of a show ask the same.
    private let matches = Lock<[Question: Match?]>([:])

    public init(shows: [Show], episodes: [Episode]) {
        index = ShowIndex(shows)
        self.episodes = EpisodeTable(episodes)
    }

    /// What the router decided about a file.
    public struct Outcome: Sendable {
        public var decision: Decision
        /// Set when the file starts a show that the catalogue does not have yet.
        public var newShow: ShowDraft?
        /// TMDB's number of a show that has no such episode as far as we know: it may have been
        /// added since.
        public var outdatedShow: Int?
    }

    /// Finds the place of a file.
    ///
    /// - Parameter name: As the parser read it.
    /// - Returns: The place, or why there is none.
    public func route(_ name: ParsedName) -> Outcome {
        let traits = FileTraits(name)
        let spans = Spans(name)
        func open(_ reason: String, _ shows: [Show] = []) -> Outcome {
            Outcome(
                decision: Decision(
                    placement: nil,
                    rule: reason,
                    confidence: name.confidence,
                    candidates: shows.map(Self.label),
                    traits: traits,
                    spans: spans
                )
            )
        }
        if let exclusion = name.exclusion { return open("left out: \(exclusion)") }
        guard let title = name.title, !title.isEmpty else { return open("the name has no title") }
        guard name.confidence >= Self.leastConfidence else {
            return open("the name is not understood well enough")
        }
        let match = match(name, title)
        if let match, match.shows.count > 1 {
            return open("'\(title)' may be any of several shows", match.shows)
        }
        let show = match?.shows.first
        switch numbers(of: match?.renumbered(name) ?? name, in: show) {
        case .unknown(let reason, let isOutdated):
            var outcome = open(reason, show.map { [$0] } ?? [])
            if isOutdated { outcome.outdatedShow = show?.details?.tmdbID }
            return outcome
        case .known(var placement, let rule, let factor):
            placement.showID = show?.id ?? 0
            let namesakes = show == nil ? index.namesakes(title) : []
            let decision = Decision(
                placement: placement,
                rule: "\(match?.words ?? "new show"), \(rule)",
                confidence: name.confidence * factor * (match?.factor ?? Self.newShowFactor),
                candidates: namesakes.map(Self.label),
                traits: traits,
                spans: spans
            )
            // Of shows with one name the year tells which.
            let year = namesakes.isEmpty ? nil : name.year
            let draft = ShowDraft(systemName: title + (year.map { " (\($0))" } ?? ""))
            return Outcome(decision: decision, newShow: show == nil ? draft : nil)
        }
    }

    static func label(_ show: Show) -> String {
        guard let details = show.details else { return show.name }
        return show.name + (details.year.map { " (\($0))" } ?? "") + " {tmdb-\(details.tmdbID)}"
    }
}

/// Which show a name means.
extension Router {
    /// A show, or several of which none can be preferred.
    struct Match {
        var shows: [Show]
        var words: String
        var factor: Double
        /// What the title says of the season: "Title III".
        var season: Int?

        init(_ found: ShowIndex.Found) {
            shows = found.shows
            words = found.strength.words
            factor = found.strength.factor
        }

        /// The name with the season that its title tells.
        func renumbered(_ name: ParsedName) -> ParsedName {
            guard let season, name.season == nil else { return name }
            var name = name
            name.season = season
            return name
        }
    }

    /// What of a name its show depends on.
    fileprivate struct Question: Hashable {
        let title: String
        let alternativeTitles: [String]
        let folderTitle: String?
        let year: Int?
        let country: String?
    }

    private func match(_ name: ParsedName, _ title: String) -> Match? {
        let question = Question(
            title: title,
            alternativeTitles: name.alternativeTitles,
            folderTitle: name.folderTitle,
            year: name.year,
            country: name.country
        )
        if let known = matches.withLock({ $0[question] }) { return known }
        let match = findMatch(name, title)
        matches.withLock { $0[question] = .some(match) }
        return match
    }

    private func findMatch(_ name: ParsedName, _ title: String) -> Match? {
        var nameOnly: Match?
        for other in [title] + name.alternativeTitles {
            guard let found = index.find(other, year: name.year, country: name.country) else {
                continue
            }
            if found.shows.contains(where: { $0.details != nil }) { return Match(found) }
            nameOnly = nameOnly ?? Match(found)
        }
        if let sequel = sequel(name, title) { return sequel }
        if let nameOnly { return nameOnly }
        if let alike = index.findAlike(title, year: name.year) { return Match(alike) }
        guard let folder = name.folderTitle, folder != title,
            let found = index.find(folder, year: nil, country: nil), found.shows.count == 1,
            found.shows[0].details != nil
        else { return nil }
        var match = Match(found)
        match.words = "show by folder"
        match.factor = 0.8
        return match
    }

    /// "Title III", "Title 2", "Title Part 2": a later season of "Title".
    private func sequel(_ name: ParsedName, _ title: String) -> Match? {
        var words = title.split(separator: " ")
        guard words.count > 1, let last = words.popLast() else { return nil }
        let number = Self.numerals[last.lowercased()] ?? Int(last)
        var season = number
        if let mark = words.last?.lowercased(), ["part", "cour"].contains(mark), number != nil {
            words.removeLast()
            season = nil
        } else if last.lowercased() == "cour", words.count > 1 {
            words.removeLast()
            season = nil
        } else if number.map({ !(2...19).contains($0) }) ?? true {
            return nil
        }
        let base = words.joined(separator: " ")
        guard !base.isEmpty, let found = index.find(base, year: name.year, country: name.country),
            found.shows.count == 1, let id = found.shows[0].details?.tmdbID
        else { return nil }
        // Only a season that there is.
        if let season, episodes.count(season: season, ofShow: id) == 0 { return nil }
        var match = Match(found)
        match.season = season
        match.words = season == nil ? "show by title without its part" : "season by title"
        match.factor = season == nil ? 0.75 : 0.95
        return match
    }

    private static let numerals = [
        "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9,
    ]
}

extension Spans {
    init?(_ name: ParsedName) {
        guard !name.evidence.isEmpty else { return nil }
        let found = name.evidence.sorted { $0.bytes.lowerBound < $1.bytes.lowerBound }
        self.init(found.map { Span(fact: $0.fact.rawValue, bytes: $0.bytes) })
    }
}

extension FileTraits {
    init(_ name: ParsedName) {
        self.init(
            resolution: name.resolution,
            source: name.source,
            isProper: name.isProper ? true : nil,
            group: name.group,
            version: name.version,
            episodeTitle: name.episodeTitle,
            part: name.part,
            language: name.subtitle?.language,
            flags: name.subtitle?.flags ?? []
        )
    }
}
