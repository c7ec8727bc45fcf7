/// Turns titles and remote names, which are hostile, into names that Linux, SMB and every media
/// server accept.
///
/// Sources: the characters Windows forbids and its device names
/// (learn.microsoft.com/windows/win32/fileio/naming-a-file), NAME_MAX of 255 bytes.
public enum SafeName {
    /// Most bytes that a name may have.
    public static let maximumBytes = 255

    private static let deviceNames: Set<String> = Set(
        ["con", "prn", "aux", "nul"] + (1...9).flatMap { ["com\($0)", "lpt\($0)"] }
    )

    /// A whole name, made of `stem` and an ending that is kept when the stem must be cut.
    ///
    /// - Parameters:
    ///   - stem: Any text.
    ///   - ending: What must stay at the end: an extension, tags.
    /// - Returns: 1 to 255 bytes of UTF-8, never `.` or `..`, without `/`, NUL, control
    ///   characters or what SMB refuses, without a space or dot at either end that Windows drops.
    public static func make(_ stem: String, ending: String = "") -> String {
        let ending = cleaned(ending, isEnding: true)
        var stem = cleaned(stem, isEnding: false)
        stem = cut(stem, to: max(1, maximumBytes - ending.utf8.count))
        if stem.isEmpty { stem = "_" }
        if stem.utf8.count < 8 || stem.utf8.prefix(8).contains(UInt8(ascii: ".")) {
            let device = stem.prefix { $0 != "." }.lowercased()
            if deviceNames.contains(device.trimmed) { stem = "_" + stem }
        }
        let name = trimmedEnd(cut(stem + ending, to: maximumBytes))
        return name.isEmpty ? "_" : name
    }

    /// Cuts at a character's border, so that the rest is valid and looks whole.
    static func cut(_ text: String, to bytes: Int) -> String {
        guard text.utf8.count > bytes else { return text }
        var kept = ""
        var count = 0
        for character in text {
            count += character.utf8.count
            if count > bytes { break }
            kept.append(character)
        }
        return trimmedEnd(kept)
    }

    /// Whether nothing is to be done: most names are like that, and there are many.
    private static func isClean(_ text: String, isEnding: Bool) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            // An ending may begin with a space, and its dots stay.
            var previous = UInt8(ascii: isEnding ? "." : " ")
            for byte in bytes {
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "("),
                    UInt8(ascii: ")"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "'"):
                    break
                case UInt8(ascii: "."): if !isEnding { return false }
                case UInt8(ascii: " "): if previous == byte { return false }
                default: return false
                }
                previous = byte
            }
            return previous != UInt8(ascii: " ")
        }
    }

    private static func cleaned(_ text: String, isEnding: Bool) -> String {
        if isClean(text, isEnding: isEnding) { return text }
        var result = String.UnicodeScalarView()
        let scalars = Array(text.unicodeScalars)
        for (index, scalar) in scalars.enumerated() {
            let next = index + 1 < scalars.count ? scalars[index + 1] : nil
            result.append(contentsOf: replacement(for: scalar, before: next).unicodeScalars)
        }
        var words = String(result)
            .split(separator: " ", omittingEmptySubsequences: true)
            .joined(separator: " ")
        if isEnding {
            if text.first == " ", !words.isEmpty { words = " " + words }
            return words
        }
        while let first = words.first, first == " " || first == "." { words.removeFirst() }
        return trimmedEnd(words)
    }

    /// "Frieren: Beyond" reads as "Frieren - Beyond"; other forbidden characters become a space
    /// or what looks most like them.
    private static func replacement(
        for scalar: Unicode.Scalar,
        before next: Unicode.Scalar?
    )
        -> String
    {
        switch scalar {
        case ":": return next == " " || next == nil ? " -" : "-"
        case "/", "\\", "|": return "-"
        case "\"": return "'"
        case "<", ">", "*", "?": return " "
        default: break
        }
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator, .spaceSeparator: return " "
        // Directional overrides and zero-width marks make two names look like one; the joiners
        // are needed by Persian, Indic scripts and emoji.
        case .format: return scalar.value == 0x200C || scalar.value == 0x200D ? String(scalar) : ""
        case .unassigned, .surrogate, .privateUse: return "_"
        default: return String(scalar)
        }
    }

    private static func trimmedEnd(_ text: String) -> String {
        var text = text
        while let last = text.last, last == " " || last == "." { text.removeLast() }
        return text
    }
}

extension String {
    fileprivate var trimmed: String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
