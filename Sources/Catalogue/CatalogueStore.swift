public import Primitives

/// Where the library is kept between runs.
///
/// A store keeps rows; what they mean is decided in ``CatalogueDraft``. Every call is one
/// transaction: it happens wholly or not at all, also when the process is killed in the middle.
/// Calls may come from any task at once. Implementers may not assume that they are the only
/// process that writes. `CatalogueConformance` holds the rules.
public protocol CatalogueStore: Sendable {
    /// Reads everything the tree is computed from, as of one moment.
    ///
    /// - Throws: ``CatalogueError``.
    func contents() async throws(CatalogueError) -> CatalogueContents

    /// Makes a change, with its entry in the journal.
    ///
    /// - Parameter change: Made on the revision before its entry's.
    /// - Throws: ``CatalogueError``: `.conflict` when the catalogue has another revision by now.
    ///   Nothing is changed then.
    func commit(_ change: CatalogueChange) async throws(CatalogueError)

    /// Notes when TMDB was asked about a show; that is no change of the library.
    ///
    /// - Parameters:
    ///   - seconds: Since 1970, UTC.
    ///   - tmdbID: TMDB's number of the show; when it is not there, nothing is noted.
    /// - Throws: ``CatalogueError``.
    func noteAsked(_ seconds: Int64, about tmdbID: Int) async throws(CatalogueError)

    /// The revision that the catalogue has now.
    ///
    /// - Throws: ``CatalogueError``.
    func revision() async throws(CatalogueError) -> Int64

    /// Waits until the catalogue has another revision, by whichever process.
    ///
    /// It returns within a second of that, and also when the task is cancelled.
    ///
    /// - Throws: ``CatalogueError`` when the database cannot be asked.
    func waitForChange(since revision: Int64) async throws(CatalogueError)

    /// Reads what was done.
    ///
    /// - Parameters:
    ///   - revision: Only entries before this one; nil for all.
    ///   - count: At most so many.
    /// - Returns: The latest first.
    /// - Throws: ``CatalogueError``.
    func journal(
        before revision: Int64?,
        count: Int
    )
        async throws(CatalogueError) -> [JournalEntry]

    /// Takes the right to do something that only one machine shall do at a time.
    ///
    /// - Parameters:
    ///   - name: What is to be done.
    ///   - holder: Who wants to; its own lease is renewed.
    ///   - seconds: For how long, unless it is renewed or given back.
    /// - Returns: nil when the right is given, or who has it.
    /// - Throws: ``CatalogueError``.
    func lease(
        _ name: String,
        to holder: String,
        seconds: Int64
    )
        async throws(CatalogueError) -> String?

    /// Gives a right back; does nothing when another has it.
    ///
    /// - Throws: ``CatalogueError``.
    func endLease(_ name: String, of holder: String) async throws(CatalogueError)

    /// Reads what a service answered to a question.
    ///
    /// - Returns: nil when it was never kept, or had to give way to others.
    /// - Throws: ``CatalogueError``.
    func keptAnswer(
        of source: String,
        to question: String
    )
        async throws(CatalogueError) -> KeptAnswer?

    /// Keeps an answer, in place of an earlier one to the same question.
    ///
    /// Of each source at most ``CatalogueLimits/answerBytes`` are kept: the oldest give way.
    ///
    /// - Throws: ``CatalogueError``.
    func keep(_ answer: KeptAnswer) async throws(CatalogueError)

    /// Reads all answers that are kept.
    ///
    /// - Returns: The oldest first.
    /// - Throws: ``CatalogueError``.
    func keptAnswers() async throws(CatalogueError) -> [KeptAnswer]

    /// Reads when each directory's listing last changed.
    ///
    /// - Returns: Stamps by node number.
    /// - Throws: ``CatalogueError``.
    func directoryStamps() async throws(CatalogueError) -> [UInt64: DirectoryStamp]

    /// Records stamps, and drops those of directories that are no more.
    ///
    /// - Throws: ``CatalogueError``.
    func saveDirectoryStamps(
        _ changed: [UInt64: DirectoryStamp],
        removed: [UInt64]
    )
        async throws(CatalogueError)

    /// Reads the vectors that an embedder made of shows.
    ///
    /// - Returns: By show; those of other embedders cannot be compared with them.
    /// - Throws: ``CatalogueError``.
    func vectors(of embedder: String) async throws(CatalogueError) -> [ShowVector]

    /// Keeps vectors, in place of earlier ones of the same shows by the same embedder.
    ///
    /// A vector goes with its show.
    ///
    /// - Parameters:
    ///   - vectors: All of the same dimension; of shows that are not there, nothing is kept.
    ///   - embedder: What made them.
    /// - Throws: ``CatalogueError``.
    func save(_ vectors: [ShowVector], of embedder: String) async throws(CatalogueError)

