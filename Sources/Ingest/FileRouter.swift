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
        let names = namesInOrder(files)
        let examples = examples()
        let routed = Array(zip(files, names)).concurrentMap { file, name -> Routed? in
            guard let kind = FileKind(name: RemotePath.escaped(file.path.lastComponent)) else {
                return nil
            }
            let name = others[file.path] ?? name
            let outcome = router.route(name)
            let key = outcome.newShow.map { normalisedTitle($0.systemName) }
            return Routed(file: file, kind: kind, name: name, outcome: outcome, newShowKey: key)
        }
        // Files that spell a new show differently start one show, not several.
        var drafts: [String: ShowDraft] = [:]
        return routed.compactMap { routed in
            guard let routed else { return nil }
            let (file, name) = (routed.file, routed.name)
            var outcome = routed.outcome
            if let place = examples.place(name), place != outcome.decision.placement {
                outcome.newShow = nil
                outcome.decision.placement = place
                outcome.decision.rule = "as a person placed others of its series"
                outcome.decision.candidates = []
            }
            if others[file.path] != nil, outcome.decision.placement != nil {
                outcome.decision.by = .languageModel
                outcome.decision.rule = "language model: " + outcome.decision.rule
            }
            if let draft = outcome.newShow, let key = routed.newShowKey {
                outcome.newShow = drafts[key] ?? draft
                drafts[key] = outcome.newShow
            }
            return FileChange.Record(
                file: file,
                kind: routed.kind,
                decision: outcome.decision,
                newShow: outcome.newShow
            )
        }
    }

    private struct Routed {
        let file: RemoteFile
        let kind: FileKind
        let name: ParsedName
        let outcome: Router.Outcome
        /// The same for all spellings of the show that it starts.
        let newShowKey: String?
    }

    private func examples() -> Examples {
        let placed = contents.files.filter {
            $0.decision.by == .person && $0.decision.placement != nil && $0.kind == .video
        }
        return Examples(
            zip(placed, namesInOrder(placed.map(\.file))).compactMap { file, name in
                file.decision.placement.map { (name, $0) }
            }
        )
    }

    /// What the parser reads in the names of `files`.
    func parsed(_ files: [RemoteFile]) -> [RemotePath: ParsedName] {
        Dictionary(zip(files.map(\.path), namesInOrder(files))) { _, last in last }
    }

    /// Each directory's files are read as a set, since neighbours explain each other.
    ///
    /// - Returns: One name for each file, in the files' order.
    private func namesInOrder(_ files: [RemoteFile]) -> [ParsedName] {
        let directories = Array(
            Dictionary(grouping: files.indices, by: { files[$0].path.parent }).values
        )
        let read = directories.concurrentMap { neighbours in
            let paths = neighbours.map { relativeText(files[$0].path) }
            return zip(neighbours, zip(paths, parser.parse(siblings: paths))).map { index, read in
                (index, Self.whole(read.1, read.0, files[index].path))
            }
        }
        var names = [ParsedName?](repeating: nil, count: files.count)
        for (index, name) in read.joined() { names[index] = name }
        return names.compactMap { $0 }
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
