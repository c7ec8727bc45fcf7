internal import Dispatch
public import Primitives

/// A source that keeps what it reads: blocks from the store, the rest from upstream.
///
/// The decisions are ``FetchTable``'s; this performs them. Readers get bytes from memory as
/// soon as they arrive; writing them to the disk goes on behind. What is being written
/// counts towards the memory limit, so a slow disk slows fetching rather than filling memory.
///
/// Lock order: this state, then the store's.
public final class CachedSource: RangeSource {
    public let store: BlockStore
    private let upstream: any RangeSource
    private let state: Lock<State>
    /// Reads of stored blocks: they block, and Swift's own threads must not.
    private let disk = DispatchQueue(label: "cache.reader", attributes: .concurrent)

    private struct State {
        var table: FetchTable
        var tasks: [FetchTable.FetchID: Task<Void, Never>] = [:]
        var waiting: [FetchTable.ReaderID: CheckedContinuation<FetchTable.Outcome, Never>] = [:]
        var log = TransferLog()
        var isStopped = false
    }

    public init(_ upstream: any RangeSource, store: BlockStore, limits: FetchLimits = FetchLimits())
    {
        self.upstream = upstream
        self.store = store
        let table = FetchTable(limits: limits) { blocks, file in
            store.missing(in: blocks, of: file)
        }
        state = Lock(State(table: table))
    }

    // MARK: Reading

    /// Reads `range` of `file`, from the store as far as it has it.
    ///
    /// - Throws: ``SourceError``: upstream's own, unchanged; `.changed` when upstream has
    ///   fewer bytes than the file's size says; `.unavailable` when it sends too many, or
    ///   after ``stop()``; `.cancelled`.
    public func read(
        _ range: ByteRange,
        of file: RemoteFile,
        priority: ReadPriority
    ) async throws(SourceError) -> Bytes {
        let slice = try await bytes(in: range, of: file)
        let bytes = Bytes(count: slice.count)
        slice.withUnsafeBytes { bytes.mutable.copyMemory(from: $0) }
        return bytes
    }

    /// As ``read(_:of:priority:)``, but without a copy where one fetch brought all of it.
    func bytes(
        in range: ByteRange,
        of file: RemoteFile
    ) async throws(SourceError) -> ByteSlice {
        guard range.upperBound <= file.size else {
            let message = "read '\(file.path)': \(range) wanted, size is \(file.size)"
            throw SourceError(.changed, file.path, message)
        }
        guard !range.isEmpty else { return ByteSlice(Bytes(count: 0)) }
        await load(file)
        let blocks = Block.indices(of: range)
        if store.missing(in: blocks, of: file).isEmpty, let bytes = await stored(range, of: file) {
            return ByteSlice(bytes)
        }
        var output = Output(range)
        // A stored block may turn out bad, or be evicted before it is read. Then it is
        // asked for again; the third time it is fetched whatever the store says.
        var wanted = [blocks]
        var round = 1
        while !wanted.isEmpty {
            var again: [Range<Int>] = []
            for run in wanted {
                again += try await read(run, of: file, into: &output, isLast: round > 2)
            }
            wanted = again
            round += 1
        }
        return output.bytes
    }

    /// What a reader gets: a part of one arrival, or put together from several.
    private struct Output {
        let range: ByteRange
        private var whole: ByteSlice?
        private var parts: Bytes?

        init(_ range: ByteRange) { self.range = range }

        var bytes: ByteSlice { whole ?? ByteSlice(parts ?? Bytes(count: 0)) }

        /// Takes `part` out of `source`, which begins at `start`.
        mutating func take(_ part: ByteRange, from source: Bytes, startingAt start: UInt64) {
            if part == range {
                let first = Int(part.lowerBound - start)
                whole = ByteSlice(source, first..<first + Int(part.count))
                return
            }
            // Not cleared: whoever gets it has taken every part of it.
            let target = parts ?? Bytes(count: Int(range.count))
            parts = target
            let place = Int(part.lowerBound - range.lowerBound)
            let first = Int(part.lowerBound - start)
            let count = Int(part.count)
            source.withUnsafeBytes { source in
                UnsafeMutableRawBufferPointer(rebasing: target.mutable[place..<place + count])
                    .copyMemory(from: .init(rebasing: source[first..<first + count]))
            }
        }
    }

    /// - Returns: Blocks that the store had and then had not.
    private func read(
        _ blocks: Range<Int>,
        of file: RemoteFile,
        into output: inout Output,
        isLast: Bool
    ) async throws(SourceError) -> [Range<Int>] {
        let (reader, plan) = try begin(blocks, of: file, ignoresStore: isLast)
        let result = await withTaskCancellationHandler {
            await collect(plan, reader, of: file, into: &output)
        } onCancel: {
            act { ((), $0.left(reader)) }
        }
        act { ((), $0.left(reader)) }
        return try result.get()
    }

