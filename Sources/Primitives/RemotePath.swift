/// A path on the seedbox, as the bytes the server uses.
///
/// Servers send names in any encoding, so two paths are equal when their bytes are; Swift's
/// `String` would take the composed and the decomposed spelling of "é" for one file.
public struct RemotePath: Hashable, Sendable {
    public let bytes: [UInt8]

    public init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The path of `text`'s UTF-8 bytes, after undoing the escapes of ``text``.
    public init(_ text: String) {
        bytes = RemotePath.unescaped(text)
    }

    public static func == (one: RemotePath, other: RemotePath) -> Bool { one.bytes == other.bytes }

    /// All bytes at once: an array's own hash takes them one by one, ten times as slow.
    public func hash(into hasher: inout Hasher) {
        bytes.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    /// `name` inside this directory.
    public func appending(_ name: [UInt8]) -> RemotePath {
        let separator: [UInt8] = bytes.last == UInt8(ascii: "/") ? [] : [UInt8(ascii: "/")]
        return RemotePath(bytes: bytes + separator + name)
    }

    /// The bytes behind the last slash.
    public var lastComponent: [UInt8] {
        let start = bytes.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
        return Array(bytes[start...])
    }

    /// The directory that holds this path.
    public var parent: RemotePath {
        let end = bytes.lastIndex(of: UInt8(ascii: "/")) ?? 0
        return RemotePath(bytes: Array(bytes[..<end]))
    }

    /// Whether this path is `directory` or lies below it.
    public func isInside(_ directory: RemotePath) -> Bool {
        var prefix = directory.bytes
        while prefix.last == UInt8(ascii: "/") { prefix.removeLast() }
        guard bytes.starts(with: prefix) else { return false }
        return bytes.count == prefix.count || bytes[prefix.count] == UInt8(ascii: "/")
    }
}

/// Paths as text that loses nothing, for the database and for people.
///
/// A byte b that is not part of valid UTF-8 becomes the private-use scalar U+10FF00 + b. A
/// name that really contains one of those scalars has its bytes escaped one by one, so the
/// two can never be confused.
extension RemotePath: CustomStringConvertible {
    private static let escapes: ClosedRange<UInt32> = 0x10FF80...0x10FFFF
    private static let escapeBase: UInt32 = 0x10FF00

    public var text: String { RemotePath.escaped(bytes) }
    public var description: String { printable }

    /// The text without what would break a line or act on a terminal: for logs and messages.
    public var printable: String { RemotePath.printable(text) }

    /// Control characters, line separators and our escapes become U+FFFD.
    public static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    switch scalar.properties.generalCategory {
                    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse:
                        "\u{FFFD}"
                    default: scalar
                    }
                }
            )
        )
    }

    public static func escaped(_ bytes: [UInt8]) -> String {
        if let plain = String(validating: bytes, as: UTF8.self),
            !plain.unicodeScalars.contains(where: { escapes.contains($0.value) })
        {
            return plain
        }
        var result = String.UnicodeScalarView()
        var rest = bytes[...]
        while let first = rest.first {
            let length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2
            let sequence = rest.prefix(length)
            if let valid = String(validating: sequence, as: UTF8.self),
                let scalar = valid.unicodeScalars.first, !escapes.contains(scalar.value)
            {
                result.append(scalar)
                rest = rest.dropFirst(length)
            } else {
                result.append(Unicode.Scalar(escapeBase + UInt32(first)) ?? "?")
                rest = rest.dropFirst()
            }
        }
        return String(result)
    }

    private static func unescaped(_ text: String) -> [UInt8] {
        guard text.unicodeScalars.contains(where: { escapes.contains($0.value) }) else {
            return Array(text.utf8)
        }
        return text.unicodeScalars.flatMap { scalar in
            escapes.contains(scalar.value)
                ? [UInt8(truncatingIfNeeded: scalar.value - escapeBase)]
                : Array(String(scalar).utf8)
        }
    }
}

/// As its text.
extension RemotePath: Codable {
    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(String.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
