internal import Primitives

/// Which blocks are on their way, who waits for them, and what is fetched next.
///
/// A pure value: its owner reports events, performs the actions that come back and reports
/// again. It keeps four promises. A block is never on its way twice. Fetched bytes in
/// memory stay under a limit; readers' fetches wait for room in the order they came. A
/// prefetch starts only when no reader's fetch waits, and all of them together use at most
/// half of the memory, so that a reader always finds room. Among prefetches the more urgent go
/// first, and files of one urgency take turns.
///
/// What was fetched ahead of a reader stays in memory until he has read it, so that it need not
/// come from the disk; only what is stored there gives way, the oldest first.
struct FetchTable {
    typealias FetchID = UInt64
    typealias ReaderID = UInt64
    typealias Outcome = Result<Arrival, SourceError>

    struct Arrival {
        let bytes: Bytes
        /// Of the first byte in the file.
        let offset: UInt64
    }

    enum Action {
        case start(FetchID, RemoteFile, Range<Int>, ReadPriority)
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
        let priority: ReadPriority
        var isStored = false
        /// Whether its bytes count towards the limit.
        var isHeld = false

        var bytes: UInt64 { Block.bytes(of: blocks, inFileOf: file.size).count }
        var isPrefetch: Bool { priority < .reader }
        /// Whether it stays in memory, once it is there, until its reader has come by.
        var isForReader: Bool { priority == .readAhead && handle != nil }
        var isBackground: Bool { priority < .readAhead }
    }

    private struct Prefetch {
        let file: RemoteFile
        var blocks: Range<Int>
        let handle: UInt64
        let priority: ReadPriority
    }

    private let limits: FetchLimits
    /// Runs of blocks that the store does not have.
    ///
    /// Must answer from memory.
    private let missing: @Sendable (Range<Int>, RemoteFile) -> [Range<Int>]
    private var fetches: [FetchID: Fetch] = [:]
    /// Blocks that are on their way or in memory; few runs a file, in no order.
    private var owners: [RemoteFile: [Part]] = [:]
    /// Stored, and in memory for the reader they were fetched ahead of; the oldest first.
    private var unread: [FetchID] = []
    private var queue: [FetchID] = []
    /// The most urgent first; of one urgency, the one whose turn it is.
    private var prefetches: [Prefetch] = []
    private var awaiting: [ReaderID: FetchID] = [:]
    private var lastID: UInt64 = 0
    /// Bytes of every fetch that runs or whose bytes are in memory.
    private(set) var held: UInt64 = 0
    private var heldAhead: UInt64 = 0
    /// Bytes of fetches that run or wait, by priority.
    private var pending: [ReadPriority: UInt64] = [:]

    init(
        limits: FetchLimits,
        missing: @escaping @Sendable (Range<Int>, RemoteFile) -> [Range<Int>]
    ) {
        self.limits = limits
        self.missing = missing
    }

    var isIdle: Bool { fetches.isEmpty }

