import Foundation
import Primitives
import StandIns
import Synchronization
import Testing

@testable import Cache

@Suite struct SpaceTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    /// Bytes of disk under the cache's folder, as du(1) counts.
    private func used() throws -> UInt64 {
        let blocks = directory.path + "/blocks"
        return try FileManager.default.contentsOfDirectory(atPath: blocks)
            .reduce(0) { $0 + (FileStatus(at: blocks + "/" + $1)?.allocated ?? 0) }
    }

    private func limits(_ maxBytes: UInt64) -> CacheLimits {
        CacheLimits(maxBytes: maxBytes, freeBytes: 0, freeInodes: 0)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func quotaIsKeptAfterEveryWrite(seed: UInt64) throws {
        print("quotaIsKept: seed \(seed)")
        var random = SeededRandom(seed: seed)
        let quota = 3 * mebibyte
        let store = try open(directory, limits(quota))
        for _ in 0..<60 {
            let number = Int.random(in: 0..<8, using: &random)
            let file = remoteFile("\(number)", size: 4 * mebibyte + UInt64(number))
            let block = Int.random(in: 0..<60, using: &random)
            store.fill(block..<block + 4, of: file)
            if Bool.random(using: &random) { store.flush() }
            #expect(store.statistics.bytes <= quota)
            #expect(try used() <= quota)
        }
    }

    @Test func middleOfTheLeastRecentlyReadGoesFirst() throws {
        let files = ["a", "b", "c"].map { remoteFile($0, size: 4 * mebibyte) }
        let store = try open(directory, limits(13 * mebibyte))
        for file in files { store.fill(0..<64, of: file) }
        store.flush()
        _ = store.cached(ByteRange(0, 10), of: files[0])
        store.fill(0..<16, of: remoteFile("d", size: 4 * mebibyte))
        #expect(store.isComplete(files[0]))
        #expect(store.isComplete(files[2]))
        let headAndTail = [ByteRange(0, mebibyte), ByteRange(3 * mebibyte, 4 * mebibyte)]
        #expect(store.cachedRanges(files[1]) == headAndTail)
        #expect(
            store.cached(headAndTail[1], of: files[1])
                == StandIn.bytes(headAndTail[1], of: files[1])
        )
    }

    @Test func whatIsCutDownIsNotTakenForReadJustNow() throws {
        let files = ["a", "b"].map { remoteFile($0, size: 4 * mebibyte) }
        let store = try open(directory, limits(9 * mebibyte))
        for file in files { store.fill(0..<64, of: file) }
        store.flush()
        let map = store.directory.map(VersionKey(files[0]))
        let before = try #require(FileStatus(at: map)).modifiedNanoseconds
        store.fill(0..<32, of: remoteFile("c", size: 4 * mebibyte))
        #expect(!store.isComplete(files[0]) && store.holds(files[0]))
        #expect(try #require(FileStatus(at: map)).modifiedNanoseconds == before)
    }

    @Test func aClockThatJumpsChangesNoOrder() throws {
        let files = ["a", "b", "c"].map { remoteFile($0, size: 4 * mebibyte) }
        let clock = JumpingClock([1_000, 2_000, 3_000, -500_000, 9_000_000, 10, 20])
        let store = try open(directory, limits(13 * mebibyte), change: { $0.now = clock.next })
        for file in files { store.fill(0..<64, of: file) }
        store.flush()
        for file in [files[1], files[2], files[0]] { _ = store.cached(ByteRange(0, 10), of: file) }
        store.fill(0..<16, of: remoteFile("d", size: 4 * mebibyte))
        #expect(store.isComplete(files[0]) && store.isComplete(files[2]))
        #expect(!store.isComplete(files[1]))
    }

    @Test func headsAndTailsGoWhenNothingElseIsLeft() throws {
        let files = ["a", "b"].map { remoteFile($0, size: mebibyte) }
        let store = try open(directory, limits(2 * mebibyte + 50_000))
        for file in files { store.fill(0..<16, of: file) }
        store.flush()
        #expect(store.fill(0..<1, of: remoteFile("c", size: mebibyte)))
        #expect(!store.holds(files[0]))
        #expect(store.isComplete(files[1]))
    }

    @Test func fileInUseAndKeptFileAreNeverEvicted() throws {
        let files = ["a", "b"].map { remoteFile($0, size: mebibyte) }
        let store = try open(directory, limits(2 * mebibyte + 100_000))
        for file in files { store.fill(0..<16, of: file) }
        store.flush()
        store.opened(files[0])
        store.setKept(true, files[1])
        #expect(!store.fill(0..<4, of: remoteFile("c", size: mebibyte)))
        #expect(store.isComplete(files[0]))
        #expect(store.isComplete(files[1]))
        store.released(files[0])
        #expect(store.fill(0..<4, of: remoteFile("c", size: mebibyte)))
        #expect(!store.holds(files[0]))
        #expect(store.isComplete(files[1]))
    }

    @Test func keptFilesAndLastReadsSurviveARestart() throws {
        let files = ["a", "b", "c"].map { remoteFile($0, size: mebibyte) }
        do {
            let store = try open(directory, limits(20 * mebibyte))
            for file in files { store.fill(0..<16, of: file) }
            store.setKept(true, files[2])
            _ = store.cached(ByteRange(0, 1), of: files[0])
            store.flush()
        }
        let store = try open(directory, limits(20 * mebibyte))
        store.setLimits(limits(2 * mebibyte + 100_000))
        #expect(store.isComplete(files[0]))
        #expect(!store.holds(files[1]))
        store.setLimits(limits(0))
        #expect(!store.holds(files[0]))
        #expect(store.isComplete(files[2]))
    }

    @Test func freeSpaceAndInodeFloorsAreKept() throws {
        let free = Box(FreeSpace(bytes: 0, totalBytes: 1 << 30, inodes: 9, totalInodes: 10))
        let floors = CacheLimits(maxBytes: 1 << 40, freeBytes: mebibyte, freeInodes: 5)
        let store = try open(directory, floors, space: { free.value })
        let file = remoteFile(size: mebibyte)
        free.value.bytes = mebibyte + 60_000
        #expect(!store.fill(0..<1, of: file))
        free.value.bytes = mebibyte + 80_000
        #expect(store.fill(0..<1, of: file))
        free.value.bytes = 10 * mebibyte
        free.value.inodes = 6
        #expect(store.fill(1..<2, of: file))
        #expect(!store.fill(0..<1, of: remoteFile("b", size: mebibyte)))
        #expect(store.statistics.bytesNotCached == 2 * Block.size)
    }

    @Test func readerIsServedWhenTheQuotaIsNothing() async throws {
        let source = CachedSource(StandIn(), store: try open(directory, limits(0)))
        let file = remoteFile()
        let range = ByteRange(5, 200_000)
        #expect(try await source.read(range, of: file) == StandIn.bytes(range, of: file))
        #expect(source.store.statistics.files == 0)
    }

    @Test func fileTooBigForATableIsServedUncached() async throws {
        let source = CachedSource(StandIn(), store: try open(directory))
        let file = remoteFile(size: 1 << 60)
        let range = ByteRange(1 << 59, 1 << 59 + 10)
        #expect(try await source.read(range, of: file) == StandIn.bytes(range, of: file))
        #expect(source.store.statistics.files == 0)
    }

    @Test(.enabled(if: getuid() == 0, "mounting a small tmpfs needs root"))
    func fullDiskEvictsAndThenServesUncached() async throws {
        #expect(mount("tmpfs", directory.path, "tmpfs", 0, "size=2m") == 0)
        defer { #expect(umount2(directory.path, Int32(MNT_DETACH)) == 0) }
        // The statistics of the file system are made up: only ENOSPC tells that it is full.
        let space = FreeSpace(
            bytes: 1 << 40,
            totalBytes: 1 << 41,
            inodes: 9_999,
            totalInodes: 9_999
        )
        let store = try open(directory, limits(1 << 40), space: { space })
        let source = CachedSource(StandIn(), store: store)
        for name in ["a", "b", "c"] {
            let file = remoteFile(name, size: mebibyte)
            let range = ByteRange(0, file.size)
            #expect(try await source.read(range, of: file) == StandIn.bytes(range, of: file))
            store.flush()
        }
        #expect(store.statistics.evictions > 0)
        let big = remoteFile("big", size: 3 * mebibyte)
        store.opened(big)
        let range = ByteRange(0, big.size)
        #expect(try await source.read(range, of: big) == StandIn.bytes(range, of: big))
        #expect(store.statistics.bytesNotCached > 0)
        await source.stop()
    }
}

final class Box<Value: Sendable>: Sendable {
    private let storage: Mutex<Value>

    init(_ value: Value) {
        storage = Mutex(value)
    }

    var value: Value {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }
}
