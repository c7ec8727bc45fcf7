internal import Primitives

/// One version of a remote file as the disk holds it: a sparse data file and its map.
///
/// A block is *present* when this process may serve it and *durable* when the map on the disk
/// says so. A block becomes durable only after fdatasync(2) of its bytes, so a crash loses
/// blocks and never invents one. A present block is never written again; whoever finds one
/// bad drops it first.
final class StoredFile: Sendable {
    let header: MapHeader
    let key: VersionKey
    let data: LazyFile
    private let map: LazyFile
    private let blocks: Lock<Blocks>

    fileprivate struct Blocks {
        var present: BlockSet
        var durable: BlockSet
        /// Present, and since this process began written by it or found to pass the check.
        var checked: BlockSet
        var checksums: [UInt32]
        /// Raised when a block is dropped.
        ///
        /// A reader whose check fails compares it: bytes that changed under a reader after a drop
        /// are missing, not bad.
        var generation = 0
        /// Present, not yet durable.
        var uncommitted: [Int] = []
        /// Dropped, perhaps still in the map on the disk.
        var dropped: [Int] = []
    }

    var file: RemoteFile { header.file }
    var isComplete: Bool { blocks.withLock { $0.present.isFull } }
    /// Whether every block is on the disk, and is known to be right.
    var isProven: Bool { blocks.withLock { $0.durable.isFull && $0.checked.isFull } }
    /// Whether every block is on the disk.
    var isDurable: Bool { blocks.withLock { $0.durable.isFull } }

    /// An earlier value of this version was proven, and nothing was dropped since.
    func prove() { blocks.withLock { $0.checked = $0.present } }

    /// Makes the two files, empty.
    ///
    /// What stood under their names is lost.
    ///
    /// Nothing here is synchronised: when a power cut takes the names away, work is lost; when
    /// it leaves one of the two or a torn header, opening finds that and starts afresh.
    init(creating file: RemoteFile, in directory: StoreDirectory) throws(SystemError) {
        header = MapHeader(file)
        key = VersionKey(file)
        let flags = O.readWrite | O.create | O.truncate
        let data = try Descriptor(directory.data(key), flags)
        let map = try Descriptor(directory.map(key), flags)
        self.data = LazyFile(directory.data(key), open: data)
        self.map = LazyFile(directory.map(key), open: map)
        try data.setSize(file.size)
        try map.write(header.bytes, at: 0)
        try map.setSize(header.mapSize)
        let count = Block.count(inFileOf: file.size)
        blocks = Lock(
            Blocks(
                present: BlockSet(capacity: count),
                durable: BlockSet(capacity: count),
                checked: BlockSet(capacity: count),
                checksums: [UInt32](repeating: 0, count: count)
            )
        )
    }

    /// Opens the two files of `key`, whichever remote file they belong to.
    ///
    /// - Returns: nil when they are torn, foreign or corrupt.
    init?(opening key: VersionKey, in directory: StoreDirectory) throws(SystemError) {
        self.key = key
        let data = try Descriptor(directory.data(key), O.readWrite)
        let map = try Descriptor(directory.map(key), O.readWrite)
        self.data = LazyFile(directory.data(key), open: data)
        self.map = LazyFile(directory.map(key))
        guard let header = try MapHeader(from: map), header.file.size <= Block.largestFile,
            try map.status().size == header.mapSize,
            try data.status().size == header.file.size
        else { return nil }
        self.header = header
        let count = Block.count(inFileOf: header.file.size)
        let table = try map.bytes(in: header.length..<header.mapSize)
        guard table.count == Int(header.mapSize - header.length) else { return nil }
        let present = BlockSet(bytes: Array(table[(4 * count)...]), capacity: count)
        blocks = Lock(
            Blocks(
                present: present,
                durable: present,
                checked: BlockSet(capacity: count),
                checksums: (0..<count).map { table.littleEndian(UInt32.self, at: 4 * $0) }
            )
        )
    }

    /// Whether the two files of `key` belong together and to some remote file.
    static func isSound(
        _ key: VersionKey,
        in directory: StoreDirectory
    ) throws(SystemError)
        -> Bool
    {
        try StoredFile(opening: key, in: directory) != nil
    }

    /// Runs of present, or of missing, blocks.
    func runs(in range: Range<Int>, present: Bool) -> [Range<Int>] {
        blocks.withLock { $0.present.runs(in: range, present: present) }
    }

    func holds(_ block: Int) -> Bool {
        blocks.withLock { $0.present.contains(block) }
    }

    /// Bytes of memory that it takes, roughly.
    var footprint: Int { 1024 + 5 * Block.count(inFileOf: file.size) }

    /// Closes the files until they are used again.
    func letGo() {
        data.letGo()
        map.letGo()
    }
}