    /// Files with bytes under way, how many, and how urgent the most urgent are.
    var underWay: [RemoteFile: (bytes: UInt64, priority: ReadPriority)] {
        var result: [RemoteFile: (bytes: UInt64, priority: ReadPriority)] = [:]
        for fetch in fetches.values {
            switch fetch.stage {
            case .queued, .running:
                let priority = fetch.readers.isEmpty ? fetch.priority : .reader
                let known = result[fetch.file] ?? (0, priority)
                result[fetch.file] = (known.bytes + fetch.bytes, max(known.priority, priority))
            case .arrived, .failed, .cancelled: continue
            }
        }
        return result
    }

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
        var parts = owned(blocks, of: file)
        for part in parts {
            fetches[part.fetch]?.readers.insert(reader)
            passed(part.blocks.upperBound, of: part.fetch)
        }
        var stored: [Range<Int>] = []
        for free in blocks.without(parts.map(\.blocks)) {
            let absent = ignoresStore ? [free] : missing(free, file)
            stored += free.without(absent)
            for piece in absent.flatMap({ $0.pieces(ofAtMost: limits.requestBlocks) }) {
                let id = add(
                    Fetch(file: file, blocks: piece, readers: [reader], priority: .reader)
                )
                queue.append(id)
                parts.append(Part(fetch: id, blocks: piece))
            }
        }
        parts.sort { $0.blocks.lowerBound < $1.blocks.lowerBound }
        return (parts, stored, next())
    }

    /// All of `range` from memory, when one fetch has it.
    mutating func arrival(
        with range: ByteRange,
        of file: RemoteFile
    ) -> (arrival: Arrival, actions: [Action])? {
        let blocks = Block.indices(of: range)
        guard let part = owners[file]?.first(where: { $0.blocks.contains(blocks.lowerBound) }),
            part.blocks.upperBound >= blocks.upperBound,
            case .arrived(let arrival) = fetches[part.fetch]?.stage
        else { return nil }
        let end = Block.bytes(of: blocks, inFileOf: file.size).upperBound
        guard range.upperBound == end else { return (arrival, []) }
        passed(blocks.upperBound, of: part.fetch)
        return (arrival, settle(part.fetch) + next())
    }

    /// A reader has come to `block`: what was fetched ahead of him up to there is read.
    private mutating func passed(_ block: Int, of id: FetchID) {
        guard let fetch = fetches[id], fetch.isForReader, fetch.blocks.upperBound == block,
            case .arrived = fetch.stage
        else { return }
        fetches[id]?.handle = nil
        unread.removeAll { $0 == id }
    }

    /// The parts of `blocks` that are on their way or in memory, in order.
    private func owned(_ blocks: Range<Int>, of file: RemoteFile) -> [Part] {
        guard let owners = owners[file] else { return [] }
        return owners.lazy.filter { $0.blocks.overlaps(blocks) }
            .map { Part(fetch: $0.fetch, blocks: $0.blocks.clamped(to: blocks)) }
            .sorted { $0.blocks.lowerBound < $1.blocks.lowerBound }
    }

    private mutating func add(_ fetch: Fetch) -> FetchID {
        lastID += 1
        fetches[lastID] = fetch
        pending[fetch.priority, default: 0] += fetch.bytes
        owners[fetch.file, default: []].append(Part(fetch: lastID, blocks: fetch.blocks))
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

    mutating func arrived(_ id: FetchID, _ bytes: Bytes) -> [Action] {
        guard let fetch = fetches[id], case .running = fetch.stage else { return [] }
        let start = Block.bytes(of: fetch.blocks, inFileOf: fetch.file.size).lowerBound
        let arrival = Arrival(bytes: bytes, offset: start)
        fetches[id]?.stage = .arrived(arrival)
        return deliveries(of: id, .success(arrival))
    }

    /// The store has the bytes, or will not have them.
    ///
    /// - Parameters:
    ///   - id: The fetch.
    ///   - isKept: Whether the store has them; if not, more of what nobody waits for would be
    ///     fetched in vain.
    /// - Returns: What to do.
    mutating func stored(_ id: FetchID, isKept: Bool = true) -> [Action] {
        fetches[id]?.isStored = true
        guard let fetch = fetches[id] else { return [] }
        if !isKept, fetch.isBackground { giveUpBackground(of: fetch.file) }
        if fetch.isForReader, isKept {
            unread.append(id)
        } else {
            disown(id)
        }
        return settle(id) + next()
    }

    private mutating func giveUpBackground(of file: RemoteFile) {
        prefetches.removeAll { $0.file == file && $0.priority < .readAhead }
    }

    mutating func failed(_ id: FetchID, _ error: SourceError) -> [Action] {
        disown(id)
        guard let fetch = fetches[id] else { return [] }
        if case .cancelled = fetch.stage {
            drop(id)
            return next()
        }
        // Whoever comes to read meets the error himself.
        if fetch.isPrefetch { prefetches.removeAll { $0.file == fetch.file } }
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
            drop(id)
        case .running:
            guard fetch.handle == nil else { return [] }
            disown(id)
            fetches[id]?.stage = .cancelled
            return [.cancel(id)]
        case .arrived:
            if fetch.isStored, !unread.contains(id) { drop(id) }
        case .cancelled:
            if fetch.isStored { drop(id) }
        case .failed: drop(id)
        }
        return []
    }

    private mutating func disown(_ id: FetchID) {
        guard let file = fetches[id]?.file else { return }
        owners[file]?.removeAll { $0.fetch == id }
        if owners[file]?.isEmpty == true { owners[file] = nil }
    }

    private mutating func drop(_ id: FetchID) {
        disown(id)
        guard let fetch = fetches.removeValue(forKey: id) else { return }
        pending[fetch.priority, default: 0] -= fetch.bytes
        guard fetch.isHeld else { return }
        held -= fetch.bytes
        if fetch.isPrefetch { heldAhead -= fetch.bytes }
    }

    // MARK: Prefetch

    mutating func prefetch(
        _ blocks: Range<Int>,
        of file: RemoteFile,
        for handle: UInt64,
        priority: ReadPriority = .readAhead
    ) -> [Action] {
        insert(Prefetch(file: file, blocks: blocks, handle: handle, priority: priority))
        return next()
    }

    /// Behind the others of its urgency.
    private mutating func insert(_ prefetch: Prefetch) {
        let place = prefetches.firstIndex { $0.priority < prefetch.priority }
        prefetches.insert(prefetch, at: place ?? prefetches.endIndex)
    }

    mutating func prefetchCancelled(for handle: UInt64) -> [Action] {
        prefetches.removeAll { $0.handle == handle }
        var actions: [Action] = []
        for (id, fetch) in fetches where fetch.handle == handle {
            fetches[id]?.handle = nil
            unread.removeAll { $0 == id }
            actions += settle(id)
        }
        return actions + next()
    }

    /// Starts what there is room for: readers' fetches in their order, then prefetches.
    private mutating func next() -> [Action] {
        var actions: [Action] = []
        while let id = queue.first, let fetch = fetches[id], makeRoom(fetch.bytes) {
            queue.removeFirst()
            actions.append(start(id))
        }
        var index = 0
        while queue.isEmpty, index < prefetches.count {
            var prefetch = prefetches[index]
            guard let id = startable(&prefetch) else {
                if prefetch.blocks.isEmpty { prefetches.remove(at: index) } else { index += 1 }
                continue
            }
            actions.append(start(id))
            prefetches.remove(at: index)
            if !prefetch.blocks.isEmpty { insert(prefetch) }
        }
        return actions
    }

    private mutating func makeRoom(_ bytes: UInt64) -> Bool {
        while held + bytes > limits.memoryBytes, giveUpOldestUnread() {}
        return held == 0 || held + bytes <= limits.memoryBytes
    }

    /// Room that leaves readers their half.
    private mutating func makeRoomAhead(_ bytes: UInt64) -> Bool {
        while heldAhead + bytes > limits.memoryBytes / 2, giveUpOldestUnread() {}
        return heldAhead + bytes <= limits.memoryBytes / 2 && makeRoom(bytes)
    }

    private mutating func giveUpOldestUnread() -> Bool {
        guard let oldest = unread.first else { return false }
        unread.removeFirst()
        fetches[oldest]?.handle = nil
        // One that somebody is just taking goes when he has it.
        disown(oldest)
        if fetches[oldest]?.readers.isEmpty == true { drop(oldest) }
        return true
    }

    private mutating func start(_ id: FetchID) -> Action {
        guard let fetch = fetches[id] else { preconditionFailure("fetch \(id) is not known") }
        fetches[id]?.stage = .running
        fetches[id]?.isHeld = true
        held += fetch.bytes
        if fetch.isPrefetch { heldAhead += fetch.bytes }
        return .start(id, fetch.file, fetch.blocks, fetch.priority)
    }

    /// Blocks looked at together for one that is missing.
    private static let lookedAt = 1024

    /// Cuts the next fetch off a prefetch when there is room for it.
    ///
    /// What has come or is on its way in the meantime is cut off, too.
    private mutating func startable(_ prefetch: inout Prefetch) -> FetchID? {
        let file = prefetch.file
        var first: Range<Int>?
        while first == nil, !prefetch.blocks.isEmpty {
            let part = prefetch.blocks.prefix(Self.lookedAt)
            first = firstFree(in: missing(part, file), of: file)
            let start = first?.lowerBound ?? part.upperBound
            prefetch.blocks = start..<prefetch.blocks.upperBound
        }
        guard let first else { return nil }
        let boundary = (first.lowerBound / limits.requestBlocks + 1) * limits.requestBlocks
        let piece = first.lowerBound..<min(first.upperBound, boundary)
        let bytes = Block.bytes(of: piece, inFileOf: file.size).count
        let mayGo = prefetch.priority >= .readAhead || givesWay(bytes, to: file)
        guard mayGo, makeRoomAhead(bytes) else { return nil }
        prefetch.blocks = piece.upperBound..<prefetch.blocks.upperBound
        return add(
            Fetch(
                file: file,
                blocks: piece,
                handle: prefetch.handle,
                priority: prefetch.priority
            )
        )
    }

    private func firstFree(in runs: [Range<Int>], of file: RemoteFile) -> Range<Int>? {
        for run in runs {
            if let free = run.without(owned(run, of: file).map(\.blocks)).first { return free }
        }
        return nil
    }

    /// Whether so much more in the background leaves the way to those who read.
    ///
    /// Of a file whose reader keeps up with what is fetched ahead of him, nothing: it would be
    /// written to the disk for him to read it from there.
    private func givesWay(_ bytes: UInt64, to file: RemoteFile) -> Bool {
        let isRead = owners[file]?.contains { part in
            guard let fetch = fetches[part.fetch], !fetch.isBackground else { return false }
            switch fetch.stage {
            case .queued, .running: return true
            case .arrived, .failed, .cancelled: return false
            }
        }
        guard isRead != true else { return false }
        let urgent = (pending[.reader] ?? 0) + (pending[.readAhead] ?? 0)
        let background = (pending[.prefetch] ?? 0) + (pending[.keep] ?? 0)
        let limit = urgent > 0 ? limits.backgroundBytes : limits.memoryBytes / 4
        return background + bytes <= limit || background == 0
    }
}

extension SourceError {
    fileprivate static func cancelledRead(of file: RemoteFile?) -> SourceError {
        let path = file?.path ?? RemotePath(bytes: [])
        return SourceError(.cancelled, path, "read '\(path)'")
    }
}
