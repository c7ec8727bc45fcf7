/// TMDB's answers as they come: the field names are theirs, and nearly everything may be null.
struct SearchAnswer: Decodable, Sendable {
    struct Result: Decodable, Sendable {
        let id: Int?
        let name: String?
        let original_name: String?
        let first_air_date: String?
        let overview: String?
        let popularity: Double?
        let origin_country: [String]?

        var hit: SearchHit? {
            guard let id, let name else { return nil }
            return SearchHit(
                tmdbID: id,
                name: name.clean,
                originalName: (original_name ?? "").clean,
                firstAirDate: first_air_date?.nonEmpty,
                overview: overview ?? "",
                popularity: popularity ?? 0,
                originCountry: origin_country ?? []
            )
        }
    }

    let results: [Result]
    let total_pages: Int?
}

struct ShowAnswer: Decodable, Sendable {
    struct Season: Decodable, Sendable {
        let season_number: Int
    }

    struct Titles: Decodable, Sendable {
        struct Title: Decodable, Sendable {
            let iso_3166_1: String?
            let title: String?
        }

        let results: [Title]?
    }

    struct Translations: Decodable, Sendable {
        struct Translation: Decodable, Sendable {
            struct Fields: Decodable, Sendable {
                let name: String?
                let overview: String?
            }

            let iso_3166_1: String?
            let iso_639_1: String?
            let data: Fields?
        }

        let translations: [Translation]?
    }

    struct ContentRatings: Decodable, Sendable {
        struct Rating: Decodable, Sendable {
            let iso_3166_1: String?
            let rating: String?
        }

        let results: [Rating]?

        func rating(in country: String) -> String? {
            let known = (results ?? []).filter { $0.rating?.nonEmpty != nil }
            return
                (known.first { $0.iso_3166_1 == country }
                ?? known.first { $0.iso_3166_1 == "US" })?.rating
        }
    }

    struct Named: Decodable, Sendable {
        let name: String?
    }

    struct Keywords: Decodable, Sendable {
        let results: [Named]?
    }

    struct Credits: Decodable, Sendable {
        let cast: [Named]?
    }

    struct ExternalIDs: Decodable, Sendable {
        let imdb_id: String?
        let tvdb_id: Int?
    }

    struct EpisodeGroups: Decodable, Sendable {
        struct Group: Decodable, Sendable {
            let id: String
            let type: Int?
            let episode_count: Int?
        }

        let results: [Group]?

        /// The numbering over the whole show that holds most; TMDB may have several.
        var absolute: String? {
            (results ?? []).filter { $0.type == 2 }
                .max { $0.episode_count ?? 0 < $1.episode_count ?? 0 }?.id
        }
    }

    let id: Int
    let name: String?
    let original_name: String?
    let overview: String?
    let first_air_date: String?
    let last_air_date: String?
    let status: String?
    let origin_country: [String]?
    let seasons: [Season]?
    let alternative_titles: Titles?
    let translations: Translations?
    let external_ids: ExternalIDs?
    let episode_groups: EpisodeGroups?
    let content_ratings: ContentRatings?
    let poster_path: String?
    let backdrop_path: String?
    let images: ImagesAnswer?
    let genres: [Named]?
    let keywords: Keywords?
    let aggregate_credits: Credits?
    /// From the keys `season/0`, `season/1` ….
    let appendedSeasons: [Int: SeasonAnswer]

    private enum Keys: String, CodingKey {
        case id, name, original_name, overview, first_air_date, last_air_date, status
        case origin_country, seasons, alternative_titles, translations, external_ids
        case episode_groups, content_ratings, poster_path, backdrop_path, images
        case genres, keywords, aggregate_credits
    }

