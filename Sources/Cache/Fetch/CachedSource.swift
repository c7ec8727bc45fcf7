internal import Dispatch
public import Primitives
internal import Synchronization

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
    private let state: Mutex<State>
    /// Reads of stored blocks: they block, and Swift's own threads must not.
    private let disk = DispatchQueue(label: "cache.reader", attributes: .concurrent)

    private struct State {
        var table: FetchTable
        var tasks: [FetchTable.FetchID: Task<Void, Never>] = [:]
        var waiting: [FetchTable.ReaderID: CheckedContinuation<FetchTable.Outcome, Never>] = [:]
        var isStopped = false
    }

    public init(_ upstream: any RangeSource, store: BlockStore, limits: FetchLimits = FetchLimits())
    {
        self.upstream = upstream
        self.store = store
        let table = FetchTable(limits: limits) { blocks, file in
            store.missing(in: blocks, of: file)
        }
        state = Mutex(State(table: table))
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
    ) async throws(SourceError) -> [UInt8] {
        guard range.upperBound <= file.size else {
            let message = "read '\(file.path)': \(range) wanted, size is \(file.size)"
            throw SourceError(.changed, file.path, message)
        }
        guard !range.isEmpty else { return [] }
        await load(file)
        let blocks = Block.indices(of: range)
        if store.missing(in: blocks, of: file).isEmpty, let bytes = await stored(range, of: file) {
            return bytes
        }
        var output = [UInt8](repeating: 0, count: Int(range.count))
        // A stored block may turn out bad, or be evicted before it is read. Then it is
        // asked for again; the third time it is fetched whatever the store says.
        var wanted = [blocks]
        var round = 1
        while !wanted.isEmpty {
            var again: [Range<Int>] = []
            for run in wanted {
                again += try await read(run, of: file, into: &output, range, isLast: round > 2)
            }
            wanted = again
            round += 1
        }
        return output
    }

    /// - Returns: Blocks that the store had and then had not.
    private func read(
        _ blocks: Range<Int>,
        of file: RemoteFile,
        into output: inout [UInt8],
        _ range: ByteRange,
        isLast: Bool
    ) async throws(SourceError) -> [Range<Int>] {
        let (reader, plan) = try begin(blocks, of: file, ignoresStore: isLast)
        let result = await withTaskCancellationHandler {
            await collect(plan, reader, of: file, into: &output, range)
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
        into output: inout [UInt8],
        _ range: ByteRange
    ) async -> Result<[Range<Int>], SourceError> {
        var again: [Range<Int>] = []
        for run in plan.stored {
            let part = Block.bytes(of: run, inFileOf: file.size).common(with: range)
            if let bytes = await stored(part, of: file) {
                output.copy(bytes, from: part.lowerBound, part, at: range.lowerBound)
            } else {
                again.append(run)
            }
        }
        for (index, part) in plan.parts.enumerated() {
            let wanted = Block.bytes(of: part.blocks, inFileOf: file.size).common(with: range)
            switch await bytes(of: part.fetch, for: reader) {
            case .failure(let error): return .failure(error)
            case .success(let arrival):
                output.copy(arrival.bytes, from: arrival.offset, wanted, at: range.lowerBound)
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

    private func stored(_ range: ByteRange, of file: RemoteFile) async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            disk.async { [store] in
                let count = Int(range.count)
                var isServed = false
                let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
                    let target = UnsafeMutableRawBufferPointer(
                        rebasing: UnsafeMutableRawBufferPointer(buffer)[..<count]
                    )
                    isServed = store.cached(range, of: file, into: target)
                    initialized = isServed ? count : 0
                }
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
    public func prefetch(_ range: ByteRange, of file: RemoteFile, for handle: UInt64) {
        let blocks = Block.indices(of: range.clipped(to: file.size))
        guard !blocks.isEmpty, !state.withLock({ $0.isStopped }) else { return }
        _ = store.stored(file)
        act { ((), $0.prefetch(blocks, of: file, for: handle)) }
    }

    /// Gives up what was to be fetched ahead for `handle`, but for blocks that a reader has
    /// come to wait for.
    public func cancelPrefetch(for handle: UInt64) {
        act { ((), $0.prefetchCancelled(for: handle)) }
    }

    /// Ends every fetch, and returns when all have ended and what came is durable.
    ///
    /// Readers that wait get upstream's `.cancelled`; later ones get `.unavailable`.
    public func stop() async {
        state.withLock { $0.isStopped = true }
        act { ((), $0.stopped()) }
        while let task = state.withLock({ $0.tasks.values.first }) { await task.value }
        await withCheckedContinuation { continuation in
            disk.async { [store] in
                store.flush()
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
                case .start(let id, let file, let blocks, let isPrefetch):
                    let priority: ReadPriority = isPrefetch ? .readAhead : .reader
                    state.tasks[id] = Task(priority: isPrefetch ? .utility : .userInitiated) {
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
            act { ((), $0.arrived(id, bytes)) }
            await store.write(bytes, as: blocks, of: file)
            act { ((), $0.stored(id)) }
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

extension [UInt8] {
    /// Copies the bytes of `range` out of `source`, which begins at `start`, into this array,
    /// which begins at `origin`.
    fileprivate mutating func copy(
        _ source: [UInt8],
        from start: UInt64,
        _ range: ByteRange,
        at origin: UInt64
    ) {
        let place = Int(range.lowerBound - origin)
        let first = Int(range.lowerBound - start)
        withUnsafeMutableBytes { target in
            source.withUnsafeBytes { source in
                UnsafeMutableRawBufferPointer(rebasing: target[place..<place + Int(range.count)])
                    .copyMemory(
                        from: UnsafeRawBufferPointer(
                            rebasing: source[first..<first + Int(range.count)]
                        )
                    )
            }
        }
    }
}
