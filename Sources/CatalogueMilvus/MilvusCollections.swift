import Catalogue
import Foundation
import MilvusClient
import Primitives

/// The collections of one catalogue; those that the original's guide names have its names.
struct MilvusCollections: Sendable {
    let client: MilvusClient
    let shows: RecordTable
    let episodes: EpisodeTable
    let files: RecordTable
    let stamps: StampTable
    let answers: RecordTable
    let journal: RecordTable
    /// The change that is being made, for whoever finds that its maker has died.
    let pending: RecordTable
    let leases: RecordTable
    let state: RecordTable

    /// - Parameters:
    ///   - client: Whose collections.
    ///   - prefix: Stands before each name.
    init(_ client: MilvusClient, prefix: String) {
        self.client = client
        func table(_ name: String, _ numbers: [String] = [], _ texts: [String] = []) -> RecordTable
        {
            RecordTable(
                client: client,
                collection: prefix + name,
                numbers: numbers,
                texts: texts
            )
        }
        shows = table("tv_shows", ["tmdb_id"], ["sys_name", "tmdb_name", "tmdb_status"])
        episodes = EpisodeTable(client: client, collection: prefix + "episodes")
        files = table(
            "downloaded_files",
            ["size", "modified_seconds", "show_id", "season", "episode"],
            ["name", "remote_path", "status"]
        )
        stamps = StampTable(client: client, collection: prefix + "directory_stamps")
        answers = table("kept_answers", ["kept_nanoseconds", "bytes"], ["source"])
        journal = table("journal", ["seconds"], ["author", "operation"])
        pending = table("pending_change")
        leases = table("leases")
        state = table("catalogue_state")
    }

    private var records: [RecordTable] {
        [shows, files, answers, journal, pending, leases, state]
    }

    /// Makes what is not there.
    func create() async throws(MilvusError) {
        for table in records { try await table.create() }
        try await episodes.create()
        try await stamps.create()
    }

    func counts() async throws(MilvusError) -> [(name: String, rows: Int)] {
        var counts: [(name: String, rows: Int)] = [
            ("tv_shows", try await shows.count()), ("episodes", try await episodes.count()),
            ("downloaded_files", try await files.count()),
            ("directory_stamps", try await stamps.count()),
        ]
        counts.append(("kept_answers", try await answers.count()))
        counts.append(("journal", try await journal.count()))
        return counts
    }
}

extension MilvusCollections {
    /// How far the catalogue is; the only row whose writing makes a change valid.
    struct State: Codable, Hashable, Sendable {
        /// 2: the state may be ahead of the rows, as long as a change is pending.
        var schemaVersion = 2
        var revision: Int64 = 0
        var nextShowID: Int64 = 1
        var nextFileID: Int64 = 1
        /// Set while everything is replaced; whoever finds it so finds the half of it.
        var isBeingReplaced: Bool?
    }

    private static let stateKey: Int64 = 1

    func readState() async throws(CatalogueError) -> State {
        let document = try await translated { () throws(MilvusError) in
            try await state.document(Self.stateKey)
        }
        guard let document else { return State() }
        let known: State = try StoredJSON.value(document, of: "the state")
        guard known.schemaVersion <= State().schemaVersion else {
            throw CatalogueError(
                .unusable,
                "the catalogue was made by a newer Sync2NAS (schema \(known.schemaVersion)): update"
                    + " this one"
            )
        }
        return known
    }

    func write(_ new: State) async throws(CatalogueError) {
        let record = RecordTable.Record(key: Self.stateKey, document: try StoredJSON.bytes(new))
        try await translated { () throws(MilvusError) in
            try await state.put([record], mayShrink: false)
        }
    }

    /// A key for what has none of its own; whoever looks something up compares the whole.
    static func key(of texts: String...) -> Int64 {
        var fingerprint = Fingerprint()
        for text in texts { fingerprint.add(text.utf8) }
        return Int64(fingerprint.value >> 14)
    }
}

// MARK: Rows

