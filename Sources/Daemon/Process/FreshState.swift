import Foundation
import Glibc

/// State directories that a run makes, so that one that comes to nothing leaves none behind.
public struct FreshState: Sendable {
    /// Those that were not there before.
    private let directories: [String]

    /// What a run may have put there before it served; anything else keeps its directory.
    private static let files = [
        "sync2nas.log", "remote", "catalogue.db", "catalogue.db-wal", "catalogue.db-shm", "lock",
    ]

    /// To be made before anything else of the run.
    public init(_ settings: Settings) {
        directories = [settings.dataDirectory, settings.cache.directory]
            .filter { !FileManager.default.fileExists(atPath: $0) }
    }

    /// Takes away what the run made.
    public func remove() {
        for directory in directories {
            // A cache that holds anything is left as it is.
            let blocks = directory + "/blocks"
            guard rmdir(blocks) == 0 || errno == ENOENT else { continue }
            for file in Self.files { unlink(directory + "/" + file) }
            rmdir(directory)
        }
    }
}
