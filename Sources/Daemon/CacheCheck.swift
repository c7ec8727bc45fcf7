import Cache
import Foundation
public import Logging
public import Operations

/// Compares all that is cached with its checksums.
public enum CacheCheck {
    /// Checks the cache of a library that is not mounted.
    ///
    /// - Parameters:
    ///   - settings: Which cache.
    ///   - log: Told of damaged blocks.
    ///   - progress: Told how far it is.
    /// - Returns: What was found.
    /// - Throws: An error that a person can read, also when a mount uses the cache.
    public static func run(
        _ settings: CacheSettings,
        log: Logger,
        progress: @Sendable @escaping (String) -> Void
    ) async throws -> CacheCheckReport {
        guard FileManager.default.fileExists(atPath: settings.directory) else {
            return CacheCheckReport(files: 0, blocks: 0, badBlocks: 0, lostFiles: 0)
        }
        let store = try BlockStore(
            directory: settings.directory,
            limits: settings.limits,
            log: log
        )
        let report = await run(store, progress)
        store.close()
        return report
    }

    /// Reads the disk for as long as that takes, on a thread of its own.
    static func run(
        _ store: BlockStore,
        _ progress: @Sendable @escaping (String) -> Void
    ) async -> CacheCheckReport {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                let found = store.verifyAll { counts, versions in
                    progress("\(counts.files) of \(versions) files checked")
                }
                let report = CacheCheckReport(
                    files: found.files,
                    blocks: found.blocks,
                    badBlocks: found.bad,
                    lostFiles: found.torn
                )
                continuation.resume(returning: report)
            }
        }
    }
}