extension StoredFile {
    enum ReadOutcome: Equatable {
        case served
        case missing
        /// These blocks failed the check, or the disk could not read them; they are missing
        /// from now on.
        case bad([Int])
    }

    /// Reads and checks `range`.
    ///
    /// What stands in `buffer` is undefined unless it was served.
    ///
    /// Every block is checked at every read: the page cache is not ours, and at the speed of
    /// the processor's instruction a check costs less than the copy.
    func read(_ range: ByteRange, into buffer: UnsafeMutableRawBufferPointer) -> ReadOutcome {
        let wanted = Block.indices(of: range)
        let snapshot = blocks.withLock { blocks -> Snapshot? in
            guard blocks.present.contains(wanted) else { return nil }
            return Snapshot(
                checksums: Array(blocks.checksums[wanted]),
                generation: blocks.generation,
                isChecked: blocks.checked.contains(wanted)
            )
        }
        guard let snapshot else { return .missing }
        // Out of descriptors, or evicted a moment ago: nothing is known of the bytes.
        guard let data = try? data.opened() else { return .missing }
        let whole = wanted.filter { isInside(range, $0) }
        var bad = readWhole(
            whole,
            of: range,
            from: data,
            into: buffer,
            snapshot.checksums,
            wanted.lowerBound
        )
        // Only the first and the last block can be cut.
        for block in wanted where !isInside(range, block) {
            let expected = snapshot.checksums[block - wanted.lowerBound]
            if !readPart(block, of: range, from: data, into: buffer, expected) { bad.append(block) }
        }
        guard !bad.isEmpty else {
            if !snapshot.isChecked { passed(wanted, seenIn: snapshot.generation) }
            return .served
        }
        return drop(bad, seenIn: snapshot.generation) ? .bad(bad.sorted()) : .missing
    }

    /// What a read goes by, taken before it.
    private struct Snapshot {
        let checksums: [UInt32]
        let generation: Int
        let isChecked: Bool
    }

    private func passed(_ wanted: Range<Int>, seenIn generation: Int) {
        blocks.withLock { blocks in
            guard blocks.generation == generation else { return }
            for block in wanted { blocks.checked.insert(block) }
        }
    }

    private func isInside(_ range: ByteRange, _ block: Int) -> Bool {
        let bytes = Block.bytes(of: block, inFileOf: file.size)
        return range.lowerBound <= bytes.lowerBound && bytes.upperBound <= range.upperBound
    }

    /// Reads neighbouring blocks straight into the reader's buffer, a few at a time, so that the check
    /// finds them in the processor's own memory.
    private func readWhole(
        _ whole: [Int],
        of range: ByteRange,
        from data: Descriptor,
        into buffer: UnsafeMutableRawBufferPointer,
        _ checksums: [UInt32],
        _ base: Int
    ) -> [Int] {
        guard let first = whole.first, let last = whole.last else { return [] }
        var bad: [Int] = []
        for start in stride(from: first, through: last, by: StoredFile.blocksAtOnce) {
            let blocks = start..<min(start + StoredFile.blocksAtOnce, last + 1)
            let bytes = Block.bytes(of: blocks, inFileOf: file.size)
            let offset = Int(bytes.lowerBound - range.lowerBound)
            let target = UnsafeMutableRawBufferPointer(
                rebasing: buffer[offset..<offset + Int(bytes.count)]
            )
            let count = (try? data.read(into: target, at: bytes.lowerBound)) ?? 0
            bad += blocks.filter { block in
                let place = Block.bytes(of: block, inFileOf: file.size)
                let lower = Int(place.lowerBound - bytes.lowerBound)
                let upper = lower + Int(place.count)
                guard upper <= count else { return true }
                let content = UnsafeRawBufferPointer(rebasing: target[lower..<upper])
                return checksum(content) != checksums[block - base]
            }
        }
        return bad
    }

    private static var blocksAtOnce: Int { 2 }

    /// Reads all of a block of which only a part is wanted, because the check needs all of it.
    private func readPart(
        _ block: Int,
        of range: ByteRange,
        from data: Descriptor,
        into buffer: UnsafeMutableRawBufferPointer,
        _ expected: UInt32
    ) -> Bool {
        let place = Block.bytes(of: block, inFileOf: file.size)
        let scratch = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(place.count),
            alignment: 16
        )
        defer { scratch.deallocate() }
        guard (try? data.read(into: scratch, at: place.lowerBound)) == scratch.count,
            checksum(UnsafeRawBufferPointer(scratch)) == expected
        else { return false }
        let lower = max(place.lowerBound, range.lowerBound)
        let upper = min(place.upperBound, range.upperBound)
        let source = scratch[Int(lower - place.lowerBound)..<Int(upper - place.lowerBound)]
        let start = Int(lower - range.lowerBound)
        UnsafeMutableRawBufferPointer(rebasing: buffer[start..<start + source.count])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: source))
        return true
    }

    /// - Returns: Whether they were dropped; not, when other blocks were since `generation`.
    private func drop(_ bad: [Int], seenIn generation: Int) -> Bool {
        blocks.withLock { blocks in
            guard blocks.generation == generation else { return false }
            blocks.drop(bad)
            return true
        }
    }
}

