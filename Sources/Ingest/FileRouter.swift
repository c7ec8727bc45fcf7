import Catalogue
import Naming
import Primitives
import Routing

/// Reads files' names and decides where they belong, in one state of the catalogue.
struct FileRouter {
    let contents: CatalogueContents
    let roots: [RemotePath]
    private let parser = NameParser()

    init(_ contents: CatalogueContents, roots: [RemotePath]) {
        self.contents = contents
        self.roots = roots
    }

    /// One record for each file, in the files' order.
    func records(
        for files: [RemoteFile],
        reading others: [RemotePath: ParsedName] = [:]
    ) -> [FileChange.Record] {
        let router = Router(shows: contents.shows, episodes: contents.episodes)
        let examples = examples()
        let routed = reading(files) { file, name -> Routed? in
            guard let kind = FileKind(name: RemotePath.escaped(file.path.lastComponent)) else {
                return nil
            }
            let model = others[file.path]
            let name = model ?? name
            var outcome = router.route(name)
            if let place = examples.place(name), place != outcome.decision.placement {
                outcome.newShow = nil
                outcome.decision.placement = place
                outcome.decision.rule = "as a person placed others of its series"
                outcome.decision.candidates = []
            }
            if model != nil, outcome.decision.placement != nil {
                outcome.decision.by = .languageModel
                outcome.decision.rule = "language model: " + outcome.decision.rule
            }
            return Routed(
                kind: kind,
                outcome: outcome,
                newShowKey: outcome.newShow.map { normalisedTitle($0.systemName) }
            )
        }
        // Files that spell a new show differently start one show, not several.
        var drafts: [String: ShowDraft] = [:]
        return zip(files, routed).compactMap { file, routed in
            guard let routed else { return nil }
            var newShow = routed.outcome.newShow
            if let draft = newShow, let key = routed.newShowKey {
                newShow = drafts[key] ?? draft
                drafts[key] = newShow
            }
            return FileChange.Record(
                file: file,
                kind: routed.kind,
                decision: routed.outcome.decision,
                newShow: newShow
            )
        }
    }

    private struct Routed {
        let kind: FileKind
        let outcome: Router.Outcome
        /// The same for all spellings of the show that it starts.
        let newShowKey: String?
    }

    private func examples() -> Examples {
        let placed = contents.files.filter {
            $0.decision.by == .person && $0.decision.placement != nil && $0.kind == .video
        }
        let names = reading(placed.map(\.file)) { $1 }
        return Examples(
            zip(placed, names).compactMap { file, name in
                file.decision.placement.map { (name, $0) }
            }
        )
    }

    /// What the parser reads in the names of `files`.
    func parsed(_ files: [RemoteFile]) -> [RemotePath: ParsedName] {
        Dictionary(reading(files) { ($0.path, $1) }) { _, last in last }
    }

    /// Each directory's files are read as a set, since neighbours explain each other.
    ///
    /// - Parameters:
    ///   - files: Whose names are read.
    ///   - use: Given each file with what its name says, on any thread.
    /// - Returns: What `use` made of each, in the files' order.
    private func reading<Value: Sendable>(
        _ files: [RemoteFile],
        _ use: @Sendable (RemoteFile, ParsedName) -> Value
    ) -> [Value] {
        let directories = Array(
            Dictionary(grouping: files.indices, by: { files[$0].path.parent }).values
        )
        let read = directories.concurrentMap { neighbours in
            let paths = neighbours.map { relativeText(files[$0].path) }
            let names = parser.parse(siblings: paths)
            return zip(neighbours, zip(paths, names)).map { index, read in
                let file = files[index]
                return (index, use(file, Self.whole(read.1, read.0, file.path)))
            }
        }
        guard let any = read.first?.first?.1 else { return [] }
        var values = [Value](repeating: any, count: files.count)
        for neighbours in read {
            for (index, value) in neighbours { values[index] = value }
        }
        return values
    }

    /// What was read below the root, with its places in the whole path.
    private static func whole(_ name: ParsedName, _ text: String, _ path: RemotePath) -> ParsedName
    {
        let offset = path.text.utf8.count - text.utf8.count
        var name = name
        name.evidence = name.evidence.map { found in
            Evidence(
                fact: found.fact,
                bytes: found.bytes.lowerBound + offset..<found.bytes.upperBound + offset
            )
        }
        return name
    }

    private func relativeText(_ path: RemotePath) -> String {
        guard let root = roots.first(where: { path.isInside($0) }) else { return path.text }
        return RemotePath.escaped(Array(path.bytes.dropFirst(root.bytes.count)))
            .drop { $0 == "/" }.description
    }
}
