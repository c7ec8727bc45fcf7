public import Primitives

/// Where the library is kept between runs.
///
/// Every call is one transaction: it happens wholly or not at all, also when the process is
/// killed in the middle. Calls may come from any task at once. Implementers may not assume
/// that they are the only process that writes. `CatalogueConformance` holds the rules.
public protocol CatalogueStore: Sendable {
    /// Reads everything the tree is computed from, as of one moment.
    ///
    /// - Returns: Shows and files ascending by their number, episodes by show, season and number.
    /// - Throws: ``CatalogueError``.
    func contents() async throws(CatalogueError) -> CatalogueContents

    /// Records what a scan found and where routing put it.
    ///
    /// - Parameter change: The files to record and to drop. A path that is already known keeps
    ///   its number.
    /// - Throws: ``CatalogueError``; nothing is recorded then.
    func apply(_ change: FileChange) async throws(CatalogueError)

    /// Saves a show with its episodes.
    ///
    /// A show with the same TMDB number, or the one named by `id`, is updated in place and
    /// keeps its number; episodes that TMDB no longer has are dropped.
    ///
    /// - Parameters:
    ///   - draft: The show as it shall be.
    ///   - id: The show to turn into it, or nil to find it by its TMDB number or add it.
    ///   - episodes: All episodes of the show; ignored when the draft has no details.
    /// - Returns: The show as saved.
    /// - Throws: ``CatalogueError``.
    @discardableResult
    func save(
        _ draft: ShowDraft,
        replacing id: Int64?,
        episodes: [Episode]
    )
        async throws(CatalogueError) -> Show

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
}

/// How much a catalogue keeps of what could be asked for again.
public enum CatalogueLimits {
    /// Bytes of one source's answers.
    public static let answerBytes = 32 << 20
}

/// Everything in the catalogue as of one moment.
public struct CatalogueContents: Sendable {
    public var shows: [Show]
    public var episodes: [Episode]
    public var files: [LibraryFile]
    /// When TMDB was last asked about each show, by its number there; seconds since 1970, UTC.
    public var askedSeconds: [Int: Int64]

    public init(
        shows: [Show] = [],
        episodes: [Episode] = [],
        files: [LibraryFile] = [],
        askedSeconds: [Int: Int64] = [:]
    ) {
        self.askedSeconds = askedSeconds
        self.shows = shows
        self.episodes = episodes
        self.files = files
    }
}

/// Files to record and files to forget, in one step.
public struct FileChange: Sendable {
    /// One file as it shall be recorded.
    public struct Record: Sendable {
        public let file: RemoteFile
        public let kind: FileKind
        public let decision: Decision
        /// Set when the decision's show is not in the catalogue yet: the show is added, or found
        /// by this very name, and the placement's `showID` is replaced by its number.
        public let newShow: ShowDraft?

        public init(
            file: RemoteFile,
            kind: FileKind,
            decision: Decision,
            newShow: ShowDraft? = nil
        ) {
            self.file = file
            self.kind = kind
            self.decision = decision
            self.newShow = newShow
        }
    }

    public var records: [Record]
    /// Numbers of files that are definitely gone from the seedbox.
    public var gone: [Int64]

    public init(records: [Record] = [], gone: [Int64] = []) {
        self.records = records
        self.gone = gone
    }

    public var isEmpty: Bool { records.isEmpty && gone.isEmpty }
}

/// A show that has no number yet.
public struct ShowDraft: Hashable, Sendable {
    public var systemName: String
    public var details: ShowDetails?
    public var aliases: [String]
    /// Whether the aliases of before, which may be another show's, are dropped.
    public var replacesAliases = false
    /// What its folder shall be called; nil leaves it as it is.
    public var folder: String?

    public init(systemName: String, details: ShowDetails? = nil, aliases: [String] = []) {
        self.systemName = systemName
        self.details = details
        self.aliases = aliases
    }
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

/// Why the catalogue could not do what it was asked.
public struct CatalogueError: Error, Sendable, CustomStringConvertible {
    /// What the caller can do about it.
    public enum Code: Sendable {
        /// The database cannot be reached or is busy. Worth a retry later.
        case unavailable
        /// The file or server is not a catalogue of ours, or is damaged. A person must mend it.
        case unusable
        /// The disk or the quota is full.
        case full
        /// The thing that should be changed is not in the catalogue.
        case notFound
        /// The database refused a statement: a mistake of ours.
        case rejected
    }

    public let code: Code
    public let message: String
    public let cause: (any Error)?

    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    public var description: String {
        "\(code): \(message)" + (cause.map { ": \($0)" } ?? "")
    }
}
