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
    /// - Returns: Shows that TMDB knows first, then by their number.
    func find(_ title: String, year: Int?, country: String?) -> (shows: [Show], strength: Strength)?
    {
        let key = normalisedTitle(title)
        // "Show 2010" and "Show US" are titles of their own for some shows.
        let keys =
            [year.map { key + String($0) }, country.map { key + $0.lowercased() }, key]
            .compactMap(\.self)
        for key in keys {
            guard let found = hits[key], let best = found.map(\.strength).min() else { continue }
            let candidates = found.filter { $0.strength == best }.map { shows[$0.show] }
            let fitting = Self.narrowed(candidates, year: year, country: country)
            if !fitting.isEmpty { return (fitting, best) }
        }
        return nil
    }

    private static func narrowed(_ shows: [Show], year: Int?, country: String?) -> [Show] {
        var shows = shows
        if let year {
            // Releases count a new year's premiere to either side.
            shows = shows.filter { show in
                guard let known = show.details?.year else { return true }
                return abs(known - year) <= 1
            }
        }
        if let country {
            let there = shows.filter { $0.details?.countries.contains(country) ?? false }
            if !there.isEmpty { shows = there }
        }
        let known = shows.filter { $0.details != nil }
        return known.isEmpty ? shows : known
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
