import Catalogue
import Ingest
import Logging
import Metadata

/// A request to add a show.
public struct AddShowRequest: Hashable, Sendable {
    public enum Target: Hashable, Sendable {
        /// The name, and the year of the first episode when it was given.
        case name(String, year: Int?)
        /// TMDB's number.
        case tmdb(Int)
    }

    public let target: Target
    public let dryRun: Bool
    /// Whether the folder is called as the person wrote the name.
    public var overridesFolder = false
    /// Whether a language model chooses where the name may mean several shows.
    public var useLLM = false
    /// How sure it must be; 0 to 1, nil for what is configured.
    public var llmConfidence: Double?

    public init(target: Target, dryRun: Bool = false) {
        self.target = target
        self.dryRun = dryRun
    }

    /// Reads `Frieren`, `The Office (2005)` or `tmdb:209867`.
    ///
    /// - Parameters:
    ///   - text: One line, as a person wrote it.
    ///   - dryRun: Whether only to say what would be added.
    /// - Throws: ``OperationError`` with code `.invalid`.
    public init(_ text: String, dryRun: Bool = false) throws(OperationError) {
        let words = text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !words.isEmpty else {
            throw OperationError(.invalid, "name a show, or give its TMDB number as tmdb:209867")
        }
        guard words.utf8.count <= Self.longestName, !words.unicodeScalars.contains(where: isControl)
        else {
            throw OperationError(
                .invalid,
                "a show's name has at most \(Self.longestName) bytes and no control characters"
            )
        }
        if words.lowercased().hasPrefix("tmdb:") {
            guard let id = Int(words.dropFirst(5).drop { $0 == " " }), id > 0 else {
                throw OperationError(.invalid, "'\(words)' has no number behind 'tmdb:'")
            }
            self.init(target: .tmdb(id), dryRun: dryRun)
            return
        }
        if words.hasSuffix(")"), let open = words.lastIndex(of: "("),
            let year = Int(words[words.index(after: open)...].dropLast()),
            (1900...2100).contains(year), open != words.startIndex
        {
            let name = words[..<open].split(separator: " ").joined(separator: " ")
            self.init(target: .name(name, year: year), dryRun: dryRun)
            return
        }
        self.init(target: .name(words, year: nil), dryRun: dryRun)
    }

    /// No title known to TMDB is longer.
    private static let longestName = 300
}

private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.properties.generalCategory == .control
}

/// What adding a show did, or would do.
public struct AddedShow: Hashable, Sendable, Codable {
    public let name: String
    public let year: Int?
    public let tmdbID: Int
    public let seasons: Int
    public let episodes: Int
    /// Files on the seedbox that now stand under the show.
    public let files: Int
    public let dryRun: Bool
}

extension Operations {
    /// Looks a show up on TMDB and adds it with its seasons, episodes and other titles.
    ///
    /// Files that belong to it move to its folder.
    ///
    /// - Parameter request: Which show.
    /// - Returns: What was added.
    /// - Throws: ``OperationError``: `.ambiguous` and `.notFound` with candidates,
    ///   `.alreadyExists`, `.notConfigured` without a TMDB key, `.unavailable`.
    public func addShow(_ request: AddShowRequest) async throws(OperationError) -> AddedShow {
        let (tmdbID, typedName) = try await choose(request)
        return try await addShow(
            AddShowRequest(target: .tmdb(tmdbID), dryRun: request.dryRun),
            typedName: typedName,
            folder: request.overridesFolder ? typedName : nil
        )
    }

