import Primitives

/// The packets of SFTP version 3 (draft-ietf-secsh-filexfer-02), as far as reading needs them.
enum SFTPPacketType: UInt8 {
    case initialise = 1
    case version = 2
    case open = 3
    case close = 4
    case read = 5
    case fstat = 8
    case opendir = 11
    case readdir = 12
    case realpath = 16
    case stat = 17
    case status = 101
    case handle = 102
    case data = 103
    case name = 104
    case attributes = 105
    case extended = 200
    case extendedReply = 201
}

/// Status codes of the protocol's section 7 that mean something to us.
enum SFTPStatus {
    static let ok: UInt32 = 0
    static let endOfFile: UInt32 = 1
    static let noSuchFile: UInt32 = 2
    static let permissionDenied: UInt32 = 3
}

/// A request without its number.
enum SFTPRequest: Sendable {
    case open(RemotePath)
    case close(handle: [UInt8])
    case read(handle: [UInt8], offset: UInt64, length: UInt32)
    case fstat(handle: [UInt8])
    case opendir(RemotePath)
    case readdir(handle: [UInt8])
    case realpath(RemotePath)
    case stat(RemotePath)
    case limits

    func encode(id: UInt32, into writer: inout SFTPWriter) {
        switch self {
        case .open(let path):
            writer.begin(.open, id: id)
            writer.string(path.bytes)
            // SSH_FXF_READ, and no attributes.
            writer.uint32(1)
            writer.uint32(0)
        case .close(let handle):
            writer.begin(.close, id: id)
            writer.string(handle)
        case .read(let handle, let offset, let length):
            writer.begin(.read, id: id)
            writer.string(handle)
            writer.uint64(offset)
            writer.uint32(length)
        case .fstat(let handle):
            writer.begin(.fstat, id: id)
            writer.string(handle)
        case .opendir(let path):
            writer.begin(.opendir, id: id)
            writer.string(path.bytes)
        case .readdir(let handle):
            writer.begin(.readdir, id: id)
            writer.string(handle)
        case .realpath(let path):
            writer.begin(.realpath, id: id)
            writer.string(path.bytes)
        case .stat(let path):
            writer.begin(.stat, id: id)
            writer.string(path.bytes)
        case .limits:
            writer.begin(.extended, id: id)
            writer.string(Array("limits@openssh.com".utf8))
        }
        writer.end()
    }
}

/// Builds packets one behind the other.
struct SFTPWriter {
    private(set) var bytes: [UInt8] = []
    private var start = 0

    mutating func begin(_ type: SFTPPacketType, id: UInt32) {
        start = bytes.count
        uint32(0)
        bytes.append(type.rawValue)
        uint32(id)
    }

    /// Fills in the length of the packet that was begun last.
    mutating func end() {
        let length = UInt32(bytes.count - start - 4)
        for index in 0..<4 {
            bytes[start + index] = UInt8(truncatingIfNeeded: length >> (24 - 8 * index))
        }
    }

