import Primitives
import StandIns
import Synchronization
import Testing

@testable import Cache

@Suite struct RaceTests {
    /// Readers, eviction and commits at once, in a quota that holds a third of the files.
    @Test(arguments: [1, 2] as [UInt64])
    func readersNeverSeeWrongBytesWhileOthersEvict(seed: UInt64) async throws {
        print("readersWhileOthersEvict: seed \(seed)")
        let directory = try TemporaryDirectory()
        let limits = CacheLimits(maxBytes: 6 * mebibyte, freeBytes: 0, freeInodes: 0)
        let store = try open(directory, limits)
        let source = CachedSource(StandIn(), store: store)
        let files = (0..<6).map { remoteFile("\($0)", size: 3 * mebibyte + UInt64($0)) }
        let contents = files.map { StandIn.bytes(ByteRange(0, $0.size), of: $0) }
        try await withThrowingTaskGroup(of: Int.self) { group in
            for reader in 0..<6 as Range<UInt64> {
                group.addTask {
                    var random = SeededRandom(seed: seed &* 100 &+ reader)
                    var wrong = 0
                    for step in 0..<30 {
                        let number = Int.random(in: 0..<files.count, using: &random)
                        let start = UInt64.random(in: 0..<3 * mebibyte, using: &random)
                        let range = ByteRange(offset: start, count: 200_000)
                            .clipped(to: files[number].size)
                        let bytes = try await source.read(range, of: files[number])
                        let expected = contents[number][Int(start)..<Int(range.upperBound)]
                        if Array(expected) != bytes { wrong += 1 }
                        if step % 8 == 0 { store.flush() }
                    }
                    return wrong
                }
            }
            for try await wrong in group { #expect(wrong == 0) }
        }
        await source.stop()
        #expect(store.statistics.evictions > 0)
        #expect(store.statistics.badBlocks == 0)
        // The file system may need a page of its own to find a sparse file's pieces, which shows only
        // when they are written.
        #expect(store.statistics.bytes <= 6 * mebibyte + UInt64(files.count) * 4_096)
        #expect(store.verifyAll().bad == 0)
    }

    @Test func evictedVersionIsNotHandedToTheKernel() throws {
        let directory = try TemporaryDirectory()
        let store = try open(directory)
        let file = remoteFile(size: 4 * mebibyte)
        store.fill(0..<64, of: file)
        store.flush()
        store.state.withLock { state in
            _ = state.index.victim(sparing: nil)
        }
        store.opened(file)
        #expect(!store.handsOut(file))
    }
}
