import Foundation
import Logging
import Primitives
import StandIns
import Synchronization
import Testing

@testable import Cache

@Suite struct BlockStoreTests {
    let directory: TemporaryDirectory
    let file = remoteFile()

    init() throws {
        directory = try TemporaryDirectory()
    }

    @Test func storedBytesAreReadableBeforeTheyAreCommitted() throws {
        let store = try open(directory)
        store.fill(0..<5, of: file)
        let range = ByteRange(1, 299_999)
        #expect(store.cached(range, of: file) == StandIn.bytes(range, of: file))
    }

    @Test func missingBlockMakesTheWholeReadAMiss() throws {
        let store = try open(directory)
        store.fill(0..<2, of: file)
        store.fill(3..<5, of: file)
        #expect(store.cached(ByteRange(0, 300_000), of: file) == nil)
    }

    @Test func otherVersionsHaveTheirOwnBlocks() throws {
        let store = try open(directory)
        store.fill(0..<5, of: file)
        #expect(!store.holds(remoteFile(time: 2)))
        #expect(!store.holds(remoteFile(size: 300_001)))
        #expect(!store.holds(remoteFile("b")))
    }

    @Test func committedBlocksAreThereAfterReopening() throws {
        do {
            let store = try open(directory)
            store.fill(0..<1, of: file)
            store.fill(4..<5, of: file)
            store.flush()
        }
        let store = try open(directory)
        let expected = [ByteRange(0, 65_536), ByteRange(262_144, 300_000)]
        #expect(store.cachedRanges(file) == expected)
        #expect(store.cached(expected[1], of: file) == StandIn.bytes(expected[1], of: file))
    }

    @Test func blocksThatWereNotCommittedAreLostByACrash() throws {
        do {
            let store = try open(directory)
            store.fill(0..<1, of: file)
            store.flush()
            store.fill(1..<5, of: file)
        }
        #expect(try open(directory).cachedRanges(file) == [ByteRange(0, 65_536)])
    }

    @Test func fileIsCompleteWhenItsLastBlockCame() throws {
        let store = try open(directory)
        store.fill(0..<4, of: file)
        #expect(!store.isComplete(file))
        store.fill(4..<5, of: file)
        #expect(store.isComplete(file))
    }

    @Test func descriptorOfACompleteFileReadsItsBytes() throws {
        let store = try open(directory)
        store.opened(file)
        #expect(!store.handsOut(file))
        store.fill(0..<5, of: file)
        #expect(!store.handsOut(file), "its bytes are not on the disk yet")
        store.flush()
        let bytes = store.withCompleteData(of: file) { descriptor, _ in
            FileHandle(fileDescriptor: descriptor).readDataToEndOfFile()
        }
        #expect(try #require(bytes).elementsEqual(StandIn.bytes(ByteRange(0, 300_000), of: file)))
    }

    @Test func damagedFileIsNeverHandedOut() throws {
        try withExtendedLifetime(open(directory)) { store in
            store.fill(0..<5, of: file)
            store.flush()
        }
        let store = try open(directory)
        try flip(store.directory.data(VersionKey(file)), at: 200_000)
        store.opened(file)
        #expect(!store.handsOut(file))
        store.fill(0..<5, of: file)
        store.flush()
        #expect(store.handsOut(file))
    }

    @Test func bigFileOfAnEarlierRunIsHandedOutOnceItIsChecked() throws {
        let file = remoteFile("big", size: 9 << 20)
        try withExtendedLifetime(open(directory)) { store in
            store.fill(0..<Block.count(inFileOf: file.size), of: file)
            store.flush()
        }
        let store = try open(directory)
        store.opened(file)
        #expect(!store.handsOut(file))
        store.checker.sync {}
        #expect(store.handsOut(file))
    }

    @Test func aCopyIsKnownWithoutTheDiskWhileItIsTheSame() throws {
        let file = remoteFile("film", size: 3 << 20)
        let store = try open(directory)
        store.opened(file)
        #expect(store.completeData(of: file) == nil)
        store.fill(0..<Block.count(inFileOf: file.size), of: file)
        #expect(store.completeData(of: file) == nil)
        store.flush()
        let copy = try #require(store.completeData(of: file))
        #expect(store.withCompleteData(of: file) { _, copy in copy } == copy)
        #expect(store.completeData(of: remoteFile("film", size: 3 << 20, time: 7)) == nil)

        let removals = Lock(0)
        store.whenRemoving.withLock { $0 = { removals.withLock { $0 += 1 } } }
        store.released(file)
        store.setLimits(CacheLimits(maxBytes: 0))
        #expect(removals.withLock { $0 } == 1)
        #expect(store.completeData(of: file) == nil)
        store.setLimits(CacheLimits(maxBytes: 64 << 20))
        store.fill(0..<Block.count(inFileOf: file.size), of: file)
        store.flush()
        let other = try #require(store.completeData(of: file))
        #expect(other != copy)
    }

