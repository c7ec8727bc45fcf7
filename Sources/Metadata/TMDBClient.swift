import Foundation
public import HTTPFetch
public import Primitives
import Synchronization

/// Asks The Movie Database, version 3 (developer.themoviedb.org/reference).
public struct TMDBClient: Sendable {
    public static let standardBaseURL = "https://api.themoviedb.org/3"

    /// What lets us in.
    public enum Credential: Sendable {
        case none
        /// Sent as a query argument.
        case apiKey(String)
        /// A read access token, sent as a header.
        case bearer(String)

        /// Tells a key from a token by its form: a token is a JSON Web Token.
        public init(_ text: String) {
            let key = text.trimmingCharacters(in: .whitespacesAndNewlines)
            if key.isEmpty {
                self = .none
            } else if key.split(separator: ".").count == 3 {
                self = .bearer(key)
            } else {
                self = .apiKey(key)
            }
        }
    }

    /// TMDB refuses more sub-requests in one.
    static let mostAppends = 20
    private static let source = "TMDB"
    private static let tries = 3
    /// A longer wait than a person has at a prompt.
    private static let longestPause = 10.0

    private let baseURL: String
    private let credential: Credential
    private let language: String
    private let http: HTTPFetcher
    private let pace = Pace(perSecond: 30)
    private let kept: any AnswerKeeper
    private let trouble = Trouble()

    /// - Parameters:
    ///   - baseURL: Up to and with the version, without a slash at its end.
    ///   - credential: What lets us in.
    ///   - language: ISO 639-1, with a region or without.
    ///   - http: Sends the requests.
    ///   - kept: Where answers are kept that TMDB need not send again.
    public init(
        baseURL: String = standardBaseURL,
        credential: Credential,
        language: String = "en-US",
        http: HTTPFetcher,
        kept: any AnswerKeeper = AnswersInMemory()
    ) {
        self.kept = kept
        self.baseURL = baseURL
        self.credential = credential
        self.language = language
        self.http = http
    }

    public var isConfigured: Bool {
        if case .none = credential { return false }
        return true
    }

    /// In words for the status page: whether there is a key, and what was wrong when TMDB was last
    /// asked.
    public var state: String {
        guard isConfigured else { return "no key: shows keep the names that files give them" }
        return trouble.last.map { "\($0); what it would say comes later" } ?? "key set"
    }

    /// Shows whose titles, in any language, fit `name`.
    ///
    /// - Parameters:
    ///   - name: As a person wrote it.
    ///   - year: Of the first episode.
    /// - Returns: In TMDB's order, at most two pages.
    /// - Throws: ``MetadataError``.
    public func search(_ name: String, year: Int? = nil) async throws(MetadataError) -> [SearchHit]
    {
        var hits: [SearchHit] = []
        for page in 1...2 {
            var arguments = ["query": name, "page": "\(page)", "include_adult": "false"]
            if let year { arguments["first_air_date_year"] = "\(year)" }
            let answer: SearchAnswer = try await get("/search/tv", arguments)
            hits += answer.results.compactMap(\.hit)
            if page >= answer.total_pages ?? 1 { break }
        }
        return hits
    }

    /// Everything about one show, in as few requests as TMDB allows.
    ///
    /// - Parameter id: TMDB's number.
    /// - Returns: The show with all its seasons.
    /// - Throws: ``MetadataError``.
    public func show(_ id: Int) async throws(MetadataError) -> ShowMetadata {
        let parts = [
            "alternative_titles", "external_ids", "translations", "episode_groups",
            "content_ratings", "images", "keywords", "aggregate_credits",
        ]
        // Most shows have few seasons: they come along with the first request.
        let guess = (0..<(Self.mostAppends - parts.count)).map { "season/\($0)" }
        let answer: ShowAnswer = try await get(
            "/tv/\(id)",
            [
                "append_to_response": (parts + guess).joined(separator: ","),
                "include_image_language": "\(language.prefix(2)),en,null",
            ]
        )
        var seasons = answer.appendedSeasons
        let missing = (answer.seasons ?? []).map(\.season_number).filter { seasons[$0] == nil }
        for start in stride(from: 0, to: missing.count, by: Self.mostAppends) {
            let wanted = missing[start...].prefix(Self.mostAppends).map { "season/\($0)" }
            let more: ShowAnswer = try await get(
                "/tv/\(id)",
                ["append_to_response": wanted.joined(separator: ",")]
            )
            seasons.merge(more.appendedSeasons) { first, _ in first }
        }
        try await translate(&seasons, ofShow: id)
        return answer.metadata(
            seasons: seasons,
            order: try await absoluteOrder(answer.episode_groups?.absolute),
            language: language
        )
    }