extension MilvusCollections {
    func put(_ edits: CatalogueEdits) async throws(CatalogueError) {
        var showRecords: [RecordTable.Record] = []
        for show in edits.shows {
            showRecords.append(
                .init(
                    key: show.id,
                    numbers: [Int64(show.details?.tmdbID ?? -1)],
                    texts: [show.systemName, show.details?.name ?? "", show.details?.status ?? ""],
                    document: try StoredJSON.bytes(show)
                )
            )
        }
        var fileRecords: [RecordTable.Record] = []
        for file in edits.files { fileRecords.append(try Self.record(of: file)) }
        let (putShows, putFiles) = (showRecords, fileRecords)
        try await translated { () throws(MilvusError) in
            try await files.delete(edits.removedFiles)
            try await shows.put(putShows)
            try await files.put(putFiles)
            try await shows.delete(edits.removedShows)
            try await dropVectors(of: edits.removedShows)
        }
        try await episodes.delete(edits.removedEpisodes)
        try await episodes.put(edits.episodes)
    }

    private static func record(
        of file: LibraryFile
    ) throws(CatalogueError) -> RecordTable.Record {
        let place = file.decision.placement
        return RecordTable.Record(
            key: file.id,
            numbers: [
                Int64(clamping: file.file.size), file.file.modifiedSeconds, place?.showID ?? -1,
                Int64(place?.season ?? -1), Int64(place?.episodes.first ?? -1),
            ],
            texts: [
                RemotePath.escaped(file.file.path.lastComponent), file.file.path.text,
                place == nil ? "downloaded" : "routed",
            ],
            document: try StoredJSON.bytes(file)
        )
    }

    /// The show with this number of TMDB's.
    func show(_ tmdbID: Int) async throws(CatalogueError) -> Show? {
        let found = try await translated { () throws(MilvusError) in
            try await shows.documents(where: "tmdb_id == \(tmdbID)")
        }
        guard let (key, document) = found.first else { return nil }
        return try StoredJSON.value(document, of: "show \(key)")
    }

    func contents(_ known: State) async throws(CatalogueError) -> CatalogueContents {
        let (showDocuments, fileDocuments, all) = try await translated {
            () throws(MilvusError) in
            (try await shows.documents(), try await files.documents(), try await episodes.all())
        }
        var (allShows, allFiles): ([Show], [LibraryFile]) = ([], [])
        for (key, document) in showDocuments {
            allShows.append(try StoredJSON.value(document, of: "show \(key)"))
        }
        for (key, document) in fileDocuments {
            allFiles.append(try StoredJSON.value(document, of: "file \(key)"))
        }
        return CatalogueContents(
            shows: allShows,
            episodes: all.sorted { $0.key < $1.key },
            files: allFiles,
            revision: known.revision,
            nextShowID: known.nextShowID,
            nextFileID: known.nextFileID
        )
    }

    func add(_ entries: [JournalEntry]) async throws(CatalogueError) {
        var records: [RecordTable.Record] = []
        for entry in entries { records.append(.init(entry, try StoredJSON.text(entry))) }
        try await add(records)
    }

    /// Entries of the journal.
    func add(_ records: [RecordTable.Record]) async throws(CatalogueError) {
        try await translated { () throws(MilvusError) in
            try await journal.put(records, mayShrink: false)
        }
    }

    /// Forgets what is older than the journal remembers.
    func prune(_ latest: JournalEntry, _ limits: JournalLimits) async throws(CatalogueError) {
        try await translated { () throws(MilvusError) in
            let old = try await journal.fields().filter { key, numbers, _ in
                limits.forget(key, of: numbers[0], after: latest.revision, of: latest.seconds)
            }
            try await journal.delete(old.map(\.key))
        }
    }

    /// The latest first; what is older than `limits` is forgotten, whether it was removed or not.
    func entries(
        before revision: Int64?,
        count: Int,
        _ limits: JournalLimits
    ) async throws(CatalogueError) -> [JournalEntry] {
        let known = try await translated { () throws(MilvusError) in
            try await journal.fields().sorted { $0.key > $1.key }
        }
        guard let latest = known.first else { return [] }
        let keys = known.filter { key, numbers, _ in
            key < revision ?? .max
                && !limits.forget(key, of: numbers[0], after: latest.key, of: latest.numbers[0])
        }.map(\.key).prefix(count)
        var entries: [JournalEntry] = []
        for key in keys {
            let document = try await translated { () throws(MilvusError) in
                try await journal.document(key)
            }
            if let document {
                entries.append(try StoredJSON.value(document, of: "entry \(key) of the journal"))
            }
        }
        return entries
    }
}

extension RecordTable.Record {
    /// An entry of the journal, whose JSON is `text`.
    init(_ entry: JournalEntry, _ text: String) {
        self.init(
            key: entry.revision,
            numbers: [entry.seconds],
            texts: [entry.origin.author.rawValue, entry.origin.operation],
            document: Data(text.utf8)
        )
    }
}
