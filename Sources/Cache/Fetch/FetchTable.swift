internal import Primitives

/// Which blocks are on their way, who waits for them, and what is fetched next.
///
/// A pure value: its owner reports events, performs the actions that come back and reports
/// again. It keeps three promises. A block is never on its way twice. Fetched bytes in
/// memory stay under a limit; readers' fetches wait for room in the order they came. A
/// prefetch starts only when no reader's fetch waits, and all of them together use at most
/// half of the memory, so that a reader always finds room.
struct FetchTable {
    typealias FetchID = UInt64
    typealias ReaderID = UInt64
    typealias Outcome = Result<Arrival, SourceError>

    struct Arrival {
        let bytes: [UInt8]
        /// Of the first byte in the file.
        let offset: UInt64
    }

    enum Action {
        case start(FetchID, RemoteFile, Range<Int>, isPrefetch: Bool)
        /// Nobody wants it any more. Its end is still reported.
        case cancel(FetchID)
        case deliver(ReaderID, Outcome)
    }

    /// Blocks that a reader gets from one fetch.
    struct Part: Equatable {
        let fetch: FetchID
        let blocks: Range<Int>
    }

    private enum Stage {
        case queued
        case running
        /// In memory, perhaps not yet in the store.
        case arrived(Arrival)
        case failed(SourceError)
        case cancelled
    }

    private struct Fetch {
        let file: RemoteFile
        let blocks: Range<Int>
        var stage = Stage.queued
        var readers: Set<ReaderID> = []
        /// The handle for which this was fetched ahead, until it wants it no more.
        var handle: UInt64?
        let isPrefetch: Bool
        var isStored = false
        /// Whether its bytes count towards the limit.
        var isHeld = false

        var bytes: UInt64 { Block.bytes(of: blocks, inFileOf: file.size).count }
    }

    private struct Prefetch {
        let file: RemoteFile
        var blocks: Range<Int>
        let handle: UInt64
    }

    private let limits: FetchLimits
    /// Runs of blocks that the store does not have.
    ///
    /// Must answer from memory.
    private let missing: @Sendable (Range<Int>, RemoteFile) -> [Range<Int>]
    private var fetches: [FetchID: Fetch] = [:]
    private var owners: [RemoteFile: [Int: FetchID]] = [:]
    private var queue: [FetchID] = []
    private var prefetches: [Prefetch] = []
    private var awaiting: [ReaderID: FetchID] = [:]
    private var lastID: UInt64 = 0
    /// Bytes of every fetch that runs or whose bytes are in memory.
    private(set) var held: UInt64 = 0
    private var heldAhead: UInt64 = 0

    init(
        limits: FetchLimits,
        missing: @escaping @Sendable (Range<Int>, RemoteFile) -> [Range<Int>]
    ) {
        self.limits = limits
        self.missing = missing
    }

    var isIdle: Bool { fetches.isEmpty }

    mutating func newReader() -> ReaderID {
        lastID += 1
        return lastID
    }

    // MARK: Readers

    /// `reader` wants blocks.
    ///
    /// With `ignoresStore` even what the store says it has is fetched.
    ///
    /// - Returns: The blocks that come by fetches, the runs that the store has, and what to do.
    mutating func wanted(
        _ blocks: Range<Int>,
        of file: RemoteFile,
        by reader: ReaderID,
        ignoresStore: Bool = false
    ) -> (parts: [Part], stored: [Range<Int>], actions: [Action]) {
        let absent = ignoresStore ? [blocks] : missing(blocks, file)
        let isAbsent = { (block: Int) in absent.contains { $0.contains(block) } }
        var parts: [Part] = []
        for run in absent {
            parts += join(run, of: file, by: reader)
            for free in run.runs(where: { owner(of: $0, in: file) == nil }) {
                for piece in free.pieces(ofAtMost: limits.requestBlocks) {
                    let id = add(
                        Fetch(file: file, blocks: piece, readers: [reader], isPrefetch: false)
                    )
                    queue.append(id)
                    parts.append(Part(fetch: id, blocks: piece))
                }
            }
        }
        parts.sort { $0.blocks.lowerBound < $1.blocks.lowerBound }
        return (parts, blocks.runs { !isAbsent($0) }, next())
    }

