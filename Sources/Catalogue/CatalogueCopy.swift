import Foundation
public import Primitives

/// Everything that a store keeps, to be put into another.
public struct CatalogueCopy: Sendable {
    public var contents: CatalogueContents
    /// The latest first.
    public var journal: [JournalEntry]
    public var stamps: [UInt64: DirectoryStamp]
    /// The oldest first.
    public var answers: [KeptAnswer]

    public init(
        contents: CatalogueContents = CatalogueContents(),
        journal: [JournalEntry] = [],
        stamps: [UInt64: DirectoryStamp] = [:],
        answers: [KeptAnswer] = []
    ) {
        self.contents = contents
        self.journal = journal
        self.stamps = stamps
        self.answers = answers
    }

    /// One kind of row: how many there are, and a fingerprint of them all.
    public struct Tally: Hashable, Sendable {
        public let name: String
        public let rows: Int
        public let fingerprint: UInt64
    }

    /// Equal for copies that hold the same, row by row.
    public var tallies: [Tally] {
        [
            tally("shows", contents.shows), tally("episodes", contents.episodes),
            tally("files", contents.files), tally("journal", journal),
            tally(
                "directory times",
                stamps.sorted { $0.key < $1.key }.map {
                    [$0.key, $0.value.listing, UInt64(bitPattern: $0.value.modifiedSeconds)]
                }
            ),
            tally("kept answers", answers),
        ]
    }

    private func tally(_ name: String, _ rows: [some Encodable]) -> Tally {
        var fingerprint = Fingerprint()
        for row in rows {
            // What cannot be written has no fingerprint of its own, and differs by its count.
            if let bytes = try? StoredJSON.bytes(row) { fingerprint.add(bytes) }
        }
        return Tally(name: name, rows: rows.count, fingerprint: fingerprint.value)
    }
}

extension CatalogueStore {
    /// Reads everything, as of one moment.
    ///
    /// - Throws: ``CatalogueError``.
    public func copy() async throws(CatalogueError) -> CatalogueCopy {
        for _ in 0..<CatalogueLimits.tries {
            let copy = CatalogueCopy(
                contents: try await contents(),
                journal: try await journal(before: nil, count: .max),
                stamps: try await directoryStamps(),
                answers: try await keptAnswers()
            )
            if try await revision() == copy.contents.revision { return copy }
        }
        throw CatalogueError(.unavailable, "others change the catalogue all the time; try again")
    }
}

extension CatalogueCopy {
    /// One line of a file.
    private enum Line: Codable {
        case format(String, version: Int)
        case numbers(revision: Int64, nextShowID: Int64, nextFileID: Int64)
        case show(Show)
        case episode(Episode)
        case file(LibraryFile)
        case entry(JournalEntry)
        case stamp(node: UInt64, listing: UInt64, modifiedSeconds: Int64)
        case answer(KeptAnswer)
        /// The last: how many lines stand before it, and their fingerprint.
        case end(lines: Int, fingerprint: UInt64)
    }

    private static let format = "sync2nas catalogue"
    private static let version = 1

    /// How such a file begins.
    public static let beginning = #"{"format":{"_0":"sync2nas catalogue""#

    /// Writes everything to a file, a JSON object a line; it is there whole or not at all.
    ///
    /// - Throws: ``CatalogueError`` with code `.full` or `.unavailable`.
    public func write(to path: String) throws(CatalogueError) {
        var lines: [Line] = [
            .format(Self.format, version: Self.version),
            .numbers(
                revision: contents.revision,
                nextShowID: contents.nextShowID,
                nextFileID: contents.nextFileID
            ),
        ]
        lines += contents.shows.map(Line.show) + contents.episodes.map(Line.episode)
        lines += contents.files.map(Line.file) + journal.map(Line.entry)
        lines += stamps.sorted { $0.key < $1.key }.map { node, stamp in
            .stamp(node: node, listing: stamp.listing, modifiedSeconds: stamp.modifiedSeconds)
        }
        lines += answers.map(Line.answer)
        var bytes = Data()
        var fingerprint = Fingerprint()
        for line in lines {
            let text = try StoredJSON.bytes(line)
            fingerprint.add(text)
            bytes += text + [10]
        }
        let end = Line.end(lines: lines.count, fingerprint: fingerprint.value)
        bytes += try StoredJSON.bytes(end) + [10]
        do {
            try bytes.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CatalogueError(.unavailable, "cannot write '\(path)'", cause: error)
        }
    }

    /// Reads such a file.
    ///
    /// - Throws: ``CatalogueError``: `.unavailable` when it cannot be read, `.unusable` when it is
    ///   none, of a newer version, cut off or damaged.
    public init(contentsOf path: String) throws(CatalogueError) {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw CatalogueError(.unavailable, "cannot read '\(path)'", cause: error)
        }
        let damaged = "'\(path)' is no copy of a catalogue, or is damaged"
        self.init()
        var numbers: (Int64, Int64, Int64) = (0, 1, 1)
        var (fingerprint, count, isWhole) = (Fingerprint(), 0, false)
        let decoder = JSONDecoder()
        for text in bytes.split(separator: 10) {
            let line: Line
            do {
                line = try decoder.decode(Line.self, from: text)
            } catch {
                throw CatalogueError(.unusable, "\(damaged): line \(count + 1)", cause: error)
            }
            switch line {
            case .format(Self.format, let version) where version <= Self.version: break
            case .format(_, let version):
                throw CatalogueError(.unusable, "\(damaged): it has version \(version)")
            case .numbers(let revision, let show, let file): numbers = (revision, show, file)
            case .show(let show): contents.shows.append(show)
            case .episode(let episode): contents.episodes.append(episode)
            case .file(let file): contents.files.append(file)
            case .entry(let entry): journal.append(entry)
            case .stamp(let node, let listing, let seconds):
                stamps[node] = DirectoryStamp(listing: listing, modifiedSeconds: seconds)
            case .answer(let answer): answers.append(answer)
            case .end(let lines, let known):
                isWhole = lines == count && known == fingerprint.value
            }
            fingerprint.add(text)
            count += 1
        }
        guard isWhole else { throw CatalogueError(.unusable, "\(damaged): its end is missing") }
        contents = CatalogueContents(
            shows: contents.shows,
            episodes: contents.episodes,
            files: contents.files,
            revision: numbers.0,
            nextShowID: numbers.1,
            nextFileID: numbers.2
        )
    }
}
