/// A series as the catalogue knows it: found on TMDB, or so far only a name read from files.
public struct Show: Hashable, Sendable, Codable {
    /// The catalogue's own number, never used twice, from which its folder's inode is made.
    public let id: Int64
    /// The name the user or a file gave; the original program's `sys_name`.
    public var systemName: String
    /// TMDB's facts; nil while nobody looked the show up.
    public var details: ShowDetails?
    /// Other titles that files may bear, without duplicates.
    public var aliases: [String]
    /// What its folder is called, when a person said so.
    public var folder: String?
    /// When TMDB was last asked about it, in seconds since 1970, UTC; nil without details.
    public var askedSeconds: Int64?

    public init(
        id: Int64,
        systemName: String,
        details: ShowDetails? = nil,
        aliases: [String] = [],
        folder: String? = nil,
        askedSeconds: Int64? = nil
    ) {
        self.folder = folder
        self.askedSeconds = askedSeconds
        self.id = id
        self.systemName = systemName
        self.details = details
        self.aliases = aliases
    }

    /// What the show is called in the library.
    public var name: String { details?.name ?? systemName }

    /// Every title that may stand for this show.
    public var titles: [String] { [name, systemName] + aliases }
}

/// What TMDB says about a show.
public struct ShowDetails: Hashable, Sendable, Codable {
    public let tmdbID: Int
    public var name: String
    public var originalName: String
    public var overview: String
    /// `YYYY-MM-DD`.
    public var firstAired: String?
    /// `YYYY-MM-DD`.
    public var lastAired: String?
    /// TMDB's word: "Ended", "Returning Series" ….
    public var status: String
    /// ISO 3166-1 codes of the countries the show comes from.
    public var countries: [String]
    /// Identifiers elsewhere by service name: `imdb`, `tvdb`.
    public var externalIDs: [String: String]
    /// "TV-MA", "16" …, of the country whose language is asked for.
    public var contentRating: String?
    /// TMDB's paths of pictures by what they show: `poster`, `backdrop`, `logo`, `season-1` ….
    public var artwork: [String: String]
    public var genres: [String]
    public var keywords: [String]
    /// Who plays in it, the most important first.
    public var cast: [String]

    public init(
        tmdbID: Int,
        name: String,
        originalName: String = "",
        overview: String = "",
        firstAired: String? = nil,
        lastAired: String? = nil,
        status: String = "",
        countries: [String] = [],
        externalIDs: [String: String] = [:],
        contentRating: String? = nil,
        artwork: [String: String] = [:],
        genres: [String] = [],
        keywords: [String] = [],
        cast: [String] = []
    ) {
        self.contentRating = contentRating
        self.artwork = artwork
        self.genres = genres
        self.keywords = keywords
        self.cast = cast
        self.tmdbID = tmdbID
        self.name = name
        self.originalName = originalName
        self.overview = overview
        self.firstAired = firstAired
        self.lastAired = lastAired
        self.status = status
        self.countries = countries
        self.externalIDs = externalIDs
    }

    /// The year of the first episode.
    public var year: Int? { firstAired.flatMap { Int($0.prefix(4)) } }
}

/// One episode of a show that TMDB knows.
public struct Episode: Hashable, Sendable, Codable {
    /// The show's TMDB number.
    public let showTMDBID: Int
    /// TMDB's number of the episode itself.
    public let tmdbID: Int
    /// 0 is for specials.
    public let season: Int
    public let number: Int
    /// Counted over the whole show, in TMDB's own order where it has one; nil for what does not
    /// count, as most specials.
    public let absolute: Int?
    public let name: String
    public let overview: String
    /// `YYYY-MM-DD`.
    public let airDate: String?
    /// TMDB's word: "standard", "finale" ….
    public let type: String

    public init(
        showTMDBID: Int,
        tmdbID: Int,
        season: Int,
        number: Int,
        absolute: Int?,
        name: String,
        overview: String = "",
        airDate: String? = nil,
        type: String = "standard"
    ) {
        self.showTMDBID = showTMDBID
        self.tmdbID = tmdbID
        self.season = season
        self.number = number
        self.absolute = absolute
        self.name = name
        self.overview = overview
        self.airDate = airDate
        self.type = type
    }
}
