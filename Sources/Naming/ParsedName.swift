/// What a release name says about the file that bears it.
public struct ParsedName: Hashable, Sendable {
    /// The show's title with spaces between its words; nil when the name has none.
    public var title: String?
    /// Further titles that stand beside the first, in another language or script.
    public var alternativeTitles: [String] = []
    /// The title of the nearest folder that bears another one.
    public var folderTitle: String?
    /// The year that stands with the title.
    public var year: Int?
    /// ISO 3166-1 code of a country that stands with the title.
    public var country: String?
    /// nil when the name says none; 0 for specials.
    public var season: Int?
    /// All of a pack over several seasons.
    public var seasons: [Int] = []
    /// Numbers within the season.
    public var episodes: [Int] = []
    /// Numbers over the whole show, as fansubs count.
    public var absolute: [Int] = []
    /// Numbers like 7.5, which recaps have.
    public var decimal: [Double] = []
    public var airDate: AirDate?
    public var isFullSeason = false
    public var isSpecial = false
    public var episodeTitle: String?
    /// Which part of an episode that is split over files.
    public var part: Int?
    /// 2 for "v2"; 1 when nothing is said.
    public var version = 1
    public var isProper = false
    public var group: String?
    /// "1080p".
    public var resolution: String?
    /// "WEB-DL", "BluRay" …, as the name writes it.
    public var source: String?
    public var codec: String?
    /// Eight upper-case hexadecimal digits.
    public var crc32: String?
    /// The extension in lower case.
    public var container: String?
    public var subtitle: SubtitleTag?
    /// Set for what must never be placed in a library.
    public var exclusion: Exclusion?
    /// From 0 to 1: how sure the reading of title and numbers is.
    ///
    /// Of names read with 0.9 or more, 99
    /// of a hundred are read right.
    public var confidence = 0.0
    /// Where each fact was found, as UTF-8 offsets into the input.
    public var evidence: [Evidence] = []

    public init() {}

    /// Whether the name says which episodes the file holds.
    public var hasNumbers: Bool {
        !episodes.isEmpty || !absolute.isEmpty || airDate != nil || !decimal.isEmpty
    }
}

/// A day, as a daily show's name gives it.
public struct AirDate: Hashable, Sendable, CustomStringConvertible {
    public let year: Int
    public let month: Int
    public let day: Int

    /// - Returns: nil for a day that no calendar has, or that no show can have aired on.
    public init?(year: Int, month: Int, day: Int) {
        guard (1952...2045).contains(year), (1...12).contains(month),
            (1...Self.days(in: month, of: year)).contains(day)
        else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    private static func days(in month: Int, of year: Int) -> Int {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// The day after it; itself at the end of the years that are known.
    public var next: AirDate {
        AirDate(year: year, month: month, day: day + 1)
            ?? AirDate(year: year, month: month + 1, day: 1)
            ?? AirDate(year: year + 1, month: 1, day: 1) ?? self
    }

    /// The day before it; itself at the beginning of the years that are known.
    public var previous: AirDate {
        if let date = AirDate(year: year, month: month, day: day - 1) { return date }
        guard month > 1 else { return AirDate(year: year - 1, month: 12, day: 31) ?? self }
        let last = Self.days(in: month - 1, of: year)
        return AirDate(year: year, month: month - 1, day: last) ?? self
    }

    /// `YYYY-MM-DD`.
    public var description: String {
        func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(padded(month))-\(padded(day))"
    }
}

/// What a subtitle file's name says of its language and kind.
public struct SubtitleTag: Hashable, Sendable {
    /// ISO 639-1, with a region where one is given: "en", "pt-BR".
    public var language: String?
    /// Of "default", "forced" and "sdh", those that are said.
    public var flags: [String] = []
}

/// What is recognised and has no place in a library of episodes.
public enum Exclusion: String, Hashable, Sendable {
    case sample
    case trailer
    case extra
    /// A name made of random letters and digits.
    case obfuscated
}

/// One fact and the bytes that say it.
public struct Evidence: Hashable, Sendable {
    public enum Fact: String, Hashable, Sendable {
        case title, year, season, episodes, absolute, airDate, group, resolution, source, codec
        case crc32, version, special, folder
    }

    public let fact: Fact
    public let bytes: Range<Int>

    public init(fact: Fact, bytes: Range<Int>) {
        self.fact = fact
        self.bytes = bytes
    }
}
