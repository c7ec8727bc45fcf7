public import Primitives

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