    @Test func nothingIsCutOutOfCopiesThatMayBeOpen() throws {
        let file = remoteFile("big", size: 6 << 20)
        let store = try open(directory)
        store.fill(0..<Block.count(inFileOf: file.size), of: file)
        store.flush()
        let bytes = store.withCompleteData(of: file) { descriptor, _ in
            store.keepOpenCopiesWhole()
            store.setLimits(CacheLimits(maxBytes: 4 << 20))
            return FileHandle(fileDescriptor: descriptor).readDataToEndOfFile()
        }
        #expect(try #require(bytes).elementsEqual(StandIn.bytes(ByteRange(0, 6 << 20), of: file)))
        #expect(!store.holds(file))
    }

    @Test func onlySoManyIdleVersionsStayInMemory() throws {
        let store = try open(directory, change: { $0.footprintLimit = 64 << 10 })
        let files = (0..<80).map { remoteFile("\($0)", size: 10) }
        for file in files {
            store.opened(file)
            store.fill(0..<1, of: file)
        }
        store.flush()
        #expect(store.state.withLock { $0.loaded.count } == files.count)
        for file in files { store.released(file) }
        store.fill(0..<1, of: file)
        #expect(store.state.withLock { $0.loaded.count } < 64)
        let range = ByteRange(0, 10)
        #expect(store.cached(range, of: files[0]) == StandIn.bytes(range, of: files[0]))
    }

    @Test func idleVersionsHoldNoDescriptors() throws {
        let store = try open(directory)
        let before = try openDescriptors()
        let files = (0..<50).map { remoteFile("\($0)", size: 10) }
        for file in files {
            store.opened(file)
            store.fill(0..<1, of: file)
            store.released(file)
        }
        store.flush()
        #expect(try openDescriptors() == before)
        for file in files {
            #expect(store.cached(ByteRange(0, 10), of: file) != nil)
        }
    }

    private func openDescriptors() throws -> Int {
        let files = FileManager.default
        return try files.contentsOfDirectory(atPath: "/proc/self/fd").count { number in
            let target = try? files.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
            return target?.contains(directory.path) ?? false
        }
    }

