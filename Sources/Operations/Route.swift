public import Catalogue
import Ingest
import Primitives

/// A request to decide anew where files belong.
public struct RouteRequest: Hashable, Sendable {
    public enum Files: Hashable, Sendable {
        case all
        /// Those that have no place yet.
        case unrouted
        /// Those that have this text in their path on the seedbox.
        case path(String)
    }

    public var files: Files
    public var dryRun: Bool
    /// Whether shows that files name but the library does not have are added from TMDB first.
    public var autoAdd = false
    /// Whether a language model is asked about names that the parser does not understand.
    public var useLLM = false
    /// How sure it must be; 0 to 1, nil for what is configured.
    public var llmConfidence: Double?
    /// Where the files belong, as a person says: "Show S02E05".
    public var place: String?

    public init(files: Files, dryRun: Bool = false) {
        self.files = files
        self.dryRun = dryRun
    }

    /// Reads `all`, `unrouted` or a path, with options before or behind it; `--as` takes the rest
    /// of the line.
    ///
    /// - Parameter text: One line, as a person wrote it.
    /// - Throws: ``OperationError`` with code `.invalid`.
    public init(_ text: String) throws(OperationError) {
        var rest = text.trimmed
        self.init(files: .unrouted)
        if let mark = rest.firstRange(of: "--as ") {
            place = String(rest[mark.upperBound...]).trimmed
            rest = String(rest[..<mark.lowerBound]).trimmed
        }
        var words = rest.split(separator: " ", omittingEmptySubsequences: false)
        while let option = words.first, option.hasPrefix("--") {
            words.removeFirst()
            try take(option, value: option == "--llm-confidence" ? words.popFirst() : nil)
        }
        while let option = words.last, option.hasPrefix("--") {
            words.removeLast()
            try take(option, value: nil)
        }
        if words.count > 2, words[words.count - 2] == "--llm-confidence" {
            let value = words.removeLast()
            try take(words.removeLast(), value: value)
        }
        rest = words.joined(separator: " ").trimmed
        switch rest {
        case "" where autoAdd || useLLM: files = .unrouted
        case "":
            throw OperationError(
                .invalid,
                "say what to route: all, unrouted, or a path on the seedbox"
            )
        case "all": files = .all
        case "unrouted": files = .unrouted
        default: files = .path(rest)
        }
        guard place == nil || rest != "all" && rest != "unrouted" else {
            throw OperationError(.invalid, "--as places what one path names, not '\(rest)'")
        }
    }

    private mutating func take(
        _ option: Substring,
        value: Substring?
    ) throws(OperationError) {
        switch option {
        case "--dry-run": dryRun = true
        case "--auto-add": autoAdd = true
        case "--use-llm": useLLM = true
        case "--llm-confidence":
            guard let number = value.flatMap({ Double($0) }), (0...1).contains(number) else {
                throw OperationError(.invalid, "--llm-confidence wants a number from 0 to 1")
            }
            llmConfidence = number
        default:
            throw OperationError(
                .invalid,
                "'\(RemotePath.printable(String(option)))' is no option; there are --dry-run,"
                    + " --auto-add, --use-llm, --llm-confidence and --as"
            )
        }
    }
}

extension Array {
    fileprivate mutating func popFirst() -> Element? { isEmpty ? nil : removeFirst() }
}

/// Where files were put, or would be.
public struct RouteReport: Sendable, Codable {
    public struct Line: Sendable, Codable {
        public let remotePath: String
        /// "Show S01E05", or nil when the file has no place.
        public let place: String?
        public let rule: String
        public let confidence: Double
        public let candidates: [String]
    }

    public let dryRun: Bool
    public let considered: Int
    public let moved: [Line]
    /// With a path: every file that was meant, moved or not.
    public let files: [Line]
    /// What was done beside moving: shows added, a model asked.
    public var notes: [String] = []
}

