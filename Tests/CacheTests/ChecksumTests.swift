import CChecksum
import StandIns
import Testing

/// Known answers: RFC 3720 appendix B.4 and the check values of the CRC catalogue
/// (reveng.sourceforge.io/crc-catalogue).
@Suite struct ChecksumTests {
    struct Vector: CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let crc32c: UInt32
    }

    static let vectors = [
        Vector(testDescription: "nothing", bytes: [], crc32c: 0),
        Vector(testDescription: "digits", bytes: Array("123456789".utf8), crc32c: 0xE306_9283),
        Vector(
            testDescription: "zeros",
            bytes: .init(repeating: 0, count: 32),
            crc32c: 0x8A91_36AA
        ),
        Vector(
            testDescription: "ones",
            bytes: .init(repeating: 255, count: 32),
            crc32c: 0x62A8_AB43
        ),
        Vector(testDescription: "rising", bytes: Array(0..<32), crc32c: 0x46DD_794E),
        Vector(testDescription: "falling", bytes: (0..<32).reversed(), crc32c: 0x113F_DB5C),
    ]

    @Test(arguments: vectors) func crc32cGivesTheKnownAnswer(_ vector: Vector) {
        #expect(sync2nas_crc32c(0, vector.bytes, vector.bytes.count) == vector.crc32c)
        #expect(sync2nas_crc32c_portable(0, vector.bytes, vector.bytes.count) == vector.crc32c)
    }

    /// Lengths around the stripes of the interleaved loop, at every alignment.
    @Test(arguments: [1, 7, 4_096, 12_287, 12_288, 12_289, 65_536, 100_003])
    func processorAndTablesAgree(size: Int) {
        var random = SeededRandom(seed: UInt64(size))
        let bytes = (0..<size + 8).map { _ in UInt8.random(in: 0...255, using: &random) }
        bytes.withUnsafeBytes { buffer in
            for start in 0..<8 {
                let part = UnsafeRawBufferPointer(rebasing: buffer[start..<start + size])
                let expected = sync2nas_crc32c_portable(0, part.baseAddress, part.count)
                #expect(sync2nas_crc32c(0, part.baseAddress, part.count) == expected)
            }
        }
    }

    @Test func checksumOfPartsContinuesFromTheSeed() {
        let bytes = Array("a checksum may be taken in several steps".utf8)
        let first = Array(bytes[..<13])
        let second = Array(bytes[13...])
        let castagnoli = sync2nas_crc32c(0, first, first.count)
        let zlib = sync2nas_crc32(0, first, first.count)
        #expect(
            sync2nas_crc32c(castagnoli, second, second.count)
                == sync2nas_crc32c(0, bytes, bytes.count)
        )
        #expect(
            sync2nas_crc32(zlib, second, second.count) == sync2nas_crc32(0, bytes, bytes.count)
        )
    }

    @Test func crc32GivesZlibsAnswers() {
        let digits = Array("123456789".utf8)
        #expect(sync2nas_crc32(0, digits, digits.count) == 0xCBF4_3926)
        let fox = Array("The quick brown fox jumps over the lazy dog".utf8)
        #expect(sync2nas_crc32(0, fox, fox.count) == 0x414F_A339)
    }
}
