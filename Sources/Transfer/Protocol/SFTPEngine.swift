import Primitives

/// What a connection is asked to do.
enum Command: Sendable {
    /// Sends `requests` together; their replies come in the same order.
    case batch([SFTPRequest], Pending<[SFTPReply]>)
    /// Reads through a cached handle and checks that the file is still this version. An empty
    /// range opens and checks only.
    case read(ByteRange, of: RemoteFile, ReadPriority, Pending<ReadOutcome>)

    func fail(_ error: ConnectionError) {
        switch self {
        case .batch(_, let pending): pending.finish(.failure(.connection(error)))
        case .read(_, _, _, let pending): pending.finish(.failure(.connection(error)))
        }
    }
}

/// Decides what is sent on one SFTP connection and what a reply means.
///
/// No clock, no lock, no descriptor: its owner moves the bytes. Replies are matched by id and
/// may come in any order. A reply that nobody asked for, of the wrong kind or the wrong length
/// means that the stream can no longer be trusted, and the owner must end the connection.
/// A finished ``Pending`` (its task was cancelled) is never an error: late replies are dropped.
struct SFTPEngine {
    enum Phase {
        case version
        case limits
        case ready
    }

    /// What the reply to an id must be.
    private enum Expected {
        case limits
        case reply(type: UInt8, Batch, index: Int)
        case handle(OpenFile)
        case data(RangeRead, ByteRange)
        case attributes(RangeRead)
        case closed
    }

    /// The largest packet OpenSSH sends is 256 KiB; a little more for others' headers.
    static let largestPacket = 256 * 1024 + 1024
    /// OpenSSH's own limit for one READ, 256 KiB less 1 KiB.
    static let largestRead = 255 * 1024
    /// Bytes before the data of a reply: its length, type and request, and how many data there are.
    static let dataHeader = 13
    /// Every server must accept this much (draft-ietf-secsh-filexfer-02 §3).
    static let safeRead = 32 * 1024
    /// Output is produced in portions, so that new metadata requests overtake unsent reads.
    private static let outputPortion = 64 * 1024

    private(set) var phase = Phase.version
    private(set) var output = SFTPRequest.initialization
    private(set) var readSize = safeRead
    /// Set when a small request goes out alone, and when its reply is there: one round trip.
    private(set) var roundTrip = RoundTrip.none
    private var outstanding: [UInt32: Expected] = [:]
    private var nextID: UInt32 = 0
    private(set) var outstandingBytes = 0
    private let outstandingLimit: Int
    /// Bytes that reads nobody waits for may have under way: enough to fill the way, so that a
    /// reader who comes does not stand behind more.
    var window: Int
    /// Reads with something to send, by priority.
    private var queues: [[RangeRead]] = ReadPriority.allCases.map { _ in [] }
    private(set) var files: [RemoteFile: OpenFile] = [:] {
        didSet { filesVersion &+= 1 }
    }
    /// Changes whenever `files` does.
    private(set) var filesVersion = 0
    private var handleLimit: Int
    private var uses: UInt64 = 0
    private var waitingCommands: [Command] = []

    enum RoundTrip: Equatable {
        case none
        case started(id: UInt32)
        case finished
    }

    /// - Parameters:
    ///   - outstandingLimit: Bytes of file contents asked for and not yet there.
    ///   - handleLimit: Files kept open for the next read.
    init(outstandingLimit: Int, handleLimit: Int) {
        self.outstandingLimit = outstandingLimit
        window = outstandingLimit
        self.handleLimit = max(1, handleLimit)
    }

    /// Whether the server owes us anything.
    var isWaiting: Bool { phase != .ready || !outstanding.isEmpty || !output.isEmpty }

    // MARK: Events

    mutating func submitted(_ command: Command) {
        switch command {
        case .batch(let requests, let pending) where phase != .version:
            guard !pending.isFinished else { return }
            let batch = Batch(count: requests.count, pending)
            for (index, request) in requests.enumerated() {
                send(request, expecting: .reply(type: request.replyType, batch, index: index))
            }
        case .read(let range, let file, let priority, let pending) where phase == .ready:
            guard !pending.isFinished else { return }
            begin(RangeRead(range, of: openFile(file), priority, pending))
        case .batch, .read:
            waitingCommands.append(command)
        }
    }

