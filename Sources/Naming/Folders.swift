/// What a file's folders add to its name.
struct Folders {
    let file: Substring
    /// Nearest first.
    let parents: [Substring]

    /// More levels say nothing about a file.
    private static let mostParents = 4

    init(_ path: String) {
        let parts = Folders.parts(of: path)
        file = parts.last ?? path[...]
        parents = Array(parts.dropLast().suffix(Self.mostParents).reversed())
    }

    /// Cuts at the slashes that part folders: not at those between titles, nor in brackets.
    private static func parts(of path: String) -> [Substring] {
        let bytes = path.utf8
        guard bytes.contains(where: { $0 == 47 || $0 == 92 }) else { return [path[...]] }
        if standsBetweenTitles(bytes) { return [path[...]] }
        var parts: [Substring] = []
        var depth = 0
        var start = path.startIndex
        for index in bytes.indices {
            switch bytes[index] {
            case 0x90 where bytes[..<index].suffix(2).elementsEqual([0xE3, 0x80]): depth += 1
            case 0x91 where bytes[..<index].suffix(2).elementsEqual([0xE3, 0x80]): depth -= 1
            case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "]"): depth = max(0, depth - 1)
            case 92,
                47 where bytes[index] == 92 || depth == 0 || !closes(bytes[index...]):
                if start < index { parts.append(path[start..<index]) }
                start = bytes.index(after: index)
                depth = 0
            default: break
            }
        }
        if start < path.endIndex { parts.append(path[start...]) }
        return parts
    }

    /// "Title / Other", "Title./.Other".
    private static func standsBetweenTitles(_ bytes: String.UTF8View) -> Bool {
        var (last, middle): (UInt8, UInt8) = (0, 0)
        for byte in bytes {
            if middle == UInt8(ascii: "/"), last == byte, byte == 32 || byte == 46 { return true }
            (last, middle) = (middle, byte)
        }
        return false
    }

    /// Whether a bracket that is open here is closed before the next one opens.
    private static func closes(_ rest: Substring.UTF8View) -> Bool {
        let bracket = rest.first { [40, 91, 41, 93].contains($0) }
        return bracket == 41 || bracket == 93
    }

    /// "Season 2", "Title Season 2": what lies in it need not say the season again.
    static func isSeason(_ folder: ParsedName) -> Bool {
        folder.isFullSeason && folder.seasons.count <= 1
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
        of path: String,
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
            if name.folderTitle == nil { name.folderTitle = folder.title }
            if depth == 0 || name.title == nil || !name.hasNumbers {
                let before = (name.title, name.season, name.episodes)
                adopt(folder, parent, into: &name, hadTitle: hadTitle)
                if (name.title, name.season, name.episodes) != before {
                    let offset = path.utf8.distance(from: path.startIndex, to: parent.startIndex)
                    let bytes = offset..<(offset + parent.utf8.count)
                    name.evidence.append(Evidence(fact: .folder, bytes: bytes))
                }
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

    /// Scene files abbreviate their folder's title; others put the episode's before it.
    private static func isBetter(_ title: String, than other: String?) -> Bool {
        guard let other else { return true }
        return title.utf8.count > other.utf8.count || other.hasSuffix(" - " + title)
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
            name.evidence = []
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
            let title = folder.title, isBetter(title, than: name.title)
        {
            name.title = title
            name.year = folder.year ?? name.year
        }
        if !name.hasNumbers, folder.hasNumbers {
            name.confidence = folder.confidence
            name.season = folder.season
            name.episodes = folder.episodes
            name.absolute = folder.absolute
            name.airDate = folder.airDate
            name.decimal = folder.decimal
            name.title = folder.title ?? name.title
            name.year = folder.year ?? name.year
        }
        if folder.isFullSeason, let season = folder.season, folder.seasons.count <= 1 {
            if !name.hasNumbers, !name.isFullSeason {
                // What the file says beside its season is the episode's title.
                name.confidence = folder.confidence
                name.episodeTitle = name.episodeTitle ?? name.title
                name.title = folder.title
                name.isFullSeason = folder.title != nil
            }
            if name.season == nil {
                name.season = season
                if name.episodes.isEmpty, !name.absolute.isEmpty {
                    // "105" in season 1 is its fifth.
                    name.episodes = name.absolute.map {
                        $0 / 100 == season && $0 % 100 > 0 ? $0 % 100 : $0
                    }
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
