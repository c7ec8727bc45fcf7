import Foundation
import Operations

/// Changes of the library as text, a line each.
enum HistoryText {
    static func text(of lines: [HistoryLine]) -> String {
        lines.isEmpty ? "nothing yet" : lines.map(line).joined(separator: "\n")
    }

    static func line(_ line: HistoryLine) -> String {
        let extent = line.extent.isEmpty ? "" : " (\(line.extent))"
        let reason = line.reason.isEmpty ? "" : ": " + line.reason
        let text = "\(line.number)  \(line.time.ISO8601Format())  \(line.author)  \(line.operation)"
        return Printable.line(text + extent + reason)
    }
}
