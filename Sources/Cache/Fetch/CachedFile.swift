public import Primitives
import Synchronization

/// Opens files before the cache: what is on the disk is read there, the rest through the source.
public struct CachedFiles: FileOpener {
    private let source: CachedSource
    private let policy: FetchPolicy
    private let lastHandle = HandleNumbers()

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
            following: following
        )
    }

    public func expect(_ file: RemoteFile) { source.expect(file) }

    public func holdsAny(of file: RemoteFile) -> Bool { source.store.holdsAny(of: file) }

    public func keepOpenCopiesWhole() { source.store.keepOpenCopiesWhole() }
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
    }

    let file: RemoteFile
    private let handle: UInt64
    private let source: CachedSource
    private let policy: FetchPolicy
    private let following: @Sendable () -> RemoteFile?
    private let state: Mutex<State>

    init(
        _ file: RemoteFile,
        handle: UInt64,
        source: CachedSource,
        policy: FetchPolicy,
        following: @escaping @Sendable () -> RemoteFile?
    ) {
        self.file = file
        self.handle = handle
        self.source = source
        self.policy = policy
        self.following = following
        state = Mutex(State(readAhead: ReadAhead(fileSize: file.size)))
    }

    func inMemory(_ range: ByteRange) -> ByteSlice? {
        guard let bytes = source.inMemory(range, of: file) else { return nil }
        fetchAhead(after: range)
        return bytes
    }

    func readAtOnce(_ range: ByteRange, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        guard source.store.cached(range, of: file, into: buffer) else { return false }
        fetchAhead(after: range)
        return true
    }

    func read(_ range: ByteRange) async throws(SourceError) -> ByteSlice {
        fetchAhead(after: range)
        return try await source.bytes(in: range, of: file)
    }

    func completeCopy() -> Int32? { source.store.dataDescriptor(for: file) }

    private func fetchAhead(after range: ByteRange) {
        let way = source.bytesToFillTheWay
        let (decision, finishes, isNearEnd) = state.withLock { state in
            let decision = state.readAhead.read(range, way: way)
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
        source.cancelPrefetch(for: handle)
        source.store.released(file)
    }
}