    /// Appends to `output` what may be asked for now.
    mutating func produce() {
        while output.count < Self.outputPortion, let read = next() {
            read.isQueued = false
            sendNextPart(of: read)
            settle(read)
        }
    }

    /// The read whose turn it is: those that somebody waits for first, in each priority one part
    /// of each in turn, so that a small one does not wait until a large one is through.
    private mutating func next() -> RangeRead? {
        let waiting = ReadPriority.reader.rawValue
        for priority in queues.indices.reversed() where !queues[priority].isEmpty {
            let limit = priority == waiting ? outstandingLimit : min(window, outstandingLimit)
            return outstandingBytes < limit ? queues[priority].removeFirst() : nil
        }
        return nil
    }

    mutating func sent(_ count: Int) {
        output.removeFirst(count)
    }

    mutating func roundTripTaken() {
        roundTrip = .none
    }

    /// Takes one packet, without its length.
    ///
    /// - Throws: ``ConnectionError`` `.protocolViolation`; nothing may be sent or received
    ///   after that.
    mutating func received(_ packet: UnsafeRawBufferPointer) throws(ConnectionError) {
        var reader = PacketReader(packet)
        let type = try reader.uint8()
        guard phase != .version else { return try receivedVersion(type, &reader) }
        let id = try reader.uint32()
        guard let expected = outstanding.removeValue(forKey: id) else {
            throw violation("reply to request \(id), which is not outstanding")
        }
        if roundTrip == .started(id: id) { roundTrip = .finished }
        do throws(ConnectionError) {
            try received(type, &reader, expected)
        } catch {
            // So that `ended` finds whoever waits for this reply.
            outstanding[id] = expected
            throw error
        }
    }

    private mutating func received(
        _ type: UInt8,
        _ reader: inout PacketReader,
        _ expected: Expected
    ) throws(ConnectionError) {
        switch expected {
        case .limits: try receivedLimits(type, &reader)
        case .reply(let wanted, let batch, let index):
            try receivedReply(type, wanted, &reader, batch, index)
        case .handle(let file): try receivedHandle(type, &reader, file)
        case .data(let read, let range): try receivedData(type, &reader, read, range)
        case .attributes(let read): try receivedAttributes(type, &reader, read)
        case .closed: _ = try status(type, &reader)
        }
    }

    /// The connection has ended: everybody who waits hears the same reason.
    mutating func ended(_ error: ConnectionError) {
        for command in waitingCommands { command.fail(error) }
        for expected in outstanding.values {
            switch expected {
            case .reply(_, let batch, _): batch.pending.finish(.failure(.connection(error)))
            case .handle, .limits, .closed: break
            case .data(let read, _), .attributes(let read):
                read.pending.finish(.failure(.connection(error)))
            }
        }
        for read in queues.joined() { read.pending.finish(.failure(.connection(error))) }
        for read in files.values.flatMap(\.waiting) {
            read.pending.finish(.failure(.connection(error)))
        }
    }

    // MARK: Sending

    private mutating func send(_ request: SFTPRequest, expecting expected: Expected) {
        while outstanding[nextID] != nil { nextID &+= 1 }
        if outstanding.isEmpty, request.replyType != PacketType.data {
            roundTrip = .started(id: nextID)
        }
        outstanding[nextID] = expected
        request.encode(id: nextID, into: &output)
        nextID &+= 1
    }

    private mutating func begin(_ read: RangeRead) {
        read.openFile.users += 1
        if read.openFile.handle == nil {
            read.openFile.waiting.append(read)
        } else {
            enqueue(read)
        }
    }

    private mutating func enqueue(_ read: RangeRead) {
        guard !read.isQueued else { return }
        read.isQueued = true
        queues[read.priority.rawValue].append(read)
    }

    private mutating func sendNextPart(of read: RangeRead) {
        guard !read.pending.isFinished, let handle = read.openFile.handle else { return }
        if let piece = read.takePiece(upTo: readSize) {
            let count = UInt32(piece.count)
            send(
                .read(handle: handle, offset: piece.lowerBound, count: count),
                expecting: .data(read, piece)
            )
            outstandingBytes += Int(count)
            read.outstanding += 1
            enqueue(read)
        } else if !read.askedAttributes {
            // Behind the last READ: a file rewritten before the bytes were read is noticed.
            read.askedAttributes = true
            read.outstanding += 1
            send(.fstat(handle: handle), expecting: .attributes(read))
        }
    }

