import Primitives

/// What became of a read.
enum ReadOutcome: Sendable, Equatable {
    /// Exactly the bytes that were asked for.
    case bytes(Bytes)
    /// The file has other attributes than the version that was asked for.
    case changed(SFTPAttributes)
    /// The server says the file ends here although its size says otherwise.
    case ended(at: UInt64)
    /// The server refused.
    case refused(SFTPStatus)
}

/// An SFTP handle in the making or in use.
///
/// Belongs to one ``SFTPEngine``.
final class OpenFile {
    let file: RemoteFile
    /// nil until the server has opened the file.
    var handle: [UInt8]?
    /// Reads that wait for the handle.
    var waiting: [RangeRead] = []
    /// Reads that are not over; the handle stays open for them.
    var users = 0
    /// Grows with each use; the smallest is evicted first.
    var lastUse: UInt64 = 0
    /// No longer in the cache: to be closed when the last user is done.
    var isDropped = false

    init(_ file: RemoteFile) {
        self.file = file
    }
}

/// One read on its way: which parts are asked for, which are there.
///
/// Belongs to one ``SFTPEngine``.
final class RangeRead {
    let openFile: OpenFile
    let range: ByteRange
    let priority: ReadPriority
    let pending: Pending<ReadOutcome>
    /// Parts that no request is out for; short replies add to them.
    var unsent: [ByteRange]
    /// Requests without a reply.
    var outstanding = 0
    /// Whether it stands in the queue of those with something to send.
    var isQueued = false
    var askedAttributes = false
    var attributes: SFTPAttributes?
    /// Where the server said the file ends, when that is inside the range.
    var end: UInt64?
    private var bytes: Bytes?

    init(
        _ range: ByteRange,
        of openFile: OpenFile,
        _ priority: ReadPriority,
        _ pending: Pending<ReadOutcome>
    ) {
        self.range = range
        self.priority = priority
        self.openFile = openFile
        self.pending = pending
        unsent = range.isEmpty ? [] : [range]
    }

    func takePiece(upTo size: Int) -> ByteRange? {
        guard let first = unsent.first else { return nil }
        let piece = ByteRange(offset: first.lowerBound, count: min(UInt64(size), first.count))
        let rest = ByteRange(piece.upperBound, first.upperBound)
        if rest.isEmpty { unsent.removeFirst() } else { unsent[0] = rest }
        return piece
    }

    /// Copies `data` to its place.
    func store(_ data: UnsafeRawBufferPointer, at offset: UInt64) {
        let (target, start) = place(of: offset)
        UnsafeMutableRawBufferPointer(rebasing: target.mutable[start...]).copyMemory(from: data)
    }

    /// Where the byte at `offset` of the file belongs.
    ///
    /// Memory is taken with the first bytes, so that reads that only wait cost nothing.
    func place(of offset: UInt64) -> (bytes: Bytes, index: Int) {
        // Not cleared: it leaves here only when every byte was stored.
        let target = bytes ?? Bytes(count: Int(range.count))
        bytes = target
        return (target, Int(offset - range.lowerBound))
    }

    /// The outcome once everything has been answered.
    var outcome: ReadOutcome? {
        guard outstanding == 0, unsent.isEmpty, let attributes else { return nil }
        let file = openFile.file
        // A server that does not say a size or time gives no reason to distrust the file.
        guard attributes.size ?? file.size == file.size,
            attributes.modifiedSeconds ?? file.modifiedSeconds == file.modifiedSeconds
        else { return .changed(attributes) }
        if let end { return .ended(at: end) }
        return .bytes(bytes ?? Bytes(count: 0))
    }
}

/// Data of a reply that go from the channel to their place at once.
struct ArrivingData {
    let id: UInt32
    let count: Int
    private let bytes: Bytes
    private let start: Int
    private var filled = 0

    /// - Parameters:
    ///   - id: Of the request.
    ///   - count: Bytes that will come.
    ///   - place: Where the first belongs; there is room for all of them.
    init(id: UInt32, count: Int, place: (bytes: Bytes, index: Int)) {
        self.id = id
        self.count = count
        (bytes, start) = place
    }

    /// Room for what has not come yet.
    var rest: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: bytes.mutable[start + filled..<start + count])
    }

    var isWhole: Bool { filled == count }

    mutating func received(_ count: Int) { filled += count }
}

/// Requests that are sent together and answered together.
///
/// Belongs to one ``SFTPEngine``.
final class Batch {
    let pending: Pending<[SFTPReply]>
    private var replies: [SFTPReply?]
    private var missing: Int

    init(count: Int, _ pending: Pending<[SFTPReply]>) {
        self.pending = pending
        replies = Array(repeating: nil, count: count)
        missing = count
    }

    func store(_ reply: SFTPReply, at index: Int) {
        replies[index] = reply
        missing -= 1
        if missing == 0 { pending.finish(.success(replies.compactMap(\.self))) }
    }
}
