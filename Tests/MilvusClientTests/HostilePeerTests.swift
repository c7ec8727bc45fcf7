import MilvusClient
import Testing

/// Peers that are no Milvus server, or a bad one.
@Suite struct HostilePeerTests {
    private static let good = [(":status", "200"), ("content-type", "application/grpc")]
    private static let done = Wire.headers([("grpc-status", "0")], endsStream: true)

    /// What a call to a peer that does as `script` says ends with, and how long it took.
    private static func outcome(
        timeout: Duration = .seconds(10),
        connectTimeout: Duration = .seconds(10),
        _ script: @escaping @Sendable (Wire) -> Void
    ) async throws -> (error: MilvusError, time: Duration) {
        let peer = try ScriptedPeer { wire, _ in script(wire) }
        defer { peer.stop() }
        var server = MilvusServer.loopback(peer.port)
        server.callTimeout = timeout
        server.connectTimeout = connectTimeout
        server.mostAnswerBytes = 100_000
        let client = MilvusClient(server)
        let began = ContinuousClock.now
        let error = await #expect(throws: MilvusError.self) { try await client.listCollections() }
        let time = ContinuousClock.now - began
        await client.close()
        return (try #require(error), time)
    }

    /// What a call ends with that gets these frames for an answer.
    private static func outcome(answer frames: [UInt8]...) async throws -> MilvusError {
        try await outcome { wire in
            wire.receiveRequest()
            wire.send(Wire.settings)
            for frame in frames { wire.send(frame) }
            wire.drain()
        }.error
    }

    @Test func aSilentListenerIsGivenUpAtTheDeadline() async throws {
        let (error, time) = try await Self.outcome(timeout: .milliseconds(300)) { $0.drain() }
        #expect(error.code == .timedOut)
        #expect(time >= .milliseconds(300) && time < .seconds(60))
    }

    @Test func aListenerThatNeverSpeaksIsNoServerAfterTheConnectTimeout() async throws {
        let (error, time) = try await Self.outcome(connectTimeout: .seconds(2)) {
            $0.drain()
        }
        #expect(error.code == .unavailable)
        #expect(error.description.contains("said nothing"))
        #expect(time < .seconds(60))
    }

    @Test func nobodyAtThePortIsUnavailable() async throws {
        let peer = try ScriptedPeer { _, _ in }
        peer.stop()
        let client = MilvusClient(.loopback(peer.port))
        let error = await #expect(throws: MilvusError.self) { try await client.connect() }
        #expect(error?.code == .unavailable)
        #expect(error?.description.contains("cannot reach '127.0.0.1:\(peer.port)'") == true)
    }

    @Test func anUnknownNameIsUnavailable() async throws {
        let client = MilvusClient(MilvusServer(host: "no-such-host.invalid"))
        let error = await #expect(throws: MilvusError.self) { try await client.connect() }
        #expect(error?.code == .unavailable)
        #expect(error?.description.contains("no-such-host.invalid") == true)
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n",
        "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}",
    ])
    func garbageIsMalformed(_ garbage: String) async throws {
        let (error, time) = try await Self.outcome { wire in
            wire.send(Array(garbage.utf8))
            wire.drain()
        }
        #expect(error.code == .malformed)
        #expect(error.description.contains("SETTINGS"))
        #expect(time < .seconds(60))
    }

    @Test func aPeerThatClosesAfterThePrefaceIsUnavailable() async throws {
        let (error, time) = try await Self.outcome { $0.receive() }
        #expect(error.code == .unavailable)
        #expect(time < .seconds(60))
    }

    @Test func aPeerThatClosesAtOnceIsUnavailable() async throws {
        let (error, _) = try await Self.outcome { _ in }
        #expect(error.code == .unavailable)
    }

    @Test func aHeaderBlockWithoutEndIsMalformed() async throws {
        let (error, time) = try await Self.outcome { wire in
            wire.receiveRequest()
            wire.send(Wire.settings + Wire.frame(1, stream: 1, Wire.block(Self.good)))
            let more = Wire.frame(
                9,
                stream: 1,
                Wire.block([("x", String(repeating: "a", count: 100))])
            )
            while wire.send(more) {}
        }
        #expect(error.code == .malformed)
        #expect(time < .seconds(60))
    }

    @Test func manyHeadersAreMalformed() async throws {
        let long = String(repeating: "a", count: 120)
        let block = (0..<100).map { ("x-\($0)", long) }
        let frames = (0..<8).map { _ in Wire.frame(1, flags: 4, stream: 1, Wire.block(block)) }
        let error = try await Self.outcome(answer: Wire.headers(Self.good), frames.flatMap { $0 })
        #expect(error.code == .malformed)
    }

    @Test func anAnswerLongerThanAllowedIsMalformed() async throws {
        let (error, time) = try await Self.outcome { wire in
            wire.receiveRequest()
            wire.send(Wire.settings + Wire.headers(Self.good))
            let part = Wire.data([UInt8](repeating: 0, count: 16_000))
            while wire.send(part) {}
        }
        #expect(error.code == .malformed)
        #expect(error.description.contains("100005 bytes"))
        #expect(time < .seconds(60))
    }

    @Test func anAnswerShorterThanItSaysIsMalformed() async throws {
        let message: [UInt8] = [0, 0xFF, 0xFF, 0xFF, 0xFF, 8, 1]
        let error = try await Self.outcome(
            answer: Wire.headers(Self.good),
            Wire.data(message),
            Self.done
        )
        #expect(error.code == .malformed)
        #expect(error.description.contains("announces 4294967295 bytes and has 2"))
    }

