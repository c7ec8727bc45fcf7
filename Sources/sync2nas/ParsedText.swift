import Glibc
import Naming

/// A parsed name for people: the name itself with its parts in colours, then what they say.
struct ParsedText {
    /// Whether standard output shows colours.
    static var isColoured: Bool { isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil }

    let isColoured: Bool

    func text(of parsed: ParsedName, name: String) -> String {
        var lines = [isColoured ? coloured(name, parsed.evidence) : name]
        func add(_ label: String, _ value: String?, _ fact: Evidence.Fact? = nil) {
            guard let value, !value.isEmpty else { return }
            let padded = label + String(repeating: " ", count: max(1, 12 - label.count))
            let shown = isColoured ? fact.map { paint(value, $0) } ?? value : value
            lines.append("  " + padded + shown)
        }
        func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ", ") }
        add("title", parsed.title, .title)
        add("also", parsed.alternativeTitles.joined(separator: " / "))
        add("year", parsed.year.map(String.init), .year)
        add("season", parsed.season.map(String.init), .season)
        add("seasons", list(parsed.seasons), .season)
        add("episodes", list(parsed.episodes), .episodes)
        add("absolute", list(parsed.absolute), .absolute)
        add("between", parsed.decimal.map { "\($0)" }.joined(separator: ", "), .absolute)
        add("date", parsed.airDate?.description, .airDate)
        add("full season", parsed.isFullSeason ? "yes" : nil)
        add("special", parsed.isSpecial ? "yes" : nil, .special)
        add("name", parsed.episodeTitle)
        add("version", parsed.version > 1 ? "\(parsed.version)" : nil, .version)
        add("group", parsed.group, .group)
        add("resolution", parsed.resolution, .resolution)
        add("source", parsed.source, .source)
        add("checksum", parsed.crc32, .crc32)
        add("left out", parsed.exclusion?.rawValue)
        add("confidence", "\((parsed.confidence * 100).rounded() / 100)")
        return lines.joined(separator: "\n")
    }

    private func coloured(_ name: String, _ evidence: [Evidence]) -> String {
        let bytes = Array(name.utf8)
        var text = ""
        var place = 0
        for found in evidence.sorted(by: { $0.bytes.lowerBound < $1.bytes.lowerBound }) {
            // Evidence of folders lies in other texts.
            guard found.bytes.lowerBound >= place, found.bytes.upperBound <= bytes.count else {
                continue
            }
            text += String(decoding: bytes[place..<found.bytes.lowerBound], as: UTF8.self)
            text += paint(String(decoding: bytes[found.bytes], as: UTF8.self), found.fact)
            place = found.bytes.upperBound
        }
        return text + String(decoding: bytes[place...], as: UTF8.self)
    }

    /// The colours of ECMA-48 that terminals have had for longest.
    private func paint(_ text: String, _ fact: Evidence.Fact) -> String {
        let colour =
            switch fact {
            case .title: 32
            case .season, .episodes, .absolute, .airDate: 36
            case .year, .special, .version: 33
            case .group: 35
            case .resolution, .source, .codec, .crc32: 34
            case .folder: 90
            }
        return "\u{1B}[\(colour)m\(text)\u{1B}[0m"
    }
}
