import Foundation
public import HTTPFetch
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
    private static let tries = 3
    /// A longer wait than a person has at a prompt.
    private static let longestPause = 10.0

    private let baseURL: String
    private let credential: Credential
    private let language: String
    private let http: HTTPFetcher
    private let pace = Pace(perSecond: 30)
    private let kept = KeptAnswers()
    private let trouble = Trouble()

    /// - Parameters:
    ///   - baseURL: Up to and with the version, without a slash at its end.
    ///   - credential: What lets us in.
    ///   - language: ISO 639-1, with a region or without.
    ///   - http: Sends the requests.
    public init(
        baseURL: String = standardBaseURL,
        credential: Credential,
        language: String = "en-US",
        http: HTTPFetcher
    ) {
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
            "content_ratings",
        ]
        // Most shows have few seasons: they come along with the first request.
        let guess = (0..<(Self.mostAppends - parts.count)).map { "season/\($0)" }
        let answer: ShowAnswer = try await get(
            "/tv/\(id)",
            ["append_to_response": (parts + guess).joined(separator: ",")]
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
            country: language.split(separator: "-").last.map(String.init) ?? "US"
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
        let request = try request(path, arguments)
        var attempt = 1
        while true {
            await pace.wait()
            switch try await answer(to: request, path) {
            case .body(let bytes): return bytes
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
        case body([UInt8])
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
        case 200:
            if let tag = response.headers["etag"] { kept.keep(response.body, tag, of: request.url) }
            return .body(response.body)
        case 304:
            guard let body = kept.answer(to: request.url)?.body else {
                throw MetadataError(
                    .malformed,
                    "TMDB says that nothing changed, but nothing is known"
                )
            }
            return .body(body)
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

    private func request(
        _ path: String,
        _ arguments: [String: String]
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
        let query = arguments.sorted { $0.key < $1.key }
            .map { "\($0.key)=\(Self.encoded($0.value))" }
        let url = baseURL + path + "?" + query.joined(separator: "&")
        if let tag = kept.answer(to: url)?.tag {
            headers.append((name: "If-None-Match", value: tag))
        }
        return HTTPRequest(url: url, headers: headers)
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

/// Answers that TMDB need not send again while they are the same.
private final class KeptAnswers: Sendable {
    /// Shows of a thousand episodes have answers of a megabyte.
    private static let mostBytes = 16 << 20

    private struct State {
        var answers: [String: (tag: String, body: [UInt8])] = [:]
        var bytes = 0
    }

    private let state = Mutex(State())

    func answer(to url: String) -> (tag: String, body: [UInt8])? {
        state.withLock { $0.answers[url] }
    }

    func keep(_ body: [UInt8], _ tag: String, of url: String) {
        state.withLock { state in
            state.bytes += body.count - (state.answers[url]?.body.count ?? 0)
            state.answers[url] = (tag, body)
            // Seldom so many shows are asked about that it pays to choose.
            if state.bytes > Self.mostBytes { state = State() }
        }
    }
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
