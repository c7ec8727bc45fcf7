import Catalogue
import Ingest
import Naming
import Primitives

extension Operations {
    /// Puts the files that a path names where a person says.
    ///
    /// "Show S02E05" places one video and the subtitles beside it; "Show S02" or "Show" keeps the
    /// numbers that each file bears. The files stay there, and later files of the same release
    /// follow them.
    func place(
        _ request: RouteRequest,
        at text: String
    ) async throws(OperationError) -> RouteReport {
        let contents = await services.library.contents
        let target = try target(text, contents.shows)
        let isMeant = Self.filter(request.files)
        let files = contents.files.filter(isMeant)
        guard !files.isEmpty else {
            throw OperationError(
                .notFound,
                "no video or subtitle on the seedbox has that in its path"
            )
        }
        let videos = files.filter { $0.kind == .video }
        if !target.episodes.isEmpty, videos.count > 1 {
            throw OperationError(
                .ambiguous,
                "\(videos.count) videos have that in their path; name one, or only the season:",
                candidates: videos.prefix(10).map { $0.file.path.text }
            )
        }
        let names = await services.library.names(of: files)
        var places: [Int64: Placement] = [:]
        for file in files {
            let name = names[file.file.path]
            let own = name.map { $0.episodes.isEmpty ? $0.absolute : $0.episodes } ?? []
            let episodes = target.episodes.isEmpty ? own : target.episodes
            guard !episodes.isEmpty else { continue }
            places[file.id] = Placement(
                showID: target.show.id,
                season: target.season ?? name?.season ?? 1,
                episodes: episodes
            )
        }
        guard !places.isEmpty else {
            throw OperationError(.invalid, "the names bear no episode; say which, as 'Show S02E05'")
        }
        guard !request.dryRun else {
            let moves = files.compactMap { file -> Library.Move? in
                places[file.id].map { place in
                    let decision = Decision(
                        placement: place,
                        rule: "placed by hand",
                        confidence: 1,
                        by: .person
                    )
                    return Library.Move(file: file, new: decision, newShow: nil)
                }
            }
            return try await report(request, (moves, files.count), notes: [], isMeant)
        }
        let moves: [Library.Move]
        do throws(CatalogueError) {
            moves = try await services.library.place(
                places,
                Origin(.person, "route-files --as '\(request.place ?? "")'")
            )
        } catch {
            throw OperationError(.unavailable, "cannot save the place", cause: error)
        }
        return try await report(request, (moves, files.count), notes: [], isMeant)
    }

    private struct Target {
        let show: Show
        let season: Int?
        let episodes: [Int]
    }

    private func target(_ text: String, _ shows: [Show]) throws(OperationError) -> Target {
        let name = NameParser().parse(text)
        // "Show" alone, or "tmdb:123 S02E05".
        let words = text.split(separator: " ")
        if let first = words.first, first.lowercased().hasPrefix("tmdb:"),
            let id = Int(first.dropFirst(5))
        {
            guard let show = shows.first(where: { $0.details?.tmdbID == id }) else {
                throw OperationError(.notFound, "the library has no show tmdb:\(id); add it first")
            }
            return Target(show: show, season: name.season, episodes: name.episodes)
        }
        let show = try show(name.title ?? text, in: shows, year: name.year)
        return Target(show: show, season: name.season, episodes: name.episodes)
    }

    /// The one show of the library that a person means.
    ///
    /// - Throws: ``OperationError``: `.notFound` and `.ambiguous` with candidates.
    func show(
        _ title: String,
        in shows: [Show],
        year: Int? = nil
    ) throws(OperationError) -> Show {
        let key = normalisedTitle(title)
        var found = shows.filter { $0.titles.contains { normalisedTitle($0) == key } }
        if let year, found.count > 1 { found = found.filter { $0.details?.year == year } }
        if found.isEmpty, !key.isEmpty {
            found = shows.filter { $0.titles.contains { normalisedTitle($0).contains(key) } }
        }
        switch found.count {
        case 1: return found[0]
        case 0:
            throw OperationError(
                .notFound,
                "the library has no show '\(title)'; add it first: add-show '\(title)'"
            )
        default:
            throw OperationError(
                .ambiguous,
                "'\(title)' may be any of these:",
                candidates: found.prefix(10).map(Self.label)
            )
        }
    }

    static func label(_ show: Show) -> String {
        guard let details = show.details else { return "\(show.name), not on TMDB" }
        return "tmdb:\(details.tmdbID)  \(show.name)" + (details.year.map { " (\($0))" } ?? "")
    }
}
