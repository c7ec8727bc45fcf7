internal import Primitives

/// The name under which a version of a remote file is kept on the disk: FNV-1a, 128 bits
/// (draft-eastlake-fnv), of its identity.
///
/// Two versions with one key are possible; the identity in the map's header tells them apart.
struct VersionKey: Hashable, Sendable {
    let bits: UInt128

    init(_ file: RemoteFile) {
        var hash = (UInt128(0x6c62_272e_07bb_0142) << 64) | 0x62b8_2175_6295_c58d
        let prime = (UInt128(1) << 88) | 0x13b
        for byte in file.path.bytes { hash = (hash ^ UInt128(byte)) &* prime }
        for number in [file.size, UInt64(bitPattern: file.modifiedSeconds)] {
            for shift in stride(from: UInt64(0), to: 64, by: 8) {
                hash = (hash ^ UInt128(number >> shift & 0xFF)) &* prime
            }
        }
        bits = hash
    }

    init(bits: UInt128) { self.bits = bits }

    /// - Returns: nil when `name` is not one that ``name`` makes.
    init?(name: some StringProtocol) {
        guard name.utf8.count == 32, let bits = UInt128(name, radix: 16) else { return nil }
        self.bits = bits
        guard self.name == name else { return nil }
    }

    /// 32 lower-case hexadecimal digits.
    var name: String {
        // Not String(_:radix:), which is slow for 128 bits, and this is asked at every open.
        let digits = Array("0123456789abcdef".utf8)
        let bytes = stride(from: 124, through: 0, by: -4).map { shift in
            digits[Int(truncatingIfNeeded: bits >> UInt128(shift)) & 15]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