    /// Gives episodes that nobody has named in the language asked for their English names.
    private func translate(
        _ seasons: inout [Int: SeasonAnswer],
        ofShow id: Int
    ) async throws(MetadataError) {
        guard !language.hasPrefix("en") else { return }
        let unnamed = seasons.filter { $0.value.lacksNames }.map(\.key).sorted()
        for start in stride(from: 0, to: unnamed.count, by: Self.mostAppends) {
            let wanted = unnamed[start...].prefix(Self.mostAppends).map { "season/\($0)" }
            let english: ShowAnswer = try await get(
                "/tv/\(id)",
                ["append_to_response": wanted.joined(separator: ","), "language": "en-US"]
            )
            for (number, answer) in english.appendedSeasons {
                seasons[number] = seasons[number]?.named(by: answer)
            }
        }
    }

    private func absoluteOrder(_ group: String?) async throws(MetadataError) -> [Int]? {
        guard let group else { return nil }
        do throws(MetadataError) {
            let answer: EpisodeGroupAnswer = try await get("/tv/episode_group/\(group)", [:])
            return answer.episodes.isEmpty ? nil : answer.episodes
        } catch {
            // Counting goes on without it.
            guard error.code == .notFound || error.code == .malformed else { throw error }
            return nil
        }
    }