extension Operations {
    /// Decides anew where files belong, and moves those that belong elsewhere.
    ///
    /// - Parameter request: Which files, and whether only to say.
    /// - Returns: What moved.
    /// - Throws: ``OperationError``: `.notFound` when no file is meant, `.unavailable`.
    public func route(_ request: RouteRequest) async throws(OperationError) -> RouteReport {
        let isMeant = Self.filter(request.files)
        if let place = request.place { return try await self.place(request, at: place) }
        var notes: [String] = []
        if request.autoAdd { notes += try await addNamedShows(request) }
        let read = request.useLLM ? try await readByModel(request, where: isMeant) : .init()
        notes += read.notes
        let result: (moves: [Library.Move], considered: Int)
        do throws(CatalogueError) {
            result = try await services.library.reroute(
                where: isMeant,
                reading: read.names,
                dryRun: request.dryRun,
                Origin(
                    read.names.isEmpty ? .person : .languageModel,
                    "route-files",
                    reason: read.notes.joined(separator: "; ")
                )
            )
        } catch {
            throw OperationError(.unavailable, "cannot route", cause: error)
        }
        return try await report(request, result, notes: notes, isMeant)
    }

    /// Tells a person what moved.
    func report(
        _ request: RouteRequest,
        _ result: (moves: [Library.Move], considered: Int),
        notes: [String],
        _ isMeant: @Sendable (LibraryFile) -> Bool
    ) async throws(OperationError) -> RouteReport {
        if case .path(let path) = request.files, result.considered == 0 {
            throw OperationError(
                .notFound,
                "no video or subtitle on the seedbox has '\(RemotePath.printable(path))' in its path"
            )
        }
        let contents = await services.library.contents
        let names = Dictionary(
            contents.shows.map { ($0.id, $0.name) },
            uniquingKeysWith: { first, _ in first }
        )
        let moved = result.moves.map { move in
            RouteReport.Line(
                move.file,
                move.new,
                show: move.newShow ?? move.new.placement.flatMap { names[$0.showID] }
            )
        }
        var files: [RouteReport.Line] = []
        if case .path = request.files {
            let moving = Dictionary(
                zip(result.moves.map(\.file.id), moved),
                uniquingKeysWith: { first, _ in first }
            )
            files = contents.files.filter(isMeant).map { file in
                moving[file.id]
                    ?? RouteReport.Line(
                        file,
                        file.decision,
                        show: file.decision.placement.flatMap { names[$0.showID] }
                    )
            }
        }
        return RouteReport(
            dryRun: request.dryRun,
            considered: result.considered,
            moved: moved,
            files: files,
            notes: notes
        )
    }

    static func filter(
        _ files: RouteRequest.Files
    ) -> @Sendable (LibraryFile) -> Bool {
        switch files {
        case .all: return { _ in true }
        case .unrouted: return { $0.decision.placement == nil }
        case .path(let text): return Self.named(text)
        }
    }

    /// Files that have a text in their path on the seedbox, or the one with a number: `file:N`.
    static func named(_ text: String) -> @Sendable (LibraryFile) -> Bool {
        if text.hasPrefix("file:"), let number = Int64(text.dropFirst(5)) {
            return { $0.id == number }
        }
        return { $0.file.path.text.contains(text) }
    }
}

extension RouteReport.Line {
    init(_ file: LibraryFile, _ decision: Decision, show: String?) {
        remotePath = file.file.path.text
        place = decision.placement.map { "\(show ?? "?") \($0.label)" }
        rule = decision.rule
        confidence = decision.confidence
        candidates = decision.candidates
    }
}

extension Placement {
    /// "S01E05-E06", or the date.
    public var label: String {
        guard let first = episodes.first, let last = episodes.last else { return airDate ?? "" }
        func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "S\(padded(season))E\(padded(first))" + (first == last ? "" : "-E\(padded(last))")
    }
}

extension String {
    fileprivate var trimmed: String {
        String(
            drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()
        )
    }
}
