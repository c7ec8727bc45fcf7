/// What a file's folders add to its name.
struct Folders {
    let file: Substring
    /// Nearest first.
    let parents: [Substring]

    /// More levels say nothing about a file.
    private static let mostParents = 4

    init(_ path: String) {
        let parts = path.split { $0 == "/" || $0 == "\\" }
        file = parts.last ?? path[...]
        parents = Array(parts.dropLast().suffix(Self.mostParents).reversed())
    }

    /// Folders whose content is no episode, whatever its name.
    private static let excluding: [String: Exclusion] = [
        "sample": .sample, "samples": .sample, "trailers": .trailer, "trailer": .trailer,
        "extras": .extra, "extra": .extra, "featurettes": .extra, "bonus": .extra,
        "behind the scenes": .extra, "deleted scenes": .extra, "interviews": .extra,
        "scenes": .extra, "shorts": .extra, "proof": .extra,
    ]

    static func exclusion(_ parents: [Substring]) -> Exclusion? {
        parents.first.flatMap { excluding[$0.lowercased()] }
    }

    /// Fills in what the file name does not say from its folders, nearest first.
    static func complete(
        _ name: inout ParsedName,
        from parents: [Substring],
        read: (Substring) -> ParsedName
    ) {
        guard !parents.isEmpty else { return }
        let hadTitle = name.title != nil
        for (depth, parent) in parents.enumerated() {
            let lower = parent.lowercased()
            if excluding[lower] != nil || ["subs", "subtitles", "sub"].contains(lower) {
                if depth == 0, excluding[lower] == nil { forgetNoise(&name) }
                continue
            }
            let folder = read(parent)
            if depth == 0 || name.title == nil || !name.hasNumbers {
                adopt(folder, parent, into: &name, hadTitle: hadTitle)
            }
        }
    }

    /// Files below "Subs" are called "2_English" and the like.
    private static func forgetNoise(_ name: inout ParsedName) {
        if !name.hasNumbers || name.title == nil {
            name.title = nil
            name.absolute = []
        }
    }

    private static func adopt(
        _ folder: ParsedName,
        _ text: Substring,
        into name: inout ParsedName,
        hadTitle: Bool
    ) {
        if name.exclusion == .obfuscated, folder.hasNumbers || folder.airDate != nil {
            // A scrambled file in a folder that bears the release's name.
            let (container, subtitle) = (name.container, name.subtitle)
            name = folder
            (name.container, name.subtitle) = (container, subtitle)
            return
        }
        let isSpecials = ["specials", "special", "ova", "ovas", "season 0", "season 00"].contains(
            text.lowercased()
        )
        if isSpecials {
            name.isSpecial = true
            if name.season == nil || !name.hasNumbers { name.season = 0 }
            return
        }
        // Scene files abbreviate what their folder spells out.
        if name.hasNumbers, folder.season == name.season, folder.episodes == name.episodes,
            folder.absolute == name.absolute, folder.airDate == name.airDate,
            let title = folder.title, title.utf8.count > name.title?.utf8.count ?? 0
        {
            name.title = title
            name.year = folder.year ?? name.year
        }
        if !name.hasNumbers, folder.hasNumbers {
            name.season = folder.season
            name.episodes = folder.episodes
            name.absolute = folder.absolute
            name.airDate = folder.airDate
            name.decimal = folder.decimal
            name.title = folder.title ?? name.title
            name.year = folder.year ?? name.year
        }
        if folder.isFullSeason, let season = folder.season, folder.seasons.count <= 1 {
            if !name.hasNumbers, name.episodes.isEmpty { name.isFullSeason = true }
            if name.season == nil {
                name.season = season
                if name.episodes.isEmpty, !name.absolute.isEmpty {
                    name.episodes = name.absolute
                    name.absolute = []
                }
            }
            if name.title == nil || name.title?.lowercased() == "episode" {
                name.title = folder.title
            }
            name.year = name.year ?? folder.year
        } else if let title = folder.title, !folder.hasNumbers {
            if name.title == nil { name.title = title }
            if name.title.map({ normalisedTitle($0) == normalisedTitle(title) }) ?? false {
                name.year = name.year ?? folder.year
            }
        }
        name.resolution = name.resolution ?? folder.resolution
        name.source = name.source ?? folder.source
        name.group = name.group ?? folder.group
    }
}
