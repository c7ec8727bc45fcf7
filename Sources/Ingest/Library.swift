public import Catalogue
public import Logging
public import Naming
public import Primitives
import Routing

/// Keeps the catalogue in step with the seedbox and with what the user asks for.
///
/// Changes are made one after the other: each reads the catalogue, decides, writes in one
/// transaction, and hands the new state to whoever serves it.
public actor Library {
    let store: any CatalogueStore
    private let roots: [RemotePath]
    private let log: Logger
    let publish: @Sendable (CatalogueContents) async -> Void
    private let parser = NameParser()

    public internal(set) var contents = CatalogueContents()
    /// The change that is under way, for the next to wait for.
    private var tail: Task<Void, Never>?
    /// Roots that were found empty once although files were known below them.
    private var emptyRoots: Set<RemotePath> = []

    /// - Parameters:
    ///   - store: The catalogue.
    ///   - roots: The seedbox directories that are mounted.
    ///   - log: Where warnings go.
    ///   - publish: Called with every new state, before the change that made it returns.
    public init(
        store: any CatalogueStore,
        roots: [RemotePath],
        log: Logger,
        publish: @Sendable @escaping (CatalogueContents) async -> Void
    ) {
        self.store = store
        self.roots = roots
        self.log = log
        self.publish = publish
    }

    /// Reads the catalogue as the last run left it, and publishes it.
    ///
    /// - Throws: ``CatalogueError``.
    public func load() async throws(CatalogueError) {
        contents = try await store.contents()
        await publish(contents)
    }

    /// What a scan changed.
    public struct ScanSummary: Hashable, Sendable {
        public var added = 0
        public var changed = 0
        public var gone = 0
        public var total = 0
    }

    /// Records what a scan found: new files are routed, changed ones renewed, gone ones dropped.
    ///
    /// Files below a directory that could not be listed stay as they are.
    ///
    /// - Parameter scan: The scan of all roots.
    /// - Returns: What it changed.
    /// - Throws: ``CatalogueError``; nothing is recorded then.
    public func record(_ scan: SeedboxScanner.Result) async throws(CatalogueError) -> ScanSummary {
        try await exclusively { () async throws(CatalogueError) in
            try await self.recordAlone(scan)
        }
    }

    private func recordAlone(
        _ scan: SeedboxScanner.Result
    ) async throws(CatalogueError) -> ScanSummary {
        let known = Dictionary(
            contents.files.map { ($0.file.path, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        let present = Set(scan.files.map(\.path))
        let unknown = scan.unknown + doubtful(scan)
        var summary = ScanSummary()
        var change = FileChange()
        change.gone = contents.files.filter { file in
            guard !present.contains(file.file.path) else { return false }
            // What lies outside of what was asked for goes only when all that was asked for could
            // be listed: a mistyped path takes nothing away.
            let isAsked = roots.contains { file.file.path.isInside($0) }
            return isAsked
                ? !unknown.contains { file.file.path.isInside($0) } : unknown.isEmpty
        }.map(\.id)
        let new = scan.files.filter { known[$0.path] == nil }
        change.records = route(new)
        for file in scan.files {
            guard let old = known[file.path], old.file != file else { continue }
            // Its name, and so its place, is the same.
            change.records.append(
                FileChange.Record(file: file, kind: old.kind, decision: old.decision)
            )
            summary.changed += 1
        }
        summary.added = new.count
        summary.gone = change.gone.count
        summary.total = contents.files.count + summary.added - summary.gone
        try await commit(change)
        return summary
    }

    /// Roots that turned wholly empty: a seedbox whose disk is not mounted looks just so, so that
    /// is believed only when the next scan says it again.
    private func doubtful(_ scan: SeedboxScanner.Result) -> [RemotePath] {
        let listed = roots.filter { !scan.unknown.contains($0) }
        let empty = listed.filter { root in
            !scan.files.contains { $0.path.isInside(root) }
                && contents.files.contains { $0.file.path.isInside(root) }
        }
        // What could not be listed says nothing: neither that it is empty nor that it is not.
        defer { emptyRoots = emptyRoots.subtracting(listed).union(empty) }
        return empty.filter { root in
            guard !emptyRoots.contains(root) else { return false }
            log.warning(
                "'\(root.printable)' is empty now; its files stay until the next scan finds it empty too"
            )
            return true
        }
    }

    /// A file whose place would change, or did.
    public struct Move: Sendable {
        public let file: LibraryFile
        public let new: Decision
        /// The name of a show that the move starts.
        public let newShow: String?

        public init(file: LibraryFile, new: Decision, newShow: String? = nil) {
            self.file = file
            self.new = new
            self.newShow = newShow
        }
    }

    /// Decides anew where files belong.
    ///
    /// - Parameters:
    ///   - isMeant: Which files.
    ///   - names: What a language model read in names that the parser does not understand.
    ///   - dryRun: Decide only; nothing is changed.
    /// - Returns: The files whose decision differs from the one before, and how many were meant.
    /// - Throws: ``CatalogueError``.
    public func reroute(
        where isMeant: @Sendable @escaping (LibraryFile) -> Bool,
        reading names: [RemotePath: ParsedName] = [:],
        dryRun: Bool = false
    ) async throws(CatalogueError) -> (moves: [Move], considered: Int) {
        try await exclusively { () async throws(CatalogueError) in
            try await self.rerouteAlone(where: isMeant, reading: names, dryRun: dryRun)
        }
    }

    func rerouteAlone(
        where isMeant: (LibraryFile) -> Bool,
        reading names: [RemotePath: ParsedName] = [:],
        dryRun: Bool
    ) async throws(CatalogueError) -> (moves: [Move], considered: Int) {
        let meant = contents.files.filter(isMeant)
        var change = FileChange()
        var moves: [Move] = []
        for (file, record) in zip(meant, route(meant.map(\.file), reading: names)) {
            guard !isKept(file.decision, against: record.decision) else { continue }
            var decision = record.decision
            if let draft = record.newShow {
                // A show that has only this name is found again by it: nothing new.
                let known = contents.shows.first { $0.systemName == draft.systemName }
                decision.placement?.showID = known?.id ?? 0
            }
            guard decision != file.decision else { continue }
            change.records.append(record)
            // The rule may read otherwise now; that alone moves nothing.
            if decision.placement == file.decision.placement,
                decision.traits == file.decision.traits,
                decision.placement != nil || decision.rule == file.decision.rule
            {
                continue
            }
            moves.append(Move(file: file, new: decision, newShow: record.newShow?.systemName))
        }
        if !dryRun { try await commit(change) }
        return (moves, meant.count)
    }

    /// What a person said stands; what a model said stands while the program knows no better.
    private func isKept(_ old: Decision, against new: Decision) -> Bool {
        switch old.by {
        case .person: true
        case .languageModel: new.placement == nil && new.by == nil
        case nil: false
        }
    }

    /// Adds a show, or renews the one with its TMDB number, and moves the files that belong to it.
    ///
    /// A show that so far was only a name read from files becomes this one, folder and all.
    ///
    /// - Parameters:
    ///   - draft: The show with its details.
    ///   - episodes: All its episodes.
    /// - Returns: The show as saved, and the files that it got.
    /// - Throws: ``CatalogueError``.
    public func add(
        _ draft: ShowDraft,
        episodes: [Episode]
    ) async throws(CatalogueError) -> (show: Show, files: Int) {
        try await exclusively { () async throws(CatalogueError) in
            try await self.addAlone(draft, episodes: episodes)
        }
    }

    private func addAlone(
        _ draft: ShowDraft,
        episodes: [Episode]
    ) async throws(CatalogueError) -> (show: Show, files: Int) {
        var draft = draft
        let titles = Set(
            ([draft.systemName, draft.details?.name].compactMap(\.self) + draft.aliases)
                .map(normalisedTitle)
        )
        let nameOnly = contents.shows.first { show in
            show.details == nil && titles.contains(normalisedTitle(show.systemName))
        }
        if let nameOnly { draft.aliases.append(nameOnly.systemName) }
        let known = contents.shows.contains { $0.details?.tmdbID == draft.details?.tmdbID }
        let show = try await store.save(
            draft,
            replacing: known ? nil : nameOnly?.id,
            episodes: episodes
        )
        contents = try await store.contents()
        _ = try await rerouteAlone(where: { _ in true }, dryRun: false)
        await publish(contents)
        let files = contents.files.count { $0.decision.placement?.showID == show.id }
        return (show, files)
    }

    /// One record for each file, in the files' order.
    func route(
        _ files: [RemoteFile],
        reading others: [RemotePath: ParsedName] = [:]
    ) -> [FileChange.Record] {
        let router = Router(shows: contents.shows, episodes: contents.episodes)
        let names = parsed(files).merging(others) { _, other in other }
        let examples = examples()
        // Files that spell a new show differently start one show, not several.
        var drafts: [String: ShowDraft] = [:]
        return files.compactMap { file in
            guard let kind = FileKind(name: RemotePath.escaped(file.path.lastComponent)),
                let name = names[file.path]
            else { return nil }
            var outcome = router.route(name)
            if let place = examples.place(name), place != outcome.decision.placement {
                outcome.newShow = nil
                outcome.decision.placement = place
                outcome.decision.rule = "as a person placed others of its series"
                outcome.decision.candidates = []
            }
            if others[file.path] != nil, outcome.decision.placement != nil {
                outcome.decision.by = .languageModel
                outcome.decision.rule = "language model: " + outcome.decision.rule
            }
            let draft = outcome.newShow.map { draft in
                let key = normalisedTitle(draft.systemName)
                let first = drafts[key] ?? draft
                drafts[key] = first
                return first
            }
            return FileChange.Record(
                file: file,
                kind: kind,
                decision: outcome.decision,
                newShow: draft
            )
        }
    }

    private func examples() -> Examples {
        let placed = contents.files.filter {
            $0.decision.by == .person && $0.decision.placement != nil && $0.kind == .video
        }
        let names = parsed(placed.map(\.file))
        return Examples(
            placed.compactMap { file in
                guard let name = names[file.file.path], let place = file.decision.placement else {
                    return nil
                }
                return (name, place)
            }
        )
    }

    /// Each directory's files are read as a set, since neighbours explain each other.
    func parsed(_ files: [RemoteFile]) -> [RemotePath: ParsedName] {
        var names: [RemotePath: ParsedName] = [:]
        for (_, neighbours) in Dictionary(grouping: files, by: { $0.path.parent }) {
            let paths = neighbours.map { relativeText($0.path) }
            for (index, name) in parser.parse(siblings: paths).enumerated() {
                let path = neighbours[index].path
                names[path] = Self.whole(name, paths[index], path)
            }
        }
        return names
    }

    /// What was read below the root, with its places in the whole path.
    private static func whole(_ name: ParsedName, _ text: String, _ path: RemotePath) -> ParsedName
    {
        let offset = path.text.utf8.count - text.utf8.count
        var name = name
        name.evidence = name.evidence.map { found in
            Evidence(
                fact: found.fact,
                bytes: found.bytes.lowerBound + offset..<found.bytes.upperBound + offset
            )
        }
        return name
    }

    private func relativeText(_ path: RemotePath) -> String {
        guard let root = roots.first(where: { path.isInside($0) }) else { return path.text }
        return RemotePath.escaped(Array(path.bytes.dropFirst(root.bytes.count)))
            .drop { $0 == "/" }.description
    }

    func commit(_ change: FileChange) async throws(CatalogueError) {
        guard !change.isEmpty else { return }
        try await store.apply(change)
        contents = try await store.contents()
        await publish(contents)
    }

    /// Runs one change after all that were asked for before it.
    ///
    /// An actor lets others in at every `await`; here each change must see the one before whole.
    func exclusively<Value: Sendable>(
        _ body: @Sendable @escaping () async throws(CatalogueError) -> Value
    ) async throws(CatalogueError) -> Value {
        let before = tail
        let task = Task { () async -> Result<Value, CatalogueError> in
            await before?.value
            do throws(CatalogueError) {
                return .success(try await body())
            } catch {
                return .failure(error)
            }
        }
        tail = Task { _ = await task.value }
        return try await task.value.get()
    }
}
