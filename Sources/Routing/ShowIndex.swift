import Catalogue
import Naming

/// Finds shows by the titles that file names bear, without scanning the catalogue.
struct ShowIndex: Sendable {
    /// How a title was found; a better way comes first.
    enum Strength: Int, Sendable, Comparable {
        /// A title or alias of the show, as it stands.
        case exact
        /// The same but for articles, numerals and "and".
        case loose
        /// The part of a title before its colon or dash.
        case mainTitle
        /// Spelled nearly so.
        case alike

        static func < (one: Strength, other: Strength) -> Bool { one.rawValue < other.rawValue }

        /// What of a name's confidence is left when its show was found so.
        var factor: Double {
            switch self {
            case .exact: 1
            case .loose: 0.97
            case .mainTitle: 0.9
            case .alike: 0.8
            }
        }

        var words: String {
            switch self {
            case .exact, .loose: "show by title"
            case .mainTitle: "show by main title"
            case .alike: "show by a similar title"
            }
        }
    }

    struct Found: Sendable {
        var shows: [Show]
        var strength: Strength
    }

    private struct Hit {
        let show: Int
        let strength: Strength
    }

    /// What two spellings of one title have in common at least.
    private static let leastLikeness = 0.78
    /// And how much more than with the next show.
    private static let margin = 0.12

    let shows: [Show]
    private var hits: [String: [Hit]] = [:]
    private var looseHits: [String: [Hit]] = [:]
    private let fuzzy: FuzzyTitles

    init(_ shows: [Show]) {
        self.shows = shows
        var known: [(key: String, show: Int)] = []
        for (number, show) in shows.enumerated() {
            for title in show.titles {
                let key = normalisedTitle(title)
                if show.details != nil { known.append((Self.plainKey(title), number)) }
                Self.add(key, number, .exact, to: &hits)
                Self.add(looseTitle(title), number, .loose, to: &looseHits)
                if let main = Self.mainTitle(of: title) {
                    Self.add(normalisedTitle(main), number, .mainTitle, to: &hits)
                }
            }
        }
        fuzzy = FuzzyTitles(known)
    }

    /// Shows that bear `title`, with the strength of the best way it was found.
    ///
    /// - Parameters:
    ///   - title: As the file name has it.
    ///   - year: When given, shows known to have begun more than a year apart are left out.
    ///   - country: When given, shows from there are preferred over namesakes.
    /// - Returns: Shows that TMDB knows, or else those that are only names, by their number.
    func find(_ title: String, year: Int?, country: String?) -> Found? {
        let key = normalisedTitle(title)
        // "Show 2010" and "Show US" are whole titles of some shows, and of others say which of
        // several namesakes is meant.
        var found: [Found] = []
        if let year, let hit = lookUp(hits[key + String(year)], year: nil) { found.append(hit) }
        if let hit = lookUp(hits[key], year: year) { found.append(hit) }
        if let country, let plain = Self.without(country, key),
            let hit = lookUp(hits[plain], year: year)
        {
            let there = hit.shows.filter { $0.details?.countries.contains(country) ?? false }
            if !there.isEmpty { found.append(Found(shows: there, strength: hit.strength)) }
        }
        if !found.contains(where: { $0.strength == .exact }),
            let hit = lookUp(looseHits[looseTitle(title)], year: year)
        {
            found.append(hit)
        }
        for hit in found where hit.shows.contains(where: { $0.details != nil }) {
            return Found(shows: Self.narrowed(hit.shows, country: country), strength: hit.strength)
        }
        return found.first
    }

    /// The show whose title is nearly this one, when no other is nearly as near.
    ///
    /// - Returns: One show; or several, which are all too near to choose; nil when none is near.
    func findAlike(_ title: String, year: Int?) -> Found? {
        let near = fuzzy.nearest(Self.plainKey(title), least: Self.leastLikeness)
            .filter { isFitting($0.show, year) }
        guard let best = near.first else { return nil }
        let rivals = near.filter { best.likeness - $0.likeness < Self.margin }
        return Found(shows: rivals.map { shows[$0.show] }, strength: .alike)
    }

    /// The letters that tell titles apart.
    private static func plainKey(_ title: String) -> String {
        looseTitle(title).filter { $0 != "|" }
    }

    /// Shows that bear the title but begin in other years: what a person may have meant.
    func namesakes(_ title: String) -> [Show] {
        (hits[normalisedTitle(title)] ?? []).map { shows[$0.show] }.filter { $0.details != nil }
    }

    private func lookUp(_ all: [Hit]?, year: Int?) -> Found? {
        guard let all else { return nil }
        let fitting = all.filter { isFitting($0.show, year) }
        guard let best = fitting.map(\.strength).min() else { return nil }
        return Found(
            shows: fitting.filter { $0.strength == best }.map { shows[$0.show] },
            strength: best
        )
    }

    /// Releases count a new year's premiere to either side.
    private func isFitting(_ show: Int, _ year: Int?) -> Bool {
        guard let year, let known = shows[show].details?.year else { return true }
        return abs(known - year) <= 1
    }

    /// The title without the country's mark at its end.
    private static func without(_ country: String, _ key: String) -> String? {
        let marks =
            country == "GB"
            ? ["uk", "gb"] : country == "US" ? ["usa", "us"] : [country.lowercased()]
        return marks.first { key.hasSuffix($0) && key.count > $0.count }
            .map { String(key.dropLast($0.count)) }
    }

    private static func narrowed(_ shows: [Show], country: String?) -> [Show] {
        let known = shows.filter { $0.details != nil }
        guard let country else { return known }
        let there = known.filter { $0.details?.countries.contains(country) ?? false }
        return there.isEmpty ? known : there
    }

    private static func add(
        _ key: String,
        _ show: Int,
        _ strength: Strength,
        to hits: inout [String: [Hit]]
    ) {
        guard !key.isEmpty else { return }
        guard let known = hits[key]?.firstIndex(where: { $0.show == show }) else {
            hits[key, default: []].append(Hit(show: show, strength: strength))
            return
        }
        if strength < hits[key]?[known].strength ?? strength {
            hits[key]?[known] = Hit(show: show, strength: strength)
        }
    }

    private static func mainTitle(of title: String) -> String? {
        for separator in [": ", " - ", "："] {
            if let range = title.firstRange(of: separator), range.lowerBound != title.startIndex {
                return String(title[..<range.lowerBound])
            }
        }
        return nil
    }
}
