import Foundation
import Synchronization

/// A stand-in for api.themoviedb.org that answers as it does, errors included.
///
/// Source: developer.themoviedb.org/reference and its page of errors.
public final class TMDBStandIn: Sendable {
    public static let key = "0123456789abcdef0123456789abcdef"
    public static let token = "head.body.signature"

    /// What the next requests are answered with, before the usual.
    private let next = Mutex<[HTTPServer.Answer]>([])
    private let counts = Mutex<[String: Int]>([:])
    private let server = Mutex<HTTPServer?>(nil)

    public init(port: UInt16 = 0) throws {
        let server = try HTTPServer(port: port) { [weak self] request in
            self?.answer(request) ?? Self.error(500, 11, "Internal error")
        }
        self.server.withLock { $0 = server }
    }

    /// With the version, as a client wants it.
    public var baseURL: String { (server.withLock { $0 }?.baseURL ?? "") + "/3" }

    public func stop() { server.withLock { $0 }?.stop() }

    /// The next request is answered so.
    public func answerNext(_ answer: HTTPServer.Answer) { next.withLock { $0.append(answer) } }

    public static func tooMany(retryAfter: String) -> HTTPServer.Answer {
        var answer = error(429, 25, "Your request count is over the allowed limit.")
        answer.headers.append(("Retry-After", retryAfter))
        return answer
    }

    /// How often a path was asked for.
    public func count(_ path: String) -> Int { counts.withLock { $0[path] ?? 0 } }

    /// How often an answer was spared because the client had it.
    public var spared: Int { counts.withLock { $0["304"] ?? 0 } }

    private func answer(_ request: HTTPServer.Request) -> HTTPServer.Answer {
        var answer = freshAnswer(request)
        guard answer.status == 200 else { return answer }
        var hash: UInt64 = 5381
        for byte in answer.body { hash = hash &* 33 &+ UInt64(byte) }
        let tag = "W/\"\(String(hash, radix: 16))\""
        answer.headers.append(("ETag", tag))
        guard request.headers["if-none-match"] == tag else { return answer }
        counts.withLock { $0["304", default: 0] += 1 }
        return HTTPServer.Answer(status: 304, headers: [("ETag", tag)], body: [])
    }