extension StoredFile {
    /// Writes bytes of missing blocks and makes them readable for this process at once.
    ///
    /// Only the store's writer calls this, so nobody else makes blocks present.
    func publish(
        _ bytes: UnsafeRawBufferPointer,
        at range: Range<Int>,
        by writer: DirectWriter
    ) throws(SystemError) {
        let whole = Block.bytes(of: range, inFileOf: file.size)
        try writer.write(bytes, at: whole.lowerBound, to: data.opened(), at: data.path)
        let sums = range.map { block in
            let place = Block.bytes(of: block, inFileOf: file.size)
            let start = Int(place.lowerBound - whole.lowerBound)
            let end = start + Int(place.count)
            return checksum(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
        }
        blocks.withLock { blocks in
            for (block, sum) in zip(range, sums) {
                blocks.checksums[block] = sum
                blocks.present.insert(block)
                blocks.checked.insert(block)
            }
            blocks.uncommitted += Array(range)
        }
    }

    /// Makes all present blocks durable, and takes the dropped ones off the map.
    ///
    /// Only the store's committer calls this. When the disk refuses, the blocks of this batch
    /// are dropped: after a failed fdatasync the kernel may have thrown their pages away
    /// and report success the next time (PostgreSQL wiki, "Fsync Errors").
    ///
    /// The map itself is not synchronised. If a power cut keeps a bit and loses its checksum,
    /// the block fails its check and is fetched again.
    func commit() throws(SystemError) {
        let (added, dropped) = blocks.withLock { blocks in
            defer {
                blocks.uncommitted = []
                blocks.dropped = []
            }
            return (blocks.uncommitted, blocks.dropped)
        }
        do {
            if !added.isEmpty { try data.opened().synchronise() }
        } catch {
            blocks.withLock { blocks in
                blocks.drop(added.filter { !blocks.durable.contains($0) })
            }
            throw error
        }
        blocks.withLock { blocks in
            for block in added where blocks.present.contains(block) { blocks.durable.insert(block) }
        }
        try writeMap((added + dropped).sorted())
    }

    // `changed` is in order.
    private func writeMap(_ changed: [Int]) throws(SystemError) {
        guard !changed.isEmpty else { return }
        let map = try map.opened()
        for run in StoredFile.runs(changed) {
            let bits = run.lowerBound / 8..<(run.upperBound + 7) / 8
            let (table, bitmap) = blocks.withLock { blocks in
                var table: [UInt8] = []
                for sum in blocks.checksums[run] { table.append(littleEndian: sum) }
                return (table, Array(blocks.durable.bytes[bits]))
            }
            try map.write(table, at: header.length + 4 * UInt64(run.lowerBound))
            try map.write(bitmap, at: header.bitmapOffset + UInt64(bits.lowerBound))
        }
    }

    /// Neighbours, or nearly so: a gap below 512 entries costs less than another system call.
    private static func runs(_ changed: [Int]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for block in changed {
            if let last = runs.last, block < last.upperBound + 512 {
                runs[runs.count - 1] = last.lowerBound..<max(last.upperBound, block + 1)
            } else {
                runs.append(block..<block + 1)
            }
        }
        return runs
    }

    /// Takes every block between head and tail out of service.
    ///
    /// - Returns: The bytes that may be punched once the map is committed.
    func dropMiddle() -> Range<UInt64> {
        let middle = StoredFile.middle(ofFileOf: file.size)
        blocks.withLock { blocks in
            blocks.drop(middle.filter { blocks.present.contains($0) })
        }
        let bytes = Block.bytes(of: middle, inFileOf: file.size)
        return bytes.lowerBound..<bytes.upperBound
    }

    /// Blocks that are neither in the first nor in the last MiB, which probes read.
    static func middle(ofFileOf size: UInt64) -> Range<Int> {
        let probed: UInt64 = 1 << 20
        guard size > 2 * probed else { return 0..<0 }
        let head = Int(probed / Block.size)
        return head..<max(head, Int((size - probed) / Block.size))
    }
}

extension StoredFile.Blocks {
    fileprivate mutating func drop(_ gone: [Int]) {
        guard !gone.isEmpty else { return }
        for block in gone {
            present.remove(block)
            durable.remove(block)
            checked.remove(block)
        }
        dropped += gone
        generation += 1
    }
}
