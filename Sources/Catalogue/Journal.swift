/// Who changes the catalogue, how and why.
public struct Origin: Hashable, Sendable, Codable {
    public enum Author: String, Hashable, Sendable, Codable, CaseIterable {
        case person
        /// A scan of the seedbox.
        case scan
        /// The program by itself, when what TMDB said had grown old.
        case refresh
        case languageModel
        /// A catalogue of another kind or of another program.
        case `import`
    }

    public var author: Author
    /// What was done, as a person would write it: "add-show Frieren".
    public var operation: String
    public var reason: String

    public init(_ author: Author, _ operation: String, reason: String = "") {
        self.author = author
        self.operation = operation
        self.reason = reason
    }
}

/// One change of the library, and how to take it back.
public struct JournalEntry: Hashable, Sendable, Codable {
    /// The catalogue's revision that it made.
    public let revision: Int64
    /// Seconds since 1970, UTC.
    public let seconds: Int64
    public let origin: Origin
    public let inverse: CatalogueEdits

    public init(revision: Int64, seconds: Int64, origin: Origin, inverse: CatalogueEdits) {
        self.revision = revision
        self.seconds = seconds
        self.origin = origin
        self.inverse = inverse
    }
}

/// How long the journal remembers.
public struct JournalLimits: Hashable, Sendable {
    /// Changes between two looks at its bytes.
    public static let weighedEvery: Int64 = 16

    /// Seconds.
    public var age: Int64
    /// However old, so many stay: a clock that was wrong once does not make it forget.
    public var least: Int64
    public var entries: Int64
    /// Bytes of what takes changes back; looked at now and then.
    public var bytes: Int64

    /// - Parameters:
    ///   - age: Seconds; older entries go,
    ///   - least: but never the latest of this number.
    ///   - entries: Of more, the oldest go.
    ///   - bytes: Of more, the oldest go, but never the latest.
    public init(
        age: Int64 = 90 * 86_400,
        least: Int64 = 1_000,
        entries: Int64 = 10_000,
        bytes: Int64 = 256 << 20
    ) {
        self.bytes = bytes
        self.age = age
        self.least = least
        self.entries = entries
    }

    /// Whether an entry goes when another is the latest.
    public func forget(
        _ revision: Int64,
        of seconds: Int64,
        after latest: Int64,
        of latestSeconds: Int64
    ) -> Bool {
        revision <= latest - entries
            || (seconds < latestSeconds - age && revision <= latest - least)
    }
}
