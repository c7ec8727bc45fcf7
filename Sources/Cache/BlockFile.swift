import CSystem
import Glibc
import Primitives
import Synchronization

/// One file version in the cache: a sparse data file and its map.
///
/// A block is readable in this process as soon as its bytes are written; the map on the disk says
/// so only after `fdatasync` of the data, so a crash or power cut can lose blocks but never
/// leaves a map that promises bytes which are not there.
final class BlockFile: Sendable {
    private struct State {
        var map: BlockMap
        /// Blocks whose checksum was compared since the file was opened here.
        ///
        /// Comparing each time would halve the speed of small reads. A version that nobody uses is
        /// closed, and compared anew when it is opened again.
        var verified: Set<Int> = []
        /// Present, but not yet promised by the map on the disk.
        var unpublished: Set<Int> = []
        var data: Int32 = -1
        var mapFile: Int32 = -1
    }

    let file: RemoteFile
    let key: String
    private let dataPath: String
    private let mapPath: String
    private let state: Mutex<State>
    /// Held while bytes are written or a hole is made, so that no hole swallows new bytes.
    ///
    /// Take it before `state`.
    private let gate = Mutex(())

    /// - Parameters:
    ///   - file: The version.
    ///   - key: What its files are named by.
    ///   - base: Their path without the ending.
    init(_ file: RemoteFile, key: String, base: String) {
        self.file = file
        self.key = key
        dataPath = base + ".data"
        mapPath = base + ".map"
        var state = State(map: BlockMap(file))
        if let bytes = Self.contents(mapPath) {
            if let map = BlockMap(bytes, of: file) {
                state.map = map
                state.data = open(dataPath, O_RDWR | O_CLOEXEC)
                state.mapFile = open(mapPath, O_RDWR | O_CLOEXEC)
            }
            if state.data < 0 || state.mapFile < 0 {
                // Damaged, or another version's of the same name: begin anew.
                if state.data >= 0 { close(state.data) }
                if state.mapFile >= 0 { close(state.mapFile) }
                (state.data, state.mapFile) = (-1, -1)
                state.map = BlockMap(file)
                unlink(mapPath)
                unlink(dataPath)
            }
        }
        self.state = Mutex(state)
    }

    deinit {
        state.withLock { state in
            if state.data >= 0 { close(state.data) }
            if state.mapFile >= 0 { close(state.mapFile) }
        }
    }

    var isComplete: Bool { state.withLock { $0.map.isComplete } }
    var presentBytes: UInt64 {
        state.withLock { UInt64($0.map.presentCount) * UInt64(BlockMap.blockSize) }
    }

    /// Runs of `blocks` that are not here.
    func missing(in blocks: Range<Int>) -> [Range<Int>] {
        state.withLock { state in
            var runs: [Range<Int>] = []
            for block in blocks where !state.map[block] {
                if let last = runs.last, last.upperBound == block {
                    runs[runs.count - 1] = last.lowerBound..<(block + 1)
                } else {
                    runs.append(block..<(block + 1))
                }
            }
            return runs
        }
    }

    enum ReadResult {
        case whole
        case missing
        /// These blocks had wrong bytes and are missing now.
        case damaged([Int])
    }

    /// Fills `buffer` with `range` from the disk.
    func read(_ range: ByteRange, into buffer: UnsafeMutableRawBufferPointer) -> ReadResult {
        let blocks = BlockMap.blocks(of: range)
        let (isHere, data, unverified) = state.withLock { state in
            (
                blocks.allSatisfy { state.map[$0] }, state.data,
                blocks.filter { !state.verified.contains($0) }
            )
        }
        guard isHere, data >= 0 else { return .missing }
        let damaged = unverified.filter { !verify($0, data) }
        guard damaged.isEmpty else {
            state.withLock { state in
                for block in damaged {
                    state.map[block] = false
                    state.unpublished.insert(block)
                }
            }
            return .damaged(damaged)
        }
        let count = Int(range.count)
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
        guard Self.readFully(data, target, at: range.lowerBound) else { return .missing }
        // Evicted in the meantime: what was read may be a hole's zeros.
        return state.withLock { state in blocks.allSatisfy { state.map[$0] } } ? .whole : .missing
    }

    private func verify(_ block: Int, _ data: Int32) -> Bool {
        let (range, expected) = state.withLock { state in
            (state.map.bytes(of: block..<(block + 1)), state.map.checksums[block])
        }
        return withUnsafeTemporaryAllocation(byteCount: Int(range.count), alignment: 16) { buffer in
            guard Self.readFully(data, buffer, at: range.lowerBound),
                BlockMap.checksum(UnsafeRawBufferPointer(buffer)) == expected
            else { return false }
            state.withLock { _ = $0.verified.insert(block) }
            return true
        }
    }

    /// Writes whole blocks.
    ///
    /// - Parameters:
    ///   - bytes: The bytes of the blocks; the file's last block may be short.
    ///   - blocks: Which blocks.
    /// - Returns: 0, or the `errno` of what failed; nothing is promised then.
    func write(_ bytes: [UInt8], to blocks: Range<Int>) -> Int32 {
        if let failure = create() { return failure }
        let (data, range) = state.withLock { ($0.data, $0.map.bytes(of: blocks)) }
        guard UInt64(bytes.count) == range.count else { return EINVAL }
        return gate.withLock { _ in put(bytes, at: range, data: data, blocks: blocks) }
    }

