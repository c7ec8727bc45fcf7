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

    public let files: Files
    public let dryRun: Bool

    public init(files: Files, dryRun: Bool = false) {
        self.files = files
        self.dryRun = dryRun
    }

    /// Reads `all`, `unrouted` or a path, with `--dry-run` before or behind it.
    ///
    /// - Parameter text: One line, as a person wrote it.
    /// - Throws: ``OperationError`` with code `.invalid`.
    public init(_ text: String) throws(OperationError) {
        let flag = "--dry-run"
        var rest = text.trimmed
        var dryRun = false
        if rest.hasPrefix(flag + " ") || rest == flag {
            dryRun = true
            rest = String(rest.dropFirst(flag.count)).trimmed
        } else if rest.hasSuffix(" " + flag) {
            dryRun = true
            rest = String(rest.dropLast(flag.count)).trimmed
        }
        guard !rest.hasPrefix("--") else {
            throw OperationError(
                .invalid,
                "'\(RemotePath.printable(rest))' is no option; there is \(flag)"
            )
        }
        switch rest {
        case "":
            throw OperationError(
                .invalid,
                "say what to route: all, unrouted, or a path on the seedbox"
            )
        case "all": self.init(files: .all, dryRun: dryRun)
        case "unrouted": self.init(files: .unrouted, dryRun: dryRun)
        default: self.init(files: .path(rest), dryRun: dryRun)
        }
    }
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
}

extension Operations {
    /// Decides anew where files belong, and moves those that belong elsewhere.
    ///
    /// - Parameter request: Which files, and whether only to say.
    /// - Returns: What moved.
    /// - Throws: ``OperationError``: `.notFound` when no file is meant, `.unavailable`.
    public func route(_ request: RouteRequest) async throws(OperationError) -> RouteReport {
        let isMeant = Self.filter(request.files)
        let result: (moves: [Library.Move], considered: Int)
        do throws(CatalogueError) {
            result = try await services.library.reroute(where: isMeant, dryRun: request.dryRun)
        } catch {
            throw OperationError(.unavailable, "cannot route", cause: error)
        }
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
            files: files
        )
    }

    private static func filter(
        _ files: RouteRequest.Files
    ) -> @Sendable (LibraryFile) -> Bool {
        switch files {
        case .all: return { _ in true }
        case .unrouted: return { $0.decision.placement == nil }
        case .path(let text):
            return { $0.file.path.text.contains(text) }
        }
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
