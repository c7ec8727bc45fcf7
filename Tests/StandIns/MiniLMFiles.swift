import Foundation

/// Where the model is that `Tests/minilm` fetches.
public enum MiniLMFiles {
    public static func directory() throws -> String {
        guard let directory = ProcessInfo.processInfo.environment["SYNC2NAS_MINILM"] else {
            throw StandInError(
                "these tests need the model: run Tests/minilm DIR, then set SYNC2NAS_MINILM=DIR"
            )
        }
        return directory
    }
}
