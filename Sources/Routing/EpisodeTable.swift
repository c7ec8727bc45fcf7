import Catalogue

/// The episodes of every show, by each of the numbers that file names use.
struct EpisodeTable: Sendable {
    struct Key: Hashable, Sendable {
        let season: Int
        let number: Int
    }

    private struct Show {
        var numbers: Set<Key> = []
        var byAbsolute: [Int: Key] = [:]
        var byDate: [String: [Key]] = [:]
        /// The episodes of each season.
        var counts: [Int: Int] = [:]
    }

    private var shows: [Int: Show] = [:]

    init(_ episodes: [Episode]) {
        for episode in episodes {
            let key = Key(season: episode.season, number: episode.number)
            shows[episode.showTMDBID, default: Show()].numbers.insert(key)
            shows[episode.showTMDBID]?.counts[episode.season, default: 0] += 1
            if let absolute = episode.absolute {
                shows[episode.showTMDBID]?.byAbsolute[absolute] = key
            }
            if let date = episode.airDate {
                shows[episode.showTMDBID]?.byDate[date, default: []].append(key)
            }
        }
    }

    func contains(_ key: Key, ofShow tmdbID: Int) -> Bool {
        shows[tmdbID]?.numbers.contains(key) ?? false
    }

    func containsAll(_ numbers: [Int], season: Int, ofShow tmdbID: Int) -> Bool {
        numbers.allSatisfy { contains(Key(season: season, number: $0), ofShow: tmdbID) }
    }

    /// The episode with the `number`th place over all seasons.
    func absolute(_ number: Int, ofShow tmdbID: Int) -> Key? {
        shows[tmdbID]?.byAbsolute[number]
    }

    /// The episodes that aired on a date, `YYYY-MM-DD`.
    func aired(on date: String, ofShow tmdbID: Int) -> [Key] {
        shows[tmdbID]?.byDate[date] ?? []
    }

    func knows(show tmdbID: Int) -> Bool { shows[tmdbID] != nil }

    /// How many episodes a season has; 0 when the show has none of this number.
    func count(season: Int, ofShow tmdbID: Int) -> Int { shows[tmdbID]?.counts[season] ?? 0 }

    /// Seasons beside the specials, ascending.
    func seasons(ofShow tmdbID: Int) -> [Int] {
        (shows[tmdbID]?.counts.keys).map { $0.filter { $0 > 0 }.sorted() } ?? []
    }
}
