import Primitives
import Testing

@testable import Transfer

/// The engine alone: requests out, packets in, no time and no thread.
@Suite struct SFTPEngineTests {
    private static let file = RemoteFile(
        path: RemotePath("/film.mkv"),
        size: 1_000_000,
        modifiedSeconds: 5
    )

    /// An engine whose server has introduced itself, and what it has asked for since.
    private struct Harness {
        var engine: SFTPEngine

        init(outstandingLimit: Int = 1 << 20, handleLimit: Int = 4) throws {
            engine = SFTPEngine(outstandingLimit: outstandingLimit, handleLimit: handleLimit)
            engine.sent(9)
            try receive(Reply.version)
        }

        mutating func requests() -> [SeenRequest] {
            engine.produce()
            let (requests, _) = SeenRequest.all(in: engine.output)
            engine.sent(engine.output.count)
            return requests
        }

        mutating func receive(_ packet: [UInt8]) throws {
            try packet.dropFirst(4).withUnsafeBytes { try engine.received($0) }
        }

        mutating func read(_ range: ByteRange, of file: RemoteFile = file) -> Pending<ReadOutcome> {
            let pending = Pending<ReadOutcome>()
            engine.submitted(.read(range, of: file, .reader, pending))
            return pending
        }
    }

    @Test func attributesAndDataAreAskedForTogetherOnceOpen() throws {
        var harness = try Harness()
        _ = harness.read(ByteRange(0, 65_536))
        let opening = harness.requests()
        #expect(opening.map(\.type) == [PacketType.open])
        try harness.receive(Reply.handle(opening[0].id))
        let types = harness.requests().map(\.type)
        #expect(types == [PacketType.read, PacketType.read, PacketType.fstat])
    }

    @Test func theSecondReadNeedsNoOpen() async throws {
        var harness = try Harness()
        _ = harness.read(ByteRange(0, 0))
        let open = harness.requests()[0]
        try harness.receive(Reply.handle(open.id))
        _ = harness.requests()
        _ = harness.read(ByteRange(5, 6))
        #expect(harness.requests().map(\.type) == [PacketType.read, PacketType.fstat])
    }

    @Test func repliesInAnyOrderAndShortOnesMakeTheRange() async throws {
        var harness = try Harness()
        let pending = harness.read(ByteRange(10, 100_010))
        try harness.receive(Reply.handle(harness.requests()[0].id))
        var open = harness.requests()
        // The last first, and everything in portions of 5,000 bytes.
        while let request = open.popLast() {
            if request.type == PacketType.fstat {
                try harness.receive(Reply.attributes(request.id, size: 1_000_000, mtime: 5))
            } else {
                let range = request.range
                let bytes = (range.lowerBound..<range.upperBound).prefix(5000).map {
                    UInt8(truncatingIfNeeded: $0 / 3)
                }
                try harness.receive(Reply.data(request.id, bytes))
            }
            open += harness.requests()
        }
        let want = (10..<100_010).map { UInt8(truncatingIfNeeded: $0 / 3) }
        #expect(try await pending.value() == .bytes(Bytes(want)))
    }

    @Test func aServerThatGivesLessIsAskedForLess() throws {
        var harness = try Harness()
        _ = harness.read(ByteRange(0, 500_000))
        try harness.receive(Reply.handle(harness.requests()[0].id))
        let first = harness.requests()[0]
        #expect(first.range.count == 32_768)
        try harness.receive(Reply.data(first.id, [UInt8](repeating: 0, count: 8192)))
        #expect(harness.engine.readSize == 8192)
    }

    @Test func noMoreIsOutstandingThanAllowed() throws {
        var harness = try Harness(outstandingLimit: 100_000)
        _ = harness.read(ByteRange(0, 1_000_000))
        try harness.receive(Reply.handle(harness.requests()[0].id))
        let first = harness.requests()
        #expect(first.count == 4)
        try harness.receive(Reply.data(first[0].id, [UInt8](repeating: 0, count: 32_768)))
        #expect(harness.requests().count == 1)
    }

    @Test func aSmallReadDoesNotWaitForALargeOne() throws {
        var harness = try Harness(outstandingLimit: 65_536)
        _ = harness.read(ByteRange(0, 1_000_000))
        try harness.receive(Reply.handle(harness.requests()[0].id))
        let first = harness.requests()
        _ = harness.read(ByteRange(999_990, 1_000_000))
        for request in first {
            try harness.receive(Reply.data(request.id, [UInt8](repeating: 0, count: 32_768)))
        }
        #expect(harness.requests().contains { $0.type == 5 && $0.range.count == 10 })
    }

