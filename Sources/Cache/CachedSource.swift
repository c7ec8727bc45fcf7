import Dispatch
public import Primitives
import Synchronization

/// The cache before the seedbox: what is on the disk is read there, the rest is fetched once and
/// kept.
public final class CachedSource: FileOpener {
    /// One fetch asks for at most this much, so that several connections share a long run.
    static let largestFetch = 16
    /// Bytes fetched and not yet written; above this nothing is fetched ahead.
    private static let mostAhead = 48 << 20

    let store: BlockStore
    private let upstream: any RangeSource
    private struct Key: Hashable {
        let file: RemoteFile
        let block: Int
    }

    private let flights = Mutex<[Key: Flight]>([:])
    private let inFlight = Atomic(0)
    /// The disk may make writers wait; readers never wait for it.
    private let writer = DispatchQueue(label: "sync2nas.cache.write")

    /// - Parameters:
    ///   - store: Where bytes are kept.
    ///   - upstream: Where they come from.
    public init(store: BlockStore, upstream: any RangeSource) {
        self.store = store
        self.upstream = upstream
    }

    public func open(_ file: RemoteFile) -> any OpenFile {
        CachedFile(file, blocks: store.use(file), source: self)
    }

    /// Waits until everything that is on its way is on the disk.
    public func waitForWrites() {
        while inFlight.load(ordering: .relaxed) > 0 { writer.sync {} }
    }

    /// Whether more may be fetched ahead now.
    var hasRoomAhead: Bool { inFlight.load(ordering: .relaxed) < Self.mostAhead }

    /// The flights that bring the missing blocks of `blocks`; those that nobody has started yet
    /// are started.
    func flights(
        for blocks: Range<Int>,
        of file: RemoteFile,
        in cached: BlockFile?,
        isAhead: Bool
    ) -> [Flight] {
        let missing = cached?.missing(in: blocks) ?? [blocks]
        var found: [Flight] = []
        var new: [Flight] = []
        flights.withLock { flights in
            var run: Range<Int>?
            func start() {
                guard let blocks = run else { return }
                let range = Self.bytes(of: blocks, of: file)
                let flight = Flight(blocks, range, isAhead: isAhead)
                for block in blocks { flights[Key(file: file, block: block)] = flight }
                new.append(flight)
                run = nil
            }
            for block in missing.joined() {
                if let flight = flights[Key(file: file, block: block)], !flight.isCancelled {
                    start()
                    if found.last !== flight { found.append(flight) }
                } else if let open = run, open.upperBound == block, open.count < Self.largestFetch {
                    run = open.lowerBound..<(block + 1)
                } else {
                    start()
                    run = block..<(block + 1)
                }
            }
            start()
        }
        for flight in new { fetch(flight, of: file, into: cached) }
        return found + new
    }

    private static func bytes(of blocks: Range<Int>, of file: RemoteFile) -> ByteRange {
        let size = UInt64(BlockMap.blockSize)
        return ByteRange(UInt64(blocks.lowerBound) * size, UInt64(blocks.upperBound) * size)
            .clipped(to: file.size)
    }

    private func fetch(_ flight: Flight, of file: RemoteFile, into cached: BlockFile?) {
        let count = Int(flight.range.count)
        inFlight.add(count, ordering: .relaxed)
        // Another user, so that the version is not closed before its bytes are written.
        let target = cached == nil ? nil : store.use(file)
        flight.start(
            Task { [self] in
                var result: Result<[UInt8], SourceError>
                do throws(SourceError) {
                    let bytes = try await upstream.read(flight.range, of: file)
                    result = .success(bytes)
                    if bytes.count != count {
                        let message = "got \(bytes.count) bytes instead of \(count)"
                        result = .failure(SourceError(.unavailable, file.path, message))
                    }
                } catch {
                    result = .failure(error)
                }
                flight.finish(result)
                guard let target, case .success(let bytes) = result else {
                    return land(flight, file, target)
                }
                writer.async { [self] in
                    store.write(bytes, to: flight.blocks, of: target)
                    land(flight, file, target)
                }
            }
        )
    }

    /// A flight is found by readers until its bytes are on the disk.
    private func land(_ flight: Flight, _ file: RemoteFile, _ target: BlockFile?) {
        flights.withLock { flights in
            for block in flight.blocks {
                let key = Key(file: file, block: block)
                if flights[key] === flight { flights[key] = nil }
            }
        }
        inFlight.subtract(Int(flight.range.count), ordering: .relaxed)
        if let target { store.release(target) }
    }
}

