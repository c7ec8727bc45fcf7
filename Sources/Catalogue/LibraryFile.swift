public import Primitives

/// A file on the seedbox together with the place it was given in the library.
public struct LibraryFile: Hashable, Sendable, Codable {
    /// The catalogue's own number, never used twice, from which the file's inode is made.
    public let id: Int64
    public let file: RemoteFile
    public let kind: FileKind
    public let decision: Decision

    public init(id: Int64, file: RemoteFile, kind: FileKind, decision: Decision) {
        self.id = id
        self.file = file
        self.kind = kind
        self.decision = decision
    }
}

/// What a file is, by its extension.
public enum FileKind: String, Hashable, Sendable, Codable {
    case video
    case subtitle

    private static let videoExtensions: Set<String> = [
        "mkv", "mp4", "avi", "mov", "wmv", "flv", "webm", "m4v", "ts", "mts", "m2ts", "mpg", "mpeg",
        "ogm", "vob", "divx", "rmvb", "3gp",
    ]
    private static let subtitleExtensions: Set<String> = [
        "srt", "ass", "ssa", "sub", "vtt", "idx", "sup", "smi", "mks",
    ]

    /// Decides by what stands behind the last dot of `name`.
    ///
    /// The result is nil for everything that has no place in a library of episodes.
    public init?(name: String) {
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return nil }
        let suffix = name[name.index(after: dot)...].lowercased()
        if Self.videoExtensions.contains(suffix) {
            self = .video
        } else if Self.subtitleExtensions.contains(suffix) {
            self = .subtitle
        } else {
            return nil
        }
    }
}

/// Where a file was put, and why.
public struct Decision: Hashable, Sendable, Codable {
    /// nil when the file could not be placed.
    public var placement: Placement?
    /// The rule that decided, in a few words for people.
    public var rule: String
    /// 0 to 1.
    public var confidence: Double
    /// Shows that were considered and not taken.
    public var candidates: [String]
    /// The file's own tags, kept for its name in the library.
    public var traits: FileTraits
    /// What it was read from; nil for what no name says, and before that was kept.
    public var spans: Spans?
    /// Who decided; nil for the program itself, whose decisions are made anew when it knows more.
    public var by: Decider?

    /// Somebody whose decision is kept.
    public enum Decider: String, Hashable, Sendable, Codable {
        case person
        case languageModel
    }

    public init(
        placement: Placement?,
        rule: String,
        confidence: Double,
        candidates: [String] = [],
        traits: FileTraits = FileTraits(),
        spans: Spans? = nil,
        by decider: Decider? = nil
    ) {
        by = decider
        self.spans = spans
        self.placement = placement
        self.rule = rule
        self.confidence = confidence
        self.candidates = candidates
        self.traits = traits
    }
}

/// A place in the library.
public struct Placement: Hashable, Sendable, Codable {
    public var showID: Int64
    /// 0 is for specials; a year for daily shows without further knowledge.
    public var season: Int
    /// Ascending, without duplicates; more than one for a file that holds several episodes;
    /// empty when only ``airDate`` is known.
    public var episodes: [Int]
    /// `YYYY-MM-DD`, when the file is known by its date only.
    public var airDate: String?

    public init(showID: Int64, season: Int, episodes: [Int], airDate: String? = nil) {
        self.showID = showID
        self.season = season
        self.episodes = episodes
        self.airDate = airDate
    }
}

/// What a release name says about the file beside what episode it is.
public struct FileTraits: Hashable, Sendable, Codable {
    /// "1080p".
    public var resolution: String?
    public var group: String?
    /// 2 for "v2".
    public var version: Int
    public var episodeTitle: String?
    /// Which half of an episode, for files that hold one.
    public var part: Int?
    /// ISO 639-1, with a region where the name says one; for subtitles.
    public var language: String?
    /// "forced", "sdh", "default"; for subtitles.
    public var flags: [String]
    /// "WEB-DL", "BluRay" …, as the name writes it.
    public var source: String?
    /// Whether it mends an earlier release; nil for no.
    public var isProper: Bool?

    public init(
        resolution: String? = nil,
        source: String? = nil,
        isProper: Bool? = nil,
        group: String? = nil,
        version: Int = 1,
        episodeTitle: String? = nil,
        part: Int? = nil,
        language: String? = nil,
        flags: [String] = []
    ) {
        self.resolution = resolution
        self.source = source
        self.isProper = isProper
        self.group = group
        self.version = version
        self.episodeTitle = episodeTitle
        self.part = part
        self.language = language
        self.flags = flags
    }
}
