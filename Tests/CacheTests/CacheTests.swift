import Foundation
import Logging
import Primitives
import StandIns
import Testing

@testable import Cache

@Suite final class CacheTests: Sendable {
    private let directory: String
    private let upstream = ScriptedSource()
    private let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    init() throws {
        directory = try temporaryDirectory()
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private func file(_ size: UInt64 = 1_000_000, _ path: String = "/a.mkv") -> RemoteFile {
        RemoteFile(path: RemotePath(path), size: size, modifiedSeconds: 7)
    }

    private func store(maximum: UInt64? = nil) throws -> BlockStore {
        var limits = BlockStore.Limits()
        limits.maximumBytes = maximum
        limits.freeBytes = 0
        limits.freeInodes = 0
        return try BlockStore(directory: directory, limits: limits, log: log)
    }

    /// Reads through a handle as the bridge does.
    private func read(_ range: ByteRange, _ handle: any OpenFile) async throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(range.count))
        if bytes.withUnsafeMutableBytes({ handle.readAtOnce(range, into: $0) }) { return bytes }
        return try await handle.read(range)
    }

    private func readOnce(
        _ range: ByteRange,
        _ file: RemoteFile,
        _ source: CachedSource
    ) async throws -> [UInt8] {
        let handle = source.open(file)
        defer { handle.close() }
        return try await read(range, handle)
    }

    /// Until everything that was fetched is on the disk.
    private func settle(_ store: BlockStore, _ source: CachedSource) {
        source.waitForWrites()
        store.flush()
    }

    @Test(arguments: [1, 2, 3]) func randomReadsGiveTheRightBytes(_ seed: UInt64) async throws {
        let source = CachedSource(store: try store(), upstream: upstream)
        let file = file(777_777)
        let handle = source.open(file)
        var state = seed
        for _ in 0..<300 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let start = (state >> 33) % file.size
            let range = ByteRange(offset: start, count: (state >> 20) % 200_000).clipped(
                to: file.size
            )
            #expect(try await read(range, handle) == ScriptedSource.bytes(range))
        }
        handle.close()
    }

    @Test func theEndOfABigFileMovesOnlyItself() async throws {
        let source = CachedSource(store: try store(), upstream: upstream)
        let file = file(10 << 30)
        let range = ByteRange(file.size - 65536, file.size)
        _ = try await readOnce(range, file, source)
        #expect(upstream.bytesRead == 65536)
    }

    @Test func whatWasReadIsServedWithoutTheSeedbox() async throws {
        let range = ByteRange(0, 300_000)
        var store: BlockStore? = try store()
        if let store {
            let source = CachedSource(store: store, upstream: upstream)
            _ = try await readOnce(range, file(), source)
            settle(store, source)
        }
        store = nil
        let before = upstream.reads.count
        let source = CachedSource(store: try self.store(), upstream: upstream)
        #expect(try await readOnce(range, file(), source) == ScriptedSource.bytes(range))
        #expect(upstream.reads.count == before)
    }

    @Test func twoReadersOfABlockShareOneFetch() async throws {
        let source = CachedSource(store: try store(), upstream: upstream)
        upstream.hold()
        let range = ByteRange(0, 1000)
        let first = Task { try await self.readOnce(range, self.file(), source) }
        await upstream.waitForReads(1)
        let second = Task { try await self.readOnce(range, self.file(), source) }
        // The second joins before its task can end; letting go early would only make it a hit.
        await Task.yield()
        upstream.letGo()
        #expect(try await first.value == ScriptedSource.bytes(range))
        #expect(try await second.value == ScriptedSource.bytes(range))
        #expect(upstream.reads.count == 1)
    }

    @Test func aReaderThatLeavesDoesNotTakeTheFetchFromAnother() async throws {
        let source = CachedSource(store: try store(), upstream: upstream)
        upstream.hold()
        let range = ByteRange(0, 1000)
        let first = Task { try await self.readOnce(range, self.file(), source) }
        await upstream.waitForReads(1)
        let second = Task { try await self.readOnce(range, self.file(), source) }
        await Task.yield()
        first.cancel()
        let error = await #expect(throws: SourceError.self) { try await first.value }
        #expect(error?.code == .cancelled)
        upstream.letGo()
        #expect(try await second.value == ScriptedSource.bytes(range))
    }

    @Test func aFlippedBitIsFoundAndFetchedAgain() async throws {
        let range = ByteRange(0, 200_000)
        let source = CachedSource(store: try store(), upstream: upstream)
        _ = try await readOnce(range, file(), source)
        settle(source.store, source)
        let data = try #require(try paths(".data").first)
        let handle = try #require(FileHandle(forUpdatingAtPath: data))
        try handle.seek(toOffset: 70_000)
        try handle.write(contentsOf: [ScriptedSource.byte(at: 70_000) ^ 1])
        try handle.close()
        let before = upstream.reads.count
        #expect(try await readOnce(range, file(), source) == ScriptedSource.bytes(range))
        #expect(upstream.reads.count > before)
        #expect(source.store.statistics.badBlocks == 1)
    }

    @Test(arguments: [0, 20, 4095, 4096, 4100]) func aDamagedMapCostsWorkNotBytes(
        _ offset: UInt64
    ) async throws {
        let range = ByteRange(0, 200_000)
        let source = CachedSource(store: try store(), upstream: upstream)
        _ = try await readOnce(range, file(), source)
        settle(source.store, source)
        let map = try #require(try paths(".map").first)
        let handle = try #require(FileHandle(forUpdatingAtPath: map))
        try handle.seek(toOffset: offset)
        let old = try #require(try handle.read(upToCount: 1)?.first)
        try handle.seek(toOffset: offset)
        try handle.write(contentsOf: [old ^ 0xFF])
        try handle.close()
        #expect(try await readOnce(range, file(), source) == ScriptedSource.bytes(range))
    }

    /// A crash keeps what `fdatasync` promised of the data and any state of the map before it.
    @Test func aCrashLosesWorkAndNeverServesWrongBytes() async throws {
        let range = ByteRange(0, 500_000)
        let source = CachedSource(store: try store(), upstream: upstream)
        _ = try await readOnce(range, file(), source)
        settle(source.store, source)
        // The map says all is there, but the data's pages were lost.
        let data = try #require(try paths(".data").first)
        let handle = try #require(FileHandle(forUpdatingAtPath: data))
        try handle.truncate(atOffset: 100_000)
        try handle.truncate(atOffset: 1_000_000)
        try handle.close()
        #expect(try await readOnce(range, file(), source) == ScriptedSource.bytes(range))
    }

    @Test func anotherVersionOfTheFileIsAnotherFile() async throws {
        let source = CachedSource(store: try store(), upstream: upstream)
        _ = try await readOnce(ByteRange(0, 1000), file(), source)
        let newer = RemoteFile(path: file().path, size: file().size, modifiedSeconds: 8)
        _ = try await readOnce(ByteRange(0, 1000), newer, source)
        #expect(upstream.reads.count == 2)
    }

    @Test func theLimitIsKeptBeforeEachWrite() async throws {
        let limit: UInt64 = 4 << 20
        let source = CachedSource(store: try store(maximum: limit), upstream: upstream)
        for number in 0..<20 {
            let file = file(1 << 20, "/\(number).mkv")
            let range = ByteRange(0, file.size)
            #expect(try await readOnce(range, file, source) == ScriptedSource.bytes(range))
            source.waitForWrites()
            #expect(source.store.statistics.bytes <= limit)
        }
        #expect(source.store.statistics.evictions > 0)
    }

    @Test func whatWasReadLastIsDroppedLast() async throws {
        let source = CachedSource(store: try store(maximum: 3 << 20), upstream: upstream)
        for path in ["/old", "/new", "/newest", "/more"] {
            _ = try await readOnce(ByteRange(0, 1 << 20), file(1 << 20, path), source)
            settle(source.store, source)
        }
        let before = upstream.reads.count
        _ = try await readOnce(ByteRange(0, 1000), file(1 << 20, "/newest"), source)
        #expect(upstream.reads.count == before)
        _ = try await readOnce(ByteRange(0, 1000), file(1 << 20, "/old"), source)
        #expect(upstream.reads.count > before)
    }

    @Test func theMiddleGoesBeforeTheEnds() async throws {
        let source = CachedSource(store: try store(maximum: 8 << 20), upstream: upstream)
        let big = file(7 << 20, "/big")
        for start in stride(from: UInt64(0), to: big.size, by: 1 << 20) {
            _ = try await readOnce(ByteRange(start, start + 1 << 20), big, source)
        }
        settle(source.store, source)
        _ = try await readOnce(ByteRange(0, 2 << 20), file(2 << 20, "/other"), source)
        settle(source.store, source)
        let before = upstream.reads.count
        _ = try await readOnce(ByteRange(0, 1000), big, source)
        _ = try await readOnce(ByteRange(big.size - 1000, big.size), big, source)
        #expect(upstream.reads.count == before)
        let middle = ByteRange(3 << 20, 3 << 20 + 1000)
        #expect(try await readOnce(middle, big, source) == ScriptedSource.bytes(middle))
        #expect(upstream.reads.count > before)
    }

    @Test func aFileInUseIsNeverDropped() async throws {
        let source = CachedSource(store: try store(maximum: 1 << 20), upstream: upstream)
        let handle = source.open(file(1 << 20, "/open"))
        _ = try await read(ByteRange(0, 1 << 20), handle)
        source.waitForWrites()
        let other = ByteRange(0, 1 << 20)
        #expect(
            try await readOnce(other, file(1 << 20, "/b"), source) == ScriptedSource.bytes(other)
        )
        source.waitForWrites()
        var bytes = [UInt8](repeating: 0, count: 1000)
        #expect(bytes.withUnsafeMutableBytes { handle.readAtOnce(ByteRange(0, 1000), into: $0) })
        #expect(source.store.statistics.bytes <= 1 << 20)
        handle.close()
    }

    @Test func aSecondProcessIsToldWhoHasTheCache() throws {
        let first = try store()
        let error = #expect(throws: CacheError.self) { try store() }
        #expect(error?.code == .inUse)
        #expect(error?.message.contains("\(ProcessInfo.processInfo.processIdentifier)") ?? false)
        withExtendedLifetime(first) {}
    }

    @Test func anErrorOfTheSeedboxComesThrough() async throws {
        let source = CachedSource(store: try store(), upstream: upstream)
        upstream.fail(with: SourceError(.changed, file().path, "x"))
        let error = await #expect(throws: SourceError.self) {
            try await self.readOnce(ByteRange(0, 10), self.file(), source)
        }
        #expect(error?.code == .changed)
        upstream.fail(with: nil)
        #expect(
            try await readOnce(ByteRange(0, 10), file(), source)
                == ScriptedSource.bytes(ByteRange(0, 10))
        )
    }

    private func paths(_ ending: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory + "/files")
            .filter { $0.hasSuffix(ending) }.map { "\(directory)/files/\($0)" }
    }
}