    private typealias Plan = (parts: [FetchTable.Part], stored: [Range<Int>])

    private func begin(
        _ blocks: Range<Int>,
        of file: RemoteFile,
        ignoresStore: Bool
    ) throws(SourceError) -> (FetchTable.ReaderID, Plan) {
        guard !Task.isCancelled else {
            throw SourceError(.cancelled, file.path, "read '\(file.path)'")
        }
        guard !state.withLock({ $0.isStopped }) else {
            throw SourceError(.unavailable, file.path, "read '\(file.path)': the cache has stopped")
        }
        let result = act { table in
            let reader = table.newReader()
            let plan = table.wanted(blocks, of: file, by: reader, ignoresStore: ignoresStore)
            return ((reader, (parts: plan.parts, stored: plan.stored)), plan.actions)
        }
        store.noteMisses(result.1.parts.reduce(0) { $0 + $1.blocks.count })
        return result
    }

    private func collect(
        _ plan: Plan,
        _ reader: FetchTable.ReaderID,
        of file: RemoteFile,
        into output: inout Output
    ) async -> Result<[Range<Int>], SourceError> {
        var again: [Range<Int>] = []
        for run in plan.stored {
            let part = Block.bytes(of: run, inFileOf: file.size).common(with: output.range)
            if let bytes = await stored(part, of: file) {
                output.take(part, from: bytes, startingAt: part.lowerBound)
            } else {
                again.append(run)
            }
        }
        for (index, part) in plan.parts.enumerated() {
            let wanted = Block.bytes(of: part.blocks, inFileOf: file.size)
                .common(with: output.range)
            switch await bytes(of: part.fetch, for: reader) {
            case .failure(let error): return .failure(error)
            case .success(let arrival):
                output.take(wanted, from: arrival.bytes, startingAt: arrival.offset)
            }
            // Given back at once: a read bigger than the memory limit waits for its own room.
            if !plan.parts[(index + 1)...].contains(where: { $0.fetch == part.fetch }) {
                act { ((), $0.took(part.fetch, reader)) }
            }
        }
        return .success(again)
    }

    private func bytes(
        of fetch: FetchTable.FetchID,
        for reader: FetchTable.ReaderID
    ) async
        -> FetchTable.Outcome
    {
        await withCheckedContinuation { continuation in
            let outcome = state.withLock { state in
                let outcome = state.table.awaits(fetch, reader)
                if outcome == nil { state.waiting[reader] = continuation }
                return outcome
            }
            if let outcome { continuation.resume(returning: outcome) }
        }
    }

    /// All of `range`, when it lies in memory because it was fetched ahead.
    func inMemory(_ range: ByteRange, of file: RemoteFile) -> ByteSlice? {
        guard !range.isEmpty else { return nil }
        let arrival = act { table -> (FetchTable.Arrival?, [FetchTable.Action]) in
            guard let (arrival, actions) = table.arrival(with: range, of: file) else {
                return (nil, [])
            }
            return (arrival, actions)
        }
        guard let arrival else { return nil }
        store.noteRead(file)
        let start = Int(range.lowerBound - arrival.offset)
        return ByteSlice(arrival.bytes, start..<start + Int(range.count))
    }

    // MARK: Disk

    private func load(_ file: RemoteFile) async {
        guard store.needsLoading(file) else { return }
        await withCheckedContinuation { continuation in
            disk.async { [store] in
                _ = store.stored(file)
                continuation.resume()
            }
        }
    }

    private func stored(_ range: ByteRange, of file: RemoteFile) async -> Bytes? {
        await withCheckedContinuation { continuation in
            disk.async { [store] in
                let bytes = Bytes(count: Int(range.count))
                let isServed = store.cached(range, of: file, into: bytes.mutable)
                continuation.resume(returning: isServed ? bytes : nil)
            }
        }
    }

    // MARK: Ahead of readers

    /// Fetches what is missing of `range` in the background, when readers leave room for it.
    ///
    /// Returns at once, but for reading the file's map when it is not in memory. Errors are
    /// dropped: the reader who comes there meets them itself.
    ///
    /// - Parameters:
    ///   - range: Cut to the file's size here.
    ///   - file: The version wanted.
    ///   - handle: Whoever may call ``cancelPrefetch(for:)``.
    ///   - priority: Less urgent ones give way to more urgent ones.
    public func prefetch(
        _ range: ByteRange,
        of file: RemoteFile,
        for handle: UInt64,
        priority: ReadPriority = .readAhead
    ) {
        let blocks = Block.indices(of: range.clipped(to: file.size))
        guard !blocks.isEmpty, !state.withLock({ $0.isStopped }) else { return }
        _ = store.stored(file)
        act { ((), $0.prefetch(blocks, of: file, for: handle, priority: priority)) }
    }

