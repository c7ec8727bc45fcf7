import Catalogue
public import Logging
public import Primitives

/// Lists directories of the seedbox with everything below them.
///
/// What the server sends is hostile: names that lead elsewhere are dropped, links are followed
/// only to places inside the mounted directories, and depth and numbers are bounded. Each of
/// these costs a log line, never the scan.
public struct SeedboxScanner: Sendable {
    /// What one scan found.
    public struct Result: Sendable {
        /// Videos and subtitles.
        public var files: [RemoteFile] = []
        /// Directories whose content is unknown: what was known below them stays.
        public var unknown: [RemotePath] = []
        /// What a person should hear of, one sentence each.
        public var problems: [String] = []
        public var directories = 0
        /// The first reason for which something stayed unknown.
        public var firstError: SourceError?

        public init() {}
    }

    /// Deeper trees are made by loops or by malice.
    static let maximumDepth = 32
    /// More entries than any real directory has; bounds memory.
    static let maximumEntries = 1_000_000
    /// Links per directory for which the server is asked where they lead.
    static let explainedLinks = 20
    /// Listings asked for at once; how many of them go to the server is the source's business.
    static let parallelListings = 256

    private let source: any DirectorySource
    private let log: Logger

    public init(source: any DirectorySource, log: Logger) {
        self.source = source
        self.log = log
    }

    /// Lists `roots`, which do not lie inside each other.
    ///
    /// - Parameters:
    ///   - roots: Absolute paths of directories.
    ///   - progress: Told now and then how many files were found so far.
    /// - Returns: What was found; it is cut short when the task is cancelled.
    public func scan(
        _ roots: [RemotePath],
        progress: @Sendable (Int) -> Void = { _ in }
    ) async -> Result {
        var result = Result()
        var queue = roots.map { Directory(path: $0, depth: 0) }
        var canonical: Set<RemotePath> = Set(roots)
        await withTaskGroup(of: Listing.self) { group in
            var running = 0
            while true {
                while running < Self.parallelListings, let next = queue.popLast() {
                    running += 1
                    group.addTask { await list(next, roots: roots) }
                }
                guard running > 0, let listing = await group.next() else { break }
                running -= 1
                merge(listing, into: &result, queue: &queue, seen: &canonical)
                progress(result.files.count)
            }
        }
        return result
    }

    private struct Directory: Sendable {
        let path: RemotePath
        let depth: Int
    }

    private struct Listing: Sendable {
        let directory: Directory
        var files: [RemoteFile] = []
        var directories: [RemotePath] = []
        var links: [RemotePath] = []
        var problems: [String] = []
        /// Worth a log line, and nothing that a person must mend.
        var oddNames: String?
        var error: SourceError?
    }

    private func list(_ directory: Directory, roots: [RemotePath]) async -> Listing {
        var listing = Listing(directory: directory)
        let entries: [RemoteEntry]
        do throws(SourceError) {
            entries = try await source.entries(of: directory.path, limit: Self.maximumEntries)
        } catch {
            listing.error = error
            return listing
        }
        if entries.count == Self.maximumEntries {
            listing.problems.append(
                "'\(directory.path.printable)' has more than \(Self.maximumEntries) entries;"
                    + " the rest is left out"
            )
        }
        let odd = entries.filter { Self.isOdd($0.name) }
        if let first = odd.first {
            let name = RemotePath.printable(RemotePath.escaped(Array(first.name.prefix(80))))
            listing.oddNames =
                "\(odd.count) names in '\(directory.path.printable)' hold control characters or are"
                + " not UTF-8, as '\(name)' does; they are shown without"
        }
        for entry in entries {
            guard Self.isSafe(entry.name) else {
                let name = RemotePath.printable(RemotePath.escaped(Array(entry.name.prefix(80))))
                listing.problems.append(
                    "ignored the impossible name '\(name)' in '\(directory.path.printable)'"
                )
                continue
            }
            let path = directory.path.appending(entry.name)
            switch entry.kind {
            case .file: Self.add(entry, at: path, to: &listing)
            case .directory: listing.directories.append(path)
            case .symbolicLink: listing.links.append(path)
            case .other: break
            }
        }
        listing.problems += await problems(with: listing.links, roots: roots)
        return listing
    }

    private static func add(_ entry: RemoteEntry, at path: RemotePath, to listing: inout Listing) {
        guard FileKind(name: RemotePath.escaped(path.lastComponent)) != nil else { return }
        listing.files.append(
            RemoteFile(path: path, size: entry.size, modifiedSeconds: entry.modifiedSeconds)
        )
    }

    /// Links are not followed: what lies inside the mounted directories is listed there under its
    /// own name, and what lies outside was not asked for.
    ///
    /// - Returns: A sentence for each link that leads outside, so that its target can be added.
    private func problems(with links: [RemotePath], roots: [RemotePath]) async -> [String] {
        var problems: [String] = []
        var lost: [RemotePath] = []
        for link in links.prefix(Self.explainedLinks) {
            guard let (target, _) = try? await source.resolve(link) else {
                lost.append(link)
                continue
            }
            guard !roots.contains(where: { target.isInside($0) })
            else { continue }
            problems.append(
                "ignored the link '\(link.printable)': it leads to '\(target.printable)', outside the"
                    + " mounted directories; add that path to [SFTP] paths to see what is there"
            )
        }
        // Common where torrents were removed: worth a log line, not a person's time.
        if let first = lost.first {
            log.notice(
                "\(lost.count) links beside '\(first.printable)' lead nowhere, or round in a circle"
            )
        }
        return problems
    }

    private func merge(
        _ listing: Listing,
        into result: inout Result,
        queue: inout [Directory],
        seen: inout Set<RemotePath>
    ) {
        for problem in listing.problems { log.warning("\(problem)") }
        if let oddNames = listing.oddNames { log.warning("\(oddNames)") }
        result.problems += listing.problems
        if let error = listing.error {
            // Below a root, a directory that vanished between two listings is just gone.
            if error.code != .notFound || listing.directory.depth == 0 {
                log.warning("cannot list '\(listing.directory.path.printable)': \(error)")
                result.unknown.append(listing.directory.path)
                result.firstError = result.firstError ?? error
            }
            return
        }
        result.directories += 1
        result.files += listing.files
        let depth = listing.directory.depth + 1
        guard depth <= Self.maximumDepth else {
            if !listing.directories.isEmpty {
                let path = listing.directory.path.printable
                result.problems.append("'\(path)' lies too deep; what is below it is left out")
                log.warning("'\(path)' lies too deep; what is below it is left out")
            }
            return
        }
        for path in listing.directories where seen.insert(path).inserted {
            queue.append(Directory(path: path, depth: depth))
        }
    }

    /// Whether a name holds what no sensible name does.
    static func isOdd(_ name: [UInt8]) -> Bool {
        if name.contains(where: { $0 < 0x20 || $0 == 0x7F }) { return true }
        return name.contains { $0 >= 0x80 } && String(validating: name, as: UTF8.self) == nil
    }

    /// Whether a name leads to a child of its directory and nowhere else.
    static func isSafe(_ name: [UInt8]) -> Bool {
        !name.isEmpty && name != Array(".".utf8) && name != Array("..".utf8)
            && !name.contains(UInt8(ascii: "/")) && !name.contains(0)
            && name.count <= maximumNameBytes
    }

    /// Linux allows 255, other servers' file systems more; what is above this is no name.
    private static let maximumNameBytes = 1024
}