    /// Adds a show whose number is known, under a name that files bear, too.
    func addShow(
        _ request: AddShowRequest,
        typedName: String?,
        folder: String? = nil
    ) async throws(OperationError) -> AddedShow {
        guard case .tmdb(let tmdbID) = request.target else {
            throw OperationError(.invalid, "the show has no number")
        }
        try await refuseKnown(tmdbID)
        let metadata: ShowMetadata
        do throws(MetadataError) {
            metadata = try await services.metadata.show(tmdbID)
        } catch {
            throw OperationError(error, looking: "for show tmdb:\(tmdbID)")
        }
        var draft = metadata.draft(typedName: typedName)
        draft.folder = folder
        let episodes = metadata.catalogueEpisodes
        var files = 0
        if !request.dryRun {
            do throws(CatalogueError) {
                files = try await services.library.add(
                    draft,
                    episodes: episodes,
                    Origin(
                        .person,
                        "add-show tmdb:\(tmdbID)",
                        reason: typedName.map { "for '\($0)'" } ?? ""
                    )
                ).files
            } catch {
                throw OperationError(.unavailable, "cannot save '\(metadata.name)'", cause: error)
            }
            services.log.info("added the show '\(metadata.name)' (tmdb:\(tmdbID)), \(files) files")
        }
        return AddedShow(
            name: metadata.name,
            year: draft.details?.year,
            tmdbID: tmdbID,
            seasons: metadata.seasons.count,
            episodes: episodes.count,
            files: files,
            dryRun: request.dryRun
        )
    }

    private func refuseKnown(_ tmdbID: Int) async throws(OperationError) {
        let shows = await services.library.contents.shows
        guard let show = shows.first(where: { $0.details?.tmdbID == tmdbID }) else { return }
        throw OperationError(
            .alreadyExists,
            "'\(show.name)' (tmdb:\(tmdbID)) is in the library already"
        )
    }

    private func choose(
        _ request: AddShowRequest
    ) async throws(OperationError) -> (tmdbID: Int, typedName: String?) {
        do throws(OperationError) {
            return try await choose(request.target)
        } catch {
            guard request.useLLM, error.code == .ambiguous || error.code == .notFound,
                case .name(let name, _) = request.target,
                let id = try await choose(name, least: request.llmConfidence)
            else { throw error }
            return (id, name)
        }
    }

    private func choose(
        _ target: AddShowRequest.Target
    ) async throws(OperationError) -> (tmdbID: Int, typedName: String?) {
        switch target {
        case .tmdb(let id): return (id, nil)
        case .name(let name, let year):
            let hits: [SearchHit]
            do throws(MetadataError) {
                var found = try await services.metadata.search(name, year: year)
                // TMDB may not have the country in any of its titles.
                if found.isEmpty, let plain = ShowChoice.withoutCountry(name) {
                    found = try await services.metadata.search(plain, year: year)
                }
                hits = found
            } catch {
                throw OperationError(error, looking: "for '\(name)'")
            }
            switch ShowChoice.choose(from: hits, name: name, year: year) {
            case .one(let hit): return (hit.tmdbID, name)
            case .ambiguous(let hits):
                throw OperationError(
                    .ambiguous,
                    "'\(name)' may be any of these; give the year or the number:",
                    candidates: hits.prefix(Self.mostCandidates).map(Self.line)
                )
            case .none:
                throw OperationError(
                    .notFound,
                    "TMDB knows no show '\(name)'"
                        + (hits.isEmpty ? "; check the spelling" : "; the nearest are:"),
                    candidates: hits.prefix(Self.mostCandidates).map(Self.line)
                )
            }
        }
    }

    /// As many as a person reads.
    private static let mostCandidates = 10

    private static func line(_ hit: SearchHit) -> String {
        let year = hit.firstAirDate.map { " (\($0.prefix(4)))" } ?? ""
        let countries =
            hit.originCountry.isEmpty ? "" : ", " + hit.originCountry.joined(separator: "/")
        return "tmdb:\(hit.tmdbID)  \(hit.name)\(year)\(countries)"
    }
}

extension OperationError {
    init(_ error: MetadataError, looking what: String) {
        let code: Code =
            switch error.code {
            case .notConfigured, .unauthorised: .notConfigured
            case .notFound: .notFound
            case .unavailable, .malformed, .rateLimited: .unavailable
            case .cancelled: .busy
            }
        self.init(code, "cannot ask TMDB \(what)", cause: error)
    }
}