    @Test func forgottenFileLeavesNothingBehind() throws {
        let store = try open(directory)
        store.fill(0..<5, of: file)
        store.forget(file)
        #expect(!store.holds(file))
        #expect(store.statistics.bytes == 0)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path + "/blocks") == []
        )
    }

    // MARK: Damage

    @Test func flippedBitInTheDataIsFoundAndTheBlockIsMissing() throws {
        let store = try open(directory)
        store.fill(0..<5, of: file)
        try flip(store.directory.data(VersionKey(file)), at: 70_000)
        #expect(store.cached(ByteRange(65_536, 65_540), of: file) == nil)
        #expect(store.statistics.badBlocks == 1)
        #expect(store.cachedRanges(file) == [ByteRange(0, 65_536), ByteRange(131_072, 300_000)])
        store.fill(1..<2, of: file)
        let range = ByteRange(0, 300_000)
        #expect(store.cached(range, of: file) == StandIn.bytes(range, of: file))
    }

    /// Every byte of the map's table and bitmap, and some of its header.
    @Test func flippedBitAnywhereInTheMapNeverGivesWrongBytes() throws {
        do {
            let store = try open(directory)
            store.fill(0..<2, of: file)
            store.fill(3..<5, of: file)
            store.flush()
        }
        let map = directory.path + "/blocks/\(VersionKey(file).name).map"
        let whole = try Data(contentsOf: URL(fileURLWithPath: map))
        let header = MapHeader(file)
        let offsets = Array(header.length..<header.mapSize) + [0, 9, 13, 17, 25, 33, 45]
        for offset in offsets {
            try whole.write(to: URL(fileURLWithPath: map))
            try flip(map, at: offset)
            let store = try open(directory)
            for block in 0..<5 {
                let range = Block.bytes(of: block, inFileOf: file.size)
                let bytes = store.cached(range, of: file)
                #expect(bytes == nil || bytes == StandIn.bytes(range, of: file), "at \(offset)")
            }
            #expect(store.fill(0..<5, of: file), "at \(offset)")
            #expect(store.isComplete(file), "at \(offset)")
        }
    }

    @Test(arguments: [0, 10, 40, 4_095, 4_100])
    func tornMapIsAnEmptyFile(length: Int) throws {
        do {
            let store = try open(directory)
            store.fill(0..<5, of: file)
            store.flush()
        }
        let map = directory.path + "/blocks/\(VersionKey(file).name).map"
        #expect(truncate(map, length) == 0)
        let store = try open(directory)
        #expect(!store.holds(file))
        store.fill(0..<5, of: file)
        #expect(store.isComplete(file))
    }

    @Test func mapOfAnotherFileUnderTheSameNameIsNotUsed() throws {
        let other = remoteFile("other")
        do {
            let store = try open(directory)
            store.fill(0..<5, of: other)
            store.flush()
            for path in [store.directory.data, store.directory.map] {
                try FileManager.default.moveItem(
                    atPath: path(VersionKey(other)),
                    toPath: path(VersionKey(file))
                )
            }
        }
        let store = try open(directory)
        #expect(store.cached(ByteRange(0, 10), of: file) == nil)
        store.fill(0..<5, of: file)
        let range = ByteRange(0, 300_000)
        #expect(store.cached(range, of: file) == StandIn.bytes(range, of: file))
    }

    @Test func shortenedDataFileIsNeverServed() throws {
        let store = try open(directory)
        store.fill(0..<5, of: file)
        #expect(truncate(store.directory.data(VersionKey(file)), 100_000) == 0)
        #expect(store.cached(ByteRange(0, 300_000), of: file) == nil)
        #expect(store.cachedRanges(file) == [ByteRange(0, 65_536)])
    }

    @Test func halvesWithoutTheOtherAreRemovedAtStart() throws {
        let other = remoteFile("other")
        do {
            let store = try open(directory)
            store.fill(0..<5, of: file)
            store.fill(0..<5, of: other)
            store.flush()
            unlink(store.directory.map(VersionKey(file)))
            unlink(store.directory.data(VersionKey(other)))
        }
        let store = try open(directory)
        #expect(store.statistics.files == 0)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path + "/blocks") == []
        )
    }

    @Test func verifyCountsGoodAndBadBlocks() throws {
        let store = try open(directory)
        store.fill(0..<5, of: file)
        store.fill(0..<3, of: remoteFile("b"))
        try flip(store.directory.data(VersionKey(file)), at: 299_999)
        var expected = VerifyCounts()
        (expected.files, expected.blocks, expected.bad) = (2, 8, 1)
        #expect(store.verifyAll() == expected)
        (expected.blocks, expected.bad) = (7, 0)
        #expect(store.verifyAll() == expected)
        try flip(store.directory.map(VersionKey(file)), at: 40)
        (expected.files, expected.blocks, expected.torn) = (1, 3, 1)
        #expect(store.verifyAll() == expected)
        #expect(store.verifyAll().torn == 0)
    }

    // MARK: Crashes

    /// What a power cut leaves: of the map what was written at any moment, of the data at least
    /// what was synchronised before.
    ///
    /// Data is copied when a commit has ended, the map at or before the next one.
    @Test(arguments: 0..<20) func crashAtAnyMomentLosesBlocksButNeverInventsOne(seed: UInt64) throws
    {
        print("crashAtAnyMoment: seed \(seed)")
        var random = SeededRandom(seed: seed)
        let copy = try TemporaryDirectory()
        let big = remoteFile(size: 40 * Block.size + 123)
        let store = try open(directory)
        let paths = [store.directory.data(VersionKey(big)), store.directory.map(VersionKey(big))]
        let target = copy.path + "/blocks"
        var committed: Set<Int> = []
        var written: Set<Int> = []
        for _ in 0..<Int.random(in: 1...6, using: &random) {
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                let block = Int.random(in: 0..<41, using: &random)
                store.fill(block..<block + 1, of: big)
                written.insert(block)
            }
            store.flush()
            committed = written
        }
        guard !written.isEmpty else { return }
        try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: true)
        // The disk has the data as it was synchronised; the map may be older or newer.
        let name = { (path: String) in target + "/" + (path as NSString).lastPathComponent }
        try FileManager.default.copyItem(atPath: paths[0], toPath: name(paths[0]))
        for _ in 0..<5 {
            let block = Int.random(in: 0..<41, using: &random)
            store.fill(block..<block + 1, of: big)
        }
        try FileManager.default.copyItem(atPath: paths[1], toPath: name(paths[1]))
        let survivor = try open(copy)
        for block in 0..<41 {
            let range = Block.bytes(of: block, inFileOf: big.size)
            let bytes = survivor.cached(range, of: big)
            #expect(bytes == (committed.contains(block) ? StandIn.bytes(range, of: big) : nil))
        }
        #expect(survivor.statistics.badBlocks == 0)
    }

    /// The worst disk: the map is there, the data is not.
    @Test func mapThatRanAheadOfItsDataIsFoundOut() throws {
        do {
            let store = try open(directory)
            store.fill(0..<5, of: file)
            store.flush()
            let data = store.directory.data(VersionKey(file))
            #expect(truncate(data, 0) == 0)
            #expect(truncate(data, 300_000) == 0)
        }
        let store = try open(directory)
        for block in 0..<5 {
            #expect(store.cached(Block.bytes(of: block, inFileOf: file.size), of: file) == nil)
        }
        #expect(store.statistics.badBlocks == 5)
    }

    // MARK: Lock

    @Test func secondOwnerIsToldWhoTheFirstIs() throws {
        let store = try open(directory)
        let error = #expect(throws: CacheError.self) { try open(directory) }
        #expect(error?.code == .inUse)
        #expect(error?.message.contains("process \(getpid())") == true)
        #expect(error?.message.contains("--cache-dir") == true)
        store.flush()
    }

    @Test func directoryThatCannotBeMadeIsUnusable() throws {
        let path = directory.path + "/file"
        #expect(FileManager.default.createFile(atPath: path, contents: nil))
        let error = #expect(throws: CacheError.self) {
            try BlockStore(directory: path + "/cache", log: Logger(label: "cache"))
        }
        #expect(error?.code == .unusable)
    }
}
