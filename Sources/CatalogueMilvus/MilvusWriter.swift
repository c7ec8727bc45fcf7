import Catalogue
import Foundation
import MilvusClient
import Primitives

/// Makes changes one after the other, each wholly or not at all.
///
/// Milvus has no transactions. What a change does is written down first, as one document, and the
/// state says that it is made: whoever asked for it need not wait for more. Then it is done, and
/// done again by whoever finds the document when its writer has died: every step may be repeated.
/// Who reads waits for that. Of several processes one writes at a time, by a lease that it keeps
/// while it goes on writing.
actor MilvusWriter {
    private struct Pending: Codable, Sendable {
        let edits: CatalogueEdits
        let entry: JournalEntry
        let state: MilvusCollections.State

        /// The JSON of the whole, of that of its parts.
        static func document(
            _ edits: String,
            _ entry: String,
            _ state: MilvusCollections.State
        ) throws(CatalogueError) -> Data {
            let state = try StoredJSON.text(state)
            return Data(#"{"edits":\#(edits),"entry":\#(entry),"state":\#(state)}"#.utf8)
        }
    }

    private struct Lease: Codable {
        let name: String
        let holder: String
        let untilSeconds: Int64
    }

    private let collections: MilvusCollections
    private let limits: JournalLimits
    private let holder = UUID().uuidString
    private var leasedUntil: ContinuousClock.Instant?
    /// What our last change left, with nothing pending; nil when another may have written since.
    private var left: MilvusCollections.State?
    /// The change that is under way and what it leaves to do, for the next to wait for.
    private var tail: Task<Void, Never>?

    private static let leaseName = "write"
    private static let leaseSeconds: Int64 = 10
    /// Longer than a write of one row takes to be seen by others: two that find no lease at the
    /// same time then both see the later one.
    private static let settling = Duration.milliseconds(150)
    /// Between two looks whether another process has finished its change: Milvus tells nobody.
    private static let glance = Duration.milliseconds(20)
    private static let patience = Duration.seconds(30)
    /// How often old entries are looked for.
    private static let pruneEvery: Int64 = 16
    /// Rows between two words on how far a replacement is.
    private static let replacedRows = 5_000

    init(_ collections: MilvusCollections, _ limits: JournalLimits) {
        self.collections = collections
        self.limits = limits
    }

    /// Returns when the change is safe; its rows come soon after.
    func commit(_ change: CatalogueChange) async throws(CatalogueError) {
        let (edits, entry) = (StoredJSON.begun(change.edits), StoredJSON.begun(change.entry))
        _ = try await alone { () async throws(CatalogueError) in
            let state = try await self.mended()
            guard state.isBeingReplaced == nil else { throw .halfMoved }
            let revision = change.entry.revision
            guard state.revision == revision - 1 else {
                let message = "the catalogue was changed before revision \(revision)"
                throw CatalogueError(.conflict, message)
            }
            var new = state
            new.schemaVersion = MilvusCollections.State().schemaVersion
            new.revision = revision
            new.nextShowID = max(new.nextShowID, change.after.nextShowID)
            new.nextFileID = max(new.nextFileID, change.after.nextFileID)
            // Before anything is written down: what cannot be finished must not be begun.
            try EpisodeTable.check(change.edits.episodes)
            let entryText = try await entry.value.get()
            let document = try Pending.document(try await edits.value.get(), entryText, new)
            let pending = Pending(edits: change.edits, entry: change.entry, state: new)
            try await self.begin(pending, document)
            return (pending, entryText)
        } afterwards: { pending, entryText in
            await self.finishSoon(pending, entryText)
        }
    }

    /// Returns when nothing is left to do of what this process has committed.
    func settle() async { await tail?.value }

    /// - Parameters:
    ///   - copy: All that is there afterwards.
    ///   - progress: Told how many rows are there.
    /// - Throws: ``CatalogueError``.
    func replaceAll(
        with copy: CatalogueCopy,
        _ progress: @Sendable @escaping (Int) -> Void
    ) async throws(CatalogueError) {
        try await alone { () async throws(CatalogueError) in
            _ = try await self.mended()
            try await self.replace(with: copy, progress)
        }
    }

    func noteAsked(_ seconds: Int64, about tmdbID: Int) async throws(CatalogueError) {
        try await alone { () async throws(CatalogueError) in
            _ = try await self.mended()
            guard var show = try await self.collections.show(tmdbID) else { return }
            show.askedSeconds = seconds
            var edits = CatalogueEdits()
            edits.shows = [show]
            try await self.collections.put(edits)
        }
    }

    func lease(
        _ name: String,
        to holder: String,
        seconds: Int64
    ) async throws(CatalogueError) -> String? {
        try await alone { () async throws(CatalogueError) in
            if let other = try await self.holder(of: name), other != holder { return other }
            try await self.write(
                Lease(
                    name: name,
                    holder: holder,
                    untilSeconds: Self.now + seconds
                )
            )
            return nil
        }
    }

    func endLease(_ name: String, of holder: String) async throws(CatalogueError) {
        try await alone { () async throws(CatalogueError) in
            guard try await self.holder(of: name) == holder else { return }
            try await self.drop(name)
        }
    }

    /// Lets others write at once.
    func release() async {
        await settle()
        guard leasedUntil != nil else { return }
        leasedUntil = nil
        guard (try? await holder(of: Self.leaseName)) == holder else { return }
        try? await drop(Self.leaseName)
    }

    /// Returns when what was begun is finished; a reader asks for that when it finds some.
    ///
    /// Its writer finishes it, or we do when there is none any more.
    func mend() async throws(CatalogueError) {
        let end = ContinuousClock.now + Self.patience
        await settle()
        while try await hasPending() {
            let writer = try await holder(of: Self.leaseName)
            guard let writer, writer != holder else {
                return try await alone { () async throws(CatalogueError) in
                    _ = try await self.mended()
                }
            }
            guard ContinuousClock.now < end else { throw Self.othersWrite }
            try await sleep(Self.glance)
        }
    }

    private static let othersWrite = CatalogueError(
        .unavailable,
        "another process is writing to the catalogue; try again"
    )

    func hasPending() async throws(CatalogueError) -> Bool {
        try await translated { () throws(MilvusError) in
            try await collections.pending.count() > 0
        }
    }

    // MARK: Steps

    private func mended() async throws(CatalogueError) -> MilvusCollections.State {
        let state = try await collections.readState()
        if state == left { return state }
        left = nil
        let (keys, pending) = try await translated { () throws(MilvusError) in
            (
                try await collections.pending.fields().map(\.key),
                try await collections.pending.documents()
            )
        }
        var last = state
        // Its writer died while writing it down: it was never begun.
        for key in keys where !pending.contains(where: { $0.key == key }) {
            try await dropPending(key)
        }
        for (key, document) in pending {
            // The state tells that it is made, or its writer died before it could.
            guard key == last.revision || key == last.revision + 1 else {
                try await dropPending(key)
                continue
            }
            let change: Pending = try StoredJSON.value(document, of: "a pending change")
            if key > last.revision { try await validate(change) }
            try await finish(change, try StoredJSON.text(change.entry))
            last = change.state
        }
        return last
    }

    /// Writes down what a change does, and makes it.
    private func begin(_ change: Pending, _ document: Data) async throws(CatalogueError) {
        left = nil
        let record = RecordTable.Record(key: change.entry.revision, document: document)
        try await translated { () throws(MilvusError) in
            try await collections.pending.put([record], mayShrink: false)
        }
        try await validate(change)
    }

    private func validate(_ change: Pending) async throws(CatalogueError) {
        guard try await holder(of: Self.leaseName) == holder else {
            throw CatalogueError(.unavailable, "another process writes to the catalogue now")
        }
        try await collections.write(change.state)
    }

    private func finishSoon(_ change: Pending, _ entry: String) async {
        do throws(CatalogueError) {
            try await finish(change, entry)
            left = change.state
        } catch {
            // Whoever comes next finds what is written down, and does it.
        }
    }

    // `entry` is the JSON of the change's.
    private func finish(_ change: Pending, _ entry: String) async throws(CatalogueError) {
        try await collections.put(change.edits)
        try await collections.add([RecordTable.Record(change.entry, entry)])
        try await dropPending(change.entry.revision)
        if change.entry.revision % Self.pruneEvery == 0 || limits.age < 0 {
            try await collections.prune(change.entry, limits)
        }
    }

    private func dropPending(_ key: Int64) async throws(CatalogueError) {
        try await translated { () throws(MilvusError) in
            try await collections.pending.delete([key])
        }
    }

    private func replace(
        with copy: CatalogueCopy,
        _ progress: (Int) -> Void
    ) async throws(CatalogueError) {
        left = nil
        let old = try await collections.contents(try await collections.readState())
        let stamps = try await translated { () throws(MilvusError) in
            let answers = try await collections.answers.fields().map(\.key)
            let entries = try await collections.journal.fields().map(\.key)
            try await collections.answers.delete(answers)
            try await collections.journal.delete(entries)
            return try await collections.stamps.all()
        }
        let contents = copy.contents
        try EpisodeTable.check(contents.episodes)
        var state = try await collections.readState()
        state.isBeingReplaced = true
        try await collections.write(state)
        // What is there already stays: a replacement that was broken off goes on where it stopped.
        let edits = CatalogueEdits(from: old, to: contents)
        let kept = [
            contents.shows.count - edits.shows.count,
            contents.episodes.count - edits.episodes.count,
            contents.files.count - edits.files.count,
        ]
        var rows = kept.reduce(0, +)
        for part in edits.parts(of: Self.replacedRows) {
            progress(rows)
            guard !Task.isCancelled else { throw .moveBrokenOff }
            try await collections.put(part)
            rows += part.shows.count + part.episodes.count + part.files.count
        }
        try await collections.add(copy.journal)
        for answer in copy.answers { try await collections.keep(answer) }
        try await translated { () throws(MilvusError) in
            try await collections.stamps.delete(stamps.keys.filter { copy.stamps[$0] == nil })
            try await collections.stamps.put(copy.stamps)
        }
        progress(copy.rows)
        state.isBeingReplaced = nil
        state.revision = max(state.revision, contents.revision) + 1
        state.nextShowID = max(state.nextShowID, contents.nextShowID)
        state.nextFileID = max(state.nextFileID, contents.nextFileID)
        try await collections.write(state)
    }

    // MARK: One at a time

    /// Runs `body` after all that was asked for before it, and with the right to write.
    ///
    /// - Parameters:
    ///   - body: What is waited for.
    ///   - afterwards: What the next change waits for, with the right to write as well.
    /// - Returns: What `body` returned.
    /// - Throws: ``CatalogueError``.
    private func alone<Value: Sendable>(
        _ body: @Sendable @escaping () async throws(CatalogueError) -> Value,
        afterwards: @Sendable @escaping (Value) async -> Void = { _ in }
    ) async throws(CatalogueError) -> Value {
        let before = tail
        let task = Task { () async -> Result<Value, CatalogueError> in
            await before?.value
            do throws(CatalogueError) {
                try await self.becomeWriter()
                let renewal = self.renewal()
                defer { renewal.cancel() }
                return .success(try await body())
            } catch {
                return .failure(error)
            }
        }
        tail = Task {
            guard case .success(let value) = await task.value else { return }
            let renewal = renewal()
            defer { renewal.cancel() }
            await afterwards(value)
        }
        return try await task.value.get()
    }

    private func becomeWriter() async throws(CatalogueError) {
        if let leasedUntil, ContinuousClock.now < leasedUntil { return }
        let end = ContinuousClock.now + Self.patience
        while ContinuousClock.now < end {
            let known = try await holder(of: Self.leaseName)
            if known != holder { left = nil }
            if let known, known != holder {
                try await sleep(Self.settling)
                continue
            }
            let start = ContinuousClock.now
            try await write(ownLease)
            // One that has run out may be taken by another at this moment.
            if known == nil { try await sleep(Self.settling) }
            guard try await holder(of: Self.leaseName) == holder else { continue }
            // Renewed well before others may take it.
            leasedUntil = start + .seconds(Self.leaseSeconds / 2)
            return
        }
        throw Self.othersWrite
    }

    /// Waits for what no server tells; a task that is cancelled meanwhile gives up its change.
    private func sleep(_ time: Duration) async throws(CatalogueError) {
        do {
            try await Task.sleep(for: time)
        } catch {
            throw CatalogueError(.unavailable, "the change was given up", cause: error)
        }
    }

    /// Keeps the right to write until it is cancelled.
    private func renewal() -> Task<Void, Never> { Task { await renewLease() } }

    /// While a change is made that takes longer than the lease; ends when it is cancelled.
    private func renewLease() async {
        while (try? await Task.sleep(for: .seconds(Self.leaseSeconds) / 3)) != nil {
            let start = ContinuousClock.now
            guard (try? await holder(of: Self.leaseName)) == holder,
                (try? await write(ownLease)) != nil
            else { return }
            leasedUntil = start + .seconds(Self.leaseSeconds / 2)
        }
    }

    private var ownLease: Lease {
        Lease(name: Self.leaseName, holder: holder, untilSeconds: Self.now + Self.leaseSeconds)
    }

    private static var now: Int64 { Int64(Date().timeIntervalSince1970) }

    private func holder(of name: String) async throws(CatalogueError) -> String? {
        let document = try await translated { () throws(MilvusError) in
            try await collections.leases.document(MilvusCollections.key(of: name))
        }
        guard let document else { return nil }
        let lease: Lease = try StoredJSON.value(document, of: "a lease")
        // A time far ahead is that of a clock which was wrong.
        let isValid = lease.untilSeconds > Self.now && lease.untilSeconds < Self.now + 86_400
        return lease.name == name && isValid ? lease.holder : nil
    }

    private func write(_ lease: Lease) async throws(CatalogueError) {
        let record = RecordTable.Record(
            key: MilvusCollections.key(of: lease.name),
            document: try StoredJSON.bytes(lease)
        )
        try await translated { () throws(MilvusError) in
            try await collections.leases.put([record], mayShrink: false)
        }
    }

    private func drop(_ name: String) async throws(CatalogueError) {
        try await translated { () throws(MilvusError) in
            try await collections.leases.delete([MilvusCollections.key(of: name)])
        }
    }
}
