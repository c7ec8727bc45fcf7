import Glibc
import Primitives
import Synchronization
import Testing

@testable import Transfer

/// A server of our own that lies as it is told to.
private final class LyingChannel: ByteChannel, ChannelOpening, @unchecked Sendable {
    // `@unchecked Sendable`: made by a test, then used by the connection's thread only.
    let name = "lie"
    let window = 1 << 20
    private let answer: ([UInt8]) -> [UInt8]
    private var input: [UInt8] = []
    private var output: [UInt8] = []

    /// - Parameter answer: What is sent back for each packet, lengths and all.
    init(_ answer: @escaping ([UInt8]) -> [UInt8]) {
        self.answer = answer
    }

    func open() throws(ConnectionError) -> any ByteChannel { self }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ConnectionError) -> Int? {
        guard !output.isEmpty else { return nil }
        let count = min(buffer.count, output.count)
        buffer.copyBytes(from: output[..<count])
        output.removeFirst(count)
        return count
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ConnectionError) -> Int {
        input += bytes
        while input.count >= 4 {
            let length = input[..<4].reduce(0) { $0 << 8 | Int($1) }
            guard input.count >= 4 + length else { break }
            let packet = Array(input[4..<(4 + length)])
            input.removeFirst(4 + length)
            output += packet[0] == 1 ? Self.packet([2, 0, 0, 0, 3]) : answer(packet)
        }
        return bytes.count
    }

    func interest(wantsToWrite: Bool) -> [pollfd] { [] }
    func close() {}
    func reasonForEnd() -> ConnectionError { ConnectionError(.closed, "end") }

    static func packet(_ body: [UInt8]) -> [UInt8] { number(UInt32(body.count)) + body }
    static func number(_ value: UInt32) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
    static func string(_ bytes: [UInt8]) -> [UInt8] { number(UInt32(bytes.count)) + bytes }
}

@Suite struct HostileServerTests {
    private let file = RemoteFile(path: RemotePath("/a"), size: 1000, modifiedSeconds: 5)

    /// A server that opens everything, and answers reads and listings with `lie`.
    private func pool(_ lie: @escaping (_ type: UInt8, _ id: [UInt8]) -> [UInt8]) -> SFTPPool {
        let channel = LyingChannel { packet in
            let id = Array(packet[1..<5])
            switch packet[0] {
            case 3, 11: return LyingChannel.packet([102] + id + LyingChannel.string([1]))
            case 8:
                return LyingChannel.packet(
                    [105] + id + LyingChannel.number(9) + [0, 0, 0, 0] + LyingChannel.number(1000)
                        + LyingChannel.number(5) + LyingChannel.number(5)
                )
            default: return lie(packet[0], id)
            }
        }
        return SFTPPool(
            RemoteAccount(user: "u", host: "h"),
            opener: channel,
            readTimeout: .milliseconds(300),
            log: quiet
        )
    }

    private func expectFailure(_ pool: SFTPPool) async {
        let error = await #expect(throws: SourceError.self) {
            try await pool.read(ByteRange(0, 1000), of: self.file)
        }
        #expect(error?.code == .unavailable || error?.code == .changed || error?.code == .denied)
        await pool.shutdown()
    }

    @Test func aWrongNumberCostsTheConnection() async {
        await expectFailure(
            pool { _, _ in LyingChannel.packet([103, 9, 9, 9, 9] + LyingChannel.string([1])) }
        )
    }

    @Test func aLengthBeyondThePacketCostsTheConnection() async {
        await expectFailure(
            pool { _, id in LyingChannel.packet([103] + id + LyingChannel.number(50_000) + [1]) }
        )
    }

    @Test func aHugePacketCostsTheConnection() async {
        await expectFailure(pool { _, _ in LyingChannel.number(0xFFFF_FFFF) + [103] })
        await expectFailure(pool { _, _ in LyingChannel.number(0) })
    }

    @Test func moreDataThanAskedForCostsTheConnection() async {
        await expectFailure(
            pool { _, id in
                LyingChannel.packet(
                    [103] + id + LyingChannel.string(Array(repeating: 7, count: 2000))
                )
            }
        )
    }

    @Test func anEndBeforeTheEndIsAChangedFile() async {
        let pool = pool { _, id in LyingChannel.packet([101] + id + LyingChannel.number(1)) }
        let error = await #expect(throws: SourceError.self) {
            try await pool.read(ByteRange(0, 1000), of: self.file)
        }
        #expect(error?.code == .changed)
        await pool.shutdown()
    }

    @Test func anEmptyAnswerDoesNotLoopForEver() async {
        await expectFailure(
            pool { _, id in LyingChannel.packet([103] + id + LyingChannel.string([])) }
        )
    }

    @Test func shortAnswersAreFilledUp() async throws {
        let pool = pool { type, id in
            type == 5 ? LyingChannel.packet([103] + id + LyingChannel.string([7])) : []
        }
        let bytes = try await pool.read(ByteRange(0, 100), of: file)
        #expect(bytes == Array(repeating: 7, count: 100))
        await pool.shutdown()
    }

    @Test func anAnswerTwiceCostsTheConnection() async {
        await expectFailure(
            pool { _, id in
                let data = LyingChannel.packet([103] + id + LyingChannel.string([1, 2]))
                return data + data
            }
        )
    }

    @Test func aWrongKindOfAnswerCostsTheConnection() async {
        await expectFailure(pool { _, id in LyingChannel.packet([200] + id) })
        await expectFailure(pool { _, id in LyingChannel.packet([77] + id) })
    }

    @Test func anEndlessDirectoryEndsAtTheLimit() async throws {
        let pool = pool { _, id in
            let name = LyingChannel.string(Array("x.mkv".utf8))
            let entry = name + name + LyingChannel.number(0)
            return LyingChannel.packet(
                [104] + id + LyingChannel.number(100) + (0..<100).flatMap { _ in entry }
            )
        }
        let entries = try await pool.entries(of: RemotePath("/d"), limit: 5000)
        #expect(entries.count == 5000)
        await pool.shutdown()
    }

    @Test func aListingThatLiesAboutItsCountCostsTheConnection() async {
        let pool = pool { _, id in
            LyingChannel.packet([104] + id + LyingChannel.number(0xFFFF_FFFF))
        }
        await #expect(throws: SourceError.self) {
            try await pool.entries(of: RemotePath("/d"), limit: 10)
        }
        await pool.shutdown()
    }

    @Test(arguments: [1, 2, 3, 4]) func randomPacketsNeverCrash(_ seed: UInt64) async {
        var state = seed
        func random() -> UInt8 {
            state = state &* 6_364_136_223_846_793_005 &+ 1
            return UInt8(truncatingIfNeeded: state >> 33)
        }
        let noise = (0..<40).map { _ in (0..<Int(random())).map { _ in random() } }
        let turn = Mutex(0)
        await expectFailure(
            pool { _, id in
                let next = turn.withLock { turn in
                    turn += 1
                    return noise[turn % noise.count]
                }
                return LyingChannel.packet([next.first ?? 101] + id + next)
            }
        )
    }
}
