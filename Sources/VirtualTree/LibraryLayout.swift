import Catalogue
import Primitives

/// The tree that media servers are pointed at:
/// `Show (Year) {tmdb-N}/Season 01/Show (Year) - S01E05 - Title [1080p].mkv`.
///
/// The form is the one that Plex, Jellyfin, Kodi and Emby all read. What is not known is left
/// out. Shows without files have no folder: media servers would list them as empty.
struct LibraryLayout {
    private let shows: [Show]
    private let preference: VersionPreference
    /// By the show's TMDB number, then season and number.
    private var episodeNames: [Int: [EpisodeKey: String]] = [:]
    /// By the show's number, then season; each ascending by the file's number.
    private var files: [Int64: [Int: [PlacedFile]]] = [:]

    init(_ contents: CatalogueContents, _ preference: VersionPreference) {
        shows = contents.shows
        self.preference = preference
        for episode in contents.episodes where !episode.name.isEmpty {
            let key = EpisodeKey(season: episode.season, number: episode.number)
            episodeNames[episode.showTMDBID, default: [:]][key] = episode.name
        }
        for file in contents.files {
            guard let placement = file.decision.placement else { continue }
            files[placement.showID, default: [:]][placement.season, default: []].append(
                PlacedFile(file: file, placement: placement)
            )
        }
    }

    func outline() -> Outline {
        let shown = shows.filter { files[$0.id] != nil }
        var library = Outline(id: .library)
        for (show, folder) in zip(shown, shown.concurrentMap(folder)) {
            let suffix =
                Self.yearSuffix(of: show) + (show.details.map { " {tmdb-\($0.tmdbID)}" } ?? "")
            library.add(
                .directory(folder),
                id: folder.id,
                stem: show.folder ?? Self.title(of: show),
                ending: show.folder == nil ? suffix : ""
            )
        }
        return library
    }

    private func folder(of show: Show) -> Outline {
        var folder = Outline(id: .show(show.id))
        for (number, files) in (files[show.id] ?? [:]).sorted(by: { $0.key < $1.key }) {
            let id = NodeID.season(number, ofShow: show.id)
            let season = SeasonLayout(
                showName: Self.name(of: show),
                episodeNames: show.details.flatMap { episodeNames[$0.tmdbID] } ?? [:],
                season: number
            )
            let label = number < 10 ? "Season 0\(number)" : "Season \(number)"
            let sorted = season.sorted(files, by: preference)
            folder.add(.directory(season.outline(of: sorted, id: id)), id: id, stem: label)
        }
        return folder
    }

    private static func name(of show: Show) -> String { title(of: show) + yearSuffix(of: show) }

    /// The name without the year that some titles already bear in brackets.
    private static func title(of show: Show) -> String {
        let suffix = yearSuffix(of: show)
        guard !suffix.isEmpty, show.name.hasSuffix(suffix) else { return show.name }
        return String(show.name.dropLast(suffix.count))
    }

    private static func yearSuffix(of show: Show) -> String {
        show.details?.year.map { " (\($0))" } ?? ""
    }
}

struct EpisodeKey: Hashable {
    let season: Int
    let number: Int
}

struct PlacedFile {
    let file: LibraryFile
    let placement: Placement
}

/// One season's folder: videos by their episode, subtitles under their video's name.
private struct SeasonLayout {
    let showName: String
    let episodeNames: [EpisodeKey: String]
    let season: Int

    /// A video with the name it got, for the subtitles that belong to it.
    private struct NamedVideo {
        let file: PlacedFile
        let base: String
    }

