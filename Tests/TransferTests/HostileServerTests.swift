import Primitives
import Synchronization
import Testing

@testable import Transfer

/// Servers that lie.
///
/// Nothing they send may crash us, fill memory or pass for a file's bytes.
@Suite struct HostileServerTests {
    private static let file = RemoteFile(
        path: RemotePath("/film.mkv"),
        size: 100_000,
        modifiedSeconds: 5
    )

    /// An honest answer to everything; tests replace one of them.
    private static func honest(_ request: SeenRequest) -> [UInt8] {
        switch request.type {
        case PacketType.open, PacketType.opendir: Reply.handle(request.id)
        case PacketType.read:
            Reply.data(request.id, [UInt8](repeating: 9, count: Int(request.range.count)))
        case PacketType.fstat: Reply.attributes(request.id, size: 100_000, mtime: 5)
        case PacketType.readdir: Reply.status(request.id, SFTPStatus.endOfFile)
        case _: Reply.status(request.id, SFTPStatus.ok)
        }
    }

    struct Lie: CustomTestStringConvertible {
        let testDescription: String
        let type: UInt8
        let answer: @Sendable (SeenRequest) -> [UInt8]

        init(
            _ testDescription: String,
            _ type: UInt8,
            _ answer: @escaping @Sendable (SeenRequest) -> [UInt8]
        ) {
            self.testDescription = testDescription
            self.type = type
            self.answer = answer
        }
    }

    static let lies = [
        Lie("an id that nobody used", PacketType.read) { Reply.data($0.id &+ 1000, [1]) },
        Lie("the same reply twice", PacketType.open) {
            Reply.handle($0.id) + Reply.handle($0.id)
        },
        Lie("data longer than asked", PacketType.read) {
            Reply.data($0.id, [UInt8](repeating: 0, count: Int($0.range.count) + 1))
        },
        Lie("data of no bytes", PacketType.read) { Reply.data($0.id, []) },
        Lie("a handle where data was due", PacketType.read) { Reply.handle($0.id) },
        Lie("data where attributes were due", PacketType.fstat) { Reply.data($0.id, [1]) },
        Lie("a name where a handle was due", PacketType.open) { Reply.names($0.id, [[65]]) },
        Lie("success without a handle", PacketType.open) { Reply.status($0.id, SFTPStatus.ok) },
        Lie("success without data", PacketType.read) { Reply.status($0.id, SFTPStatus.ok) },
        Lie("a packet of 4 GiB", PacketType.read) { _ in [255, 255, 255, 255, 103] },
        Lie("a packet just too large", PacketType.read) { _ in [0, 4, 4, 1, 103] },
        Lie("an empty packet", PacketType.read) { _ in [0, 0, 0, 0] },
        Lie("a packet without an id", PacketType.read) { _ in [0, 0, 0, 2, 103, 0] },
        Lie("a string longer than its packet", PacketType.read) {
            var fields = [UInt8]()
            fields.append(bigEndian: $0.id)
            return Reply.packet(PacketType.data, fields + [127, 255, 255, 255, 1])
        },
        Lie("a packet type that does not exist", PacketType.open) {
            var fields = [UInt8]()
            fields.append(bigEndian: $0.id)
            return Reply.packet(250, fields)
        },
        Lie("text of a login shell", PacketType.open) { _ in Array("Welcome to the box!\n".utf8) },
    ]

    @Test(arguments: lies) func aLieCostsTheConnection(_ lie: Lie) async throws {
        let pool = SFTPPool.scripted { request in
            request.type == lie.type ? lie.answer(request) : Self.honest(request)
        }
        try await withPool(pool) { pool in
            do throws(SourceError) {
                _ = try await pool.read(ByteRange(0, 50_000), of: Self.file)
                Issue.record("a lie was believed")
            } catch {
                #expect(error.code == .unavailable)
                #expect((error.cause as? ConnectionError)?.code == .protocolViolation)
            }
        }
    }

    @Test func anHonestServerIsBelieved() async throws {
        try await withPool(.scripted(Self.honest)) { pool in
            let bytes = try await pool.read(ByteRange(0, 100_000), of: Self.file)
            #expect(bytes == [UInt8](repeating: 9, count: 100_000))
        }
    }

