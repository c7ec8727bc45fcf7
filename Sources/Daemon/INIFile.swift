import Foundation

/// A configuration file of sections and `key = value` lines, as the original program reads.
///
/// Names count in any case. `#` and `;` begin a comment at the start of a line or behind a space,
/// so that a password may hold them. A key that stands twice has its last value.
struct INIFile: Sendable {
    struct Entry: Sendable {
        let section: String
        let key: String
        let value: String
        /// Counted from 1.
        let line: Int
    }

    /// Why a file is no configuration.
    struct Problem: Error, CustomStringConvertible {
        let description: String
    }

    private(set) var entries: [Entry] = []

    /// Reads the text of a file.
    ///
    /// - Parameters:
    ///   - text: All of it.
    ///   - name: The file's name, for messages.
    /// - Throws: ``Problem`` with the line.
    init(_ text: String, name: String) throws(Problem) {
        var section = ""
        // Also "\r\n", which is one character.
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (number, raw) in lines.enumerated() {
            let line = Self.withoutComment(raw).trimmingCharacters(in: .whitespacesAndNewlines)
            if line.isEmpty { continue }
            let place = "\(name), line \(number + 1)"
            if line.hasPrefix("[") {
                guard line.hasSuffix("]"), line.count > 2 else {
                    throw Problem(description: "\(place): the section has no end; write [name]")
                }
                section = line.dropFirst().dropLast().trimmingCharacters(in: .whitespaces)
                    .lowercased()
                continue
            }
            guard let mark = line.firstIndex(where: { $0 == "=" || $0 == ":" }),
                mark != line.startIndex
            else {
                // The line may hold a secret.
                throw Problem(description: "\(place): this is no setting; write key = value")
            }
            guard !section.isEmpty else {
                throw Problem(description: "\(place): the setting stands before any [section]")
            }
            let key = line[..<mark].trimmingCharacters(in: .whitespaces).lowercased()
            let value = line[line.index(after: mark)...].trimmingCharacters(in: .whitespaces)
            entries.append(
                Entry(section: section, key: key, value: Self.unquoted(value), line: number + 1)
            )
        }
    }

    /// No settings at all.
    init() {}

    func value(_ section: String, _ key: String) -> String? {
        entries.last { $0.section == section && $0.key == key }?.value
    }

    private static func withoutComment(_ line: Substring) -> Substring {
        var before: Character = " "
        for index in line.indices {
            if line[index] == "#" || line[index] == ";", before.isWhitespace {
                return line[..<index]
            }
            before = line[index]
        }
        return line
    }

    private static func unquoted(_ value: String) -> String {
        guard value.count >= 2, let first = value.first, first == "\"" || first == "'",
            value.last == first
        else { return value }
        return String(value.dropFirst().dropLast())
    }
}
