/// A parsed name in the flat form that programs read.
public struct ParsedNameRecord: Sendable {
    public let name: String
    public let parsed: ParsedName

    public init(name: String, parsed: ParsedName) {
        self.name = name
        self.parsed = parsed
    }

    /// One JSON object (RFC 8259) without a line break, its members in a fixed order.
    ///
    /// Written by hand, because an encoder takes ten times as long as the parser.
    public var json: String {
        var line = JSONLine()
        line.add("name", name)
        line.add("title", parsed.title)
        line.add("season", parsed.season)
        line.add("seasons", parsed.seasons)
        line.add("episodes", parsed.episodes)
        line.add("absolute", parsed.absolute)
        line.add("decimal", parsed.decimal)
        line.add("date", parsed.airDate?.description)
        line.add("year", parsed.year)
        line.add("group", parsed.group)
        line.add("resolution", parsed.resolution)
        line.add("crc32", parsed.crc32)
        line.add("full_season", parsed.isFullSeason)
        line.add("special", parsed.isSpecial)
        line.add("version", parsed.version)
        line.add("confidence", (parsed.confidence * 100).rounded() / 100)
        return line.closed
    }
}

/// A JSON object that grows member by member.
private struct JSONLine {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]

    init() { bytes.reserveCapacity(512) }

    var closed: String { String(decoding: bytes, as: UTF8.self) + "}" }

    mutating func add(_ key: StaticString, _ value: String?) {
        begin(key)
        guard let value else { return bytes.append(contentsOf: "null".utf8) }
        bytes.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20:
                let digits = "0123456789abcdef".utf8.map { $0 }
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func add<Value: LosslessStringConvertible>(_ key: StaticString, _ value: Value?) {
        begin(key)
        bytes.append(contentsOf: (value?.description ?? "null").utf8)
    }

    mutating func add<Value: LosslessStringConvertible>(_ key: StaticString, _ values: [Value]) {
        begin(key)
        bytes.append(UInt8(ascii: "["))
        for (index, value) in values.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(contentsOf: value.description.utf8)
        }
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func begin(_ key: StaticString) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(
            contentsOf: UnsafeBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount)
        )
        bytes.append(contentsOf: "\":".utf8)
    }
}
