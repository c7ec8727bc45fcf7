import Catalogue
import Foundation
import Ingest
import Logging
import Metadata
import Synchronization

/// One show of a list, in a library or on TMDB.
public struct ShowLine: Sendable, Codable {
    public let tmdbID: Int?
    public let name: String
    public let year: Int?
    public let status: String
    public let episodes: Int
    public let files: Int
    public let aliases: [String]
    public let overview: String
}

extension Operations {
    /// Shows on TMDB whose titles fit a name.
    ///
    /// - Parameter text: "Frieren", "The Office (2005)" or "tmdb:209867".
    /// - Returns: In TMDB's order.
    /// - Throws: ``OperationError``: `.invalid`, `.notFound`, `.notConfigured`, `.unavailable`.
    public func searchTMDB(_ text: String) async throws(OperationError) -> [ShowLine] {
        let request = try AddShowRequest(text)
        let found: [ShowLine]
        do throws(MetadataError) {
            switch request.target {
            case .tmdb(let id): found = [ShowLine(try await services.metadata.show(id))]
            case .name(let name, let year):
                found = try await services.metadata.search(name, year: year).map(ShowLine.init)
            }
        } catch {
            throw OperationError(error, looking: "for '\(text)'")
        }
        guard !found.isEmpty else {
            throw OperationError(.notFound, "TMDB knows no show '\(text)'; check the spelling")
        }
        return found
    }

    /// Shows of the library.
    ///
    /// - Parameter text: "all", "tmdb:209867", or a part of any of their titles.
    /// - Returns: By name.
    /// - Throws: ``OperationError`` with code `.notFound`.
    public func searchShows(_ text: String) async throws(OperationError) -> [ShowLine] {
        let contents = await services.library.contents
        let found = try matching(text, contents.shows)
        let episodes = Dictionary(contents.episodes.map { ($0.showTMDBID, 1) }, uniquingKeysWith: +)
        let files = Dictionary(
            contents.files.compactMap { file in file.decision.placement.map { ($0.showID, 1) } },
            uniquingKeysWith: +
        )
        // A name that no file bears any more is nothing to look for.
        return found.filter { $0.details != nil || files[$0.id] != nil }.map { show in
            ShowLine(
                show,
                episodes: show.details.flatMap { episodes[$0.tmdbID] } ?? 0,
                files: files[show.id] ?? 0
            )
        }.sorted { ($0.name, $0.year ?? 0) < ($1.name, $1.year ?? 0) }
    }

    private func matching(_ text: String, _ shows: [Show]) throws(OperationError) -> [Show] {
        if text == "all" || text.isEmpty { return shows }
        let wanted = text.lowercased()
        let found = shows.filter { show in
            if let id = show.details?.tmdbID, wanted == "tmdb:\(id)" { return true }
            return show.titles.contains { $0.lowercased().contains(wanted) }
        }
        guard !found.isEmpty else {
            throw OperationError(
                .notFound,
                "no show of the library is called '\(text)'; try search-tmdb '\(text)'"
            )
        }
        return found
    }

    // MARK: Renewing

    /// Asks TMDB again about shows: new episodes come, those that it dropped go.
    ///
    /// - Parameter text: "all", "new" for shows without episodes, "tmdb:209867" or a show's name.
    /// - Returns: A line for each show.
    /// - Throws: ``OperationError``: `.notFound`, and when not one could be renewed.
    public func updateEpisodes(_ text: String) async throws(OperationError) -> [String] {
        let contents = await services.library.contents
        let known = contents.shows.filter { $0.details != nil }
        let shows: [Show]
        switch text {
        case "": throw OperationError(.invalid, "say which show: its name, tmdb:209867, new or all")
        case "all": shows = known
        case "new":
            let filled = Set(contents.episodes.map(\.showTMDBID))
            shows = known.filter { !filled.contains($0.details?.tmdbID ?? 0) }
        default:
            if let id = Int(text.dropFirst(5)), text.lowercased().hasPrefix("tmdb:") {
                shows = known.filter { $0.details?.tmdbID == id }
            } else {
                shows = [try show(text, in: known)]
            }
            guard !shows.isEmpty else {
                throw OperationError(.notFound, "the library has no show '\(text)'")
            }
        }
        var lines: [String] = []
        var failure: OperationError?
        for show in shows {
            do throws(OperationError) {
                lines.append(try await renew(show, contents.episodes, .person))
            } catch {
                failure = error
                lines.append("\(show.name): \(error)")
            }
        }
        if let failure, shows.count == 1 { throw failure }
        return lines.isEmpty ? ["no show needs it"] : lines
    }

    func renew(
        _ show: Show,
        _ before: [Episode],
        _ author: Origin.Author
    ) async throws(OperationError) -> String {
        guard let id = show.details?.tmdbID else {
            throw OperationError(.notFound, "'\(show.name)' is not on TMDB; add it first")
        }
        let metadata = try await metadata(of: id)
        var draft = metadata.draft(typedName: nil)
        draft.systemName = show.systemName
        draft.aliases += show.aliases.filter { !draft.aliases.contains($0) }
        let episodes = metadata.catalogueEpisodes
        do throws(CatalogueError) {
            _ = try await services.library.add(
                draft,
                episodes: episodes,
                Origin(author, "update-episodes tmdb:\(id)")
            )
        } catch {
            throw OperationError(.unavailable, "cannot save '\(show.name)'", cause: error)
        }
        renewed.withLock { $0[id] = .now }
        let old = Set(before.filter { $0.showTMDBID == id }.map { [$0.season, $0.number] })
        let new = Set(episodes.map { [$0.season, $0.number] })
        return "\(metadata.name): \(new.count) episodes, \(new.subtracting(old).count) new,"
            + " \(old.subtracting(new).count) gone"
    }

