import Primitives
import StandIns
import Synchronization
import Testing

@testable import Transfer

/// Data that come in pieces of every size, beside other replies, short ones, and reads that are
/// given up meanwhile.
@Suite struct ArrivingDataTests {
    private static let size: UInt64 = 3_000_000
    private static let file = RemoteFile(
        path: RemotePath("/film.mkv"),
        size: size,
        modifiedSeconds: 5
    )

    /// The file's bytes: different everywhere.
    private static let film: [UInt8] = {
        var random = SeededRandom(seed: 7)
        return (0..<size / 8).flatMap { _ in withUnsafeBytes(of: random.next()) { Array($0) } }
    }()

    private static func bytes(_ range: ByteRange) -> [UInt8] {
        Array(film[Int(range.lowerBound)..<Int(range.upperBound)])
    }

    private static func answer(_ request: SeenRequest, isShort: Bool) -> [UInt8] {
        switch request.type {
        case PacketType.open: return Reply.handle(request.id)
        case PacketType.fstat: return Reply.attributes(request.id, size: size, mtime: 5)
        case PacketType.read:
            let range = request.range.clipped(to: size)
            let count = isShort ? max(1, range.count / 2) : range.count
            return Reply.data(request.id, bytes(ByteRange(offset: range.lowerBound, count: count)))
        case _: return Reply.status(request.id, SFTPStatus.ok)
        }
    }

    @Test(arguments: [UInt64](1...6)) func everyByteComesToItsPlace(_ seed: UInt64) async throws {
        let random = Mutex(SeededRandom(seed: seed))
        @Sendable func upTo(_ most: UInt64) -> UInt64 {
            random.withLock { UInt64.random(in: 1...most, using: &$0) }
        }
        let longest = [14, 300, 40_000, 1_000_000][Int(seed % 4)] as UInt64
        let least = longest < 300 ? 200 : 0
        let pool = SFTPPool.scripted(
            piece: { least + Int(upTo(longest)) },
            { Self.answer($0, isShort: upTo(10) == 1) }
        )
        try await withPool(pool) { pool in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<24 {
                    let start = upTo(Self.size) - 1
                    let range = ByteRange(offset: start, count: upTo(600_000)).clipped(
                        to: Self.size
                    )
                    let read = Task { try await pool.read(range, of: Self.file) }
                    if number % 6 == 5 { read.cancel() }
                    group.addTask {
                        guard let read = try? await read.value else {
                            #expect(number % 6 == 5)
                            return
                        }
                        #expect(read == Self.bytes(range))
                    }
                }
                try await group.waitForAll()
            }
            let whole = try await pool.read(ByteRange(0, Self.size), of: Self.file)
            #expect(whole == Self.bytes(ByteRange(0, Self.size)))
        }
    }
}