/// One open file before the cache.
final class CachedFile: OpenFile {
    private struct State {
        var readAhead: ReadAhead
        /// What this handle wants ahead.
        var ahead: [Flight] = []
    }

    let file: RemoteFile
    private let blocks: BlockFile?
    private let source: CachedSource
    private let state: Mutex<State>

    init(_ file: RemoteFile, blocks: BlockFile?, source: CachedSource) {
        self.file = file
        self.blocks = blocks
        self.source = source
        state = Mutex(State(readAhead: ReadAhead(size: file.size)))
    }

    func readAtOnce(_ range: ByteRange, into buffer: UnsafeMutableRawBufferPointer) -> Bool {
        guard let blocks, source.store.read(range, of: blocks, into: buffer) else { return false }
        fetchAhead(after: range)
        return true
    }

    func read(_ range: ByteRange) async throws(SourceError) -> [UInt8] {
        if range.isEmpty { return [] }
        // Blocks may be evicted or found damaged between the fetch and the copy.
        for _ in 0..<3 {
            let flights = source.flights(
                for: BlockMap.blocks(of: range),
                of: file,
                in: blocks,
                isAhead: false
            )
            fetchAhead(after: range)
            do throws(SourceError) {
                if let bytes = try await assemble(range, from: flights) { return bytes }
            } catch {
                // Given up by the reader that began it, just as this one joined.
                guard error.code == .cancelled, !Task.isCancelled else { throw error }
            }
        }
        throw SourceError(
            .unavailable,
            file.path,
            "'\(file.path.printable)' cannot be kept in the cache"
        )
    }

    /// - Returns: nil when a block was neither in a flight nor on the disk.
    private func assemble(
        _ range: ByteRange,
        from flights: [Flight]
    ) async throws(SourceError) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: Int(range.count))
        var filled: [ByteRange] = []
        for flight in flights {
            let fetched = try await flight.bytes(path: file.path).get()
            let part = ByteRange(
                max(range.lowerBound, flight.range.lowerBound),
                min(range.upperBound, flight.range.upperBound)
            )
            guard !part.isEmpty else { continue }
            let source = Int(part.lowerBound - flight.range.lowerBound)
            let target = Int(part.lowerBound - range.lowerBound)
            let count = Int(part.count)
            bytes.withUnsafeMutableBytes { bytes in
                fetched.withUnsafeBytes { fetched in
                    UnsafeMutableRawBufferPointer(rebasing: bytes[target..<(target + count)])
                        .copyMemory(
                            from: UnsafeRawBufferPointer(
                                rebasing: fetched[source..<(source + count)]
                            )
                        )
                }
            }
            filled.append(part)
        }
        return fillGaps(of: range, besides: filled, in: &bytes) ? bytes : nil
    }

    private func fillGaps(
        of range: ByteRange,
        besides filled: [ByteRange],
        in bytes: inout [UInt8]
    ) -> Bool {
        var next = range.lowerBound
        let end = ByteRange(range.upperBound, range.upperBound)
        for part in filled.sorted(by: { $0.lowerBound < $1.lowerBound }) + [end] {
            let gap = ByteRange(next, max(next, part.lowerBound))
            next = max(next, part.upperBound)
            guard !gap.isEmpty else { continue }
            let start = Int(gap.lowerBound - range.lowerBound)
            let isHere = bytes.withUnsafeMutableBytes { bytes in
                let target = UnsafeMutableRawBufferPointer(
                    rebasing: bytes[start..<(start + Int(gap.count))]
                )
                return blocks.map { source.store.read(gap, of: $0, into: target) } ?? false
            }
            guard isHere else { return false }
        }
        return true
    }

    private func fetchAhead(after range: ByteRange) {
        let wanted = state.withLock { $0.readAhead.read(range) }
        guard !wanted.isEmpty, blocks != nil, source.hasRoomAhead else { return }
        let flights = source.flights(
            for: BlockMap.blocks(of: wanted),
            of: file,
            in: blocks,
            isAhead: true
        )
        state.withLock { $0.ahead = $0.ahead.suffix(64) + flights }
    }

    func close() {
        for flight in state.withLock({ $0.ahead }) { flight.stopAhead() }
        if let blocks { source.store.release(blocks) }
    }
}
