public import Catalogue
import Foundation
public import Logging
public import Naming
public import Primitives
import Routing
import Synchronization

/// UTC.
public func secondsSince1970() -> Int64 { Int64(Date().timeIntervalSince1970) }

/// Keeps the catalogue in step with the seedbox and with what the user asks for.
///
/// Changes are made one after the other: each reads the catalogue, decides, writes in one
/// transaction, and hands the new state to whoever serves it.
public actor Library {
    /// Puts a state of the catalogue before those who use it.
    public typealias Publication = @Sendable () async -> Void

    let store: any CatalogueStore
    let roots: [RemotePath]
    private let log: Logger
    private let prepare: @Sendable (CatalogueContents) async -> Publication
    let now: @Sendable () -> Int64
    private nonisolated let away = Mutex<String?>(nil)

    public internal(set) var contents = CatalogueContents()
    /// The change that is under way, for the next to wait for.
    private var tail: Task<Void, Never>?
    /// Roots that were found empty once although files were known below them.
    private var emptyRoots: Set<RemotePath> = []

    /// - Parameters:
    ///   - store: The catalogue.
    ///   - roots: The seedbox directories that are mounted.
    ///   - log: Where warnings go.
    ///   - now: Seconds since 1970, UTC.
    ///   - prepare: Given every new state while it is being saved. What it returns is called once
    ///     that is done, before the change that made it returns, and before the next is prepared;
    ///     it is not called when the state could not be saved.
    public init(
        store: any CatalogueStore,
        roots: [RemotePath],
        log: Logger,
        now: @Sendable @escaping () -> Int64 = secondsSince1970,
        prepare: @Sendable @escaping (CatalogueContents) async -> Publication = { _ in {} }
    ) {
        self.now = now
        self.store = store
        self.roots = roots
        self.log = log
        self.prepare = prepare
    }

    /// Reads the catalogue as the last run left it, and publishes it.
    ///
    /// - Parameter lastKnown: What it was when it was last read, for a database that is away:
    ///   ``trouble`` then says why, and ``follow()`` goes on from there.
    /// - Throws: ``CatalogueError``.
    public func load(
        otherwise lastKnown: CatalogueContents? = nil
    ) async throws(CatalogueError) {
        do throws(CatalogueError) {
            contents = try await store.contents()
        } catch {
            guard error.code == .unavailable, let lastKnown else { throw error }
            contents = lastKnown
            noteTrouble(error)
        }
        await publish()
    }

    private func publish() async { await prepare(contents)() }

    private func noteTrouble(_ error: CatalogueError) {
        if trouble == nil { log.warning("the catalogue is away: \(error)") }
        away.withLock { $0 = error.message }
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
    /// - Parameters:
    ///   - scan: The scan of all roots.
    ///   - known: The number that the next new file had when the scan began; what others have added
    ///     since is not gone because the scan did not see it. nil when nobody else writes.
    ///   - others: Directories that other machines mount from the same catalogue.
    /// - Returns: What it changed.
    /// - Throws: ``CatalogueError``; nothing is recorded then.
    public func record(
        _ scan: SeedboxScanner.Result,
        known: Int64? = nil,
        others: [RemotePath] = []
    ) async throws(CatalogueError) -> ScanSummary {
        try await exclusively { () async throws(CatalogueError) in
            try await self.recordAlone(scan, known: known ?? .max, others)
        }
    }

    private func recordAlone(
        _ scan: SeedboxScanner.Result,
        known next: Int64,
        _ others: [RemotePath]
    ) async throws(CatalogueError) -> ScanSummary {
        let present = Set(scan.files.map(\.path))
        let unknown = scan.unknown + doubtful(scan)
        let roots = roots
        return try await change(Origin(.scan, "scan")) { draft throws(CatalogueError) in
            let files = draft.contents.files
            let known = Dictionary(files.map { ($0.file.path, $0) }) { first, _ in first }
            var summary = ScanSummary()
            var change = FileChange()
            change.gone = files.filter { file in
                guard !present.contains(file.file.path), file.id < next else { return false }
                // What lies outside of what was asked for goes only when all that was asked for
                // could be listed: a mistyped path takes nothing away.
                let isAsked = roots.contains { file.file.path.isInside($0) }
                guard !isAsked else { return !unknown.contains { file.file.path.isInside($0) } }
                return unknown.isEmpty && !others.contains { file.file.path.isInside($0) }
            }.map(\.id)
            let new = scan.files.filter { known[$0.path] == nil }
            change.records = FileRouter(draft.contents, roots: roots).records(for: new)
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
            summary.total = files.count + summary.added - summary.gone
            try draft.apply(change)
            return summary
        }
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
    ///   - origin: Who asks for it.
    /// - Returns: The files whose decision differs from the one before, and how many were meant.
    /// - Throws: ``CatalogueError``.
    public func reroute(
        where isMeant: @Sendable @escaping (LibraryFile) -> Bool,
        reading names: [RemotePath: ParsedName] = [:],
        dryRun: Bool = false,
        _ origin: Origin = Origin(.person, "route-files")
    ) async throws(CatalogueError) -> (moves: [Move], considered: Int) {
        try await exclusively { () async throws(CatalogueError) in
            try await self.rerouteAlone(where: isMeant, reading: names, dryRun: dryRun, origin)
        }
    }

    private func rerouteAlone(
        where isMeant: (LibraryFile) -> Bool,
        reading names: [RemotePath: ParsedName],
        dryRun: Bool,
        _ origin: Origin
    ) async throws(CatalogueError) -> (moves: [Move], considered: Int) {
        if dryRun {
            var draft = CatalogueDraft(contents)
            return try reroute(in: &draft, where: isMeant, reading: names)
        }
        return try await change(origin) { draft throws(CatalogueError) in
            try self.reroute(in: &draft, where: isMeant, reading: names)
        }
    }

    /// Decides in a draft where files belong.
    func reroute(
        in draft: inout CatalogueDraft,
        where isMeant: (LibraryFile) -> Bool = { _ in true },
        reading names: [RemotePath: ParsedName] = [:]
    ) throws(CatalogueError) -> (moves: [Move], considered: Int) {
        let contents = draft.contents
        let meant = contents.files.filter(isMeant)
        let records = FileRouter(contents, roots: roots).records(
            for: meant.map(\.file),
            reading: names
        )
        var change = FileChange()
        var moves: [Move] = []
        for (file, record) in zip(meant, records) {
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
        try draft.apply(change)
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
    ///   - origin: Who adds it.
    /// - Returns: The show as saved, and the files that it got.
    /// - Throws: ``CatalogueError``.
    public func add(
        _ draft: ShowDraft,
        episodes: [Episode],
        _ origin: Origin
    ) async throws(CatalogueError) -> (show: Show, files: Int) {
        try await exclusively { () async throws(CatalogueError) in
            try await self.addAlone(draft, episodes: episodes, origin)
        }
    }

    private func addAlone(
        _ show: ShowDraft,
        episodes: [Episode],
        _ origin: Origin
    ) async throws(CatalogueError) -> (show: Show, files: Int) {
        let titles = Set(
            ([show.systemName, show.details?.name].compactMap(\.self) + show.aliases)
                .map(normalisedTitle)
        )
        let seconds = now()
        let saved = try await change(origin) { draft throws(CatalogueError) in
            let shows = draft.contents.shows
            var show = show
            let nameOnly = shows.first {
                $0.details == nil && titles.contains(normalisedTitle($0.systemName))
            }
            if let nameOnly { show.aliases.append(nameOnly.systemName) }
            let isKnown = shows.contains { $0.details?.tmdbID == show.details?.tmdbID }
            let saved = try draft.save(
                show,
                replacing: isKnown ? nil : nameOnly?.id,
                episodes: episodes,
                seconds: seconds
            )
            _ = try self.reroute(in: &draft)
            return saved
        }
        // A show that was changed bears the time already.
        if let tmdbID = show.details?.tmdbID, contents.show(saved.id)?.askedSeconds != seconds {
            try await store.noteAsked(seconds, about: tmdbID)
            contents.noteAsked(seconds, about: tmdbID)
        }
        let files = contents.files.count { $0.decision.placement?.showID == saved.id }
        return (saved, files)
    }

    /// Makes one change, saves it with its reason, and hands the new state on.
    ///
    /// - Parameters:
    ///   - origin: Who makes it.
    ///   - body: Makes it in a draft; runs once more when another process was faster.
    /// - Returns: What `body` returned last.
    /// - Throws: ``CatalogueError``; nothing is changed then.
    func change<Value>(
        _ origin: Origin,
        _ body: (inout CatalogueDraft) throws(CatalogueError) -> Value
    ) async throws(CatalogueError) -> Value {
        var publication: Task<Publication, Never>?
        let (value, after) = try await store.change(
            contents,
            origin,
            seconds: now(),
            saving: { after in publication = Task { [prepare] in await prepare(after) } },
            body
        )
        if after.revision != contents.revision {
            contents = after
            await publication?.value()
        }
        return value
    }

    /// Takes in what other processes and machines change, until the task is cancelled.
    ///
    /// While the database is away, what is known stays.
    public func follow() async {
        while !Task.isCancelled {
            do throws(CatalogueError) {
                try await exclusively { () async throws(CatalogueError) in
                    try await self.reload()
                }
                away.withLock { $0 = nil }
                try await store.waitForChange(since: contents.revision)
            } catch {
                noteTrouble(error)
                try? await Task.sleep(for: Self.pauseWithoutDatabase)
            }
        }
    }

    /// Why the database cannot be asked; nil while it can.
    public nonisolated var trouble: String? { away.withLock { $0 } }

    private static let pauseWithoutDatabase = Duration.seconds(1)

    private func reload() async throws(CatalogueError) {
        guard try await store.revision() != contents.revision else { return }
        contents = try await store.contents()
        await publish()
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
