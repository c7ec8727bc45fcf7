public import Primitives
import Synchronization

/// Opens files before the cache: what is on the disk is read there, the rest through the source.
public struct CachedFiles: FileOpener {
    private let source: CachedSource
    private let lastHandle = HandleNumbers()

    public init(_ source: CachedSource) {
        self.source = source
    }

    public func open(_ file: RemoteFile) -> any OpenFile {
        source.store.opened(file)
        return CachedFile(file, handle: lastHandle.next(), source: source)
    }

    public func keepOpenCopiesWhole() { source.store.keepOpenCopiesWhole() }
}

private final class HandleNumbers: Sendable {
    private let last = Atomic<UInt64>(0)

    func next() -> UInt64 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}

/// One open file, whose reads say what to fetch ahead.
final class CachedFile: OpenFile {
    let file: RemoteFile
    private let handle: UInt64
    private let source: CachedSource
    private let readAhead: Mutex<ReadAhead>

    init(_ file: RemoteFile, handle: UInt64, source: CachedSource) {
        self.file = file
        self.handle = handle
        self.source = source
        readAhead = Mutex(ReadAhead(fileSize: file.size))
    }

    func readAtOnce(_ range: ByteRange, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        guard source.store.cached(range, of: file, into: buffer) else { return false }
        fetchAhead(after: range)
        return true
    }

    func read(_ range: ByteRange) async throws(SourceError) -> [UInt8] {
        fetchAhead(after: range)
        return try await source.read(range, of: file)
    }

    func completeCopy() -> Int32? { source.store.dataDescriptor(for: file) }

    private func fetchAhead(after range: ByteRange) {
        let decision = readAhead.withLock { $0.read(range) }
        if decision.cancelsEarlier { source.cancelPrefetch(for: handle) }
        if let ahead = decision.prefetch { source.prefetch(ahead, of: file, for: handle) }
    }

    func close() {
        source.cancelPrefetch(for: handle)
        source.store.released(file)
    }
}
