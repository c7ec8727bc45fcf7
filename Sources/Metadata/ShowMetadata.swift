/// Everything TMDB says about one show that we keep.
public struct ShowMetadata: Sendable, Hashable {
    public struct Title: Sendable, Hashable {
        /// ISO 3166-1.
        public let country: String
        public let title: String
    }

    public struct Translation: Sendable, Hashable {
        /// ISO 639-1.
        public let language: String
        public let country: String
        public let name: String
    }

    public var tmdbID: Int
    public var name: String
    public var originalName: String
    public var overview: String
    /// `YYYY-MM-DD`.
    public var firstAirDate: String?
    /// `YYYY-MM-DD`.
    public var lastAirDate: String?
    public var status: String
    public var originCountry: [String]
    /// By service: `imdb`, `tvdb`.
    public var externalIDs: [String: String]
    /// "TV-MA", "16" …, of the country asked for, else of the United States.
    public var contentRating: String?
    /// TMDB's paths of pictures by what they show: `poster`, `backdrop`, `logo`, `season-1` ….
    public var artwork: [String: String]
    public var genres: [String]
    public var keywords: [String]
    /// Who plays in it, the most important first; at most twenty.
    public var cast: [String]
    public var alternativeTitles: [Title]
    public var translations: [Translation]
    /// Ascending by number; 0, the specials, included.
    public var seasons: [SeasonMetadata]
}

public struct SeasonMetadata: Sendable, Hashable {
    public let number: Int
    public let name: String
    public var episodes: [EpisodeMetadata]
}

public struct EpisodeMetadata: Sendable, Hashable {
    /// TMDB's number of the episode.
    public let id: Int
    public let season: Int
    public let episode: Int
    /// Counted over the whole show, in TMDB's own order where it has one; nil for what does not
    /// count, as most specials.
    public var absolute: Int?
    public let name: String
    public let overview: String
    /// `YYYY-MM-DD`.
    public let airDate: String?
    public let type: String
}

/// One show of a search's answer.
public struct SearchHit: Sendable, Hashable {
    public let tmdbID: Int
    public let name: String
    public let originalName: String
    /// `YYYY-MM-DD`.
    public let firstAirDate: String?
    public let overview: String
    public let popularity: Double
    /// ISO 3166-1.
    public let originCountry: [String]

    public var year: Int? { firstAirDate.flatMap { Int($0.prefix(4)) } }

    public init(
        tmdbID: Int,
        name: String,
        originalName: String = "",
        firstAirDate: String? = nil,
        overview: String = "",
        popularity: Double = 0,
        originCountry: [String] = []
    ) {
        self.tmdbID = tmdbID
        self.name = name
        self.originalName = originalName
        self.firstAirDate = firstAirDate
        self.overview = overview
        self.popularity = popularity
        self.originCountry = originCountry
    }
}

/// Why TMDB could not be asked, or gave no use.
public struct MetadataError: Error, Sendable, CustomStringConvertible {
    /// What can be done about it.
    public enum Code: Sendable {
        /// There is no key.
        case notConfigured
        /// The key is not accepted.
        case unauthorised
        case notFound
        /// Too many requests for now. Worth a retry later.
        case rateLimited
        /// No connection or a failing server. Worth a retry later.
        case unavailable
        /// The answer makes no sense.
        case malformed
        case cancelled
    }

    public let code: Code
    public let message: String
    public let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String { message + (cause.map { ": \($0)" } ?? "") }
}
