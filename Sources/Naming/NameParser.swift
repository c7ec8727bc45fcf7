/// Reads release names: pure, deterministic, in time proportional to the name's length.
public struct NameParser: Sendable {
    /// Longer names are cut: no file system has them.
    private static let longestName = 2048

    public init() {}

    /// Reads a file name, or a path whose folders complete what the file name lacks.
    ///
    /// - Parameter path: Relative, with slashes; any text.
    /// - Returns: What it says; fields stay empty where it says nothing.
    public func parse(_ path: String) -> ParsedName {
        parse(path, folder: read)
    }

    private func parse(_ path: String, folder: (Substring) -> ParsedName) -> ParsedName {
        let folders = Folders(path)
        var name = read(folders.file)
        Folders.complete(&name, from: folders.parents, read: folder)
        name.exclusion = name.exclusion ?? Folders.exclusion(folders.parents)
        name.confidence = Confidence.of(name)
        return name
    }

    /// Reads the files of one directory, where neighbours disambiguate each other.
    ///
    /// - Parameter paths: Relative paths in the same directory.
    /// - Returns: One result for each path, in their order.
    public func parse(siblings paths: [String]) -> [ParsedName] {
        // They have the same folders.
        var folders: [Substring: ParsedName] = [:]
        let names = paths.map { path in
            parse(path) { folder in
                if let known = folders[folder] { return known }
                let name = read(folder)
                folders[folder] = name
                return name
            }
        }
        return Siblings.reconciled(names)
    }

    private func read(_ name: Substring) -> ParsedName {
        var reader = NameReader(name.utf8.count > Self.longestName ? name.prefix(512) : name)
        return reader.read()
    }
}

/// Reads one name without folders.
struct NameReader {
    var name = ParsedName()
    var tokens: [Token]
    /// Words that say something other than the title.
    var claimed: Set<Int> = []
    /// The first word behind the title.
    var titleEnd: Int
    /// The number of a special, until it is known that nothing surer says the episode.
    var pendingSpecial: Int?
    private let text: Substring

    init(_ text: Substring) {
        self.text = text
        tokens = []
        titleEnd = 0
    }

    mutating func read() -> ParsedName {
        let stem = takeExtension()
        tokens = Tokenizer.tokens(of: stem, offset: 0)
        titleEnd = tokens.count
        if Obfuscation.isObfuscated(stem, tokens) {
            name.exclusion = .obfuscated
            return name
        }
        takeExclusion()
        takeTechnical()
        takeNumbers()
        takeGroup()
        takeTitle()
        return name
    }

    /// Takes the extension off, and from subtitles their language.
    private mutating func takeExtension() -> Substring {
        guard let dot = text.lastIndex(of: "."), dot != text.startIndex else { return text }
        let suffix = text[text.index(after: dot)...].lowercased()
        let isSubtitle = Vocabulary.subtitles.contains(suffix)
        guard isSubtitle || Vocabulary.containers.contains(suffix) else { return text }
        name.container = suffix
        let stem = text[..<dot]
        return isSubtitle ? takeSubtitleTags(stem) : stem
    }

    private mutating func takeSubtitleTags(_ stem: Substring) -> Substring {
        var rest = stem
        var tag = SubtitleTag()
        // At most a language and three flags.
        for _ in 0..<4 {
            guard let mark = rest.lastIndex(where: { $0 == "." || $0 == "_" }) else { break }
            let word = rest[rest.index(after: mark)...].lowercased()
            if let flag = Vocabulary.subtitleFlags[word], !(word == "hi" && tag.language == nil) {
                tag.flags.insert(flag, at: 0)
            } else if let code = Vocabulary.languageCodes[word], tag.language == nil {
                tag.language = code
            } else {
                break
            }
            rest = rest[..<mark]
        }
        // "2_English.srt" below a folder that bears the episode.
        if tag.language == nil, let code = Vocabulary.languageCodes[rest.lowercased()] {
            tag.language = code
            rest = rest[rest.startIndex..<rest.startIndex]
        } else if tag.language != nil, rest.allSatisfy(\.isNumber) {
            rest = rest[rest.startIndex..<rest.startIndex]
        }
        name.subtitle = tag
        return rest
    }

    private mutating func takeExclusion() {
        guard let last = tokens.last, let first = tokens.first else { return }
        let words: [String: Exclusion] = [
            "sample": .sample, "trailer": .trailer, "featurette": .extra, "featurettes": .extra,
        ]
        // Inside a name these may belong to a title; at its end they do not.
        if let exclusion = words[last.lower] { name.exclusion = exclusion }
        if tokens.count > 1, first.lower == "sample", first.bracket == 0, tokens[1].isTightDash {
            name.exclusion = .sample
        }
    }

    /// Resolution, source and the like; the first of them outside of the title ends it.
    private mutating func takeTechnical() {
        for (index, token) in tokens.enumerated() {
            let word = token.lower
            if name.resolution == nil, let resolution = Vocabulary.resolution(word),
                word != "uhd"
                    || !tokens.contains(where: {
                        Vocabulary.resolution($0.lower) != nil && $0.lower != "uhd"
                            && $0.lower != "4k"
                    })
            {
                name.resolution = resolution
                claim(index, .resolution)
            } else if Vocabulary.resolution(word) != nil {
                claim(index, .resolution)
            } else if Vocabulary.sources.contains(word), isTechnicalHere(index) {
                name.source = name.source ?? token.text
                claim(index, .source)
            } else if Vocabulary.codecs.contains(word), word.count > 1, isTechnicalHere(index) {
                name.codec = name.codec ?? token.text
                claim(index, .codec)
            } else if isCRC32(token) {
                name.crc32 = token.text.uppercased()
                claim(index, .crc32)
            } else if word == "proper" || word == "repack" || word == "rerip" {
                name.isProper = true
            }
        }
    }

    /// "Web" and "BD" are words of titles too; they count only away from the beginning.
    private func isTechnicalHere(_ index: Int) -> Bool {
        let token = tokens[index]
        guard token.bracket == 0 else { return true }
        guard index > 0 else { return false }
        switch token.lower {
        case "web", "bd", "dvd", "real", "ip", "remux", "vod", "ppv":
            // Followed by something technical, or behind a number.
            let next = index + 1 < tokens.count ? tokens[index + 1] : nil
            return next == nil
                || next.map {
                    Vocabulary.isTechnical($0.lower) || $0.lower == "dl" || $0.lower == "rip"
                        || $0.bracket > 0 || $0.isTightDash
                } ?? true
                || tokens[..<index].contains {
                    $0.number != nil || NumberForms.seasonEpisode($0.lower) != nil
                }
        default: return true
        }
    }

    private func isCRC32(_ token: Token) -> Bool {
        guard name.crc32 == nil, token.bracket > 0, token.text.utf8.count == 8 else { return false }
        let isHexadecimal = token.text.utf8.allSatisfy {
            (48...57).contains($0) || (65...70).contains($0) || (97...102).contains($0)
        }
        // Eight digits may be a date; a checksum of digits only is one in forty.
        return isHexadecimal && NumberForms.compactDate(token.text) == nil
    }

    mutating func claim(_ index: Int, _ fact: Evidence.Fact, endsTitle: Bool = true) {
        claimed.insert(index)
        name.evidence.append(Evidence(fact: fact, bytes: tokens[index].bytes))
        if endsTitle, index > 0 || tokens[index].bracket == 0 { titleEnd = min(titleEnd, index) }
    }
}
