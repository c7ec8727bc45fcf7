/// Words with a meaning of their own in release names.
enum Vocabulary {
    /// What a word may be; many may also be a word of a title.
    struct Kinds: OptionSet {
        let rawValue: UInt32

        /// Where the picture comes from: "HDTV", "BluRay".
        static let source = Kinds(rawValue: 1)
        static let codec = Kinds(rawValue: 2)
        static let audio = Kinds(rawValue: 4)
        /// HDR and the like.
        static let picture = Kinds(rawValue: 8)
        /// "PROPER", "UNCUT".
        static let edition = Kinds(rawValue: 16)
        static let language = Kinds(rawValue: 32)
        /// "AMZN", "NF".
        static let service = Kinds(rawValue: 64)
        /// Appended when a release is posted again.
        static let reposter = Kinds(rawValue: 128)
        static let country = Kinds(rawValue: 256)
        static let seasonWord = Kinds(rawValue: 512)
        static let episodeWord = Kinds(rawValue: 1024)
        static let special = Kinds(rawValue: 2048)
        /// Between the ends of a range.
        static let until = Kinds(rawValue: 4096)
        static let and = Kinds(rawValue: 8192)
        static let of = Kinds(rawValue: 16384)
        static let month = Kinds(rawValue: 32768)
        static let ordinal = Kinds(rawValue: 65536)
        static let numberWord = Kinds(rawValue: 131_072)
        static let roman = Kinds(rawValue: 262_144)
        static let part = Kinds(rawValue: 524_288)
        /// Belongs to the technical word before it.
        static let tail = Kinds(rawValue: 1_048_576)
        /// Has a technical meaning only among technical words.
        static let weak = Kinds(rawValue: 2_097_152)
        /// Says that nothing is missing.
        static let complete = Kinds(rawValue: 4_194_304)
        static let resolution = Kinds(rawValue: 8_388_608)
        static let disc = Kinds(rawValue: 16_777_216)
        /// Bonus material.
        static let extra = Kinds(rawValue: 33_554_432)
        /// "final", "END": behind a number.
        static let final = Kinds(rawValue: 67_108_864)
        /// Of a fansub's bracket that says when or where something was aired.
        static let tag = Kinds(rawValue: 134_217_728)
        static let proper = Kinds(rawValue: 268_435_456)

        static let technical: Kinds = [
            .source, .codec, .audio, .picture, .edition, .language, .service, .resolution,
        ]
    }

    struct Entry {
        var kinds: Kinds = []
        /// Of a month, an ordinal, a number; the lines of a resolution.
        var value = 0
    }

    /// What a word in lower case may be.
    static func entry(of word: ArraySlice<UInt8>) -> Entry {
        table[key(word)] ?? resolution(word).map { Entry(kinds: .resolution, value: $0) } ?? Entry()
    }

    /// FNV-1a (Fowler, Noll, Vo), 64 bits: no two of our words share one.
    private static func key(_ word: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in word { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return hash
    }

    private static let table: [UInt64: Entry] = {
        var table: [UInt64: Entry] = [:]
        for (kinds, text) in words {
            for word in text.split(separator: " ") {
                table[key(word.utf8), default: Entry()].kinds.formUnion(kinds)
            }
        }
        for (kinds, values) in numbers {
            for (index, text) in values.enumerated() {
                for word in text.split(separator: " ") {
                    table[key(word.utf8), default: Entry()].kinds.formUnion(kinds)
                    table[key(word.utf8), default: Entry()].value = index + 1
                }
            }
        }
        return table
    }()

    private static let lines: Set<Int> = [
        240, 288, 352, 360, 368, 384, 396, 400, 404, 432, 480, 486, 540, 544, 576, 720, 810, 864,
        900, 960, 1080, 1440, 2160, 4320,
    ]

    /// "1080p", "1080i", "1080p25", "1920x1080" as the number of lines.
    private static func resolution(_ word: ArraySlice<UInt8>) -> Int? {
        guard word.count >= 4, let first = word.first, first < 0x80 else { return nil }
        var scanner = Scanner(word)
        // "DVD480p", "WEBRip1080p"
        _ = scanner.take(oneOf: [
            "webrip", "bluray", "bdrip", "dvdrip", "hdtv", "4kto", "dvd", "web", "bd", "hd",
        ])
        guard let first = scanner.number(digits: 3...4) else { return nil }
        if scanner.take("p") || scanner.take("i") {
            _ = scanner.number(digits: 1...2)
            _ = scanner.take("hd")
            return scanner.isAtEnd && lines.contains(first) ? first : nil
        }
        guard scanner.take("x"), let second = scanner.number(digits: 3...4), first > second else {
            return nil
        }
        _ = scanner.take("p")
        guard scanner.isAtEnd else { return nil }
        switch first {
        case 3200...: return 2160
        case 1800...: return 1080
        case 1200...: return second > 800 ? second : 720
        default: return second
        }
    }
}
