import Operations

/// Shows and explanations as text.
enum ShowText {
    static func text(of show: AddedShow, verb: String) -> String {
        let year = show.year.map { " (\($0))" } ?? ""
        return "\(verb) '\(show.name)'\(year) {tmdb-\(show.tmdbID)}: \(show.seasons) seasons,"
            + " \(show.episodes) episodes" + (show.dryRun ? "" : ", \(show.files) files here")
    }

    static func text(of shows: [ShowLine]) -> String {
        guard shows.count != 1 else { return details(of: shows[0]) }
        return shows.map(line).joined(separator: "\n")
    }

    private static func line(_ show: ShowLine) -> String {
        let number = show.tmdbID.map { "tmdb:\($0)" } ?? "-"
        let padded = number + String(repeating: " ", count: max(1, 14 - number.count))
        var text = padded + Printable.line(show.name) + (show.year.map { " (\($0))" } ?? "")
        if show.files > 0 { text += ", \(show.files) files" }
        return text
    }

    private static func details(of show: ShowLine) -> String {
        var lines = [line(show)]
        if !show.status.isEmpty { lines.append("  status    \(Printable.line(show.status))") }
        if show.episodes > 0 { lines.append("  episodes  \(show.episodes)") }
        if !show.aliases.isEmpty {
            lines.append("  also      " + Printable.line(show.aliases.joined(separator: ", ")))
        }
        if !show.overview.isEmpty { lines.append("  " + Printable.line(show.overview)) }
        return lines.joined(separator: "\n")
    }

    static func text(of found: [FoundShow]) -> String {
        guard !found.isEmpty else { return "none" }
        return found.map { show in
            let percent = String(Int((show.score * 100).rounded()))
            let padded = String(repeating: " ", count: max(0, 4 - percent.count)) + percent
            let number = show.tmdbID.map { " {tmdb-\($0)}" } ?? ""
            let year = show.year.map { " (\($0))" } ?? ""
            return "\(padded) %  \(Printable.line(show.name))\(year)\(number)"
        }.joined(separator: "\n")
    }

    static func text(of explanations: Explanations) -> String {
        var texts = explanations.files.map { file in
            var lines = [Printable.line(file.remotePath)]
            lines.append("  stands at   \(file.place.map(Printable.line) ?? "no place")")
            let percent = Int((file.confidence * 100).rounded())
            lines.append("  because of  \(Printable.line(file.rule)) (\(percent) % sure)")
            lines.append("  decided by  \(file.by)")
            for candidate in file.candidates {
                lines.append("  considered  \(Printable.line(candidate))")
            }
            for found in file.evidence { lines.append("  read        \(Printable.line(found))") }
            return lines.joined(separator: "\n")
        }
        if explanations.more > 0 {
            texts.append("and \(explanations.more) more: say more of the path")
        }
        return texts.joined(separator: "\n")
    }
}
