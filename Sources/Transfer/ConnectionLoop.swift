import Foundation
import Glibc
import Primitives
import Synchronization

/// What a connection's thread does: sends requests, matches answers, keeps files open.
///
/// Everything here is touched by that thread only.
final class ConnectionLoop {
    /// A request that is under way.
    struct Pending {
        enum Purpose {
            case simple(SimpleOperation)
            case open(RemoteHandle)
            case data(ReadOperation, offset: UInt64, length: Int)
            case check(ReadOperation)
            case close
            /// Only to see that the server is there.
            case ping
        }

        let purpose: Purpose
        let sent: ContinuousClock.Instant
    }

    /// Data of a read that is still to be asked for.
    struct Slice {
        let operation: ReadOperation
        let handle: RemoteHandle
        let offset: UInt64
        let length: Int
    }

    /// The largest packet a server may send: OpenSSH's limit of 256 KiB, and some slack.
    static let largestPacket = (256 << 10) + 1024
    /// What every server must be able to send (section 6.4 says 32 768 bytes).
    static let smallestRead = 32 << 10
    /// OpenSSH answers at most this many bytes.
    static let largestRead = 255 << 10
    /// Silence after which the server is asked whether it is there.
    static let pingAfter = Duration.seconds(15)

    let connection: SFTPConnection
    let channel: any ByteChannel
    let replyTimeout: Duration
    let clock = ContinuousClock()

    var files = HandleCache()
    var pending: [UInt32: Pending] = [:]
    var slices: [Slice] = []
    /// Index of the first slice that was not sent.
    var nextSlice = 0
    /// Bytes of data under way.
    var outstanding = 0
    var readSize = ConnectionLoop.smallestRead
    private var lastID: UInt32 = 0
    private var output = SFTPWriter()
    private var input: PacketBuffer
    private var lastHeard: ContinuousClock.Instant

    init(_ connection: SFTPConnection, _ channel: any ByteChannel, replyTimeout: Duration) {
        self.connection = connection
        self.channel = channel
        self.replyTimeout = replyTimeout
        input = PacketBuffer(largest: Self.largestPacket)
        lastHeard = clock.now
    }

    /// Exchanges versions, and asks for the server's limits where it tells them.
    func start() throws(ConnectionError) {
        // INIT has its version where others have their number.
        output.begin(.initialise, id: 3)
        output.end()
        let started = clock.now
        var hasLimits = false
        try waitForPacket { packet throws(ConnectionError) in
            var reader = SFTPReader(packet)
            guard try reader.uint8() == SFTPPacketType.version.rawValue, try reader.uint32() >= 3
            else {
                throw ConnectionError(.protocolViolation, "the server does not speak SFTP 3")
            }
            while !reader.isAtEnd {
                let name = String(decoding: try reader.string(), as: UTF8.self)
                _ = try reader.string()
                if name == "limits@openssh.com" { hasLimits = true }
            }
        }
        measured(clock.now - started)
        guard hasLimits else { return }
        let asked = SimpleOperation(.limits)
        send(asked.request, .simple(asked))
        var limit: UInt64 = 0
        try waitForPacket { packet throws(ConnectionError) in
            var reader = SFTPReader(packet)
            guard try reader.uint8() == SFTPPacketType.extendedReply.rawValue else { return }
            _ = try reader.uint32()
            _ = try reader.uint64()
            limit = try reader.uint64()
        }
        pending = [:]
        guard limit > 0 else { return }
        readSize = Int(clamping: limit.clamped(to: 1024...UInt64(Self.largestRead)))
    }

    /// Serves until the connection ends.
    ///
    /// - Throws: ``ConnectionError``: always, in the end.
    func serve() throws(ConnectionError) -> Never {
        while true {
            try takeWork()
            sendSlices()
            let hasWritten = try flush()
            let hasRead = try receive()
            connection.load.store(outstanding + waitingBytes, ordering: .relaxed)
            if !hasWritten, !hasRead { try wait() }
        }
    }

    private var waitingBytes: Int {
        slices[nextSlice...].reduce(0) { $0 + $1.length }
    }

    func send(_ request: SFTPRequest, _ purpose: Pending.Purpose) {
        lastID &+= 1
        while pending[lastID] != nil { lastID &+= 1 }
        request.encode(id: lastID, into: &output)
        if pending.isEmpty { lastHeard = max(lastHeard, clock.now) }
        pending[lastID] = Pending(purpose: purpose, sent: clock.now)
    }

    func measured(_ time: Duration) {
        let new = Int(time / .microseconds(1))
        let old = connection.roundTripMicroseconds.load(ordering: .relaxed)
        connection.roundTripMicroseconds.store(
            old == 0 ? new : (old * 7 + new) / 8,
            ordering: .relaxed
        )
    }

    func failAll(_ error: ConnectionError) {
        let failure = OperationFailure.connection(error)
        for (_, waiting) in pending {
            switch waiting.purpose {
            case .simple(let operation): operation.promise.fulfil(.failure(failure))
            case .open(let handle):
                for operation in handle.waiting { operation.promise.fulfil(.failure(failure)) }
            case .data(let operation, _, _), .check(let operation):
                operation.promise.fulfil(.failure(failure))
            case .close, .ping: break
            }
        }
        for slice in slices[nextSlice...] { slice.operation.promise.fulfil(.failure(failure)) }
    }

