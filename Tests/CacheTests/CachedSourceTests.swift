import Primitives
import StandIns
import Testing

@testable import Cache

@Suite struct CachedSourceTests {
    let directory: TemporaryDirectory
    let store: BlockStore
    let upstream = StandIn()
    let source: CachedSource
    let file = remoteFile(size: 1_000_000)

    init() throws {
        directory = try TemporaryDirectory()
        store = try open(directory)
        source = CachedSource(upstream, store: store)
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func randomReadsEqualTheSource(
        seed: UInt64
    ) async throws {
        print("randomReads: seed \(seed)")
        var random = SeededRandom(seed: seed)
        let whole = StandIn.bytes(ByteRange(0, file.size), of: file)
        for _ in 0..<100 {
            let ends = [
                UInt64.random(in: 0...file.size, using: &random),
                UInt64.random(in: 0...file.size, using: &random),
            ].sorted()
            let range = ByteRange(ends[0], ends[1])
            let bytes = try await source.read(range, of: file)
            #expect(bytes == Array(whole[Int(ends[0])..<Int(ends[1])]))
        }
        let asked = upstream.requests.reduce(0) { $0 + $1.count }
        #expect(asked <= file.size)
    }

    @Test func missingBlocksAreFetchedInOneAlignedRange() async throws {
        _ = try await source.read(ByteRange(70_000, 140_000), of: file)
        #expect(upstream.requests == [ByteRange(65_536, 196_608)])
    }

    @Test func lastBlockIsCutAtTheEndOfTheFile() async throws {
        _ = try await source.read(ByteRange(999_990, 1_000_000), of: file)
        #expect(upstream.requests == [ByteRange(983_040, 1_000_000)])
    }

    @Test func longRunIsCutIntoRequests() async throws {
        let big = remoteFile("big", size: 3 * mebibyte)
        let bytes = try await source.read(ByteRange(0, big.size), of: big)
        #expect(bytes == StandIn.bytes(ByteRange(0, big.size), of: big))
        #expect(
            Set(upstream.requests) == [
                ByteRange(0, mebibyte), ByteRange(mebibyte, 2 * mebibyte),
                ByteRange(2 * mebibyte, 3 * mebibyte),
            ]
        )
    }

    @Test func presentBlocksAreNotFetchedAgain() async throws {
        store.fill(1..<2, of: file)
        let range = ByteRange(0, 196_608)
        #expect(try await source.read(range, of: file) == StandIn.bytes(range, of: file))
        #expect(Set(upstream.requests) == [ByteRange(0, 65_536), ByteRange(131_072, 196_608)])
        #expect(store.statistics.hits == 1)
        #expect(store.statistics.misses == 2)
        #expect(store.statistics.bytesFromSource == 131_072)
    }

    @Test func badBlockIsFetchedAgainInTheSameRead() async throws {
        store.fill(0..<16, of: file)
        try flip(store.directory.data(VersionKey(file)), at: 70_000)
        let range = ByteRange(0, 1_000_000)
        #expect(try await source.read(range, of: file) == StandIn.bytes(range, of: file))
        #expect(upstream.requests == [ByteRange(65_536, 131_072)])
        #expect(store.statistics.badBlocks == 1)
    }

    @Test func twoReadersOfABlockShareOneFetch() async throws {
        upstream.hold()
        async let first = source.read(ByteRange(0, 10), of: file)
        await upstream.asked(1)
        async let second = source.read(ByteRange(5, 65_546), of: file)
        await upstream.asked(2)
        upstream.letGo()
        #expect(try await first == StandIn.bytes(ByteRange(0, 10), of: file))
        #expect(try await second == StandIn.bytes(ByteRange(5, 65_546), of: file))
        #expect(upstream.requests == [ByteRange(0, 65_536), ByteRange(65_536, 131_072)])
    }

    @Test func cancelledReaderLeavesTheFetchToTheOther() async throws {
        upstream.hold()
        let first = Task { try await source.read(ByteRange(0, 10), of: file) }
        await upstream.asked(1)
        // The second block tells when the second reader has joined.
        let second = Task { try await source.read(ByteRange(0, 65_537), of: file) }
        await upstream.asked(2)
        first.cancel()
        let error = await #expect(throws: SourceError.self) { try await first.value }
        #expect(error?.code == .cancelled)
        upstream.letGo()
        let range = ByteRange(0, 65_537)
        #expect(try await second.value == StandIn.bytes(range, of: file))
        #expect(upstream.cancelled == 0)
    }

    @Test func fetchThatNobodyWantsIsCancelled() async throws {
        upstream.hold()
        let reader = Task { try await source.read(ByteRange(0, 10), of: file) }
        await upstream.asked(1)
        reader.cancel()
        await upstream.gaveUp(1)
        #expect(upstream.cancelled == 1)
    }

    @Test func upstreamsErrorReachesTheReaderUnchanged() async throws {
        upstream.fail(SourceError(.denied, file.path, "as the server said"))
        let error = await #expect(throws: SourceError.self) {
            try await source.read(ByteRange(0, 10), of: file)
        }
        #expect(error?.code == .denied)
        #expect(error?.message == "as the server said")
        upstream.fail(nil)
        let range = ByteRange(0, 10)
        #expect(try await source.read(range, of: file) == StandIn.bytes(range, of: file))
    }

    @Test(arguments: [(-1, SourceError.Code.changed), (1, .unavailable)])
    func answerOfWrongLengthIsNeverServed(change: Int, code: SourceError.Code) async throws {
        upstream.changeLength(by: change)
        let error = await #expect(throws: SourceError.self) {
            try await source.read(ByteRange(0, 10), of: file)
        }
        #expect(error?.code == code)
        #expect(!store.holds(file))
    }

    @Test func readBiggerThanTheMemoryLimitEnds() async throws {
        var limits = FetchLimits()
        (limits.requestBytes, limits.memoryBytes) = (65_536, 131_072)
        let small = CachedSource(upstream, store: store, limits: limits)
        let range = ByteRange(0, file.size)
        #expect(try await small.read(range, of: file) == StandIn.bytes(range, of: file))
    }

    @Test func prefetchedBlocksAreInTheStoreWhenItStops() async throws {
        upstream.hold()
        source.prefetch(ByteRange(0, 131_072), of: file, for: 1)
        await upstream.asked(1)
        async let joined = source.read(ByteRange(0, 196_608), of: file)
        await upstream.asked(2)
        source.cancelPrefetch(for: 1)
        upstream.letGo()
        let range = ByteRange(0, 196_608)
        #expect(try await joined == StandIn.bytes(range, of: file))
        await source.stop()
        #expect(upstream.requests == [ByteRange(0, 131_072), ByteRange(131_072, 196_608)])
        #expect(upstream.cancelled == 0)
    }

    @Test func cancelledPrefetchIsGivenUp() async throws {
        upstream.hold()
        source.prefetch(ByteRange(0, 131_072), of: file, for: 1)
        await upstream.asked(1)
        source.cancelPrefetch(for: 1)
        await upstream.gaveUp(1)
        #expect(upstream.requests.count == 1)
    }

    @Test func stoppedSourceRefusesReaders() async throws {
        await source.stop()
        let error = await #expect(throws: SourceError.self) {
            try await source.read(ByteRange(0, 10), of: file)
        }
        #expect(error?.code == .unavailable)
    }
}