    private mutating func join(
        _ run: Range<Int>,
        of file: RemoteFile,
        by reader: ReaderID
    ) -> [Part] {
        var parts: [Part] = []
        for block in run {
            guard let id = owner(of: block, in: file) else { continue }
            fetches[id]?.readers.insert(reader)
            if let last = parts.last, last.fetch == id, last.blocks.upperBound == block {
                parts[parts.count - 1] = Part(fetch: id, blocks: last.blocks.lowerBound..<block + 1)
            } else {
                parts.append(Part(fetch: id, blocks: block..<block + 1))
            }
        }
        return parts
    }

    private func owner(of block: Int, in file: RemoteFile) -> FetchID? {
        owners[file]?[block]
    }

    private mutating func add(_ fetch: Fetch) -> FetchID {
        lastID += 1
        fetches[lastID] = fetch
        for block in fetch.blocks { owners[fetch.file, default: [:]][block] = lastID }
        return lastID
    }

    /// `reader` needs the bytes of `fetch` now.
    ///
    /// - Returns: What came of it, or nil: then it will be delivered.
    mutating func awaits(_ fetch: FetchID, _ reader: ReaderID) -> Outcome? {
        guard let record = fetches[fetch], record.readers.contains(reader) else {
            return .failure(.cancelledRead(of: fetches[fetch]?.file))
        }
        switch record.stage {
        case .queued, .running:
            awaiting[reader] = fetch
            return nil
        case .arrived(let arrival): return .success(arrival)
        case .failed(let error): return .failure(error)
        case .cancelled: return .failure(.cancelledRead(of: record.file))
        }
    }

    /// `reader` has what it wanted from `fetch`.
    mutating func took(_ fetch: FetchID, _ reader: ReaderID) -> [Action] {
        leave(fetch, reader) + next()
    }

    /// `reader` wants nothing any more: it is done, has failed, or was cancelled.
    mutating func left(_ reader: ReaderID) -> [Action] {
        var actions: [Action] = []
        if let fetch = awaiting.removeValue(forKey: reader) {
            actions.append(.deliver(reader, .failure(.cancelledRead(of: fetches[fetch]?.file))))
        }
        for (id, fetch) in fetches where fetch.readers.contains(reader) {
            actions += leave(id, reader)
        }
        return actions + next()
    }

    private mutating func leave(_ id: FetchID, _ reader: ReaderID) -> [Action] {
        fetches[id]?.readers.remove(reader)
        return settle(id)
    }

    // MARK: Fetches

    mutating func arrived(_ id: FetchID, _ bytes: [UInt8]) -> [Action] {
        guard let fetch = fetches[id], case .running = fetch.stage else { return [] }
        let start = Block.bytes(of: fetch.blocks, inFileOf: fetch.file.size).lowerBound
        let arrival = Arrival(bytes: bytes, offset: start)
        fetches[id]?.stage = .arrived(arrival)
        return deliveries(of: id, .success(arrival))
    }

    /// The store has the bytes, or will not have them.
    mutating func stored(_ id: FetchID) -> [Action] {
        disown(id)
        fetches[id]?.isStored = true
        return settle(id) + next()
    }

    mutating func failed(_ id: FetchID, _ error: SourceError) -> [Action] {
        disown(id)
        guard let fetch = fetches[id] else { return [] }
        if case .cancelled = fetch.stage {
            drop(id)
            return next()
        }
        fetches[id]?.stage = .failed(error)
        return deliveries(of: id, .failure(error)) + settle(id) + next()
    }

    /// Nothing new will be wanted: what waits fails, what runs is cancelled.
    mutating func stopped() -> [Action] {
        prefetches = []
        defer { queue = [] }
        return queue.flatMap { id in
            failed(id, .cancelledRead(of: fetches[id]?.file))
        }
            + fetches.compactMap { id, fetch in
                if case .running = fetch.stage { .cancel(id) } else { nil }
            }
    }

    private mutating func deliveries(of id: FetchID, _ outcome: Outcome) -> [Action] {
        let readers = awaiting.filter { $0.value == id }.map(\.key)
        for reader in readers { awaiting[reader] = nil }
        return readers.map { .deliver($0, outcome) }
    }

