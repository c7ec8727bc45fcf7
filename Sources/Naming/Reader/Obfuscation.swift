/// Names that were made meaningless on purpose, or turned around.
enum Obfuscation {
    /// Short names of letters and digits may be titles; a hash has at least this many.
    private static let shortest = 16
    private static let jokes: Set<String> = ["abc", "123", "b00bs", "abc.xyz"]

    static func isObfuscated(_ text: NameText, _ stem: Range<Int>, _ words: Words) -> Bool {
        guard words.count <= 2 else { return false }
        let whole = String(decoding: text.low[stem], as: UTF8.self)
        guard let word = words.first, !jokes.contains(whole) else { return true }
        guard words.count == 1, word.range.count >= shortest else { return false }
        let bytes = text.raw[word.range]
        guard bytes.allSatisfy(isLetterOrDigit) else { return false }
        let digits = bytes.count { (48...57).contains($0) }
        let isHexadecimal = text.low[word.range].allSatisfy {
            (48...57).contains($0) || (97...102).contains($0)
        }
        if isHexadecimal, digits > 0 { return true }
        // Words have few changes between letters and digits, or between upper and lower case.
        return changes(bytes) * 4 >= bytes.count
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }

    private static func changes(_ bytes: ArraySlice<UInt8>) -> Int {
        func kind(_ byte: UInt8) -> Int {
            (48...57).contains(byte) ? 0 : (65...90).contains(byte) ? 1 : 2
        }
        return zip(bytes, bytes.dropFirst()).count { kind($0) != kind($1) }
    }

    /// A name that bears its numbers backwards, the right way round: "p0801.11E50S.wohS".
    ///
    /// - Returns: nil when it is not turned around.
    static func turned(_ name: Substring) -> String? {
        let whole = name.utf8.map { (65...90).contains($0) ? $0 + 32 : $0 }
        guard hasTurnedNumbers(whole), whole.allSatisfy({ $0 < 0x80 }) else { return nil }
        let dot = name.lastIndex(of: ".") ?? name.endIndex
        let suffix = name[dot...].dropFirst().lowercased()
        let isFile = Vocabulary.containers.contains(suffix)
        let stem = isFile ? name[..<dot] : name
        let bytes = Array(stem.lowercased().utf8)
        guard hasTurnedNumbers(bytes) else { return nil }
        return String(stem.reversed()) + (isFile ? name[dot...] : "")
    }

    /// "11e50s" or "p0801" and "p027", with nothing beside them.
    private static func hasTurnedNumbers(_ bytes: [UInt8]) -> Bool {
        func isDigit(_ index: Int) -> Bool {
            bytes.indices.contains(index) && (48...57).contains(bytes[index])
        }
        func isBorder(_ index: Int) -> Bool {
            guard bytes.indices.contains(index) else { return true }
            return [46, 95, 45, 32].contains(bytes[index])
        }
        return bytes.indices.contains { index in
            guard bytes[index] == UInt8(ascii: "e") || bytes[index] == UInt8(ascii: "p") else {
                return false
            }
            if bytes[index] == UInt8(ascii: "e"), isDigit(index - 1), isDigit(index - 2),
                isDigit(index + 1), isDigit(index + 2), index + 3 < bytes.count,
                bytes[index + 3] == UInt8(ascii: "s"), isBorder(index + 4)
            {
                return isBorder(index - 3) || isDigit(index - 3) && isBorder(index - 4)
            }
            return bytes[index] == UInt8(ascii: "p") && isBorder(index - 1)
                && (bytes[(index + 1)...].starts(with: "0801".utf8) && isBorder(index + 5)
                    || bytes[(index + 1)...].starts(with: "027".utf8) && isBorder(index + 4))
        }
    }
}
