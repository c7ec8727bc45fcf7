/// A name as bytes: as it is written, and in lower case for the rules to look at.
///
/// Wide forms and the many dashes and brackets of other scripts are written as their ASCII
/// counterparts, so that one rule serves all.
struct NameText {
    /// As written.
    private(set) var raw: [UInt8] = []
    /// Of the same length, in lower case where the script has one.
    private(set) var low: [UInt8] = []
    /// Where each byte stands in the input; empty when nothing was shortened.
    private var origins: [Int] = []

    init(_ text: Substring) {
        let bytes = text.utf8
        raw.reserveCapacity(bytes.count)
        guard !bytes.allSatisfy({ $0 < 0x80 }) else {
            raw.append(contentsOf: bytes)
            low = raw.map(Self.lower)
            return
        }
        var origin = 0
        for scalar in text.unicodeScalars {
            append(scalar, origin)
            origin += UTF8.width(scalar)
        }
        origins.append(origin)
    }

    var count: Int { raw.count }

    /// The bytes of the input that `range` was made of.
    func origin(_ range: Range<Int>) -> Range<Int> {
        origins.isEmpty ? range : origins[range.lowerBound]..<origins[range.upperBound]
    }

    func string(_ range: Range<Int>) -> String { String(decoding: raw[range], as: UTF8.self) }

    private mutating func append(_ scalar: Unicode.Scalar, _ origin: Int) {
        // "1280×720", but "Spy×Family".
        let isSize = scalar.value == 0xD7 && (48...57).contains(raw.last ?? 0)
        let narrow = isSize ? "x" : Self.narrow(scalar)
        let lower = Self.lower(narrow)
        for byte in UTF8.encode(narrow) ?? .init() {
            raw.append(byte)
            origins.append(origin)
        }
        low.append(contentsOf: UTF8.encode(lower) ?? .init())
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        (0x41...0x5A).contains(byte) ? byte + 0x20 : byte
    }

    /// Only where both cases take as many bytes.
    private static func lower(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        let value = scalar.value
        let lower: UInt32 =
            switch value {
            case 0x41...0x5A, 0xC0...0xD6, 0xD8...0xDE, 0x391...0x3A9, 0x410...0x42F: value + 0x20
            case 0x400...0x40F: value + 0x50
            case 0x100...0x137, 0x14A...0x177: value | 1
            case 0x139...0x148, 0x179...0x17E: value % 2 == 1 ? value + 1 : value
            default: value
            }
        return Unicode.Scalar(lower) ?? scalar
    }

    private static func narrow(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        switch scalar.value {
        case 0xFF01...0xFF5E: Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar
        case 0x3000, 0xA0: " "
        case 0x2010...0x2015, 0x2212: "-"
        case 0x3010, 0x300C, 0x300E, 0x3014: "["
        case 0x3011, 0x300D, 0x300F, 0x3015: "]"
        case 0xD7,
            0x445 where scalar.value == 0xD7:
            "x"
        case 0x301C: "~"
        case 0x3001: ","
        case 0xB7,
            0x30FB where scalar.value == 0xB7:
            "|"
        default: scalar
        }
    }
}
