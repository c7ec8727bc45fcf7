import Foundation
import Operations

/// The files that there are, each translating text to an operation and back.
extension ControlFile {
    static func all(_ operations: Operations) -> [ControlFile] {
        [
            ControlFile("add-show", usage: addShowUsage) { line throws(OperationError) in
                try await addShow(line, operations)
            },
            ControlFile("route", usage: routeUsage) { line throws(OperationError) in
                text(of: try await operations.route(RouteRequest(line)))
            },
            ControlFile("scan", usage: scanUsage) { line throws(OperationError) in
                let job = try operations.startScan()
                return "started; watch control/jobs/\(job.number)"
            },
            ControlFile("check-cache", usage: checkCacheUsage) { line throws(OperationError) in
                guard line == "all" else {
                    throw OperationError(.invalid, "say 'all'; '\(line)' is nothing to check")
                }
                let job = try operations.startCacheCheck()
                return "started; watch control/jobs/\(job.number)"
            },
            ControlFile("status") { StatusText.text(of: operations.status()) },
            ControlFile("status.json") { json(operations.status()) },
            ControlFile("transfers") { TransferText.text(of: operations.transfers()) },
            ControlFile("transfers.json") { json(operations.transfers()) },
        ]
    }

    private static let addShowUsage = """
        Adds a show with its seasons, episodes and other titles, and moves its files to it.

          echo 'Frieren' > add-show                 by name
          echo 'The Office (2005)' > add-show       by name and year of the first episode
          echo 'tmdb:209867' > add-show             by TMDB's number
          echo '--dry-run Frieren' > add-show       only says what would be added

        The write fails with EINVAL when the name may mean several shows, ENOENT when TMDB knows
        none, EEXIST when the library has it, EIO when TMDB cannot be asked. The reason and the
        candidates then stand below.

        """

    private static let routeUsage = """
        Decides anew where files belong.

          echo all > route                    every file
          echo unrouted > route               those without a place, see views/unrouted
          echo 'Some.Release.S01' > route     those with this in their path on the seedbox
          echo 'all --dry-run' > route        only says what would move

        """

    private static let scanUsage = """
        Lists the seedbox and shows what is new, changed or gone.

          echo now > scan        starts; progress and result stand in jobs/N

        The write fails with EBUSY while a scan is running. Scans also run by themselves.

        """

    private static let checkCacheUsage = """
        Reads every cached block and compares it with its checksum. A damaged one is dropped, and
        fetched again when somebody reads it.

          echo all > check-cache     starts; progress and result stand in jobs/N

        """

    private static func addShow(
        _ line: String,
        _ operations: Operations
    ) async throws(OperationError) -> String {
        let flag = "--dry-run"
        let words = line.split(separator: " ")
        let isDry = words.first == flag[...] || words.last == flag[...]
        let name = isDry ? words.filter { $0 != flag[...] }.joined(separator: " ") : line
        let show = try await operations.addShow(AddShowRequest(name, dryRun: isDry))
        let year = show.year.map { " (\($0))" } ?? ""
        return (show.dryRun ? "would add" : "added")
            + " '\(show.name)'\(year) {tmdb-\(show.tmdbID)}: \(show.seasons) seasons,"
            + " \(show.episodes) episodes" + (show.dryRun ? "" : ", \(show.files) files here")
    }

    private static func text(of report: RouteReport) -> String {
        var lines = report.files.isEmpty ? report.moved.map(line) : report.files.map(line)
        let verb = report.dryRun ? "would move" : "moved"
        lines.append("\(report.considered) files looked at, \(report.moved.count) \(verb)")
        return lines.joined(separator: "\n")
    }

    private static func line(_ line: RouteReport.Line) -> String {
        let confidence = String(format: "%.2f", line.confidence)
        let candidates =
            line.candidates.isEmpty
            ? "" : "; considered: " + line.candidates.joined(separator: ", ")
        return "\(Printable.line(line.remotePath))\n"
            + "  -> \(line.place ?? "unrouted") (\(line.rule), confidence \(confidence)\(candidates))"
    }

    private static func json(_ report: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.dateEncodingStrategy = .iso8601
        guard let bytes = try? encoder.encode(report) else { return "{}\n" }
        return String(decoding: bytes, as: UTF8.self) + "\n"
    }
}