    /// Ends or cancels a fetch that nobody wants.
    private mutating func settle(_ id: FetchID) -> [Action] {
        guard let fetch = fetches[id], fetch.readers.isEmpty else { return [] }
        switch fetch.stage {
        case .queued:
            disown(id)
            queue.removeAll { $0 == id }
            fetches[id] = nil
        case .running:
            guard fetch.handle == nil else { return [] }
            disown(id)
            fetches[id]?.stage = .cancelled
            return [.cancel(id)]
        case .arrived, .cancelled:
            if fetch.isStored { drop(id) }
        case .failed: drop(id)
        }
        return []
    }

    private mutating func disown(_ id: FetchID) {
        guard let fetch = fetches[id] else { return }
        for block in fetch.blocks where owners[fetch.file]?[block] == id {
            owners[fetch.file]?[block] = nil
        }
        if owners[fetch.file]?.isEmpty == true { owners[fetch.file] = nil }
    }

    private mutating func drop(_ id: FetchID) {
        guard let fetch = fetches.removeValue(forKey: id) else { return }
        guard fetch.isHeld else { return }
        held -= fetch.bytes
        if fetch.isPrefetch { heldAhead -= fetch.bytes }
    }

    // MARK: Prefetch

    mutating func prefetch(
        _ blocks: Range<Int>,
        of file: RemoteFile,
        for handle: UInt64
    )
        -> [Action]
    {
        prefetches.append(Prefetch(file: file, blocks: blocks, handle: handle))
        return next()
    }

    mutating func prefetchCancelled(for handle: UInt64) -> [Action] {
        prefetches.removeAll { $0.handle == handle }
        var actions: [Action] = []
        for (id, fetch) in fetches where fetch.handle == handle {
            fetches[id]?.handle = nil
            actions += settle(id)
        }
        return actions + next()
    }

    /// Starts what there is room for: readers' fetches in their order, then prefetches.
    private mutating func next() -> [Action] {
        var actions: [Action] = []
        while let id = queue.first, let fetch = fetches[id], hasRoom(fetch.bytes) {
            queue.removeFirst()
            actions.append(start(id))
        }
        var index = 0
        while queue.isEmpty, index < prefetches.count {
            var prefetch = prefetches[index]
            if let id = startable(&prefetch) { actions.append(start(id)) }
            let isUnchanged = prefetch.blocks == prefetches[index].blocks
            prefetches[index] = prefetch
            if prefetch.blocks.isEmpty {
                prefetches.remove(at: index)
            } else if isUnchanged {
                index += 1
            }
        }
        return actions
    }

    private func hasRoom(_ bytes: UInt64) -> Bool {
        held == 0 || held + bytes <= limits.memoryBytes
    }

    private mutating func start(_ id: FetchID) -> Action {
        guard let fetch = fetches[id] else { preconditionFailure("fetch \(id) is not known") }
        fetches[id]?.stage = .running
        fetches[id]?.isHeld = true
        held += fetch.bytes
        if fetch.isPrefetch { heldAhead += fetch.bytes }
        return .start(id, fetch.file, fetch.blocks, isPrefetch: fetch.isPrefetch)
    }

    /// Cuts the next fetch off a prefetch when there is room for it.
    ///
    /// What has come or is on its way in the meantime is cut off, too.
    private mutating func startable(_ prefetch: inout Prefetch) -> FetchID? {
        let file = prefetch.file
        let absent = missing(prefetch.blocks, file)
            .flatMap { $0.runs { owner(of: $0, in: file) == nil } }
        guard let first = absent.first else {
            prefetch.blocks = prefetch.blocks.upperBound..<prefetch.blocks.upperBound
            return nil
        }
        let piece = first.prefix(limits.requestBlocks)
        let bytes = Block.bytes(of: piece, inFileOf: file.size).count
        let running = fetches.values.count {
            $0.isPrefetch && $0.file == file && !$0.isStored
        }
        guard running < limits.prefetchesPerFile, hasRoom(bytes),
            heldAhead + bytes <= limits.memoryBytes / 2
        else { return nil }
        prefetch.blocks = piece.upperBound..<prefetch.blocks.upperBound
        return add(
            Fetch(file: file, blocks: piece, handle: prefetch.handle, isPrefetch: true)
        )
    }
}

extension SourceError {
    fileprivate static func cancelledRead(of file: RemoteFile?) -> SourceError {
        let path = file?.path ?? RemotePath(bytes: [])
        return SourceError(.cancelled, path, "read '\(path)'")
    }
}