    @Test func aCancelledReadSendsNoMore() throws {
        var harness = try Harness(outstandingLimit: 32_768)
        let pending = harness.read(ByteRange(0, 1_000_000))
        try harness.receive(Reply.handle(harness.requests()[0].id))
        let request = harness.requests()[0]
        pending.finish(.failure(.cancelled))
        try harness.receive(Reply.data(request.id, [UInt8](repeating: 0, count: 32_768)))
        #expect(harness.requests().isEmpty)
        #expect(!harness.engine.isWaiting)
    }

    @Test func theLeastRecentlyReadFileIsClosed() throws {
        var harness = try Harness(handleLimit: 2)
        var closed: [SeenRequest] = []
        for number in 0..<3 {
            let file = RemoteFile(
                path: RemotePath("/\(number)"),
                size: 1,
                modifiedSeconds: 5
            )
            _ = harness.read(ByteRange(0, 0), of: file)
            var open = harness.requests()
            while let request = open.popLast() {
                switch request.type {
                case PacketType.open: try harness.receive(Reply.handle(request.id))
                case PacketType.fstat:
                    try harness.receive(Reply.attributes(request.id, size: 1, mtime: 5))
                case _: closed.append(request)
                }
                open += harness.requests()
            }
        }
        #expect(closed.map(\.type) == [PacketType.close])
        #expect(Set(harness.engine.files.keys.map(\.path.text)) == ["/1", "/2"])
    }

    @Test func aDirectoryOpenedForNobodyIsClosed() throws {
        var harness = try Harness()
        let pending = Pending<[SFTPReply]>()
        harness.engine.submitted(.batch([.opendir(RemotePath("/"))], pending))
        let request = harness.requests()[0]
        pending.finish(.failure(.cancelled))
        try harness.receive(Reply.handle(request.id))
        #expect(harness.requests().map(\.type) == [PacketType.close])
    }

    @Test func theEndOfTheConnectionReachesEverybody() async throws {
        var harness = try Harness()
        let reads = [harness.read(ByteRange(0, 10)), harness.read(ByteRange(5, 6))]
        let batch = Pending<[SFTPReply]>()
        harness.engine.submitted(.batch([.stat(Self.file.path)], batch))
        harness.engine.ended(ConnectionError(.closed, "over"))
        for read in reads {
            await #expect(throws: RequestFailure.self) { try await read.value() }
        }
        await #expect(throws: RequestFailure.self) { try await batch.value() }
    }

    @Test func requestsBeforeTheServerIsReadyAreSentAfterwards() throws {
        var engine = SFTPEngine(outstandingLimit: 1 << 20, handleLimit: 1)
        engine.submitted(.batch([.stat(Self.file.path)], Pending()))
        #expect(engine.output == SFTPRequest.initialization)
        engine.sent(9)
        try Reply.version.dropFirst(4).withUnsafeBytes { try engine.received($0) }
        #expect(SeenRequest.all(in: engine.output).0.map(\.type) == [PacketType.stat])
    }

    @Test func theServersLimitsAreKept() throws {
        var engine = SFTPEngine(outstandingLimit: 1 << 20, handleLimit: 32)
        engine.sent(9)
        var version: [UInt8] = [2, 0, 0, 0, 3]
        version.append(sshString: Array("limits@openssh.com".utf8))
        version.append(sshString: Array("1".utf8))
        engine.submitted(.batch([.opendir(Self.file.path)], Pending()))
        engine.submitted(.read(ByteRange(0, 200_000), of: Self.file, .reader, Pending()))
        try version.withUnsafeBytes { try engine.received($0) }
        #expect(engine.phase == .limits)
        engine.produce()
        let requests = SeenRequest.all(in: engine.output).0
        // A read's parts depend on the limits, a directory does not.
        #expect(requests.map(\.type) == [PacketType.extended, PacketType.opendir])
        let request = requests[0]
        var reply: [UInt8] = [PacketType.extendedReply]
        reply.append(bigEndian: request.id)
        for number: UInt64 in [262_144, 100_000, 100_000, 10] { reply.append(bigEndian: number) }
        try reply.withUnsafeBytes { try engine.received($0) }
        #expect(engine.phase == .ready)
        #expect(engine.readSize == 100_000)
    }
}
