import CChecksum
import Primitives

/// Which blocks of one file version are on the disk, and their checksums.
///
/// On the disk it is a header of 4096 bytes that names the version, a CRC-32C for every block,
/// and a bitmap. Numbers are little-endian. A block counts as present only when its bit is set
/// and its bytes have its checksum, so a torn write of the map loses work and nothing else.
struct BlockMap: Sendable {
    /// The cache's unit: small enough that a probe moves little, large enough that maps are small
    /// (10 GB have 640 KiB of checksums).
    static let blockSize = 64 << 10
    static let headerSize = 4096
    private static let magic = Array("Sync2NAS cache 1".utf8)
    private static let fixedFields = 16 + 4 + 8 + 8 + 4

    let file: RemoteFile
    let blockCount: Int
    private(set) var checksums: [UInt32]
    private var bits: [UInt64]
    private(set) var presentCount = 0

    init(_ file: RemoteFile) {
        self.file = file
        blockCount = Int((file.size + UInt64(Self.blockSize) - 1) / UInt64(Self.blockSize))
        checksums = Array(repeating: 0, count: blockCount)
        bits = Array(repeating: 0, count: (blockCount + 63) / 64)
    }

    /// Whether the version's name fits the header; if not, it is not cached.
    static func canHold(_ file: RemoteFile) -> Bool {
        file.path.bytes.count <= headerSize - fixedFields - 4
    }

    var isComplete: Bool { presentCount == blockCount }

    subscript(block: Int) -> Bool {
        get { bits[block / 64] >> UInt64(block % 64) & 1 == 1 }
        set {
            guard self[block] != newValue else { return }
            bits[block / 64] ^= 1 << UInt64(block % 64)
            presentCount += newValue ? 1 : -1
        }
    }

    mutating func insert(_ block: Int, checksum: UInt32) {
        checksums[block] = checksum
        self[block] = true
    }

    /// The blocks that hold any byte of `range`.
    static func blocks(of range: ByteRange) -> Range<Int> {
        guard !range.isEmpty else { return 0..<0 }
        let first = Int(range.lowerBound / UInt64(blockSize))
        return first..<(Int((range.upperBound - 1) / UInt64(blockSize)) + 1)
    }

    /// The bytes of a run of blocks; the last block of a file may be short.
    func bytes(of blocks: Range<Int>) -> ByteRange {
        let size = UInt64(Self.blockSize)
        return ByteRange(UInt64(blocks.lowerBound) * size, UInt64(blocks.upperBound) * size)
            .clipped(to: file.size)
    }

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        sync2nas_crc32c(0, bytes.baseAddress, bytes.count)
    }
}

/// The map as bytes.
extension BlockMap {
    /// Where the checksum of `block` stands in the file.
    static func checksumOffset(_ block: Int) -> Int { headerSize + 4 * block }

    /// Where the bitmap's byte with `block` stands in the file.
    func bitOffset(_ block: Int) -> Int { Self.headerSize + 4 * blockCount + block / 8 }

    var byteCount: Int { Self.headerSize + 4 * blockCount + (blockCount + 7) / 8 }

    func bitByte(_ block: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: bits[block / 64] >> UInt64(block % 64 / 8 * 8))
    }

    var header: [UInt8] {
        var bytes = Self.magic
        func add(_ value: some FixedWidthInteger) {
            withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
        }
        add(UInt32(Self.blockSize))
        add(file.size)
        add(file.modifiedSeconds)
        add(UInt32(file.path.bytes.count))
        bytes += file.path.bytes
        bytes += Array(repeating: 0, count: Self.headerSize - 4 - bytes.count)
        add(bytes.withUnsafeBytes(Self.checksum))
        return bytes
    }

    /// Reads a map back; nil when it is of another version than `file`, torn or damaged.
    ///
    /// - Parameters:
    ///   - bytes: A whole map file.
    ///   - file: The version that it must be of.
    init?(_ bytes: [UInt8], of file: RemoteFile) {
        self.init(file)
        guard bytes.count == byteCount, Array(bytes[..<Self.headerSize]) == header else {
            return nil
        }
        for block in 0..<blockCount {
            let offset = Self.checksumOffset(block)
            checksums[block] = bytes[offset..<(offset + 4)].reversed().reduce(0) {
                $0 << 8 | UInt32($1)
            }
            if bytes[bitOffset(block)] >> UInt8(block % 8) & 1 == 1 { self[block] = true }
        }
    }
}
