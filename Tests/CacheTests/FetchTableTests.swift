import Primitives
import Testing

@testable import Cache

@Suite struct FetchTableTests {
    private let file = remoteFile(size: 64 << 20)

    /// A table over an empty store, four blocks to a request, eight in memory.
    private func table(memoryBlocks: UInt64 = 8) -> FetchTable {
        var limits = FetchLimits()
        limits.requestBytes = 4 * Block.size
        limits.memoryBytes = memoryBlocks * Block.size
        return FetchTable(limits: limits) { blocks, _ in [blocks] }
    }

    private func started(_ actions: [FetchTable.Action]) -> [Range<Int>] {
        actions.compactMap { action in
            if case .start(_, _, let blocks, _) = action { blocks } else { nil }
        }
    }

    private func cancelled(_ actions: [FetchTable.Action]) -> [UInt64] {
        actions.compactMap { if case .cancel(let id) = $0 { id } else { nil } }
    }

    private func finish(_ table: inout FetchTable, _ id: UInt64) -> [FetchTable.Action] {
        table.arrived(id, Bytes([])) + table.stored(id)
    }

    @Test func readersWaitForRoomInTheOrderTheyCame() {
        var table = table()
        let first = table.wanted(0..<8, of: file, by: 1)
        #expect(started(first.actions) == [0..<4, 4..<8])
        #expect(started(table.wanted(8..<12, of: file, by: 2).actions) == [])
        #expect(started(table.wanted(12..<13, of: file, by: 3).actions) == [])
        #expect(table.held == 8 * Block.size)
        _ = finish(&table, first.parts[0].fetch)
        #expect(started(table.took(first.parts[0].fetch, 1)) == [8..<12])
        #expect(started(table.left(1)) == [])
        #expect(started(finish(&table, first.parts[1].fetch)) == [12..<13])
    }

    @Test func bytesCountUntilReaderAndStoreHaveThem() {
        var table = table()
        let plan = table.wanted(0..<4, of: file, by: 1)
        _ = table.arrived(plan.parts[0].fetch, Bytes([]))
        _ = table.left(1)
        #expect(table.held == 4 * Block.size)
        _ = table.stored(plan.parts[0].fetch)
        #expect(table.held == 0)
        #expect(table.isIdle)
    }

    @Test func prefetchesLeaveHalfOfTheMemoryToReaders() {
        var table = table()
        #expect(started(table.prefetch(0..<8, of: file, for: 7)) == [0..<4])
        #expect(started(table.wanted(20..<24, of: file, by: 1).actions) == [20..<24])
    }

    @Test func filesOfOneUrgencyTakeTurns() {
        var table = table(memoryBlocks: 16)
        let other = remoteFile("other", size: 64 << 20)
        #expect(started(table.prefetch(0..<16, of: file, for: 7)) == [0..<4, 4..<8])
        #expect(started(table.prefetch(100..<116, of: other, for: 8)) == [])
        #expect(started(finish(&table, 1)) == [8..<12])
        #expect(started(finish(&table, 2)) == [100..<104])
        #expect(started(finish(&table, 3)) == [12..<16])
    }

    @Test func theMoreUrgentPrefetchGoesFirst() {
        var table = table(memoryBlocks: 16)
        let (one, other) = (remoteFile("one", size: 64 << 20), remoteFile("other", size: 64 << 20))
        _ = table.prefetch(0..<8, of: file, for: 7)
        #expect(started(table.prefetch(20..<24, of: one, for: 0, priority: .keep)) == [])
        #expect(started(table.prefetch(32..<36, of: other, for: 9, priority: .prefetch)) == [])
        #expect(started(table.prefetch(8..<12, of: file, for: 7)) == [])
        #expect(started(finish(&table, 1)) == [8..<12])
        #expect(started(finish(&table, 2)) == [32..<36])
        #expect(started(finish(&table, 3)) == [20..<24])
    }

    @Test func whatNobodyIsAboutToReadGivesWay() {
        var table = table(memoryBlocks: 640)
        let other = remoteFile("other", size: 64 << 20)
        _ = table.wanted(0..<1, of: other, by: 1)
        // Two MiB while somebody else is served.
        let background = started(table.prefetch(100..<200, of: file, for: 0, priority: .keep))
        #expect(background.map(\.count).reduce(0, +) == 32)
    }

    @Test func aFileIsNotFinishedBeforeItsOwnReader() {
        var table = table(memoryBlocks: 64)
        let plan = table.wanted(0..<4, of: file, by: 1)
        #expect(started(table.prefetch(0..<16, of: file, for: 0, priority: .keep)) == [])
        #expect(plan.parts.count == 1)
        #expect(started(table.left(1)).first == 0..<4)
    }

