import Catalogue
import Naming

/// What a person's placements say about other files of the same release series.
///
/// Someone who put "Title S01E05" to season 2 means the whole series, and "Title - 30" at S02E05
/// means that it counts on.
struct Examples {
    private struct Series: Hashable {
        let title: String
        let season: Int?
    }

    private struct Shift: Hashable {
        let show: Int64
        let season: Int
        /// Added to the numbers that the name bears.
        let offset: Int
    }

    private var shifts: [Series: [Shift]] = [:]

    /// - Parameter placed: Names with the places that a person gave their files.
    init(_ placed: [(name: ParsedName, place: Placement)]) {
        for (name, place) in placed {
            guard let series = Self.series(name), let first = Self.numbers(name).first,
                let wanted = place.episodes.first
            else { continue }
            let shift = Shift(show: place.showID, season: place.season, offset: wanted - first)
            shifts[series, default: []].append(shift)
        }
    }

    /// The place that a file has when it goes as its series does; nil when nothing is known of that.
    func place(_ name: ParsedName) -> Placement? {
        guard let series = Self.series(name), let known = shifts[series], let shift = known.first,
            Set(known).count == 1
        else { return nil }
        // One file moved within its season was mislabelled; that says nothing about others.
        let isSeries = shift.season != (name.season ?? shift.season) || name.season == nil
        guard isSeries || shift.offset == 0 || known.count > 1 else { return nil }
        let episodes = Self.numbers(name).map { $0 + shift.offset }
        guard !episodes.isEmpty, episodes.allSatisfy({ $0 > 0 }) else { return nil }
        return Placement(showID: shift.show, season: shift.season, episodes: episodes)
    }

    private static func series(_ name: ParsedName) -> Series? {
        guard let title = name.title, name.exclusion == nil else { return nil }
        return Series(title: normalisedTitle(title), season: name.season)
    }

    private static func numbers(_ name: ParsedName) -> [Int] {
        name.episodes.isEmpty ? name.absolute : name.episodes
    }
}
