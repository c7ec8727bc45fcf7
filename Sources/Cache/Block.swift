internal import CChecksum
internal import Primitives

/// The unit that is fetched, checked, published and dropped: 64 KiB of a file, the last one
/// cut at the file's end.
///
/// 64 KiB is half of the kernel's usual read, small enough for a probe's head and large
/// enough that a checksum table costs 4 bytes in 65,536.
enum Block {
    static let size: UInt64 = 65_536

    /// A number of blocks that can be held as a table in memory: 1 TiB in all.
    ///
    /// A server may claim any size; a bigger file is served without caching.
    static let largestFile: UInt64 = 1 << 40

    static func count(inFileOf size: UInt64) -> Int {
        Int((min(size, largestFile) + Block.size - 1) / Block.size)
    }

    /// The blocks that hold any byte of `range`, which is clipped to the file.
    static func indices(of range: ByteRange) -> Range<Int> {
        guard !range.isEmpty else { return 0..<0 }
        return Int(range.lowerBound / size)..<Int((range.upperBound - 1) / size) + 1
    }

    /// The bytes of `blocks` in a file of `fileSize` bytes.
    static func bytes(of blocks: Range<Int>, inFileOf fileSize: UInt64) -> ByteRange {
        ByteRange(UInt64(blocks.lowerBound) * size, UInt64(blocks.upperBound) * size)
            .clipped(to: fileSize)
    }

    static func bytes(of block: Int, inFileOf fileSize: UInt64) -> ByteRange {
        bytes(of: block..<block + 1, inFileOf: fileSize)
    }
}

/// CRC-32C of a block's bytes.
///
/// No block of zeros, whole or short, has the checksum 0: the polynomial's order is 2^31 - 1
/// bits, more than a block has. A hole beside an empty table entry therefore never passes.
func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    sync2nas_crc32c(0, bytes.baseAddress, bytes.count)
}