    @Test(arguments: [[], [0], [1, 0, 0, 0, 0], [0, 0, 0, 0, 2, 0xFF, 0xFF]] as [[UInt8]])
    func aBrokenMessageIsMalformed(_ body: [UInt8]) async throws {
        let error = try await Self.outcome(
            answer: Wire.headers(Self.good),
            Wire.data(body),
            Self.done
        )
        #expect(error.code == .malformed)
    }

    @Test func anEndWithoutStatusIsMalformed() async throws {
        let end = Wire.headers([("x", "y")], endsStream: true)
        let error = try await Self.outcome(answer: Wire.headers(Self.good), end)
        #expect(error.code == .malformed)
    }

    @Test(arguments: [
        ("3", MilvusError.Code.rejected), ("4", .timedOut), ("5", .notFound), ("7", .unauthorised),
        ("12", .rejected), ("14", .unavailable), ("16", .unauthorised), ("x", .malformed),
    ])
    func aStatusWithoutAMessageTellsWhatToDo(
        _ status: String,
        _ code: MilvusError.Code
    ) async throws {
        let headers = Self.good + [("grpc-status", status), ("grpc-message", "caf%C3%A9 100%")]
        let error = try await Self.outcome(answer: Wire.headers(headers, endsStream: true))
        #expect(error.code == code)
    }

    @Test func aServersWordsAreDecoded() async throws {
        let headers = Self.good + [("grpc-status", "3"), ("grpc-message", "caf%C3%A9")]
        let error = try await Self.outcome(answer: Wire.headers(headers, endsStream: true))
        #expect(error.description.contains("'café' (gRPC status 3)"))
    }

    @Test(arguments: [
        ("401", MilvusError.Code.unauthorised), ("404", .malformed), ("503", .unavailable),
    ])
    func plainHTTPTellsWhatToDo(_ status: String, _ code: MilvusError.Code) async throws {
        let headers = [(":status", status), ("content-type", "text/html")]
        let error = try await Self.outcome(answer: Wire.headers(headers, endsStream: true))
        #expect(error.code == code)
    }

    @Test func aResetStreamIsUnavailableAndTheConnectionStays() async throws {
        let peer = try ScriptedPeer { wire, _ in
            wire.receiveRequest()
            wire.send(Wire.settings + Wire.frame(3, stream: 1, Wire.bytes(2)))
            wire.drain()
        }
        defer { peer.stop() }
        var server = MilvusServer.loopback(peer.port)
        server.callTimeout = .seconds(2)
        let client = MilvusClient(server)
        #expect(await code { _ = try await client.connect() } == .unavailable)
        #expect(await code { _ = try await client.connect() } == .timedOut)
        #expect(peer.connections == 1)
    }

    @Test func aRefusedStreamIsTriedOnceMoreOnANewConnectionAfterGoAway() async throws {
        let peer = try ScriptedPeer { wire, number in
            wire.receiveRequest()
            let goAway = Wire.frame(7, stream: 0, Wire.bytes(0) + Wire.bytes(0))
            let refusal = Self.good + [("grpc-status", "12")]
            let answer = number == 0 ? goAway : Wire.headers(refusal, endsStream: true)
            wire.send(Wire.settings + answer)
            wire.drain()
        }
        defer { peer.stop() }
        let client = MilvusClient(.loopback(peer.port))
        #expect(await code { _ = try await client.connect() } == .rejected)
        #expect(peer.connections == 2)
    }

    @Test func aConnectionThatRefusedAStreamIsLeftAndClosed() async throws {
        let peer = try ScriptedPeer { wire, number in
            wire.receiveRequest()
            let refused = Wire.frame(3, stream: 1, Wire.bytes(7))
            let answer = Wire.headers(Self.good + [("grpc-status", "12")], endsStream: true)
            wire.send(Wire.settings + (number == 0 ? refused : answer))
            wire.drain()
        }
        defer { peer.stop() }
        let client = MilvusClient(.loopback(peer.port))
        #expect(await code { _ = try await client.connect() } == .rejected)
        #expect(peer.connections == 2)
        let deadline = ContinuousClock.now + .seconds(5)
        while peer.openConnections > 1, .now < deadline { await Task.yield() }
        #expect(peer.openConnections == 1)
        await client.close()
    }

    @Test func aConnectionGivenUpAsDeadIsClosed() async throws {
        let peer = try ScriptedPeer { wire, _ in
            wire.receive()
            wire.send(Wire.settings)
            wire.drain()
        }
        defer { peer.stop() }
        var server = MilvusServer.loopback(peer.port)
        server.callTimeout = .milliseconds(100)
        let client = MilvusClient(server)
        // The first call hears the greeting, the second nothing, the third goes another way; on a
        // busy machine the greeting may come later.
        for _ in 0..<20 where peer.connections < 2 {
            #expect(await code { _ = try await client.connect() } == .timedOut)
        }
        #expect(peer.connections == 2)
        let deadline = ContinuousClock.now + .seconds(5)
        while peer.openConnections > 1, .now < deadline { await Task.yield() }
        #expect(peer.openConnections == 1)
        await client.close()
    }

    @Test func aRefusedLoginIsInNoMessage() async throws {
        let peer = try ScriptedPeer { wire, _ in
            wire.receiveRequest()
            let words = ("grpc-message", "auth check failure")
            let refusal = Self.good + [("grpc-status", "16"), words]
            wire.send(Wire.settings + Wire.headers(refusal, endsStream: true))
            wire.drain()
        }
        defer { peer.stop() }
        var server = MilvusServer.loopback(peer.port)
        server.login = .password(user: "root", password: "Milvus")
        let client = MilvusClient(server)
        let error = await #expect(throws: MilvusError.self) { try await client.connect() }
        #expect(error?.code == .unauthorised)
        let words = String(describing: error)
        #expect(!words.contains("Milvus\"") && !words.contains("cm9vdDpNaWx2dXM="))
    }
}
