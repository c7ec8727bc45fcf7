import Glibc
import Logging
import Primitives
import Synchronization

@testable import Transfer

/// A request as a server sees it.
struct SeenRequest: Equatable {
    let type: UInt8
    let id: UInt32
    /// Behind the id.
    let fields: [UInt8]

    /// The packets in `bytes`, and what is left of an incomplete one.
    static func all(in bytes: [UInt8]) -> ([SeenRequest], rest: [UInt8]) {
        var rest = bytes[...]
        var requests: [SeenRequest] = []
        while rest.count >= 4 {
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            guard rest.count >= 4 + length, length >= 5 else { break }
            let packet = Array(rest.dropFirst(4).prefix(length))
            let id = packet[1..<5].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            requests.append(SeenRequest(type: packet[0], id: id, fields: Array(packet[5...])))
            rest = rest.dropFirst(4 + length)
        }
        return (requests, Array(rest))
    }

    /// The range of a READ with a handle of one byte.
    var range: ByteRange {
        let offset = fields[5..<13].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let count = fields[13..<17].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return ByteRange(offset: offset, count: count)
    }
}

/// Packets as a server writes them, true or not.
enum Reply {
    static func packet(_ type: UInt8, _ fields: [UInt8]) -> [UInt8] {
        var packet: [UInt8] = []
        packet.append(bigEndian: UInt32(fields.count + 1))
        return packet + [type] + fields
    }

    static let version = packet(PacketType.version, [0, 0, 0, 3])

    private static func begin(_ id: UInt32) -> [UInt8] {
        var fields: [UInt8] = []
        fields.append(bigEndian: id)
        return fields
    }

    static func status(_ id: UInt32, _ code: UInt32) -> [UInt8] {
        var fields = begin(id)
        fields.append(bigEndian: code)
        fields.append(sshString: Array("so it is".utf8))
        fields.append(sshString: [])
        return packet(PacketType.status, fields)
    }

    static func handle(_ id: UInt32) -> [UInt8] {
        packet(PacketType.handle, begin(id) + [0, 0, 0, 1, 7])
    }

    static func data(_ id: UInt32, _ bytes: [UInt8]) -> [UInt8] {
        var fields = begin(id)
        fields.append(sshString: bytes)
        return packet(PacketType.data, fields)
    }

    static func attributes(_ id: UInt32, size: UInt64, mtime: UInt32) -> [UInt8] {
        packet(PacketType.attributes, begin(id) + attributes(size: size, mtime: mtime))
    }

    private static func attributes(size: UInt64, mtime: UInt32) -> [UInt8] {
        var fields: [UInt8] = [0, 0, 0, 13]
        fields.append(bigEndian: size)
        fields.append(bigEndian: UInt32(0o100644))
        fields.append(bigEndian: mtime)
        fields.append(bigEndian: mtime)
        return fields
    }

    static func names(_ id: UInt32, _ names: [[UInt8]]) -> [UInt8] {
        var fields = begin(id)
        fields.append(bigEndian: UInt32(names.count))
        for name in names {
            fields.append(sshString: name)
            fields.append(sshString: [])
            fields += attributes(size: 1, mtime: 2)
        }
        return packet(PacketType.name, fields)
    }
}

/// A server that answers as a test says, in memory.
final class ScriptedChannel: ByteChannel {
    typealias Script = @Sendable (SeenRequest) -> [UInt8]

    let outstandingLimit: Int
    private let script: Script
    /// How many bytes come at once at most.
    private let piece: @Sendable () -> Int
    private var received: [UInt8] = []
    private var toSend: [UInt8] = Reply.version
    private var sawInitialization = false

    init(
        outstandingLimit: Int = 1 << 20,
        piece: @escaping @Sendable () -> Int = { 1021 },
        _ script: @escaping Script
    ) {
        self.outstandingLimit = outstandingLimit
        self.piece = piece
        self.script = script
    }

    func waits(toWrite: Bool) -> [pollfd] { [] }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ConnectionError) -> ReadResult {
        guard !toSend.isEmpty else { return .wouldBlock }
        let count = min(toSend.count, buffer.count, piece())
        buffer.copyBytes(from: toSend[..<count])
        toSend.removeFirst(count)
        return .bytes(count)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ConnectionError) -> Int {
        received += bytes
        if !sawInitialization {
            received.removeFirst(9)
            sawInitialization = true
        }
        let (requests, rest) = SeenRequest.all(in: received)
        received = rest
        for request in requests { toSend += script(request) }
        return bytes.count
    }

    func close() {}
}

extension SFTPPool {
    /// A pool whose every connection leads to `script`.
    static func scripted(
        connections: Int = 1,
        limits: RemoteAccount.TimeLimits = RemoteAccount.TimeLimits(),
        // So long that a slow machine never makes a wait for a connection fail.
        readTimeout: Duration = .seconds(600),
        logger: Logger = .quiet,
        // So that packets and their lengths are split.
        piece: @escaping @Sendable () -> Int = { 1021 },
        _ script: @escaping ScriptedChannel.Script
    ) -> SFTPPool {
        var account = RemoteAccount(host: "scripted", user: "me")
        account.timeLimits = limits
        var settings = Settings()
        settings.connections = connections
        settings.readTimeout = readTimeout
        return SFTPPool(account, settings: settings, logger: logger) { _ in
            ScriptedChannel(piece: piece, script)
        }
    }
}
