import Catalogue
import Naming

/// Finds shows by the titles that file names bear, without scanning the catalogue.
struct ShowIndex: Sendable {
    /// How a title was found; a better way comes first.
    enum Strength: Int, Sendable, Comparable {
        /// A title or alias of the show, as it stands.
        case exact
        /// The part of a title before its colon or dash.
        case mainTitle

        static func < (one: Strength, other: Strength) -> Bool { one.rawValue < other.rawValue }
    }

    private struct Hit {
        let show: Int
        let strength: Strength
    }

    let shows: [Show]
    private var hits: [String: [Hit]] = [:]

    init(_ shows: [Show]) {
        self.shows = shows
        for (number, show) in shows.enumerated() {
            for title in show.titles {
                add(title, number, .exact)
                if let main = Self.mainTitle(of: title) { add(main, number, .mainTitle) }
            }
        }
    }

    /// Shows that bear `title`, with the strength of the best way it was found.
    ///
    /// - Parameters:
    ///   - title: As the file name has it.
    ///   - year: When given, shows known to have begun more than a year apart are left out.
    ///   - country: When given, shows from there are preferred over namesakes.
    /// - Returns: Shows that TMDB knows, or else those that are only names, by their number.
    func find(_ title: String, year: Int?, country: String?) -> (shows: [Show], strength: Strength)?
    {
        let key = normalisedTitle(title)
        // "Show 2010" and "Show US" are whole titles of some shows, and of others say which of
        // several namesakes is meant.
        var found: [(shows: [Show], strength: Strength)] = []
        if let year, let hit = lookUp(key + String(year), year: nil) { found.append(hit) }
        if let hit = lookUp(key, year: year) { found.append(hit) }
        if let country, let plain = Self.without(country, key), let hit = lookUp(plain, year: year)
        {
            let there = hit.shows.filter { $0.details?.countries.contains(country) ?? false }
            if !there.isEmpty { found.append((there, hit.strength)) }
        }
        for (shows, strength) in found where shows.contains(where: { $0.details != nil }) {
            return (Self.narrowed(shows, country: country), strength)
        }
        return found.first
    }

    private func lookUp(_ key: String, year: Int?) -> (shows: [Show], strength: Strength)? {
        guard let all = hits[key] else { return nil }
        // Releases count a new year's premiere to either side.
        let fitting = all.filter { hit in
            guard let year, let known = shows[hit.show].details?.year else { return true }
            return abs(known - year) <= 1
        }
        guard let best = fitting.map(\.strength).min() else { return nil }
        return (fitting.filter { $0.strength == best }.map { shows[$0.show] }, best)
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

    private mutating func add(_ title: String, _ show: Int, _ strength: Strength) {
        let key = normalisedTitle(title)
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
