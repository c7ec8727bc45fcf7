internal import Primitives

/// The first part of a map file: which version of which remote file the blocks belong to.
///
///     magic "S2NMAP01" | block size u32 | path length u32 | size u64 | modified i64 | path
///     | CRC-32C of all that u32 | zeros up to a multiple of 4 KiB
///
/// All numbers are little-endian. Behind the header stands a CRC-32C for each block (u32),
/// then the bitmap of blocks. Only the header has a checksum of its own: a wrong bit in the
/// table or the bitmap makes its block fail the check on reading.
struct MapHeader {
    /// The last two digits are the format's version.
    private static let magic = Array("S2NMAP01".utf8)
    private static let fixed = 32
    private static let page = 4_096
    /// Longer than any path a system or server accepts; keeps a corrupt length harmless.
    static let longestPath = 65_536

    let file: RemoteFile
    /// Bytes of the header, and so the offset of the checksum table.
    let length: UInt64

    init(_ file: RemoteFile) {
        self.file = file
        let used = MapHeader.fixed + file.path.bytes.count + 4
        length = UInt64((used + MapHeader.page - 1) / MapHeader.page * MapHeader.page)
    }

    private var blockCount: Int { Block.count(inFileOf: file.size) }
    var bitmapOffset: UInt64 { length + 4 * UInt64(blockCount) }
    /// Size of the whole map file.
    var mapSize: UInt64 { bitmapOffset + UInt64((blockCount + 7) / 8) }

    /// The header as it is written, with its padding.
    var bytes: [UInt8] {
        var bytes = MapHeader.magic
        bytes.append(littleEndian: UInt32(Block.size))
        bytes.append(littleEndian: UInt32(file.path.bytes.count))
        bytes.append(littleEndian: file.size)
        bytes.append(littleEndian: UInt64(bitPattern: file.modifiedSeconds))
        bytes += file.path.bytes
        bytes.append(littleEndian: bytes.withUnsafeBytes(checksum))
        return bytes + [UInt8](repeating: 0, count: Int(length) - bytes.count)
    }

    /// Reads the header at the start of `map`.
    ///
    /// - Returns: nil when the file is torn, foreign, of another format, or corrupt.
    init?(from map: Descriptor) throws(SystemError) {
        var bytes = try map.bytes(in: 0..<UInt64(MapHeader.page))
        guard bytes.starts(with: MapHeader.magic), bytes.count > MapHeader.fixed,
            bytes.littleEndian(UInt32.self, at: 8) == UInt32(Block.size)
        else { return nil }
        let length = min(Int(bytes.littleEndian(UInt32.self, at: 12)), MapHeader.longestPath)
        let end = MapHeader.fixed + length
        if end + 4 > bytes.count { bytes = try map.bytes(in: 0..<UInt64(end + 4)) }
        guard end + 4 <= bytes.count,
            bytes[..<end].withUnsafeBytes(checksum) == bytes.littleEndian(UInt32.self, at: end)
        else { return nil }
        self.init(
            RemoteFile(
                path: RemotePath(bytes: Array(bytes[MapHeader.fixed..<end])),
                size: bytes.littleEndian(UInt64.self, at: 16),
                modifiedSeconds: Int64(bitPattern: bytes.littleEndian(UInt64.self, at: 24))
            )
        )
    }
}

extension Descriptor {
    /// The bytes of `range`, fewer where the file ends.
    func bytes(in range: Range<UInt64>) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        var result: Result<Int, SystemError> = .success(0)
        bytes.withUnsafeMutableBytes { buffer in
            result = Result { () throws(SystemError) in
                try read(into: buffer, at: range.lowerBound)
            }
        }
        bytes.removeLast(bytes.count - (try result.get()))
        return bytes
    }

    func write(_ bytes: [UInt8], at offset: UInt64) throws(SystemError) {
        var result: Result<Void, SystemError> = .success(())
        bytes.withUnsafeBytes { buffer in
            result = Result { () throws(SystemError) in try write(buffer, at: offset) }
        }
        try result.get()
    }
}

extension [UInt8] {
    mutating func append(littleEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    func littleEndian<Number: FixedWidthInteger>(_: Number.Type, at offset: Int) -> Number {
        withUnsafeBytes {
            Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Number.self))
        }
    }
}