@Suite struct ReadAheadTests {
    @Test func aProbeGetsNothing() {
        var ahead = ReadAhead(size: 10 << 30)
        #expect(ahead.read(ByteRange(0, 65536)).isEmpty)
        #expect(ahead.read(ByteRange(10 << 30 - 65536, 10 << 30)).isEmpty)
        #expect(ahead.read(ByteRange(5 << 30, 5 << 30 + 65536)).isEmpty)
    }

    @Test func aPlayerGetsAGrowingWindow() {
        var ahead = ReadAhead(size: 10 << 30)
        var wanted: [UInt64] = []
        for number in UInt64(0)..<400 {
            let range = ahead.read(ByteRange(number * 131_072, (number + 1) * 131_072))
            if !range.isEmpty { wanted.append(range.count) }
        }
        #expect(wanted.first.map { $0 <= ReadAhead.firstWindow } ?? false)
        #expect(wanted.contains { $0 >= ReadAhead.largestWindow / 2 })
        #expect(wanted.allSatisfy { $0 <= ReadAhead.largestWindow })
    }

    @Test func nothingIsAskedForTwiceNorBehindTheEnd() {
        var ahead = ReadAhead(size: 3_000_000)
        var last: UInt64 = 0
        for number in UInt64(0)..<22 {
            let range = ahead.read(ByteRange(number * 131_072, (number + 1) * 131_072))
            guard !range.isEmpty else { continue }
            #expect(range.lowerBound >= last)
            #expect(range.upperBound <= 3_000_000)
            last = range.upperBound
        }
    }

    @Test func twoTracksAreBothFollowed() {
        var ahead = ReadAhead(size: 10 << 30)
        var hits = 0
        for number in UInt64(0)..<20 {
            if !ahead.read(ByteRange(number * 131_072, (number + 1) * 131_072)).isEmpty {
                hits += 1
            }
            let other = 5 << 30 + number * 131_072
            if !ahead.read(ByteRange(other, other + 131_072)).isEmpty { hits += 1 }
        }
        #expect(hits > 4)
    }
}
