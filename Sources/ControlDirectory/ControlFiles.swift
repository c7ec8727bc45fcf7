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
            ControlFile("explain", usage: explainUsage) { line throws(OperationError) in
                ShowText.text(of: try await operations.explain(line))
            },
            ControlFile("search-tmdb", usage: searchTMDBUsage) { line throws(OperationError) in
                ShowText.text(of: try await operations.searchTMDB(line))
            },
            ControlFile("search-show", usage: searchShowUsage) { line throws(OperationError) in
                ShowText.text(of: try await operations.searchShows(line))
            },
            ControlFile("update-episodes", usage: updateUsage) { line throws(OperationError) in
                try await operations.updateEpisodes(line).joined(separator: "\n")
            },
            ControlFile("fix-show", usage: fixShowUsage) { line throws(OperationError) in
                ShowText.text(of: try await operations.fixShow(line), verb: "is now")
            },
            ControlFile("suggest-name", usage: suggestUsage) { line throws(OperationError) in
                try await operations.suggestName(line)
            },
            ControlFile("search", usage: searchUsage) { line throws(OperationError) in
                ShowText.text(of: try await operations.search(line))
            },
            ControlFile("similar", usage: similarUsage) { line throws(OperationError) in
                ShowText.text(of: try await operations.similar(to: line))
            },
            ControlFile("history", usage: historyUsage) { line throws(OperationError) in
                let count = line == "all" ? "10000" : line
                return HistoryText.text(of: try await operations.history(count))
            },
            ControlFile("undo", usage: undoUsage) { line throws(OperationError) in
                "took back " + HistoryText.line(try await operations.undo(line))
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
          echo '--use-llm Frieren' > add-show       lets the language model choose among several
          echo '--override-dir Frieren' > add-show  calls the folder just so

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
          echo '--auto-add all' > route       first adds shows that only files know, from TMDB
          echo '--use-llm unrouted' > route   asks a language model about unclear names; with
                                              '--llm-confidence 0.8' only a surer answer counts
          echo 'Some.Release.S01E05 --as Show S02E05' > route
                                              puts a file where you say; it stays there, and
                                              others of the same release follow

        """

    private static let explainUsage = """
        Tells why a file stands where it stands: the rule, how sure it is, what else was considered,
        and what of the name said what.

          echo 'Some.Release.S01E05' > explain     a part of its path on the seedbox

        """

    private static let searchTMDBUsage = """
        Looks for shows on TMDB.

          echo 'Frieren' > search-tmdb             by any of its titles
          echo 'The Office (2005)' > search-tmdb   by title and year
          echo 'tmdb:209867' > search-tmdb         by number, with all there is to know

        """

    private static let searchShowUsage = """
        Looks for shows in the library.

          echo 'Frieren' > search-show        by a part of any of its titles
          echo all > search-show              all of them

        """

    private static let updateUsage = """
        Asks TMDB again about shows. New episodes come, those that it dropped go, and files find
        their places.

          echo 'Frieren' > update-episodes        one show, by name or as tmdb:209867
          echo new > update-episodes              shows that have no episodes yet
          echo all > update-episodes              every show

        """

    private static let fixShowUsage = """
        Turns a show of the library into the one that it should have been; its files stay with it.

          echo 'The Office tmdb:2996' > fix-show      the show's name, and the right one's number

        """

    private static let suggestUsage = """
        Asks the language model for a shorter name of a folder or file.

          echo '20 The Long Tale of the Quiet Harbour' > suggest-name    the most bytes, the name

        """

    private static let searchUsage = """
        Finds shows of the library by what you remember of a title: misspelt, a part of it, in
        another language.

          echo 'brekin bad' > search

        """

    private static let similarUsage = """
        Finds shows of the library that are like one of them.

          echo 'Dark' > similar      a show's name, or tmdb:70523

        """

    private static let historyUsage = """
        Tells what was done to the library, by whom and why, the latest first.

          echo 20 > history          the last twenty changes
          echo all > history         all that is remembered

        """

    private static let undoUsage = """
        Takes a change back. The undo is a change, too, and can be taken back.

          echo 17 > undo             the change's number, see history

        The write fails with EBUSY when later changes touched the same, and names them.

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
        var words = line.split(separator: " ")
        var flags: Set<Substring> = []
        let known: Set<Substring> = ["--dry-run", "--use-llm", "--override-dir"]
        while let flag = words.first, known.contains(flag) { flags.insert(words.removeFirst()) }
        while let flag = words.last, known.contains(flag) { flags.insert(words.removeLast()) }
        let name = flags.isEmpty ? line : words.joined(separator: " ")
        var request = try AddShowRequest(name, dryRun: flags.contains("--dry-run"))
        request.useLLM = flags.contains("--use-llm")
        request.overridesFolder = flags.contains("--override-dir")
        let show = try await operations.addShow(request)
        return ShowText.text(of: show, verb: show.dryRun ? "would add" : "added")
    }

    private static func text(of report: RouteReport) -> String {
        var lines = report.notes.map(Printable.line)
        lines += report.files.isEmpty ? report.moved.map(line) : report.files.map(line)
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