    /// The preferred file of each episode before the others; else as they came.
    func sorted(_ files: [PlacedFile], by preference: VersionPreference) -> [PlacedFile] {
        let groups = Dictionary(grouping: files.indices) { files[$0].placement }
        guard groups.count < files.count else { return files }
        var order = Array(files.indices)
        for places in groups.values where places.count > 1 {
            let best = places.sorted {
                let (one, other) = (files[$0].file.decision, files[$1].file.decision)
                if preference.prefers(one.traits, to: other.traits) { return true }
                return !preference.prefers(other.traits, to: one.traits) && $0 < $1
            }
            for (place, file) in zip(places, best) { order[place] = file }
        }
        return order.map { files[$0] }
    }

    func outline(of files: [PlacedFile], id: NodeID) -> Outline {
        var outline = Outline(id: id)
        var videos: [NamedVideo] = []
        for file in files where file.file.kind == .video {
            let name = outline.add(
                .file(file.file.file),
                id: .file(file.file.id, file.file.file),
                stem: stem(of: file),
                ending: ending(of: file),
                marks: marks(of: file)
            )
            videos.append(NamedVideo(file: file, base: FileEnding.split(name).stem))
        }
        for file in files where file.file.kind == .subtitle {
            let traits = file.file.decision.traits
            let tags = ([traits.language].compactMap(\.self) + traits.flags).map { ".\($0)" }
            outline.add(
                .file(file.file.file),
                id: .file(file.file.id, file.file.file),
                stem: video(for: file, among: videos)?.base ?? stem(of: file),
                ending: tags.joined() + Self.fileExtension(file),
                numbered: { ".\($0)" }
            )
        }
        return outline
    }

    private func stem(of file: PlacedFile) -> String {
        let parts = [showName, number(of: file.placement), title(of: file)]
        return parts.filter { !$0.isEmpty }.joined(separator: " - ")
    }

    private func number(of placement: Placement) -> String {
        guard let first = placement.episodes.first, let last = placement.episodes.last else {
            return placement.airDate ?? ""
        }
        func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let start = "S\(padded(placement.season))E\(padded(first))"
        return first == last ? start : "\(start)-E\(padded(last))"
    }

    private func title(of file: PlacedFile) -> String {
        let names = file.placement.episodes.compactMap {
            episodeNames[EpisodeKey(season: season, number: $0)]
        }
        guard let first = names.first else { return file.file.decision.traits.episodeTitle ?? "" }
        guard let last = names.last, names.count > 1, last != first else { return first }
        return "\(first) & \(last)"
    }

    private func ending(of file: PlacedFile) -> String {
        let traits = file.file.decision.traits
        let tag = traits.resolution.map { " [\($0)]" } ?? ""
        let part = traits.part.map { " - pt\($0)" } ?? ""
        return part + tag + Self.fileExtension(file)
    }

    /// What tells two files of one episode apart, most telling first.
    private func marks(of file: PlacedFile) -> [String] {
        let traits = file.file.decision.traits
        let version = traits.version > 1 ? "v\(traits.version)" : nil
        let both = [traits.group, version].compactMap(\.self).joined(separator: " ")
        return [traits.group, version, both].compactMap(\.self)
            .filter { !$0.isEmpty }
            .map { " [\($0)]" }
    }

    /// The video of the same episodes whose path has most in common with the subtitle's.
    private func video(for subtitle: PlacedFile, among videos: [NamedVideo]) -> NamedVideo? {
        let placement = subtitle.placement
        let path = subtitle.file.file.path.bytes
        return
            videos
            .filter {
                let other = $0.file.placement
                return other.airDate == placement.airDate
                    && (other.episodes == placement.episodes
                        || !Set(other.episodes).isDisjoint(with: placement.episodes))
            }
            .max {
                common($0.file.file.file.path.bytes, path)
                    < common($1.file.file.file.path.bytes, path)
            }
    }

    private func common(_ one: [UInt8], _ other: [UInt8]) -> Int {
        zip(one, other).prefix { $0 == $1 }.count
    }

    private static func fileExtension(_ file: PlacedFile) -> String {
        FileEnding.split(RemotePath.escaped(file.file.file.path.lastComponent)).ending
    }
}
