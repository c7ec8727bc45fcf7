/// A store that everything of another moves into part by part, each part a transaction.
public protocol MoveTarget: CatalogueStore {
    /// Rows that are put in one transaction.
    var movedRows: Int { get }

    /// Begins a move, unless it was begun before: then nothing is changed.
    ///
    /// - Parameter mark: Tells what is moved from all else.
    /// - Returns: How many parts are there already.
    /// - Throws: ``CatalogueError``.
    func beginMove(_ mark: String) async throws(CatalogueError) -> Int

    /// Puts a part, and notes that it is there.
    ///
    /// - Parameters:
    ///   - part: Its rows.
    ///   - whole: All that is moved.
    ///   - step: Which part of which move.
    /// - Throws: ``CatalogueError``, ``CatalogueError/otherMove`` when the part before is not there;
    ///   nothing is changed then.
    func put(
        _ part: CatalogueCopy,
        of whole: CatalogueCopy,
        _ step: MoveStep
    ) async throws(CatalogueError)

    /// Makes all that was put the catalogue.
    ///
    /// - Parameters:
    ///   - whole: All that was moved.
    ///   - step: What comes after the last part.
    /// - Throws: ``CatalogueError``, ``CatalogueError/otherMove`` when the last part is not there;
    ///   nothing is changed then.
    func endMove(_ whole: CatalogueCopy, _ step: MoveStep) async throws(CatalogueError)
}

/// A part of a move, after those that must be there.
public struct MoveStep: Hashable, Sendable {
    /// Tells the move from others.
    public let mark: String
    /// Parts that are there before it.
    public let partsBefore: Int

    public init(mark: String, partsBefore: Int) {
        self.mark = mark
        self.partsBefore = partsBefore
    }
}

extension MoveTarget {
    public var movedRows: Int { 10_000 }

    public func moveIn(
        _ copy: CatalogueCopy,
        mark: String,
        progress: @Sendable @escaping (Int) -> Void
    ) async throws(CatalogueError) {
        let parts = copy.parts(of: movedRows)
        let mark = "\(mark) \(movedRows)"
        let known = min(try await beginMove(mark), parts.count)
        var rows = parts[..<known].reduce(0) { $0 + $1.rows }
        progress(rows)
        for (index, part) in parts.enumerated().dropFirst(known) {
            guard !Task.isCancelled else { throw .moveBrokenOff }
            try await put(part, of: copy, MoveStep(mark: mark, partsBefore: index))
            rows += part.rows
            progress(rows)
        }
        try await endMove(copy, MoveStep(mark: mark, partsBefore: parts.count))
    }
}

extension CatalogueError {
    /// Why a store that holds half of a move is of no use.
    public static let halfMoved = CatalogueError(
        .unusable,
        "a move into this catalogue was begun and is not at its end: run migrate-db once more, or"
            + " restore-db"
    )

    /// Two that move at the same time would mix what they move.
    public static let otherMove = CatalogueError(
        .conflict,
        "another move into this catalogue has begun: when it has ended, run migrate-db again"
    )

    public static let moveBrokenOff = CatalogueError(
        .unavailable,
        "the move was broken off; the same command goes on with it"
    )
}

extension CatalogueCopy {
    /// Rows of all kinds.
    public var rows: Int {
        contents.shows.count + contents.episodes.count + contents.files.count + journal.count
            + stamps.count + answers.count
    }

    /// The same in parts; what others refer to comes before them.
    ///
    /// - Parameter rows: At most so many in each part.
    /// - Returns: The parts in the order in which they are put.
    func parts(of rows: Int) -> [CatalogueCopy] {
        func parts<Row>(_ all: [Row], _ part: ([Row]) -> CatalogueCopy) -> [CatalogueCopy] {
            stride(from: 0, to: all.count, by: rows).map { start in
                part(Array(all[start..<min(start + rows, all.count)]))
            }
        }
        let stamps = stamps.sorted { $0.key < $1.key }
        return parts(contents.shows) { .init(contents: CatalogueContents(shows: $0)) }
            + parts(contents.episodes) { .init(contents: CatalogueContents(episodes: $0)) }
            + parts(contents.files) { .init(contents: CatalogueContents(files: $0)) }
            + parts(journal) { .init(journal: $0) }
            + parts(stamps) { .init(stamps: Dictionary($0) { first, _ in first }) }
            + parts(answers) { .init(answers: $0) }
    }
}
