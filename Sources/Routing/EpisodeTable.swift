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
    }

    private var shows: [Int: Show] = [:]

    init(_ episodes: [Episode]) {
        for episode in episodes {
            let key = Key(season: episode.season, number: episode.number)
            shows[episode.showTMDBID, default: Show()].numbers.insert(key)
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

    /// The episode with the `number`th place over all seasons.
    func absolute(_ number: Int, ofShow tmdbID: Int) -> Key? {
        shows[tmdbID]?.byAbsolute[number]
    }

    /// The episodes that aired on a date, `YYYY-MM-DD`.
    func aired(on date: String, ofShow tmdbID: Int) -> [Key] {
        shows[tmdbID]?.byDate[date] ?? []
    }

    func knows(show tmdbID: Int) -> Bool { shows[tmdbID] != nil }
}