    @Test func whatTheStoreDoesNotTakeIsNotFetchedOnForNobody() {
        var table = table(memoryBlocks: 16)
        #expect(started(table.prefetch(0..<40, of: file, for: 0, priority: .keep)) == [0..<4])
        #expect(started(table.arrived(1, Bytes([])) + table.stored(1, isKept: false)) == [])
        #expect(table.isIdle)
    }

    @Test func fetchesEndWhereTheKernelsReadsDo() {
        var table = table(memoryBlocks: 64)
        #expect(started(table.prefetch(1..<10, of: file, for: 7)) == [1..<4, 4..<8, 8..<10])
    }

    @Test func prefetchWaitsWhileAReaderWaits() {
        var table = table()
        let first = table.wanted(0..<8, of: file, by: 1)
        _ = table.wanted(8..<16, of: file, by: 2)
        #expect(started(table.prefetch(30..<34, of: file, for: 7)) == [])
        _ = finish(&table, first.parts[0].fetch)
        #expect(started(table.took(first.parts[0].fetch, 1)) == [8..<12])
    }

    @Test func readerOvertakesAPrefetchThatHasNotStarted() {
        var table = table(memoryBlocks: 16)
        _ = table.prefetch(0..<16, of: file, for: 7)
        let plan = table.wanted(12..<13, of: file, by: 1)
        #expect(started(plan.actions) == [12..<13])
    }

    @Test func readerJoinsARunningPrefetchAndKeepsItAlive() {
        var table = table()
        _ = table.prefetch(0..<4, of: file, for: 7)
        let plan = table.wanted(1..<2, of: file, by: 1)
        #expect(started(plan.actions) == [])
        #expect(cancelled(table.prefetchCancelled(for: 7)) == [])
        #expect(cancelled(table.left(1)) == [plan.parts[0].fetch])
    }

    @Test func blocksOfACancelledFetchMayBeFetchedAgainAtOnce() {
        var table = table()
        let first = table.wanted(0..<1, of: file, by: 1)
        #expect(cancelled(table.left(1)) == [first.parts[0].fetch])
        let second = table.wanted(0..<1, of: file, by: 2)
        #expect(started(second.actions) == [0..<1])
        _ = table.failed(first.parts[0].fetch, SourceError(.cancelled, file.path, ""))
        #expect(table.held == Block.size)
    }

    @Test func nobodyStartsAfterTheStop() {
        var table = table()
        let plan = table.wanted(0..<16, of: file, by: 1)
        let actions = table.stopped()
        #expect(started(actions) == [])
        #expect(Set(cancelled(actions)) == Set(plan.parts.prefix(2).map(\.fetch)))
    }

    /// Fetched ahead for handle 7 and stored.
    private func tableWithUnread() -> FetchTable {
        var table = table(memoryBlocks: 16)
        _ = table.prefetch(0..<4, of: file, for: 7)
        let bytes = Bytes([UInt8](repeating: 1, count: 4 * Int(Block.size)))
        _ = table.arrived(1, bytes)
        _ = table.stored(1)
        return table
    }

    @Test func whatWasFetchedAheadStaysInMemoryUntilItIsRead() {
        var table = tableWithUnread()
        #expect(table.arrival(with: ByteRange(5, 100_000), of: file)?.arrival.offset == 0)
        #expect(table.held == 4 * Block.size)
        #expect(table.arrival(with: ByteRange(100_000, 4 * Block.size), of: file) != nil)
        #expect(table.held == 0)
        #expect(table.arrival(with: ByteRange(0, 5), of: file) == nil)
        #expect(table.isIdle)
    }

    @Test func whatIsUnreadGivesWay() {
        var table = tableWithUnread()
        #expect(started(table.wanted(40..<56, of: file, by: 1).actions).count == 4)
        #expect(table.arrival(with: ByteRange(0, 5), of: file) == nil)
    }

    @Test func whatNobodyWillReadAnyMoreIsGivenUp() {
        var table = tableWithUnread()
        _ = table.prefetchCancelled(for: 7)
        #expect(table.isIdle && table.held == 0)
    }

    @Test func aReaderTakesFromMemoryWhatLiesThere() {
        var table = tableWithUnread()
        let plan = table.wanted(2..<6, of: file, by: 1)
        #expect(plan.parts.map(\.blocks) == [2..<4, 4..<6])
        #expect(started(plan.actions) == [4..<6])
        _ = table.left(1)
        #expect(table.held == 2 * Block.size)
    }
}
