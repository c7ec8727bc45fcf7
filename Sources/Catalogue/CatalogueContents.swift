/// Everything in the catalogue as of one moment.
public struct CatalogueContents: Sendable {
    /// Ascending by number.
    public internal(set) var shows: [Show]
    /// Ascending by show, season and number.
    public internal(set) var episodes: [Episode]
    /// Ascending by number.
    public internal(set) var files: [LibraryFile]
    /// Grows by one with every change.
    public internal(set) var revision: Int64
    /// Numbers that nothing has had yet.
    public internal(set) var nextShowID: Int64
    public internal(set) var nextFileID: Int64

    /// - Parameters:
    ///   - shows: Ascending by number.
    ///   - episodes: Ascending by show, season and number.
    ///   - files: Ascending by number.
    ///   - revision: How many changes were made.
    ///   - nextShowID: Above every number that a show has or had.
    ///   - nextFileID: Above every number that a file has or had.
    public init(
        shows: [Show] = [],
        episodes: [Episode] = [],
        files: [LibraryFile] = [],
        revision: Int64 = 0,
        nextShowID: Int64 = 1,
        nextFileID: Int64 = 1
    ) {
        self.shows = shows
        self.episodes = episodes
        self.files = files
        self.revision = revision
        self.nextShowID = max(nextShowID, (shows.last?.id ?? 0) + 1)
        self.nextFileID = max(nextFileID, (files.last?.id ?? 0) + 1)
    }

    public var isEmpty: Bool { shows.isEmpty && episodes.isEmpty && files.isEmpty }

    public func show(_ id: Int64) -> Show? { shows.element(at: id, by: \.id) }

    public func file(_ id: Int64) -> LibraryFile? { files.element(at: id, by: \.id) }

    /// Notes when TMDB was asked about a show.
    public mutating func noteAsked(_ seconds: Int64, about tmdbID: Int) {
        for index in shows.indices where shows[index].details?.tmdbID == tmdbID {
            shows[index].askedSeconds = seconds
        }
    }

    /// The episodes of a show, by season and number.
    ///
    /// - Parameter tmdbID: TMDB's number of the show.
    /// - Returns: None when there is no such show.
    public func episodes(ofShow tmdbID: Int) -> ArraySlice<Episode> {
        let first = EpisodeKey(showTMDBID: tmdbID, season: .min, number: .min)
        let last = EpisodeKey(showTMDBID: tmdbID, season: .max, number: .max)
        return episodes[episodes.place(of: first, by: \.key)..<episodes.place(of: last, by: \.key)]
    }
}

/// What tells an episode from all others.
public struct EpisodeKey: Hashable, Sendable, Codable, Comparable {
    public let showTMDBID: Int
    public let season: Int
    public let number: Int

    public init(showTMDBID: Int, season: Int, number: Int) {
        self.showTMDBID = showTMDBID
        self.season = season
        self.number = number
    }

    public static func < (one: EpisodeKey, other: EpisodeKey) -> Bool {
        (one.showTMDBID, one.season, one.number) < (other.showTMDBID, other.season, other.number)
    }
}

extension Episode {
    public var key: EpisodeKey {
        EpisodeKey(showTMDBID: showTMDBID, season: season, number: number)
    }
}

/// Arrays in the ascending order of a key.
extension Array {
    /// Where an element with the key is, or would be put.
    func place<Key: Comparable>(of key: Key, by keyOf: (Element) -> Key) -> Int {
        var (lower, upper) = (0, count)
        while lower < upper {
            let middle = (lower + upper) / 2
            if keyOf(self[middle]) < key { lower = middle + 1 } else { upper = middle }
        }
        return lower
    }

    func element<Key: Comparable>(at key: Key, by keyOf: (Element) -> Key) -> Element? {
        let place = place(of: key, by: keyOf)
        return place < count && keyOf(self[place]) == key ? self[place] : nil
    }

    /// Puts elements to their places, over those with the same keys, and takes others out.
    ///
    /// It goes once through the array, however many there are.
    mutating func merge<Key: Comparable & Hashable>(
        _ new: [Element],
        without removed: [Key],
        by keyOf: (Element) -> Key
    ) {
        guard !new.isEmpty || !removed.isEmpty else { return }
        if new.count == 1, removed.isEmpty {
            let place = place(of: keyOf(new[0]), by: keyOf)
            let isThere = place < count && keyOf(self[place]) == keyOf(new[0])
            replaceSubrange(place..<(isThere ? place + 1 : place), with: new)
            return
        }
        let gone = Set(removed)
        let sorted = new.sorted { keyOf($0) < keyOf($1) }
        var merged: [Element] = []
        merged.reserveCapacity(count + new.count)
        var next = 0
        for element in self {
            let key = keyOf(element)
            while next < sorted.count, keyOf(sorted[next]) < key {
                merged.append(sorted[next])
                next += 1
            }
            if next < sorted.count, keyOf(sorted[next]) == key {
                merged.append(sorted[next])
                next += 1
            } else if !gone.contains(key) {
                merged.append(element)
            }
        }
        merged.append(contentsOf: sorted[next...])
        self = merged
    }
}