    private func freshAnswer(_ request: HTTPServer.Request) -> HTTPServer.Answer {
        counts.withLock { $0[request.path, default: 0] += 1 }
        if let answer = next.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) { return answer }
        let bearer = request.headers["authorization"] == "Bearer \(Self.token)"
        guard bearer || request.query["api_key"] == Self.key else {
            return Self.error(401, 7, "Invalid API key: You must be granted a valid key.")
        }
        let parts = request.path.split(separator: "/").map(String.init)
        guard parts.first == "3" else { return Self.error(404, 34, Self.unknown) }
        switch (parts.count, parts.count > 1 ? parts[1] : "") {
        case (2, "authentication"):
            return Self.json(["success": true, "status_code": 1, "status_message": "Success."])
        case (3, "search") where parts[2] == "tv": return search(request.query)
        case (3, "tv"): return show(parts[2], request.query)
        case (4, "tv") where parts[2] == "episode_group": return episodeGroup(parts[3])
        default: return Self.error(404, 34, Self.unknown)
        }
    }

    private static let unknown = "The resource you requested could not be found."

    private func search(_ query: [String: String]) -> HTTPServer.Answer {
        let page = query["page"].flatMap(Int.init) ?? 1
        guard (1...500).contains(page) else {
            return Self.error(400, 22, "Invalid page: Pages start at 1 and max at 500.")
        }
        let wanted = Self.plain(query["query"] ?? "")
        let year = query["first_air_date_year"]
        let hits = TMDBShows.all.filter { show in
            let names =
                [show.name, show.original] + show.alternatives.map(\.1) + show.translations.map(\.2)
            return !wanted.isEmpty && names.contains { Self.plain($0).contains(wanted) }
                && (year == nil || show.first.hasPrefix(year ?? ""))
        }.sorted { $0.popularity > $1.popularity }
        return Self.json([
            "page": page, "total_pages": 1, "total_results": hits.count,
            "results": page == 1 ? hits.map(Self.summary) : [],
        ])
    }

    private static func plain(_ text: String) -> String {
        String(text.lowercased().filter { $0.isLetter || $0.isNumber })
    }

    private func show(_ text: String, _ query: [String: String]) -> HTTPServer.Answer {
        guard let id = Int(text) else {
            return Self.error(404, 6, "Invalid id: The pre-requisite id is invalid or not found.")
        }
        guard let show = TMDBShows.all.first(where: { $0.id == id }) else {
            return Self.error(404, 34, Self.unknown)
        }
        let appended = (query["append_to_response"] ?? "").split(separator: ",").map(String.init)
        guard appended.count <= 20 else {
            return Self.error(
                400,
                27,
                "Too many append to response objects: The maximum number of remote calls is 20."
            )
        }
        var object = Self.summary(show)
        object["status"] = show.status
        object["last_air_date"] = NSNull()
        object["genres"] = show.genres.enumerated().map { ["id": $0, "name": $1] as [String: Any] }
        object["number_of_seasons"] = show.seasons.filter { $0.0 > 0 }.count
        object["seasons"] = show.seasons.map {
            ["season_number": $0.0, "episode_count": $0.1.count]
        }
        for part in appended {
            object[part] = Self.part(part, of: show)
        }
        // What nobody has translated is left out, or called by its number.
        if let language = query["language"], !language.hasPrefix("en") {
            object["overview"] = ""
            for part in appended {
                guard var season = object[part] as? [String: Any],
                    let episodes = season["episodes"] as? [[String: Any]]
                else { continue }
                season["episodes"] = episodes.map { episode in
                    var episode = episode
                    episode["name"] = "Folge \(episode["episode_number"] ?? 0)"
                    return episode
                }
                object[part] = season
            }
        }
        return Self.json(object)
    }

    private func episodeGroup(_ text: String) -> HTTPServer.Answer {
        guard let show = TMDBShows.all.first(where: { "group\($0.id)" == text }) else {
            return Self.error(404, 34, Self.unknown)
        }
        let episodes = show.absolute.enumerated().map { place, episode in
            ["id": Self.id(episode.0, episode.1 - 1, of: show), "order": place]
        }
        return Self.json([
            "id": text, "type": 2, "name": "Absolute",
            "groups": [
                ["name": "Specials", "order": 0, "episodes": [["id": 1, "order": 0]]],
                // In any order.
                ["name": "All", "order": 1, "episodes": Array(episodes.reversed())],
            ] as [[String: Any]],
        ])
    }

    private static func id(_ season: Int, _ index: Int, of show: TMDBShow) -> Int {
        show.id * 10000 + season * 500 + index
    }

    private static func part(_ name: String, of show: TMDBShow) -> Any? {
        switch name {
        case "content_ratings":
            return [
                "results": [
                    ["iso_3166_1": "DE", "rating": "16"], ["iso_3166_1": "US", "rating": "TV-MA"],
                    ["iso_3166_1": "FR", "rating": ""],
                ]
            ]
        case "episode_groups":
            return [
                "results": show.absolute.isEmpty
                    ? []
                    : [
                        ["id": "dvd", "type": 3, "episode_count": 999],
                        [
                            "id": "group\(show.id)", "type": 2,
                            "episode_count": show.absolute.count,
                        ],
                    ] as [[String: Any]]
            ]
        case "alternative_titles":
            return [
                "results": show.alternatives.map {
                    ["iso_3166_1": $0.0, "title": $0.1, "type": ""]
                }
            ]
        case "translations":
            return [
                "translations": show.translations.map {
                    ["iso_639_1": $0.0, "iso_3166_1": $0.1, "data": ["name": $0.2]] as [String: Any]
                } + [
                    [
                        "iso_639_1": "en", "iso_3166_1": "US",
                        "data": ["name": show.name, "overview": show.overview],
                    ]
                ]
            ]
        case "images": return images(of: show)
        case "keywords":
            return ["results": show.keywords.enumerated().map { ["id": $0, "name": $1] }]
        case "aggregate_credits":
            return [
                "cast": show.cast.enumerated().map { ["id": $0, "name": $1, "order": $0] }
            ]
        case "external_ids":
            return ["imdb_id": show.imdb ?? NSNull(), "tvdb_id": show.tvdb ?? NSNull()]
                as [String: Any]
        default: break
        }
        let parts = name.split(separator: "/")
        guard parts.count == 2, parts[0] == "season", let number = Int(parts[1]),
            let season = show.seasons.first(where: { $0.0 == number })
        else { return nil }
        let start = show.seasons.prefix { $0.0 != number }.filter { $0.0 > 0 }.reduce(0) {
            $0 + $1.1.count
        }
        return [
            "season_number": number, "name": number == 0 ? "Specials" : "Season \(number)",
            "episodes": season.1.enumerated().map { index, name in
                [
                    "id": id(number, index, of: show), "season_number": number,
                    "episode_number": index + 1, "name": name, "overview": "",
                    "air_date": date(show.first, weeks: start + index), "still_path": NSNull(),
                    "episode_type": "standard",
                ] as [String: Any]
            },
        ]
    }

    /// English and German posters, a backdrop without words and one with, and a logo.
    private static func images(of show: TMDBShow) -> [String: Any] {
        func image(_ name: String, _ language: String?, _ votes: Double) -> [String: Any] {
            [
                "file_path": "/\(name)-\(show.id).jpg", "iso_639_1": language ?? NSNull(),
                "vote_average": votes, "width": 1000, "height": 1500,
            ] as [String: Any]
        }
        guard show.poster != nil else { return ["posters": [], "backdrops": [], "logos": []] }
        return [
            "posters": [
                image("poster-poor", "en", 1), image("poster-en", "en", 5),
                image("poster-de", "de", 3), image("poster-plain", nil, 9),
            ],
            "backdrops": [image("backdrop-en", "en", 9), image("backdrop", nil, 2)],
            "logos": [image("logo", "en", 0)],
        ]
    }

    private static func date(_ first: String, weeks: Int) -> String {
        let format = ISO8601DateFormatter()
        format.formatOptions = [.withFullDate]
        let day = (format.date(from: first) ?? Date()).addingTimeInterval(Double(weeks) * 7 * 86400)
        return format.string(from: day)
    }

    private static func summary(_ show: TMDBShow) -> [String: Any] {
        [
            "id": show.id, "name": show.name, "original_name": show.original,
            "first_air_date": show.first, "overview": show.overview, "popularity": show.popularity,
            "origin_country": [show.country], "poster_path": show.poster ?? NSNull(),
            "backdrop_path": NSNull(), "adult": false,
        ]
    }

    private static func json(_ object: [String: Any], status: Int = 200) -> HTTPServer.Answer {
        let bytes =
            (try? JSONSerialization.data(withJSONObject: object, options: .sortedKeys))
            ?? Data("{}".utf8)
        return HTTPServer.Answer(
            status: status,
            headers: [("Content-Type", "application/json;charset=utf-8")],
            body: Array(bytes)
        )
    }

    static func error(_ status: Int, _ code: Int, _ message: String) -> HTTPServer.Answer {
        json(["success": false, "status_code": code, "status_message": message], status: status)
    }
}