    private func put(
        _ bytes: [UInt8],
        at range: ByteRange,
        data: Int32,
        blocks: Range<Int>
    ) -> Int32 {
        bytes.withUnsafeBytes { bytes in
            var done = 0
            while done < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
                let offset = off_t(range.lowerBound) + off_t(done)
                let count = pwrite(data, rest.baseAddress, rest.count, offset)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return count < 0 ? errno : EIO }
                done += count
            }
            var start = 0
            let checksums = blocks.map { _ in
                let end = min(start + BlockMap.blockSize, bytes.count)
                defer { start = end }
                return BlockMap.checksum(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
            }
            state.withLock { state in
                for (block, checksum) in zip(blocks, checksums) {
                    state.map.insert(block, checksum: checksum)
                    state.verified.insert(block)
                    state.unpublished.insert(block)
                }
            }
            return 0
        }
    }

    /// Makes both files when they are not there yet; their directory entries need no `fsync`,
    /// since a cache that loses a whole file has lost work only.
    private func create() -> Int32? {
        state.withLock { state in
            guard state.data < 0 else { return nil }
            let data = open(dataPath, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            guard data >= 0 else { return errno }
            let map = open(mapPath, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
            guard map >= 0, ftruncate(data, off_t(file.size)) == 0,
                ftruncate(map, off_t(state.map.byteCount)) == 0,
                Self.writeFully(map, state.map.header, at: 0)
            else {
                let failure = errno
                close(data)
                if map >= 0 { close(map) }
                unlink(mapPath)
                unlink(dataPath)
                return failure
            }
            (state.data, state.mapFile) = (data, map)
            return nil
        }
    }

    /// Promises on the disk what was written so far.
    ///
    /// - Returns: Whether that worked; if not, it is tried again with the next blocks.
    func publish() -> Bool {
        let (blocks, data, mapFile) = state.withLock { state in
            defer { state.unpublished = [] }
            return (state.unpublished, state.data, state.mapFile)
        }
        guard !blocks.isEmpty, data >= 0 else { return true }
        guard fdatasync(data) == 0 else {
            state.withLock { $0.unpublished.formUnion(blocks) }
            return false
        }
        // Checksums before bits: a bit whose checksum is old makes the block count as damaged.
        let map = state.withLock { $0.map }
        var isWritten = true
        for block in blocks where map[block] {
            let bytes = withUnsafeBytes(of: map.checksums[block].littleEndian) { Array($0) }
            isWritten =
                Self.writeFully(mapFile, bytes, at: BlockMap.checksumOffset(block)) && isWritten
        }
        for offset in Set(blocks.map { map.bitOffset($0) }) {
            let block = (offset - map.bitOffset(0)) * 8
            isWritten = Self.writeFully(mapFile, [map.bitByte(block)], at: offset) && isWritten
        }
        if !isWritten { state.withLock { $0.unpublished.formUnion(blocks) } }
        return isWritten
    }

    /// Gives the middle's space back and keeps what probes read: the first and last `edge` bytes.
    ///
    /// - Returns: Bytes that were freed.
    func dropMiddle(keeping edge: UInt64) -> UInt64 {
        gate.withLock { _ in punchMiddle(keeping: edge) }
    }

    private func punchMiddle(keeping edge: UInt64) -> UInt64 {
        let freed = state.withLock { state -> (UInt64, ByteRange)? in
            guard state.data >= 0, file.size > 2 * edge else { return nil }
            let first = BlockMap.blocks(of: ByteRange(0, edge)).upperBound
            let last = BlockMap.blocks(of: ByteRange(file.size - edge, file.size)).lowerBound
            guard first < last else { return nil }
            var count: UInt64 = 0
            for block in first..<last where state.map[block] {
                state.map[block] = false
                state.verified.remove(block)
                state.unpublished.insert(block)
                count += UInt64(BlockMap.blockSize)
            }
            return (count, state.map.bytes(of: first..<last))
        }
        guard let (count, range) = freed, count > 0 else { return 0 }
        _ = publish()
        let data = state.withLock { $0.data }
        guard sync2nas_punch_hole(data, Int64(range.lowerBound), Int64(range.count)) == 0 else {
            return 0
        }
        return count
    }

    /// The map's modification time is when the file was last read, for the next run.
    func touch() { utimensat(AT_FDCWD, mapPath, nil, 0) }

    private static func readFully(
        _ descriptor: Int32,
        _ buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    ) -> Bool {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(descriptor, rest.baseAddress, rest.count, off_t(offset) + off_t(done))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }

    private static func writeFully(_ descriptor: Int32, _ bytes: [UInt8], at offset: Int) -> Bool {
        bytes.withUnsafeBytes { pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset)) }
            == bytes.count
    }

    static func contents(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: status.st_size)
        let isRead = bytes.withUnsafeMutableBytes { readFully(descriptor, $0, at: 0) }
        return isRead ? bytes : nil
    }
}