    mutating func uint32(_ value: UInt32) {
        for shift in stride(from: 24, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func uint64(_ value: UInt64) {
        uint32(UInt32(truncatingIfNeeded: value >> 32))
        uint32(UInt32(truncatingIfNeeded: value))
    }

    mutating func string(_ value: [UInt8]) {
        uint32(UInt32(value.count))
        bytes += value
    }

    mutating func removeFirst(_ count: Int) {
        bytes.removeFirst(count)
    }
}

/// Reads one packet; every length is checked against what is there.
struct SFTPReader {
    private var rest: UnsafeRawBufferPointer

    init(_ bytes: UnsafeRawBufferPointer) {
        rest = bytes
    }

    mutating func uint8() throws(ConnectionError) -> UInt8 {
        try take(1)[0]
    }

    mutating func uint32() throws(ConnectionError) -> UInt32 {
        UInt32(bigEndian: try take(4).loadUnaligned(as: UInt32.self))
    }

    mutating func uint64() throws(ConnectionError) -> UInt64 {
        UInt64(bigEndian: try take(8).loadUnaligned(as: UInt64.self))
    }

    /// A counted string; valid only as long as the packet.
    mutating func string() throws(ConnectionError) -> UnsafeRawBufferPointer {
        try take(Int(try uint32()))
    }

    var isAtEnd: Bool { rest.isEmpty }

    private mutating func take(_ count: Int) throws(ConnectionError) -> UnsafeRawBufferPointer {
        guard count <= rest.count else {
            throw ConnectionError(
                .protocolViolation,
                "the server sent a packet that ends \(count - rest.count) bytes too early"
            )
        }
        defer { rest = UnsafeRawBufferPointer(rebasing: rest[count...]) }
        return UnsafeRawBufferPointer(rebasing: rest[..<count])
    }
}

/// Attributes of a file (section 5); what the server does not say is nil.
struct SFTPAttributes: Sendable, Equatable {
    var size: UInt64?
    var permissions: UInt32?
    /// Seconds since 1970.
    var modifiedSeconds: Int64?

    init(_ reader: inout SFTPReader) throws(ConnectionError) {
        let flags = try reader.uint32()
        if flags & 1 != 0 { size = try reader.uint64() }
        if flags & 2 != 0 {
            _ = try reader.uint32()
            _ = try reader.uint32()
        }
        if flags & 4 != 0 { permissions = try reader.uint32() }
        if flags & 8 != 0 {
            _ = try reader.uint32()
            modifiedSeconds = Int64(try reader.uint32())
        }
        guard flags & 0x8000_0000 != 0 else { return }
        // A lying count ends at the packet's end: each round takes at least eight bytes.
        for _ in 0..<(try reader.uint32()) {
            _ = try reader.string()
            _ = try reader.string()
        }
    }

    /// The file type bits of `st_mode`.
    var kind: RemoteEntry.Kind {
        switch (permissions ?? 0) & 0o170000 {
        case 0o100000: .file
        case 0o040000: .directory
        case 0o120000: .symbolicLink
        default: .other
        }
    }

    func entry(named name: [UInt8]) -> RemoteEntry {
        RemoteEntry(
            name: name,
            kind: kind,
            size: size ?? 0,
            modifiedSeconds: modifiedSeconds ?? 0
        )
    }
}

/// An answer other than DATA, which is copied straight to where it is wanted.
enum SFTPReply: Sendable {
    case status(UInt32, String)
    case handle([UInt8])
    case names([(name: [UInt8], attributes: SFTPAttributes)])
    case attributes(SFTPAttributes)
    case extended([UInt8])

    /// Longest handle of the protocol.
    private static let longestHandle = 256

    /// - Parameters:
    ///   - type: The packet's type.
    ///   - reader: Behind the packet's number.
    /// - Throws: ``ConnectionError`` with code `.protocolViolation`.
    init(_ type: SFTPPacketType, _ reader: inout SFTPReader) throws(ConnectionError) {
        switch type {
        case .status:
            let code = try reader.uint32()
            // Old servers leave the message out.
            let text = reader.isAtEnd ? "" : String(decoding: try reader.string(), as: UTF8.self)
            self = .status(code, RemotePath.printable(String(text.prefix(200))))
        case .handle:
            let handle = try reader.string()
            guard handle.count <= Self.longestHandle else {
                throw ConnectionError(
                    .protocolViolation,
                    "the server sent a handle of \(handle.count) bytes"
                )
            }
            self = .handle(Array(handle))
        case .name:
            let count = try reader.uint32()
            var names: [(name: [UInt8], attributes: SFTPAttributes)] = []
            for _ in 0..<count {
                let name = Array(try reader.string())
                _ = try reader.string()
                names.append((name, try SFTPAttributes(&reader)))
            }
            self = .names(names)
        case .attributes: self = .attributes(try SFTPAttributes(&reader))
        case .extendedReply:
            var bytes: [UInt8] = []
            while !reader.isAtEnd { bytes.append(try reader.uint8()) }
            self = .extended(bytes)
        case .initialise, .version, .open, .close, .read, .fstat, .opendir, .readdir, .realpath,
            .stat, .data, .extended:
            throw ConnectionError(
                .protocolViolation,
                "the server sent a packet of type \(type.rawValue) where an answer was due"
            )
        }
    }
}
