/// Rows to put and rows to take out, all at once.
///
/// A row that is put replaces the one with the same key whole. The rows that a change replaces,
/// kept as edits, are its inverse.
public struct CatalogueEdits: Hashable, Sendable, Codable {
    public var shows: [Show] = []
    public var removedShows: [Int64] = []
    public var episodes: [Episode] = []
    public var removedEpisodes: [EpisodeKey] = []
    public var files: [LibraryFile] = []
    public var removedFiles: [Int64] = []

    public init() {}

    /// What makes `new` of `old`.
    public init(from old: CatalogueContents, to new: CatalogueContents) {
        (shows, removedShows) = Self.difference(old.shows, new.shows, by: \.id)
        (episodes, removedEpisodes) = Self.difference(old.episodes, new.episodes, by: \.key)
        (files, removedFiles) = Self.difference(old.files, new.files, by: \.id)
    }

    /// Both are in the ascending order of the key.
    private static func difference<Row: Equatable, Key: Comparable>(
        _ old: [Row],
        _ new: [Row],
        by key: (Row) -> Key
    ) -> (put: [Row], removed: [Key]) {
        // Of the same storage they are equal at a glance.
        guard old != new else { return ([], []) }
        var (put, removed): ([Row], [Key]) = ([], [])
        var next = 0
        for row in new {
            while next < old.count, key(old[next]) < key(row) {
                removed.append(key(old[next]))
                next += 1
            }
            guard next < old.count, key(old[next]) == key(row) else {
                put.append(row)
                continue
            }
            if old[next] != row { put.append(row) }
            next += 1
        }
        removed += old[next...].map(key)
        return (put, removed)
    }

    /// The same in parts, of which each may be made by itself.
    ///
    /// - Parameter rows: At most so many in each part.
    /// - Returns: The parts in the order in which they are made.
    public func parts(of rows: Int) -> [CatalogueEdits] {
        func parts<Row>(
            _ path: WritableKeyPath<CatalogueEdits, [Row]>
        ) -> [CatalogueEdits] {
            stride(from: 0, to: self[keyPath: path].count, by: rows).map { start in
                var part = CatalogueEdits()
                part[keyPath: path] = Array(self[keyPath: path].dropFirst(start).prefix(rows))
                return part
            }
        }
        return parts(\.removedFiles) + parts(\.removedEpisodes) + parts(\.shows)
            + parts(\.episodes) + parts(\.files) + parts(\.removedShows)
    }

    public var isEmpty: Bool {
        shows.isEmpty && removedShows.isEmpty && episodes.isEmpty && removedEpisodes.isEmpty
            && files.isEmpty && removedFiles.isEmpty
    }

    /// Whether both touch a row.
    public func overlaps(_ other: CatalogueEdits) -> Bool {
        !showIDs.isDisjoint(with: other.showIDs) || !fileIDs.isDisjoint(with: other.fileIDs)
            || !episodeKeys.isDisjoint(with: other.episodeKeys)
    }

    private var showIDs: Set<Int64> { Set(shows.map(\.id) + removedShows) }
    private var fileIDs: Set<Int64> { Set(files.map(\.id) + removedFiles) }
    private var episodeKeys: Set<EpisodeKey> { Set(episodes.map(\.key) + removedEpisodes) }

    /// What brings back `contents` after these edits.
    func inverse(in contents: CatalogueContents) -> CatalogueEdits {
        var inverse = CatalogueEdits()
        for id in shows.map(\.id) + removedShows {
            if let show = contents.show(id) {
                inverse.shows.append(show)
            } else {
                inverse.removedShows.append(id)
            }
        }
        for key in episodes.map(\.key) + removedEpisodes {
            if let episode = contents.episodes.element(at: key, by: \.key) {
                inverse.episodes.append(episode)
            } else {
                inverse.removedEpisodes.append(key)
            }
        }
        for id in files.map(\.id) + removedFiles {
            if let file = contents.file(id) {
                inverse.files.append(file)
            } else {
                inverse.removedFiles.append(id)
            }
        }
        return inverse
    }
}

extension CatalogueContents {
    mutating func apply(_ edits: CatalogueEdits) {
        shows.merge(edits.shows, without: edits.removedShows, by: \.id)
        episodes.merge(edits.episodes, without: edits.removedEpisodes, by: \.key)
        files.merge(edits.files, without: edits.removedFiles, by: \.id)
        nextShowID = max(nextShowID, (shows.last?.id ?? 0) + 1)
        nextFileID = max(nextFileID, (files.last?.id ?? 0) + 1)
    }
}
