/// What a check of the cache found.
public struct CacheCheckReport: Sendable, Codable {
    public var files: Int
    /// Of 64 KiB each.
    public var blocks: UInt64
    /// Those that were damaged and dropped.
    public var badBlocks: UInt64
    /// Files that were dropped because their maps were damaged.
    public var lostFiles: Int

    public init(files: Int, blocks: UInt64, badBlocks: UInt64, lostFiles: Int) {
        self.files = files
        self.blocks = blocks
        self.badBlocks = badBlocks
        self.lostFiles = lostFiles
    }

    public var summary: String {
        let lost =
            lostFiles > 0
            ? "\n\(lostFiles) more files had damaged maps; they are dropped as a whole" : ""
        let found =
            badBlocks == 0
            ? "all \(blocks) blocks of \(files) files are as they came from the seedbox"
            : "\(badBlocks) of \(blocks) blocks of \(files) files were damaged; they are dropped and"
                + " will be fetched again"
        return found + lost
    }
}

extension Operations {
    /// Starts to check every cached block against its checksum.
    ///
    /// - Returns: The job, running.
    /// - Throws: ``OperationError`` with code `.busy` while one is running, `.notConfigured` when
    ///   this process has no cache.
    public func startCacheCheck() throws(OperationError) -> Job {
        guard let check = services.checkCache else {
            throw OperationError(.notConfigured, "this process has no cache")
        }
        return try jobs.start("check-cache") { progress throws(OperationError) in
            await check(progress).summary
        }
    }
}
