/// Which show of a search's answer a name means.
public enum ShowChoice: Hashable, Sendable {
    case one(SearchHit)
    /// Most popular first.
    case ambiguous([SearchHit])
    /// Nothing fits; the hits are what TMDB thought near.
    case none

    /// Chooses only what a person would not have to be asked about.
    ///
    /// A title that is the name wins over titles that only begin with it; among equals, a
    /// country behind the name ("The Office US") decides, else the person must.
    ///
    /// - Parameters:
    ///   - hits: The answer of a search for `name`.
    ///   - name: As the person wrote it.
    ///   - year: Of the first episode, when the person gave it.
    /// - Returns: The choice.
    public static func choose(from hits: [SearchHit], name: String, year: Int?) -> ShowChoice {
        var wanted = words(name)
        var candidates = hits
        if let year {
            candidates = hits.filter { $0.year == year }
        } else if let last = wanted.last, let country = countries[last], wanted.count > 1,
            !hits.contains(where: { titles($0).contains(wanted) })
        {
            wanted.removeLast()
            candidates = hits.filter { $0.originCountry.contains(country) }
        }
        let exact = candidates.filter { titles($0).contains(wanted) }
        if !exact.isEmpty { return decided(exact) }
        let beginning = candidates.filter { hit in
            titles(hit).contains { $0.starts(with: wanted) }
        }
        if !beginning.isEmpty { return decided(beginning) }
        // TMDB found it by another language's title, which its answer does not show.
        return candidates.count == 1
            ? .one(candidates[0]) : candidates.isEmpty ? .none : .ambiguous(candidates)
    }

    /// The name without a country at its end; nil when none stands there.
    public static func withoutCountry(_ name: String) -> String? {
        let parts = name.split(separator: " ")
        guard parts.count > 1, let last = parts.last,
            let word = words(String(last)).first, countries[word] != nil
        else { return nil }
        return parts.dropLast().joined(separator: " ")
    }

    private static func decided(_ hits: [SearchHit]) -> ShowChoice {
        hits.count == 1 ? .one(hits[0]) : .ambiguous(hits.sorted { $0.popularity > $1.popularity })
    }

    /// What people write behind a title.
    private static let countries = [
        "us": "US", "usa": "US", "uk": "GB", "gb": "GB", "au": "AU", "nz": "NZ", "ca": "CA",
        "jp": "JP", "kr": "KR",
    ]

    private static func titles(_ hit: SearchHit) -> [[String]] {
        [words(hit.name), words(hit.originalName)].filter { !$0.isEmpty }
    }

    private static func words(_ text: String) -> [String] {
        text.lowercased()
            .replacing("&", with: " and ")
            .replacing("'", with: "")
            .replacing("’", with: "")
            .split { !$0.isLetter && !$0.isNumber }
            .map(String.init)
    }
}