    // MARK: Handles

    private mutating func openFile(_ file: RemoteFile) -> OpenFile {
        uses += 1
        if let known = files[file] {
            known.lastUse = uses
            return known
        }
        let opened = OpenFile(file)
        opened.lastUse = uses
        files[file] = opened
        send(.open(file.path), expecting: .handle(opened))
        evict()
        return opened
    }

    private mutating func evict() {
        while files.count > handleLimit {
            let idle = files.values.filter { $0.users == 0 && $0.handle != nil }
            guard let oldest = idle.min(by: { $0.lastUse < $1.lastUse }) else { return }
            drop(oldest)
        }
    }

    /// Takes `file` out of the cache and closes it as soon as nobody uses it.
    private mutating func drop(_ file: OpenFile) {
        guard !file.isDropped else { return }
        file.isDropped = true
        files.removeValue(forKey: file.file)
        closeIfUnused(file)
    }

    private mutating func closeIfUnused(_ file: OpenFile) {
        guard file.isDropped, file.users == 0, let handle = file.handle else { return }
        file.handle = nil
        send(.close(handle: handle), expecting: .closed)
    }

    // MARK: Progress of reads

    /// Ends `read` when nothing is left to do for it.
    private mutating func settle(_ read: RangeRead) {
        if let outcome = read.outcome, !read.pending.isFinished {
            if case .changed = outcome { drop(read.openFile) }
            if case .ended = outcome { drop(read.openFile) }
            read.pending.finish(.success(outcome))
        }
        guard read.pending.isFinished, read.outstanding == 0, !read.isQueued else { return }
        read.openFile.users -= 1
        closeIfUnused(read.openFile)
        evict()
    }
}

// MARK: Replies

extension SFTPEngine {
    private func violation(_ message: String) -> ConnectionError {
        ConnectionError(.protocolViolation, "the server sent a \(message)")
    }

    private func status(
        _ type: UInt8,
        _ reader: inout PacketReader
    ) throws(ConnectionError) -> SFTPStatus {
        guard type == PacketType.status else { throw violation("reply of wrong type \(type)") }
        return try reader.status()
    }

    /// A status where something better was hoped for: success is a lie then.
    private func refusal(
        _ type: UInt8,
        _ reader: inout PacketReader
    ) throws(ConnectionError) -> SFTPStatus {
        let status = try status(type, &reader)
        guard status.code != SFTPStatus.ok else { throw violation("success without a result") }
        return status
    }

    private mutating func receivedVersion(
        _ type: UInt8,
        _ reader: inout PacketReader
    ) throws(ConnectionError) {
        guard type == PacketType.version else { throw violation("packet \(type), not VERSION") }
        let (version, extensions) = try reader.version()
        guard version == 3 else {
            throw ConnectionError(
                .protocolViolation,
                "the server speaks SFTP version \(version), we speak 3"
            )
        }
        if extensions.contains("limits@openssh.com") {
            send(.limits, expecting: .limits)
            enter(.limits)
        } else {
            enter(.ready)
        }
    }

    private mutating func receivedLimits(
        _ type: UInt8,
        _ reader: inout PacketReader
    ) throws(ConnectionError) {
        if type == PacketType.extendedReply {
            let limits = try reader.limits()
            if limits.maxReadLength > 0 {
                readSize = Int(min(limits.maxReadLength, UInt64(Self.largestRead)))
            }
            if limits.maxOpenHandles > 0 {
                // Half of them: directories and other handles need some as well.
                handleLimit = max(1, Int(min(UInt64(handleLimit), limits.maxOpenHandles / 2)))
            }
        } else {
            _ = try status(type, &reader)
        }
        enter(.ready)
    }

    /// Only reads depend on the server's limits; what else was asked for goes out beside them.
    private mutating func enter(_ next: Phase) {
        phase = next
        let commands = waitingCommands
        waitingCommands = []
        for command in commands { submitted(command) }
    }

    private mutating func receivedReply(
        _ type: UInt8,
        _ wanted: UInt8,
        _ reader: inout PacketReader,
        _ batch: Batch,
        _ index: Int
    ) throws(ConnectionError) {
        guard type == wanted || type == PacketType.status, let reply = try reader.reply(type: type)
        else { throw violation("reply of type \(type) where \(wanted) was due") }
        if case .status(let status) = reply, status.code == SFTPStatus.ok, type != wanted {
            throw violation("success without a result")
        }
        if case .handle(let handle) = reply, batch.pending.isFinished {
            // Whoever asked has gone; nobody else will close it.
            send(.close(handle: handle), expecting: .closed)
        }
        batch.store(reply, at: index)
    }