    /// Finds the shows whose vectors are nearest.
    ///
    /// - Parameters:
    ///   - vector: Of length 1, by the same embedder.
    ///   - embedder: What made it.
    ///   - count: At most so many.
    /// - Returns: The nearest first.
    /// - Throws: ``CatalogueError``.
    func nearest(
        to vector: [Float],
        of embedder: String,
        count: Int
    )
        async throws(CatalogueError) -> [NearShow]

    /// Puts everything of another store into this one, in place of all that it holds.
    ///
    /// The revision becomes higher than both, so that whoever knew the one or the other sees that
    /// it has changed; numbers that either has given are not given again.
    ///
    /// - Parameter copy: Everything, its journal included.
    /// - Throws: ``CatalogueError``; nothing is changed then.
    func replaceAll(with copy: CatalogueCopy) async throws(CatalogueError)

    /// Does the same in steps, for a store that nobody uses yet: when it is broken off, the same
    /// call goes on where it stopped.
    ///
    /// From its first step to its last, all who read or change the catalogue are refused.
    ///
    /// - Parameters:
    ///   - copy: Everything, its journal included.
    ///   - mark: Tells this copy from those that hold anything else.
    ///   - progress: Told how many rows are there already.
    /// - Throws: ``CatalogueError``, also when the task is cancelled.
    func moveIn(
        _ copy: CatalogueCopy,
        mark: String,
        progress: @Sendable @escaping (Int) -> Void
    )
        async throws(CatalogueError)

    /// Whether a move into this store was begun and has not come to its end.
    ///
    /// - Throws: ``CatalogueError``.
    func isHalfMoved() async throws(CatalogueError) -> Bool

    /// Saves everything in the database's own form, also while others write.
    ///
    /// - Parameter path: A new file.
    /// - Returns: Whether it was saved; not when this kind of database has no such form here.
    /// - Throws: ``CatalogueError``.
    func backUp(to path: String) async throws(CatalogueError) -> Bool

    /// Puts what ``backUp(to:)`` saved in place of all that the store holds.
    ///
    /// - Throws: ``CatalogueError``: `.rejected` when the file is of another kind of database.
    func restore(from path: String) async throws(CatalogueError)

    /// Looks for damage.
    ///
    /// - Parameter quick: Whether only what is soon found is looked for.
    /// - Returns: A line for each thing that is not as it shall be; none when all is.
    /// - Throws: ``CatalogueError`` when it cannot be checked.
    func problems(quick: Bool) async throws(CatalogueError) -> [String]

    /// What a person who looks after the database wants to know.
    ///
    /// - Returns: Names and values, in the order in which they are shown.
    /// - Throws: ``CatalogueError``.
    func statistics() async throws(CatalogueError) -> [(name: String, value: String)]

    /// Ends the connections, and lets others write at once; later calls fail.
    func close() async
}

extension CatalogueStore {
    /// Looks for all damage.
    public func problems() async throws(CatalogueError) -> [String] {
        try await problems(quick: false)
    }

    /// Makes a change, once more on what is there by then when somebody else was faster.
    ///
    /// - Parameters:
    ///   - contents: As last read.
    ///   - origin: Who makes it.
    ///   - seconds: When, since 1970, UTC.
    ///   - isolation: The actor on which `body` runs.
    ///   - saving: Told what the catalogue will hold when what is being saved is saved; it may
    ///     not be, and then comes to nothing.
    ///   - body: Makes it in a draft; may run several times.
    /// - Returns: What `body` returned last, and the catalogue after it.
    /// - Throws: ``CatalogueError``; nothing is changed then.
    public func change<Value>(
        _ contents: CatalogueContents,
        _ origin: Origin,
        seconds: Int64,
        isolation: isolated (any Actor)? = #isolation,
        saving: (CatalogueContents) -> Void = { _ in },
        _ body: (inout CatalogueDraft) throws(CatalogueError) -> Value
    ) async throws(CatalogueError) -> (value: Value, contents: CatalogueContents) {
        var contents = contents
        for _ in 0..<CatalogueLimits.tries {
            var draft = CatalogueDraft(contents)
            let value = try body(&draft)
            guard !draft.isEmpty else { return (value, contents) }
            let change = draft.change(origin, seconds: seconds)
            saving(change.after)
            do throws(CatalogueError) {
                try await commit(change)
                return (value, change.after)
            } catch {
                guard error.code == .conflict else { throw error }
            }
            contents = try await self.contents()
        }
        throw CatalogueError(.unavailable, "others change the catalogue all the time; try again")
    }
}

public enum CatalogueLimits {
    /// Bytes of one source's answers that are kept.
    public static let answerBytes = 32 << 20
    /// How often a change is made anew because somebody else was faster.
    static let tries = 100
}

/// When a directory's listing last changed, and what it was then.
public struct DirectoryStamp: Hashable, Sendable {
    /// A fingerprint of the listing; equal listings have equal ones in every run.
    public let listing: UInt64
    /// Seconds since 1970, UTC.
    public let modifiedSeconds: Int64

    public init(listing: UInt64, modifiedSeconds: Int64) {
        self.listing = listing
        self.modifiedSeconds = modifiedSeconds
    }
}