    private struct SeasonKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: Keys.self)
        id = try values.decode(Int.self, forKey: .id)
        name = try values.decodeIfPresent(String.self, forKey: .name)
        original_name = try values.decodeIfPresent(String.self, forKey: .original_name)
        overview = try values.decodeIfPresent(String.self, forKey: .overview)
        first_air_date = try values.decodeIfPresent(String.self, forKey: .first_air_date)
        last_air_date = try values.decodeIfPresent(String.self, forKey: .last_air_date)
        status = try values.decodeIfPresent(String.self, forKey: .status)
        origin_country = try values.decodeIfPresent([String].self, forKey: .origin_country)
        seasons = try values.decodeIfPresent([Season].self, forKey: .seasons)
        alternative_titles = try values.decodeIfPresent(Titles.self, forKey: .alternative_titles)
        translations = try values.decodeIfPresent(Translations.self, forKey: .translations)
        external_ids = try values.decodeIfPresent(ExternalIDs.self, forKey: .external_ids)
        episode_groups = try? values.decodeIfPresent(EpisodeGroups.self, forKey: .episode_groups)
        content_ratings = try? values.decodeIfPresent(
            ContentRatings.self,
            forKey: .content_ratings
        )
        poster_path = try? values.decodeIfPresent(String.self, forKey: .poster_path)
        backdrop_path = try? values.decodeIfPresent(String.self, forKey: .backdrop_path)
        images = try? values.decodeIfPresent(ImagesAnswer.self, forKey: .images)
        genres = try? values.decodeIfPresent([Named].self, forKey: .genres)
        keywords = try? values.decodeIfPresent(Keywords.self, forKey: .keywords)
        aggregate_credits = try? values.decodeIfPresent(Credits.self, forKey: .aggregate_credits)
        let all = try decoder.container(keyedBy: SeasonKey.self)
        var appended: [Int: SeasonAnswer] = [:]
        for key in all.allKeys {
            let parts = key.stringValue.split(separator: "/")
            guard parts.count == 2, parts[0] == "season", let number = Int(parts[1]) else {
                continue
            }
            // A season that the show does not have is answered with an error in its place.
            appended[number] = try? all.decode(SeasonAnswer.self, forKey: key)
        }
        appendedSeasons = appended
    }

    /// - Parameters:
    ///   - seasons: All of them.
    ///   - order: The episodes by TMDB's numbers in their absolute order, when it has one.
    ///   - language: As asked for: ISO 639-1, with a region or without.
    /// - Returns: What we keep.
    func metadata(
        seasons: [Int: SeasonAnswer],
        order: [Int]? = nil,
        language: String
    ) -> ShowMetadata {
        let country = language.split(separator: "-").last.map(String.init) ?? "US"
        var external: [String: String] = [:]
        if let imdb = external_ids?.imdb_id?.nonEmpty { external["imdb"] = imdb }
        if let tvdb = external_ids?.tvdb_id { external["tvdb"] = "\(tvdb)" }
        return ShowMetadata(
            tmdbID: id,
            name: name?.clean.nonEmpty ?? original_name?.clean.nonEmpty ?? "tmdb \(id)",
            originalName: (original_name ?? "").clean,
            // TMDB leaves out what nobody has translated.
            overview: (overview?.nonEmpty ?? english?.overview ?? "").withoutNoughts,
            firstAirDate: first_air_date?.nonEmpty,
            lastAirDate: last_air_date?.nonEmpty,
            status: status ?? "",
            originCountry: origin_country ?? [],
            externalIDs: external,
            contentRating: content_ratings?.rating(in: country),
            artwork: artwork(seasons, language: language),
            genres: Self.names(genres),
            keywords: Self.names(keywords?.results),
            cast: Array(Self.names(aggregate_credits?.cast).prefix(Self.mostCast)),
            alternativeTitles: (alternative_titles?.results ?? []).compactMap { title in
                title.title?.clean.nonEmpty.map {
                    .init(country: title.iso_3166_1 ?? "", title: $0)
                }
            },
            translations: (translations?.translations ?? []).compactMap { translation in
                translation.data?.name?.clean.nonEmpty.map {
                    .init(
                        language: translation.iso_639_1 ?? "",
                        country: translation.iso_3166_1 ?? "",
                        name: $0
                    )
                }
            },
            seasons: Self.counted(
                seasons.sorted { $0.key < $1.key }.map { $1.metadata($0) },
                order
            )
        )
    }

    /// Who plays in it is listed by importance, and seldom anybody looks for the rest.
    private static let mostCast = 20

    private static func names(_ all: [Named]?) -> [String] {
        (all ?? []).compactMap { $0.name?.clean.nonEmpty }
    }

    private func artwork(
        _ seasons: [Int: SeasonAnswer],
        language: String
    ) -> [String: String] {
        var artwork: [String: String] = [:]
        let spoken = String(language.prefix(2))
        artwork["poster"] =
            ImagesAnswer.best(images?.posters, [spoken, "en", nil]) ?? poster_path?.nonEmpty
        artwork["backdrop"] =
            ImagesAnswer.best(images?.backdrops, [nil, spoken, "en"]) ?? backdrop_path?.nonEmpty
        artwork["logo"] = ImagesAnswer.best(images?.logos, [spoken, "en", nil])
        for (number, season) in seasons {
            artwork["season-\(number)"] = season.poster_path?.nonEmpty
        }
        return artwork
    }

    private var english: Translations.Translation.Fields? {
        (translations?.translations ?? []).first { $0.iso_639_1 == "en" }?.data
    }

    /// Absolute numbers are those of TMDB's own order; without one, they count the episodes of the
    /// seasons, without the specials.
    private static func counted(_ seasons: [SeasonMetadata], _ order: [Int]?) -> [SeasonMetadata] {
        if let order {
            let places = Dictionary(order.enumerated().map { ($1, $0 + 1) }) { first, _ in first }
            return seasons.map { season in
                var season = season
                for index in season.episodes.indices {
                    season.episodes[index].absolute = places[season.episodes[index].id]
                }
                return season
            }
        }
        var count = 0
        return seasons.map { season in
            guard season.number > 0 else { return season }
            var season = season
            for index in season.episodes.indices {
                count += 1
                season.episodes[index].absolute = count
            }
            return season
        }
    }
}

