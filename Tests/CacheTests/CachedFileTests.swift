import Foundation
import Primitives
import StandIns
import Testing

@testable import Cache

/// Reads of an open file whose blocks lie on the disk.
@Suite struct CachedFileTests {
    private let directory: TemporaryDirectory
    private let store: BlockStore
    private let files: CachedFiles
    private let remote = remoteFile(size: 4 * mebibyte + 12_345)

    init() throws {
        directory = try TemporaryDirectory()
        store = try open(directory)
        let away = StandIn()
        away.fail(SourceError(.unavailable, remote.path, "reads ahead bring nothing here"))
        files = CachedFiles(CachedSource(away, store: store))
        store.fill(0..<Block.count(inFileOf: remote.size), of: remote)
    }

    private func opened() -> any OpenFile { files.open(remote) { nil } }

    /// - Returns: The bytes, and whether they were in memory.
    private func read(
        _ range: ByteRange,
        of file: any OpenFile
    ) -> (bytes: [UInt8], wasPrepared: Bool)? {
        if let slice = file.inMemory(range) { return (slice.withUnsafeBytes(Array.init), true) }
        var bytes = [UInt8](repeating: 0, count: Int(range.count))
        let isRead = bytes.withUnsafeMutableBytes { file.readAtOnce(range, into: $0) }
        return isRead ? (bytes, false) : nil
    }

    @Test(arguments: [4_096, 65_536, 131_072, 131_071, 1 << 20, (1 << 20) - 4_096, 3_000_000])
    func whoReadsOnIsAnsweredFromMemory(count: UInt64) throws {
        let file = opened()
        defer { file.close() }
        let whole = StandIn.bytes(ByteRange(0, remote.size), of: remote)
        var (offset, fromMemory): (UInt64, UInt64) = (0, 0)
        while offset < remote.size {
            let range = ByteRange(offset: offset, count: count).clipped(to: remote.size)
            let (bytes, wasPrepared) = try #require(read(range, of: file))
            #expect(bytes.elementsEqual(whole[Int(range.lowerBound)..<Int(range.upperBound)]))
            fromMemory += wasPrepared ? range.count : 0
            offset = range.upperBound
        }
        // Those that lie across the ends of parts are not, nor what is bigger than a part.
        if count <= 65_536 || count == 131_072 || count == 1 << 20 {
            #expect(fromMemory >= remote.size - 2 * mebibyte)
        }
    }

    @Test func whoJumpsReadsTheDisk() throws {
        let file = opened()
        defer { file.close() }
        var random = SeededRandom(seed: 1)
        var last: UInt64 = 0
        for _ in 0..<200 {
            let block = UInt64.random(in: 0..<64, using: &random)
            guard block != last + 1, block != last else { continue }
            last = block
            let range = Block.bytes(of: Int(block), inFileOf: remote.size)
            let (bytes, wasPrepared) = try #require(read(range, of: file))
            #expect(bytes == StandIn.bytes(range, of: remote))
            #expect(!wasPrepared)
        }
    }

    @Test func whatIsNotAllThereIsReadByItself() throws {
        let other = remoteFile("b", size: 4 * mebibyte)
        store.fill(0..<20, of: other)
        let file = files.open(other) { nil }
        defer { file.close() }
        for block in 0..<20 {
            let range = Block.bytes(of: block, inFileOf: other.size)
            #expect(try #require(read(range, of: file)).bytes == StandIn.bytes(range, of: other))
        }
        #expect(read(Block.bytes(of: 20, inFileOf: other.size), of: file) == nil)
    }

    @Test func whatWasPreparedOutlivesItsVersion() throws {
        let file = opened()
        defer { file.close() }
        for block in 0..<4 {
            _ = read(Block.bytes(of: block, inFileOf: remote.size), of: file)
        }
        let next = Block.bytes(of: 4, inFileOf: remote.size)
        #expect(try #require(read(next, of: file)) == (StandIn.bytes(next, of: remote), true))
        store.forget(remote)
        let last = Block.bytes(of: 5, inFileOf: remote.size)
        #expect(try #require(read(last, of: file)) == (StandIn.bytes(last, of: remote), true))
        // Behind all that is prepared.
        #expect(read(Block.bytes(of: 63, inFileOf: remote.size), of: file) == nil)
    }

    @Test func onlyTheFewThatReadLastHoldMemory() throws {
        let all = (0..<20).map { _ in opened() }
        defer { for file in all { file.close() } }
        for file in all {
            for block in 0..<4 {
                _ = read(Block.bytes(of: block, inFileOf: remote.size), of: file)
            }
        }
        let range = Block.bytes(of: 4, inFileOf: remote.size)
        let holding = all.filter { $0.inMemory(range) != nil }
        #expect(holding.count == PreparedHandles.limit)
        #expect(all[0].inMemory(range) == nil)
        #expect(all[19].inMemory(range) != nil)
    }
}