    private func metadata(of id: Int) async throws(OperationError) -> ShowMetadata {
        do throws(MetadataError) {
            return try await services.metadata.show(id)
        } catch {
            throw OperationError(error, looking: "for show tmdb:\(id)")
        }
    }

    /// Turns a show of the library into the one that it should have been.
    ///
    /// - Parameter text: "Show tmdb:209867": its name and TMDB's number of the right one.
    /// - Returns: What it is now.
    /// - Throws: ``OperationError``: `.invalid`, `.notFound`, `.ambiguous`, `.alreadyExists`.
    public func fixShow(_ text: String) async throws(OperationError) -> AddedShow {
        let words = text.split(separator: " ")
        guard words.count > 1, let last = words.last, last.lowercased().hasPrefix("tmdb:"),
            let id = Int(last.dropFirst(5))
        else {
            throw OperationError(
                .invalid,
                "name the show of the library and TMDB's number of the right one: 'Show tmdb:209867'"
            )
        }
        let contents = await services.library.contents
        let name = words.dropLast().joined(separator: " ")
        let show = try show(name, in: contents.shows)
        if let other = contents.shows.first(where: { $0.details?.tmdbID == id && $0.id != show.id })
        {
            throw OperationError(
                .alreadyExists,
                "tmdb:\(id) is '\(other.name)' in the library already"
            )
        }
        let metadata = try await metadata(of: id)
        var draft = metadata.draft(typedName: nil)
        draft.aliases += [show.systemName].filter {
            $0 != metadata.name && !draft.aliases.contains($0)
        }
        draft.replacesAliases = true
        let episodes = metadata.catalogueEpisodes
        do throws(CatalogueError) {
            _ = try await services.library.replace(
                show.id,
                by: draft,
                episodes: episodes,
                Origin(.person, "fix-show \(text)")
            )
        } catch {
            throw OperationError(.unavailable, "cannot save '\(metadata.name)'", cause: error)
        }
        let after = await services.library.contents
        return AddedShow(
            name: metadata.name,
            year: draft.details?.year,
            tmdbID: id,
            seasons: metadata.seasons.count,
            episodes: episodes.count,
            files: after.files.count { $0.decision.placement?.showID == show.id },
            dryRun: false
        )
    }

    // MARK: By itself

    /// How long what TMDB said holds, by the show's status.
    private static func lifetime(_ status: String) -> Duration {
        switch status {
        case "Ended", "Canceled": .seconds(30 * 24 * 3600)
        default: .seconds(24 * 3600)
        }
    }

    /// Shows of which an episode airs today, or did yesterday or will tomorrow.
    private static func airingSoon(_ episodes: [Episode]) -> Set<Int> {
        let days = [-86_400.0, 0, 86_400].map {
            String(Date(timeIntervalSinceNow: $0).ISO8601Format().prefix(10))
        }
        return Set(
            episodes.filter { $0.airDate.map(days.contains) ?? false }.map(\.showTMDBID)
        )
    }

    /// How often a show is asked about because a file bears an episode that it lacks.
    private static let leastPause = Duration.seconds(3600)
    /// A scan shall not ask for hours.
    private static let mostAtOnce = 20

    /// Renews shows that lack an episode which a file bears, once for all their files, and those
    /// whose time has come.
    ///
    /// Nothing waits for it, and nothing is lost when TMDB is away.
    public func renewWhatIsDue() async {
        guard services.metadata.isConfigured else { return }
        let contents = await services.library.contents
        let outdated = await services.library.outdatedShows()
        let soon = Self.airingSoon(contents.episodes)
        let now = Int64(Date().timeIntervalSince1970)
        let due = contents.shows.filter { show in
            guard let details = show.details else { return false }
            // What failed a moment ago is not asked for at once; a clock that was set back makes
            // nothing old.
            if let tried = renewed.withLock({ $0[details.tmdbID] }),
                ContinuousClock.now - tried < Self.leastPause
            {
                return false
            }
            // What was asked about in the future was asked by a clock that was wrong.
            let asked = show.askedSeconds.map { $0 > now + 86_400 ? 0 : $0 } ?? 0
            let age = Duration.seconds(now - asked)
            return outdated.contains(details.tmdbID) || age > Self.lifetime(details.status)
                || soon.contains(details.tmdbID) && age > Self.leastPause
        }
        for show in due.prefix(Self.mostAtOnce) {
            do throws(OperationError) {
                let line = try await renew(show, contents.episodes, .refresh)
                services.log.info("asked TMDB again: \(line)")
            } catch {
                if let id = show.details?.tmdbID { renewed.withLock { $0[id] = .now } }
                services.log.warning("cannot renew '\(show.name)': \(error)")
            }
        }
    }
}

extension ShowLine {
    init(_ hit: SearchHit) {
        tmdbID = hit.tmdbID
        name = hit.name
        year = hit.year
        status = ""
        episodes = 0
        files = 0
        aliases = hit.originalName == hit.name || hit.originalName.isEmpty ? [] : [hit.originalName]
        overview = hit.overview
    }

    init(_ show: ShowMetadata) {
        tmdbID = show.tmdbID
        name = show.name
        year = show.firstAirDate.flatMap { Int($0.prefix(4)) }
        status = show.status
        episodes = show.seasons.reduce(0) { $0 + $1.episodes.count }
        files = 0
        aliases = show.alternativeTitles.map(\.title)
        overview = show.overview
    }

    init(_ show: Show, episodes: Int, files: Int) {
        tmdbID = show.details?.tmdbID
        name = show.name
        year = show.details?.year
        status = show.details?.status ?? "not on TMDB"
        self.episodes = episodes
        self.files = files
        aliases = show.aliases
        overview = show.details?.overview ?? ""
    }
}