    /// Fetches what is missing of `range` as long as that takes, when others leave room for it.
    ///
    /// Ends early when the seedbox or the disk does not give or take it.
    func fetchInBackground(_ range: ByteRange, of file: RemoteFile, priority: ReadPriority) {
        prefetch(range, of: file, for: FetchPolicy.background, priority: priority)
    }

    /// `file` may be opened soon: opens it at the seedbox unless something of it is here already.
    public func expect(_ file: RemoteFile) {
        guard file.size > 0, !store.holdsAny(of: file) else { return }
        upstream.expect(file)
    }

    public var bytesToFillTheWay: UInt64 { upstream.bytesToFillTheWay }

    /// What comes from the seedbox now, or came a moment ago; the fastest first.
    public var transfers: [FileTransfer] {
        let now = ContinuousClock.now
        let (underWay, rates) = state.withLock { ($0.table.underWay, $0.log.rates(now: now)) }
        return Set(underWay.keys).union(rates.keys)
            .map { file in
                FileTransfer(
                    file: file,
                    priority: underWay[file]?.priority,
                    bytesUnderWay: underWay[file]?.bytes ?? 0,
                    bytesCached: store.loadedBytes(of: file),
                    rate: rates[file] ?? 0
                )
            }
            .sorted { ($1.rate, $0.file.path.text) < ($0.rate, $1.file.path.text) }
    }

    /// Gives up what was to be fetched ahead for `handle`, but for blocks that a reader has
    /// come to wait for.
    public func cancelPrefetch(for handle: UInt64) {
        act { ((), $0.prefetchCancelled(for: handle)) }
    }

    /// Ends every fetch, and closes the store when all have ended.
    ///
    /// Readers that wait get upstream's `.cancelled`; later ones get `.unavailable`.
    public func stop() async {
        state.withLock { $0.isStopped = true }
        act { ((), $0.stopped()) }
        while let task = state.withLock({ $0.tasks.values.first }) { await task.value }
        await withCheckedContinuation { continuation in
            disk.async { [store] in
                store.close()
                continuation.resume()
            }
        }
    }

    // MARK: Performing

    /// Reports an event to the table and does what comes back.
    ///
    /// Tasks are cancelled and readers resumed behind the lock, because both run others' code.
    @discardableResult
    private func act<Answer>(
        _ event: (inout FetchTable) -> (Answer, [FetchTable.Action])
    ) -> Answer {
        var cancelled: [Task<Void, Never>] = []
        var delivered: [(CheckedContinuation<FetchTable.Outcome, Never>, FetchTable.Outcome)] = []
        let answer = state.withLock { state in
            let (answer, actions) = event(&state.table)
            for action in actions {
                switch action {
                case .start(let id, let file, let blocks, let priority):
                    let isWaitedFor = priority == .reader
                    state.tasks[id] = Task(priority: isWaitedFor ? .userInitiated : .utility) {
                        await run(id, file, blocks, priority)
                    }
                case .cancel(let id):
                    cancelled += state.tasks[id].map { [$0] } ?? []
                case .deliver(let reader, let outcome):
                    let continuation = state.waiting.removeValue(forKey: reader)
                    delivered += continuation.map { [($0, outcome)] } ?? []
                }
            }
            return answer
        }
        for task in cancelled { task.cancel() }
        for (continuation, outcome) in delivered { continuation.resume(returning: outcome) }
        return answer
    }

    private func run(
        _ id: FetchTable.FetchID,
        _ file: RemoteFile,
        _ blocks: Range<Int>,
        _ priority: ReadPriority
    ) async {
        let range = Block.bytes(of: blocks, inFileOf: file.size)
        do {
            let bytes = try await upstream.read(range, of: file, priority: priority)
            try CachedSource.check(bytes.count, range, of: file)
            store.noteFromSource(bytes.count)
            state.withLock { $0.log.arrived(bytes.count, of: file, now: .now) }
            act { ((), $0.arrived(id, bytes)) }
            let isKept = await store.write(bytes, as: blocks, of: file)
            act { ((), $0.stored(id, isKept: isKept)) }
        } catch {
            act { ((), $0.failed(id, error)) }
        }
        state.withLock { $0.tasks[id] = nil }
    }

    private static func check(
        _ count: Int,
        _ range: ByteRange,
        of file: RemoteFile
    )
        throws(SourceError)
    {
        guard UInt64(count) != range.count else { return }
        let message =
            "read '\(file.path)': \(range.count) bytes wanted at "
            + "\(range.lowerBound), \(count) came"
        throw SourceError(UInt64(count) < range.count ? .changed : .unavailable, file.path, message)
    }
}

extension ByteRange {
    func common(with other: ByteRange) -> ByteRange {
        ByteRange(
            max(lowerBound, other.lowerBound),
            min(upperBound, other.upperBound)
        )
    }
}