    private mutating func receivedHandle(
        _ type: UInt8,
        _ reader: inout PacketReader,
        _ file: OpenFile
    ) throws(ConnectionError) {
        if type == PacketType.handle {
            file.handle = Array(try reader.string())
            for read in file.waiting { enqueue(read) }
            evict()
        } else {
            let status = try refusal(type, &reader)
            for read in file.waiting { read.pending.finish(.success(.refused(status))) }
            file.users = 0
            drop(file)
        }
        file.waiting = []
    }

    private mutating func receivedData(
        _ type: UInt8,
        _ reader: inout PacketReader,
        _ read: RangeRead,
        _ range: ByteRange
    ) throws(ConnectionError) {
        if type == PacketType.data {
            let data = try reader.string()
            guard !data.isEmpty, data.count <= range.count else {
                throw violation("reply with \(data.count) bytes where \(range.count) were asked")
            }
            if !read.pending.isFinished { read.store(data, at: range.lowerBound) }
            received(data.count, of: range, read)
        } else {
            let status = try refusal(type, &reader)
            outstandingBytes -= Int(range.count)
            read.outstanding -= 1
            if status.code == SFTPStatus.endOfFile {
                read.end = min(read.end ?? .max, range.lowerBound)
                read.unsent = []
                enqueue(read)
            } else {
                drop(read.openFile)
                read.pending.finish(.success(.refused(status)))
            }
            settle(read)
        }
    }

    /// `count` bytes of `range` are where they belong.
    private mutating func received(_ count: Int, of range: ByteRange, _ read: RangeRead) {
        outstandingBytes -= Int(range.count)
        read.outstanding -= 1
        if !read.pending.isFinished { refill(read, range, given: count) }
        settle(read)
    }

    /// The place for the data of a reply that has begun to come, with what is there of them.
    ///
    /// - Parameters:
    ///   - packet: What is there of it, without its length.
    ///   - length: How long it will be.
    /// - Returns: nil for anything else than bytes that somebody waits for.
    func arrival(of packet: UnsafeRawBufferPointer, length: Int) -> ArrivingData? {
        let header = Self.dataHeader - 4
        var reader = PacketReader(packet)
        guard packet.count >= header, (try? reader.uint8()) == PacketType.data,
            let id = try? reader.uint32(), let count = (try? reader.uint32()).map(Int.init)
        else { return nil }
        guard case .data(let read, let range) = outstanding[id], !read.pending.isFinished,
            count > 0, count <= range.count, header + count == length
        else { return nil }
        var data = ArrivingData(id: id, count: count, place: read.place(of: range.lowerBound))
        let there = UnsafeRawBufferPointer(rebasing: packet[header...])
        data.rest.copyMemory(from: there)
        data.received(there.count)
        return data
    }

    /// All of `data` have come.
    mutating func received(_ data: ArrivingData) throws(ConnectionError) {
        guard case .data(let read, let range) = outstanding.removeValue(forKey: data.id) else {
            throw violation("reply to request \(data.id), which is not outstanding")
        }
        received(data.count, of: range, read)
    }

    /// Asks for the part of a request that a short reply left out.
    private mutating func refill(_ read: RangeRead, _ range: ByteRange, given: Int) {
        let gap = ByteRange(range.lowerBound + UInt64(given), range.upperBound)
        guard !gap.isEmpty, read.end == nil else { return }
        read.unsent.append(gap)
        enqueue(read)
        // This server gives less at a time than it said. A reply that ends with the file, or
        // that is tiny, is no evidence of that.
        if given >= 4096, gap.lowerBound < read.openFile.file.size {
            readSize = min(readSize, given)
        }
    }

    private mutating func receivedAttributes(
        _ type: UInt8,
        _ reader: inout PacketReader,
        _ read: RangeRead
    ) throws(ConnectionError) {
        read.outstanding -= 1
        if type == PacketType.attributes {
            read.attributes = try reader.attributes()
        } else {
            let status = try refusal(type, &reader)
            drop(read.openFile)
            read.pending.finish(.success(.refused(status)))
        }
        settle(read)
    }
}