    @Test func aVersionThatIsNotThreeIsRefused() async throws {
        var engine = SFTPEngine(outstandingLimit: 1, handleLimit: 1)
        let packets: [[UInt8]] = [[2, 0, 0, 0, 6], [2, 0, 0], [2], [101, 0, 0, 0, 3]]
        for packet in packets {
            #expect(throws: ConnectionError.self) {
                try packet.withUnsafeBytes { try engine.received($0) }
            }
        }
    }

    @Test func aFileThatEndsEarlyHasChanged() async throws {
        let pool = SFTPPool.scripted { request in
            guard request.type == PacketType.read, request.range.upperBound > 40_000 else {
                return Self.honest(request)
            }
            let left = Int(40_000 - min(40_000, request.range.lowerBound))
            return left == 0
                ? Reply.status(request.id, SFTPStatus.endOfFile)
                : Reply.data(request.id, [UInt8](repeating: 9, count: left))
        }
        try await withPool(pool) { pool in
            do throws(SourceError) {
                _ = try await pool.read(ByteRange(0, 50_000), of: Self.file)
                Issue.record("a short file was read")
            } catch {
                #expect(error.code == .changed)
                #expect(error.message.contains("size was 100000, but it ends at 40000"))
            }
        }
    }

    @Test func oddNamesAreBytesAndImpossibleOnesAreDropped() async throws {
        let long = [UInt8](repeating: 65, count: 4096)
        let names: [[UInt8]] = [
            Array(".".utf8), Array("..".utf8), Array("../../etc/passwd".utf8), [65, 0, 66], [],
            Array("/".utf8), Array("a\nb".utf8), [0xFF, 0xFE], long,
        ]
        let isSent = Atomic<Bool>(false)
        let pool = SFTPPool.scripted { request in
            guard request.type == PacketType.readdir,
                !isSent.exchange(true, ordering: .relaxed)
            else { return Self.honest(request) }
            return Reply.names(request.id, names)
        }
        try await withPool(pool) { pool in
            let entries = try await pool.entries(of: RemotePath("/"), limit: 100)
            #expect(entries.map(\.name) == [Array("a\nb".utf8), [0xFF, 0xFE], long])
        }
    }

    @Test(
        .timeLimit(.minutes(5)),
        arguments: [[Array("film".utf8)], [Array("..".utf8)], [Array("a/b".utf8)], []]
    )
    func anEndlessDirectoryEnds(_ names: [[UInt8]]) async throws {
        let pool = SFTPPool.scripted { request in
            request.type == PacketType.readdir
                ? Reply.names(request.id, names) : Self.honest(request)
        }
        try await withPool(pool) { pool in
            let count = try? await pool.entries(of: RemotePath("/"), limit: 500).count
            #expect(count ?? 0 <= 500)
        }
    }

    /// Servers say no more than "failure" to who opens more than they allow.
    @Test(.timeLimit(.minutes(5)))
    func aServerThatGivesFewHandlesIsListedAllTheSame() async throws {
        let open = Mutex(0)
        let pool = SFTPPool.scripted { request in
            open.withLock { open in
                switch request.type {
                case PacketType.opendir where open == 10 || request.fields.contains(0x62):
                    return Reply.status(request.id, SFTPStatus.failure)
                case PacketType.opendir: open += 1
                case PacketType.close: open -= 1
                default: break
                }
                return Self.honest(request)
            }
        }
        try await withPool(pool) { pool in
            func list(_ names: [String]) async -> [SourceError.Code?] {
                await withTaskGroup(of: SourceError.Code?.self) { group in
                    for name in names {
                        group.addTask {
                            await sourceCode {
                                try await pool.entries(of: RemotePath("/\(name)"), limit: 9)
                            }
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
            }
            let good = (0..<500).map { "a\($0)" }
            #expect(await list(good).allSatisfy { $0 == nil })
            // One that cannot be listed at all ends, and takes no other along.
            let codes = await list(["b"] + good)
            #expect(codes.filter { $0 != nil } == [.unavailable])
        }
    }

    /// Who no longer waits for a place takes none.
    @Test(.timeLimit(.minutes(5)))
    func aCancelledListingGivesItsPlaceBack() async throws {
        let directories = OpenDirectories()
        directories.settle(for: 1)
        try await directories.enter(OpenDirectories.most)
        let waiting = (0..<50).map { number in
            Task { () -> Bool in
                do throws(RequestFailure) {
                    try await directories.enter(number % 2 + 1)
                    _ = directories.leave()
                    return true
                } catch {
                    return false
                }
            }
        }
        for (number, task) in waiting.enumerated() where number % 3 == 0 { task.cancel() }
        _ = directories.leave()
        for (number, task) in waiting.enumerated() where number % 3 != 0 {
            #expect(await task.value)
        }
        for task in waiting { _ = await task.value }
        try await directories.enter(1)
        #expect(directories.leave() == 0)
    }

    @Test(.timeLimit(.minutes(5)))
    func aServerThatSaysNothingIsGivenUp() async throws {
        var limits = RemoteAccount.TimeLimits()
        limits.reply = .milliseconds(50)
        limits.connect = .milliseconds(50)
        let pool = SFTPPool.scripted(limits: limits, readTimeout: .milliseconds(200)) { request in
            request.type == PacketType.read ? [] : Self.honest(request)
        }
        try await withPool(pool) { pool in
            do throws(SourceError) {
                _ = try await pool.read(ByteRange(0, 10), of: Self.file)
            } catch {
                #expect(error.code == .unavailable)
                #expect((error.cause as? ConnectionError)?.code == .timedOut)
            }
        }
    }

    @Test func randomBytesNeverCrash() {
        var generator = SeededGenerator(seed: 20_261_124)
        for _ in 0..<20_000 {
            var engine = SFTPEngine(outstandingLimit: 1 << 20, handleLimit: 2)
            engine.submitted(.read(ByteRange(0, 1000), of: Self.file, .reader, Pending()))
            engine.submitted(.batch([.readdir(handle: [1]), .stat(Self.file.path)], Pending()))
            var packets: [[UInt8]] = [[2, 0, 0, 0, 3]]
            for _ in 0..<4 {
                let type = UInt8.random(in: 101...105, using: &generator)
                let id = UInt8.random(in: 0...3, using: &generator)
                let count = Int.random(in: 0...40, using: &generator)
                let tail = (0..<count).map { _ in
                    // Many zeros, so that lengths are often plausible.
                    Bool.random(using: &generator)
                        ? 0 : UInt8.random(in: 0...255, using: &generator)
                }
                packets.append([type, 0, 0, 0, id] + tail)
            }
            for packet in packets {
                do throws(ConnectionError) {
                    try packet.withUnsafeBytes { bytes in
                        Result { () throws(ConnectionError) in try engine.received(bytes) }
                    }.get()
                    engine.produce()
                } catch {
                    #expect(error.code == .protocolViolation)
                    break
                }
            }
            engine.ended(ConnectionError(.closed, "over"))
        }
    }
}

/// SplitMix64; the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
