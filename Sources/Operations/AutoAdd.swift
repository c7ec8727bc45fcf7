import Catalogue
import Ingest
import LanguageModels
import Logging
import Metadata
import Naming
import Primitives

/// Adding shows that only files know, and asking a model about names.
extension Operations {
    /// Adds every show that so far is only a name read from files, asking TMDB once for each.
    ///
    /// Junk begins no show: what has no title and number never became one.
    ///
    /// - Returns: A line for each.
    func addNamedShows(_ request: RouteRequest) async throws(OperationError) -> [String] {
        let contents = await services.library.contents
        let used = Set(contents.files.compactMap { $0.decision.placement?.showID })
        let named = contents.shows.filter { $0.details == nil && used.contains($0.id) }
        var lines: [String] = []
        for show in named {
            // Its files may have gone to a show that was added before it.
            let isUsed = await services.library.contents.files.contains {
                $0.decision.placement?.showID == show.id
            }
            guard isUsed else { continue }
            do throws(OperationError) {
                let added = try await add(named: show, request)
                let verb = request.dryRun ? "would add" : "added"
                lines.append("\(verb) '\(added.name)' {tmdb-\(added.tmdbID)} for '\(show.name)'")
            } catch {
                // Without TMDB there is no use in asking for the next.
                if error.code == .notConfigured { throw error }
                let candidates =
                    error.candidates.isEmpty
                    ? "" : " " + error.candidates.joined(separator: "; ")
                lines.append("'\(show.name)' was not added: \(error.message)\(candidates)")
            }
        }
        return lines
    }

    private func add(
        named show: Show,
        _ request: RouteRequest
    ) async throws(OperationError) -> AddedShow {
        let target = try AddShowRequest(show.systemName).target
        do throws(OperationError) {
            return try await addShow(AddShowRequest(target: target, dryRun: request.dryRun))
        } catch {
            guard request.useLLM, error.code == .ambiguous || error.code == .notFound,
                let id = try await choose(show.systemName, least: request.llmConfidence)
            else { throw error }
            return try await addShow(
                AddShowRequest(target: .tmdb(id), dryRun: request.dryRun),
                typedName: show.systemName
            )
        }
    }

    /// The show on TMDB that a model takes a title for; nil when it is not sure enough.
    func choose(_ title: String, least: Double?) async throws(OperationError) -> Int? {
        let models = try models()
        let least = least ?? services.modelConfidence
        let hits: [SearchHit]
        do throws(MetadataError) {
            hits = try await services.metadata.search(title)
        } catch {
            throw OperationError(error, looking: "for '\(title)'")
        }
        guard !hits.isEmpty else { return nil }
        let candidates = hits.map { hit in
            ModelReader.Candidate(
                number: hit.tmdbID,
                name: hit.name,
                originalName: hit.originalName,
                year: hit.year,
                countries: hit.originCountry,
                overview: String(hit.overview.prefix(200))
            )
        }
        do throws(ModelError) {
            guard let chosen = try await models.choose(title, from: candidates) else { return nil }
            return chosen.confidence >= least ? chosen.candidate.number : nil
        } catch {
            services.log.warning("cannot ask \(models.label) about '\(title)': \(error)")
            return nil
        }
    }

    func models() throws(OperationError) -> ModelReader {
        guard let models = services.models else {
            throw OperationError(
                .notConfigured,
                "there is no language model: set [LLM] service = ollama, openai or anthropic"
            )
        }
        return models
    }

    struct ReadByModel {
        var names: [RemotePath: ParsedName] = [:]
        var notes: [String] = []
    }

    /// What a model reads in the names of meant files that have no place because the parser is
    /// unsure of them; where it is no surer than asked for, the parser's word stays.
    func readByModel(
        _ request: RouteRequest,
        where isMeant: @Sendable (LibraryFile) -> Bool
    ) async throws(OperationError) -> ReadByModel {
        let models = try models()
        let least = request.llmConfidence ?? services.modelConfidence
        let contents = await services.library.contents
        let open = contents.files.filter { file in
            isMeant(file) && file.decision.placement == nil && file.decision.by == nil
        }
        let parsed = await services.library.names(of: open)
        // The model is not asked where the parser is sure: junk stays junk.
        let unsure = open.filter { file in
            guard let name = parsed[file.file.path], name.exclusion == nil else { return false }
            return name.confidence < least
        }
        guard !unsure.isEmpty else { return ReadByModel() }
        let texts = Dictionary(
            unsure.map { ($0.file.path, Self.shortPath($0.file.path)) }
        ) { first, _ in first }
        var result = ReadByModel()
        let found: [String: ModelReader.Name]
        do throws(ModelError) {
            found = try await models.read(unsure.compactMap { texts[$0.file.path] })
        } catch {
            // Nothing waits for a model: what the parser said stands.
            result.notes.append("\(models.label) was of no use: \(error)")
            return result
        }
        for file in unsure {
            guard let text = texts[file.file.path], let read = found[text],
                read.confidence >= least
            else { continue }
            var name = parsed[file.file.path] ?? ParsedName()
            name.title = read.title
            name.season = read.season
            name.episodes = read.season == nil ? [] : read.episodes
            name.absolute = read.season == nil ? read.episodes : []
            name.airDate = nil
            name.decimal = []
            name.isFullSeason = false
            name.confidence = read.confidence
            // It was the model that read it, and it does not say where.
            name.evidence = []
            result.names[file.file.path] = name
        }
        result.notes.append(
            "\(models.label) read \(result.names.count) of \(unsure.count) names surely enough"
        )
        return result
    }

    /// The file's name with its folder's, which is what a person would look at.
    private static func shortPath(_ path: RemotePath) -> String {
        path.text.split(separator: "/").suffix(2).joined(separator: "/")
    }
}
