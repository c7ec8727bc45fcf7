import Foundation
import Logging
import Primitives
import Synchronization
import Testing

@testable import Cache

/// A directory that goes away with the value.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/cache-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

let mebibyte: UInt64 = 1 << 20
let kibibyte: UInt64 = 1 << 10

func remoteFile(_ name: String = "a", size: UInt64 = 300_000, time: Int64 = 1) -> RemoteFile {
    RemoteFile(path: RemotePath("/tv/\(name).mkv"), size: size, modifiedSeconds: time)
}

/// Commits only when told to, and has a clock that moves one second at each look.
func environment(space: (@Sendable () -> FreeSpace?)? = nil) -> BlockStore.Environment {
    var environment = BlockStore.Environment()
    environment.now = SteppingClock().next
    environment.space = space
    environment.commitInterval = nil
    return environment
}

final class SteppingClock: Sendable {
    private let seconds = Mutex<Int64>(1_000)
    @Sendable func next() -> Int64 {
        seconds.withLock { seconds in
            seconds += 1
            return seconds * 1_000_000_000
        }
    }
}

/// Shows these seconds one after the other, and the last one from then on.
final class JumpingClock: Sendable {
    private let seconds: Mutex<[Int64]>

    init(_ seconds: [Int64]) { self.seconds = Mutex(seconds) }

    @Sendable func next() -> Int64 {
        seconds.withLock { seconds in
            (seconds.count > 1 ? seconds.removeFirst() : seconds[0]) * 1_000_000_000
        }
    }
}

func open(
    _ directory: TemporaryDirectory,
    _ limits: CacheLimits = CacheLimits(),
    space: (@Sendable () -> FreeSpace?)? = nil,
    change: (inout BlockStore.Environment) -> Void = { _ in }
) throws -> BlockStore {
    var environment = environment(space: space)
    change(&environment)
    var log = Logger(label: "cache") { _ in SwiftLogNoOpLogHandler() }
    log.logLevel = .critical
    return try BlockStore(directory.path, limits, log, environment)
}

extension BlockStore {
    /// Stores whole blocks of what the stand-in serves.
    @discardableResult
    func fill(_ blocks: Range<Int>, of file: RemoteFile) -> Bool {
        let bytes = StandIn.bytes(Block.bytes(of: blocks, inFileOf: file.size), of: file)
        return writer.sync { writeNow(Bytes(bytes), as: blocks, of: file) }
    }

    /// nil when not all of `range` is there.
    func cached(_ range: ByteRange, of file: RemoteFile) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0xAA, count: Int(range.count))
        let isServed = bytes.withUnsafeMutableBytes { cached(range, of: file, into: $0) }
        return isServed ? bytes : nil
    }

    func holds(_ file: RemoteFile) -> Bool { !cachedRanges(file).isEmpty }

    /// Whether the kernel may read `file` itself.
    func handsOut(_ file: RemoteFile) -> Bool { withCompleteData(of: file) { _, _ in } != nil }
}

/// Flips one bit of a file.
func flip(_ path: String, at offset: UInt64) throws {
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try handle.seek(toOffset: offset)
    let byte = try #require(try handle.read(upToCount: 1)?.first)
    try handle.seek(toOffset: offset)
    try handle.write(contentsOf: [byte ^ 0x10])
    try handle.close()
}