    private func takeWork() throws(ConnectionError) {
        let (work, isClosing) = connection.inbox.withLock { inbox in
            defer { inbox.work = [] }
            return (inbox.work, inbox.isClosing)
        }
        if isClosing {
            for work in work {
                SFTPConnection.fail(work, .connection(ConnectionError(.closed, "shutting down")))
            }
            throw ConnectionError(.closed, "shutting down")
        }
        for work in work {
            switch work {
            case .simple(let operation): send(operation.request, .simple(operation))
            case .read(let operation): begin(operation)
            case .cancelled(let operation): drop(operation)
            }
        }
    }

    private func drop(_ operation: ReadOperation) {
        slices[nextSlice...].removeAll { $0.operation === operation }
        end(operation)
    }

    private func flush() throws(ConnectionError) -> Bool {
        var hasWritten = false
        while !output.bytes.isEmpty {
            let count = try Self.write(output.bytes, to: channel)
            if count == 0 { return hasWritten }
            output.removeFirst(count)
            hasWritten = true
        }
        return hasWritten
    }

    private static func write(
        _ bytes: [UInt8],
        to channel: any ByteChannel
    ) throws(ConnectionError) -> Int {
        let result = bytes.withUnsafeBytes { bytes -> Result<Int, ConnectionError> in
            do throws(ConnectionError) {
                return .success(try channel.write(bytes))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    private func receive() throws(ConnectionError) -> Bool {
        guard try fill() else { return false }
        while let packet = try input.next() { try handle(packet) }
        return true
    }

    /// - Returns: Whether anything had arrived.
    private func fill() throws(ConnectionError) -> Bool {
        guard let count = try channel.read(into: input.space()) else { return false }
        guard count > 0 else { throw channel.reasonForEnd() }
        input.filled(count)
        lastHeard = clock.now
        connection.bytesReceived.wrappingAdd(UInt64(count), ordering: .relaxed)
        return true
    }

    private func waitForPacket(
        _ body: (UnsafeRawBufferPointer) throws(ConnectionError) -> Void
    ) throws(ConnectionError) {
        let end = clock.now + replyTimeout
        while true {
            if let packet = try input.next() { return try body(packet) }
            let hasWritten = try flush()
            if try fill() || hasWritten { continue }
            guard clock.now < end else {
                throw ConnectionError(.timedOut, "the server does not start SFTP")
            }
            try wait(atMost: .milliseconds(200))
        }
    }

    /// Waits until there is something to do, or an answer is overdue.
    private func wait() throws(ConnectionError) {
        let silence = clock.now - lastHeard
        if !pending.isEmpty, silence >= replyTimeout {
            throw ConnectionError(.timedOut, "the server was silent for \(replyTimeout)")
        }
        if pending.isEmpty, silence >= Self.pingAfter {
            send(.realpath(RemotePath(".")), .ping)
            return
        }
        try wait(atMost: (pending.isEmpty ? Self.pingAfter : replyTimeout) - silence)
    }

    private func wait(atMost limit: Duration) throws(ConnectionError) {
        var descriptors = channel.interest(wantsToWrite: !output.bytes.isEmpty)
        descriptors.append(pollfd(fd: connection.wakeup, events: Int16(POLLIN), revents: 0))
        let milliseconds = (limit / .milliseconds(1)).rounded(.up)
        poll(&descriptors, nfds_t(descriptors.count), Int32(milliseconds.clamped(to: 1...60_000)))
        if descriptors.last?.revents != 0 {
            var count: UInt64 = 0
            Glibc.read(connection.wakeup, &count, 8)
        }
    }
}

extension Comparable {
    fileprivate func clamped(to range: ClosedRange<Self>) -> Self {
        min(max(self, range.lowerBound), range.upperBound)
    }
}

/// Bytes from the server, cut into packets.
struct PacketBuffer: ~Copyable {
    private let bytes: UnsafeMutableRawBufferPointer
    private let largest: Int
    private var start = 0
    private var end = 0

    init(largest: Int) {
        self.largest = largest
        bytes = .allocate(byteCount: 4 * largest, alignment: 16)
    }

    deinit { bytes.deallocate() }

    /// Where the next bytes go.
    mutating func space() -> UnsafeMutableRawBufferPointer {
        if start == end {
            (start, end) = (0, 0)
        } else if bytes.count - end < largest {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            bytes.copyMemory(from: rest)
            (start, end) = (0, rest.count)
        }
        return UnsafeMutableRawBufferPointer(rebasing: bytes[end...])
    }

    mutating func filled(_ count: Int) { end += count }

    /// The next whole packet without its length, valid until ``space()`` is called.
    mutating func next() throws(ConnectionError) -> UnsafeRawBufferPointer? {
        guard end - start >= 4 else { return nil }
        let length = Int(
            UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: start, as: UInt32.self))
        )
        guard length > 0, length <= largest else {
            throw ConnectionError(.protocolViolation, "the server sent a packet of \(length) bytes")
        }
        guard end - start >= 4 + length else { return nil }
        defer { start += 4 + length }
        return UnsafeRawBufferPointer(rebasing: bytes[(start + 4)..<(start + 4 + length)])
    }
}
