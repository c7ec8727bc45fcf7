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
        let names = parsed(files).merging(others) { _, other in other }
        let examples = examples()
        let routed = files.concurrentMap { file -> Routed? in
            guard let kind = FileKind(name: RemotePath.escaped(file.path.lastComponent)),
                let name = names[file.path]
            else { return nil }
            return Routed(file: file, kind: kind, name: name, outcome: router.route(name))
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
            let draft = outcome.newShow.map { draft in
                let key = normalisedTitle(draft.systemName)
                let first = drafts[key] ?? draft
                drafts[key] = first
                return first
            }
            return FileChange.Record(
                file: file,
                kind: routed.kind,
                decision: outcome.decision,
                newShow: draft
            )
        }
    }

    private struct Routed {
        let file: RemoteFile
        let kind: FileKind
        let name: ParsedName
        let outcome: Router.Outcome
    }

    private func examples() -> Examples {
        let placed = contents.files.filter {
            $0.decision.by == .person && $0.decision.placement != nil && $0.kind == .video
        }
        let names = parsed(placed.map(\.file))
        return Examples(
            placed.compactMap { file in
                guard let name = names[file.file.path], let place = file.decision.placement else {
                    return nil
                }
                return (name, place)
            }
        )
    }

    /// Each directory's files are read as a set, since neighbours explain each other.
    func parsed(_ files: [RemoteFile]) -> [RemotePath: ParsedName] {
        let directories = Array(Dictionary(grouping: files, by: { $0.path.parent }).values)
        let read = directories.concurrentMap { neighbours in
            let paths = neighbours.map { relativeText($0.path) }
            return parser.parse(siblings: paths).enumerated().map { index, name in
                let path = neighbours[index].path
                return (path, Self.whole(name, paths[index], path))
            }
        }
        return Dictionary(read.joined()) { _, last in last }
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