/// Pictures of a show, of which people like some better than others.
struct ImagesAnswer: Decodable, Sendable {
    struct Image: Decodable, Sendable {
        let file_path: String?
        /// nil for pictures without words.
        let iso_639_1: String?
        let vote_average: Double?
    }

    let posters: [Image]?
    let backdrops: [Image]?
    let logos: [Image]?

    /// The path of the picture in the first of some languages that people like best.
    static func best(_ images: [Image]?, _ languages: [String?]) -> String? {
        for language in languages {
            let fitting = (images ?? []).filter {
                $0.iso_639_1 == language && $0.file_path?.nonEmpty != nil
            }
            if let best = fitting.max(by: { $0.vote_average ?? 0 < $1.vote_average ?? 0 }) {
                return best.file_path
            }
        }
        return nil
    }
}

/// An order of a show's episodes other than that of its seasons.
struct EpisodeGroupAnswer: Decodable, Sendable {
    struct Group: Decodable, Sendable {
        struct Episode: Decodable, Sendable {
            let id: Int?
            let order: Int?
        }

        let name: String?
        let order: Int?
        let episodes: [Episode]?
    }

    let groups: [Group]?

    /// The episodes' numbers in this order; the first group may be the specials, which count not.
    var episodes: [Int] {
        (groups ?? []).filter { !($0.name ?? "").lowercased().contains("special") }
            .sorted { $0.order ?? 0 < $1.order ?? 0 }
            .flatMap { ($0.episodes ?? []).sorted { $0.order ?? 0 < $1.order ?? 0 } }
            .compactMap(\.id)
    }
}

struct SeasonAnswer: Decodable, Sendable {
    struct Episode: Decodable, Sendable {
        let id: Int?
        let episode_number: Int?
        let name: String?
        let overview: String?
        let air_date: String?
        let episode_type: String?

        var isUnnamed: Bool {
            let words = (name ?? "").split(separator: " ")
            guard !words.isEmpty else { return true }
            return words.count == 2 && Int(words[1]) == episode_number
        }
    }

    let name: String?
    let poster_path: String?
    let episodes: [Episode]

    /// Whether an episode bears only its number, as TMDB calls those that nobody has named:
    /// "Folge 5".
    var lacksNames: Bool { episodes.contains { $0.isUnnamed } }

    /// The same season with names for the episodes that have none.
    func named(by other: SeasonAnswer) -> SeasonAnswer {
        let others = Dictionary(other.episodes.map { ($0.episode_number ?? 0, $0) }) { one, _ in one
        }
        return SeasonAnswer(
            name: name,
            poster_path: poster_path,
            episodes: episodes.map { episode in
                guard episode.isUnnamed, let english = others[episode.episode_number ?? 0],
                    !english.isUnnamed
                else { return episode }
                return Episode(
                    id: episode.id,
                    episode_number: episode.episode_number,
                    name: english.name,
                    overview: episode.overview?.nonEmpty ?? english.overview,
                    air_date: episode.air_date,
                    episode_type: episode.episode_type
                )
            }
        )
    }

    func metadata(_ number: Int) -> SeasonMetadata {
        let episodes = episodes.compactMap { episode -> EpisodeMetadata? in
            guard let id = episode.id, let count = episode.episode_number else { return nil }
            return EpisodeMetadata(
                id: id,
                season: number,
                episode: count,
                absolute: nil,
                name: (episode.name ?? "").clean,
                overview: (episode.overview ?? "").withoutNoughts,
                airDate: episode.air_date?.nonEmpty,
                type: episode.episode_type ?? "standard"
            )
        }
        return SeasonMetadata(
            number: number,
            name: name ?? "",
            episodes: episodes.sorted { $0.episode < $1.episode }
        )
    }
}

extension String {
    /// Without U+0000, which databases cannot keep.
    var withoutNoughts: String { contains("\0") ? filter { $0 != "\0" } : self }

    var nonEmpty: String? { isEmpty ? nil : self }

    /// Text of strangers without control characters and marks that turn the direction of writing.
    var clean: String {
        let spaced = unicodeScalars.map { scalar -> Unicode.Scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: " "
            case .format where scalar.value != 0x200C && scalar.value != 0x200D:
                " "
            default: scalar
            }
        }
        return String(String.UnicodeScalarView(spaced)).split(separator: " ").joined(separator: " ")
    }
}