    private func get<Answer: Decodable & Sendable>(
        _ path: String,
        _ arguments: [String: String]
    ) async throws(MetadataError) -> Answer {
        let body = try await body(of: path, arguments)
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(body))
        } catch {
            throw MetadataError(.malformed, "TMDB's answer to \(path) makes no sense", cause: error)
        }
    }

    private func body(
        of path: String,
        _ arguments: [String: String]
    ) async throws(MetadataError) -> [UInt8] {
        do throws(MetadataError) {
            let bytes = try await untroubledBody(of: path, arguments)
            trouble.note(nil)
            return bytes
        } catch {
            // That a show is unknown says that TMDB is there.
            if error.code != .cancelled { trouble.note(error.code == .notFound ? nil : error) }
            throw error
        }
    }

    private func untroubledBody(
        of path: String,
        _ arguments: [String: String]
    ) async throws(MetadataError) -> [UInt8] {
        let known = await kept.answer(of: Self.source, to: question(path, arguments))
        let request = try request(path, arguments, tag: known?.tag)
        var attempt = 1
        while true {
            await pace.wait()
            switch try await answer(to: request, path) {
            case .body(let bytes, let tag):
                if let tag { await keep(bytes, tag, of: question(path, arguments)) }
                return bytes
            case .same:
                guard let known else {
                    throw MetadataError(
                        .malformed,
                        "TMDB says that nothing changed, but nothing is known"
                    )
                }
                return known.answer
            case .again(let error, let seconds):
                guard attempt < Self.tries else { throw error }
                let pause = seconds ?? 0.25 * Double(1 << attempt) * Double.random(in: 0.75...1.25)
                do {
                    try await Task.sleep(for: .seconds(min(pause, Self.longestPause)))
                } catch {
                    throw MetadataError(.cancelled, "was given up")
                }
                attempt += 1
            }
        }
    }

    private enum Answer {
        case body([UInt8], tag: String?)
        /// As it was when it was last asked for.
        case same
        /// Worth another try, after so many seconds when the server said so.
        case again(MetadataError, after: Double?)
    }

    private func answer(
        to request: HTTPRequest,
        _ path: String
    ) async throws(MetadataError) -> Answer {
        let response: HTTPResponse
        do throws(HTTPError) {
            response = try await http.send(request)
        } catch {
            switch error.code {
            case .timedOut:
                // It had all its time: a person waits for this.
                throw MetadataError(.unavailable, "TMDB cannot be asked", cause: error)
            case .unreachable, .malformed:
                let code: MetadataError.Code = error.code == .malformed ? .malformed : .unavailable
                return .again(MetadataError(code, "TMDB cannot be asked", cause: error), after: nil)
            case .cancelled: throw MetadataError(.cancelled, "was given up")
            case .invalid: throw MetadataError(.notConfigured, "TMDB cannot be asked", cause: error)
            }
        }
        switch response.status {
        case 200: return .body(response.body, tag: response.headers["etag"])
        case 304: return .same
        case 401:
            throw MetadataError(
                .unauthorised,
                "TMDB does not accept the key: check [TMDB] api_key or SYNC2NAS_TMDB_API_KEY"
            )
        case 404: throw MetadataError(.notFound, "TMDB has no \(path.dropFirst())")
        case 429:
            return .again(
                MetadataError(.rateLimited, "TMDB wants fewer requests; try again in a minute"),
                after: response.headers["retry-after"].flatMap(Double.init)
            )
        case 500...:
            return .again(
                MetadataError(.unavailable, "TMDB fails for now (status \(response.status))"),
                after: nil
            )
        default:
            throw MetadataError(
                .malformed,
                "TMDB does not take the request \(path) (status \(response.status))"
            )
        }
    }

    /// What is asked, without the key, which is nobody's business where answers are kept.
    private func question(_ path: String, _ arguments: [String: String]) -> String {
        var arguments = arguments
        arguments["language"] = arguments["language"] ?? language
        return baseURL + path + "?" + Self.query(arguments)
    }

    private static func query(_ arguments: [String: String]) -> String {
        arguments.sorted { $0.key < $1.key }
            .map { "\($0.key)=\(encoded($0.value))" }
            .joined(separator: "&")
    }

    private func keep(_ body: [UInt8], _ tag: String, of question: String) async {
        await kept.keep(
            KeptAnswer(source: Self.source, question: question, tag: tag, answer: body)
        )
    }

    private func request(
        _ path: String,
        _ arguments: [String: String],
        tag: String?
    ) throws(MetadataError) -> HTTPRequest {
        var arguments = arguments
        arguments["language"] = arguments["language"] ?? language
        var headers = [(name: "Accept", value: "application/json")]
        switch credential {
        case .none:
            throw MetadataError(
                .notConfigured,
                "there is no TMDB key: make a free one at themoviedb.org, then set [TMDB] api_key or"
                    + " SYNC2NAS_TMDB_API_KEY"
            )
        case .apiKey(let key): arguments["api_key"] = key
        case .bearer(let token): headers.append((name: "Authorization", value: "Bearer \(token)"))
        }
        if let tag { headers.append((name: "If-None-Match", value: tag)) }
        return HTTPRequest(
            url: baseURL + path + "?" + Self.query(arguments),
            headers: headers
        )
    }

    /// RFC 3986, section 2.3: these characters stand for themselves.
    private static func encoded(_ text: String) -> String {
        let plain = CharacterSet(
            charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
        )
        return text.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
    }
}

/// What was wrong when TMDB was last asked.
private final class Trouble: Sendable {
    private let error = Mutex<MetadataError?>(nil)

    var last: String? { error.withLock { $0?.message } }

    func note(_ error: MetadataError?) { self.error.withLock { $0 = error } }
}

/// Keeps requests apart, so that TMDB's limit for one key is not reached.
actor Pace {
    private let interval: Duration
    private var next = ContinuousClock.now

    init(perSecond: Int) {
        interval = .seconds(1) / perSecond
    }

    func wait() async {
        let now = ContinuousClock.now
        let mine = max(now, next)
        next = mine + interval
        if mine > now { try? await Task.sleep(until: mine, clock: .continuous) }
    }
}
