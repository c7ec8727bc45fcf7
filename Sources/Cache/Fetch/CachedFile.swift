public import Primitives
import Synchronization

/// Opens files before the cache: what is on the disk is read there, the rest through the source.
public struct CachedFiles: FileOpener {
    private let source: CachedSource
    private let policy: FetchPolicy
    private let lastHandle = HandleNumbers()
    private let preparing = PreparedHandles()

    /// - Parameters:
    ///   - source: Where the bytes come from.
    ///   - policy: What is fetched that nobody asked for.
    public init(_ source: CachedSource, policy: FetchPolicy = FetchPolicy()) {
        self.source = source
        self.policy = policy
    }

    public func open(
        _ file: RemoteFile,
        following: @escaping @Sendable () -> RemoteFile?
    ) -> any OpenFile {
        source.store.opened(file)
        source.expect(file)
        return CachedFile(
            file,
            handle: lastHandle.next(),
            source: source,
            policy: policy,
            preparing: preparing,
            following: following
        )
    }

    public func expect(_ file: RemoteFile) { source.expect(file) }

    public func holdsAny(of file: RemoteFile) -> Bool { source.store.holdsAny(of: file) }

    public func keepOpenCopiesWhole() { source.store.keepOpenCopiesWhole() }

    public func whenCopiesGo(_ body: @escaping @Sendable () -> Void) {
        source.store.whenRemoving.withLock { $0 = body }
    }
}

private final class HandleNumbers: Sendable {
    private let last = Atomic<UInt64>(FetchPolicy.background)

    func next() -> UInt64 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// One open file, whose reads say what to fetch ahead.
final class CachedFile: OpenFile {
    private struct State {
        var readAhead: ReadAhead
        var isFinishing = false
        var isNextKnown = false
        /// Bytes of the disk that were read on end.
        var cachedRun = ByteRange(0, 0)
        /// The part that the reader is in, and the one behind it.
        var prepared: [PreparedPart] = []
    }

    /// A reader that has read so much of the disk on end goes on.
    private static let runWorthPreparing: UInt64 = 256 << 10

    let file: RemoteFile
    private let handle: UInt64
    private let source: CachedSource
    private let policy: FetchPolicy
    private let preparing: PreparedHandles
    private let following: @Sendable () -> RemoteFile?
    private let state: Lock<State>

    init(
        _ file: RemoteFile,
        handle: UInt64,
        source: CachedSource,
        policy: FetchPolicy,
        preparing: PreparedHandles,
        following: @escaping @Sendable () -> RemoteFile?
    ) {
        self.file = file
        self.handle = handle
        self.source = source
        self.policy = policy
        self.preparing = preparing
        self.following = following
        state = Lock(State(readAhead: ReadAhead(fileSize: file.size)))
    }

    func inMemory(_ range: ByteRange) -> ByteSlice? {
        guard let bytes = prepared(range) ?? source.inMemory(range, of: file) else { return nil }
        fetchAhead(after: range)
        return bytes
    }

    func readAtOnce(_ range: ByteRange, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        guard source.store.cached(range, of: file, into: buffer) else { return false }
        prepare(after: range)
        fetchAhead(after: range)
        return true
    }

    func read(_ range: ByteRange) async throws(SourceError) -> ByteSlice {
        fetchAhead(after: range)
        return try await source.bytes(in: range, of: file)
    }

    func withCompleteCopy<Result>(_ body: (Int32, LocalCopy) -> Result) -> Result? {
        source.store.withCompleteData(of: file, body)
    }

    var completeCopy: LocalCopy? { source.store.completeData(of: file) }

    private func prepared(_ range: ByteRange) -> ByteSlice? {
        let (part, isNew) = state.withLock { state -> (PreparedPart?, Bool) in
            guard let index = state.prepared.firstIndex(where: { $0.range.contains(range) }) else {
                return (nil, false)
            }
            let part = state.prepared[index]
            state.cachedRun = ByteRange(state.cachedRun.lowerBound, range.upperBound)
            state.prepared.removeFirst(index)
            var end = state.prepared[state.prepared.count - 1].range.upperBound
            var isNew = false
            // More than one when each read takes a whole part.
            while state.prepared.count <= PreparedPart.ahead,
                let next = PreparedPart(from: end, of: file, in: source.store)
            {
                state.prepared.append(next)
                end = next.range.upperBound
                isNew = true
            }
            return (part, isNew)
        }
        if isNew { preparing.begins(self, handle: handle) }
        return part?.slice(range)
    }

    /// `range` was read from the disk: prepares what comes behind it for a reader that goes on.
    private func prepare(after range: ByteRange) {
        let isNew = state.withLock { state in
            let goesOn = range.lowerBound == state.cachedRun.upperBound
            let start = goesOn ? state.cachedRun.lowerBound : range.lowerBound
            state.cachedRun = ByteRange(start, range.upperBound)
            guard state.cachedRun.count >= Self.runWorthPreparing else {
                state.prepared = []
                return false
            }
            // Of one that could not be prepared, the reader reads all by itself.
            let end = range.upperBound
            guard
                !state.prepared.contains(where: { $0.range.lowerBound...$0.range.upperBound ~= end }
                )
            else { return false }
            state.prepared = PreparedPart(from: end, of: file, in: source.store).map { [$0] } ?? []
            return !state.prepared.isEmpty
        }
        if isNew { preparing.begins(self, handle: handle) }
    }

    /// Gives up what is prepared.
    func dropPrepared() { state.withLock { $0.prepared = [] } }

    private func fetchAhead(after range: ByteRange) {
        let (decision, finishes, isNearEnd) = state.withLock { state in
            let decision = state.readAhead.read(range, way: source.bytesToFillTheWay)
            let isPlayed = state.readAhead.longestRun >= policy.playedBytes
            let finishes = isPlayed && policy.finishesPlayed && !state.isFinishing
            let isNearEnd =
                isPlayed && !state.isNextKnown
                && range.upperBound >= file.size - file.size / policy.lastPart
            state.isFinishing = state.isFinishing || finishes
            state.isNextKnown = state.isNextKnown || isNearEnd
            return (decision, finishes, isNearEnd)
        }
        if decision.cancelsEarlier { source.cancelPrefetch(for: handle) }
        if let ahead = decision.prefetch { source.prefetch(ahead, of: file, for: handle) }
        if finishes {
            source.fetchInBackground(ByteRange(0, file.size), of: file, priority: .keep)
        }
        if isNearEnd, let next = following() {
            for range in policy.probed(of: next) {
                source.fetchInBackground(range, of: next, priority: .prefetch)
            }
        }
    }

    func close() {
        preparing.ends(handle)
        dropPrepared()
        source.cancelPrefetch(for: handle)
        source.store.released(file)
    }
}
