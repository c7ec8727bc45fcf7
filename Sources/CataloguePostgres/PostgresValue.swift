/// A parameter, as libpq's text format takes it.
enum PostgresValue: Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case bytes([UInt8])

    init(_ value: String?) { self = value.map { .text($0) } ?? .null }
    init(_ value: Int?) { self = value.map { .integer(Int64($0)) } ?? .null }
    init(_ value: Int64?) { self = value.map { .integer($0) } ?? .null }

    /// Text for a parameter; nil for NULL.
    var parameter: String? {
        switch self {
        case .null: nil
        case .integer(let number): String(number)
        case .real(let number): String(number)
        // The server has no text with the character 0; nothing of ours means it.
        case .text(let text): text.contains("\0") ? text.filter { $0 != "\0" } : text
        case .bytes(let bytes): Self.hexadecimal(bytes)
        }
    }

    /// Appends the value as a field of COPY's text format
    /// (postgresql.org/docs/current/sql-copy.html).
    func appendCopied(to line: inout [UInt8]) {
        guard let text = parameter else {
            line += [UInt8(ascii: "\\"), UInt8(ascii: "N")]
            return
        }
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): line += [byte, byte]
            case 10: line += [UInt8(ascii: "\\"), UInt8(ascii: "n")]
            case 13: line += [UInt8(ascii: "\\"), UInt8(ascii: "r")]
            case 9: line += [UInt8(ascii: "\\"), UInt8(ascii: "t")]
            default: line.append(byte)
            }
        }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = [UInt8(ascii: "\\"), UInt8(ascii: "x")]
        text.reserveCapacity(2 + bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
