import Primitives

// SFTP version 3 as of draft-ietf-secsh-filexfer-02 and OpenSSH's PROTOCOL file: the only
// version that servers really speak. Pure: bytes in, values out. Requests are written by us
// and trusted; replies are not.

/// The numbers of the packet types that we send or understand.
enum PacketType {
    static let initialize: UInt8 = 1
    static let version: UInt8 = 2
    static let open: UInt8 = 3
    static let close: UInt8 = 4
    static let read: UInt8 = 5
    static let lstat: UInt8 = 7
    static let fstat: UInt8 = 8
    static let opendir: UInt8 = 11
    static let readdir: UInt8 = 12
    static let realpath: UInt8 = 16
    static let stat: UInt8 = 17
    static let readlink: UInt8 = 19
    static let status: UInt8 = 101
    static let handle: UInt8 = 102
    static let data: UInt8 = 103
    static let name: UInt8 = 104
    static let attributes: UInt8 = 105
    static let extended: UInt8 = 200
    static let extendedReply: UInt8 = 201
}

enum SFTPRequest: Sendable, Equatable {
    /// For reading only; nothing here writes to the server.
    case open(RemotePath)
    case close(handle: [UInt8])
    case read(handle: [UInt8], offset: UInt64, count: UInt32)
    case lstat(RemotePath)
    case fstat(handle: [UInt8])
    case opendir(RemotePath)
    case readdir(handle: [UInt8])
    case realpath(RemotePath)
    case stat(RemotePath)
    case readlink(RemotePath)
    /// OpenSSH's `limits@openssh.com`.
    case limits

    /// The type of the reply when all goes well; `status` may come instead of any.
    var replyType: UInt8 {
        switch self {
        case .open, .opendir: PacketType.handle
        case .close: PacketType.status
        case .read: PacketType.data
        case .lstat, .fstat, .stat: PacketType.attributes
        case .readdir, .realpath, .readlink: PacketType.name
        case .limits: PacketType.extendedReply
        }
    }

    /// The first packet of a connection.
    static let initialization: [UInt8] = [0, 0, 0, 5, PacketType.initialize, 0, 0, 0, 3]

    /// Appends the packet, its length in front.
    func encode(id: UInt32, into output: inout [UInt8]) {
        let start = output.count
        output.append(bigEndian: UInt32(0))
        encodeFields(id, &output)
        let length = UInt32(truncatingIfNeeded: output.count - start - 4)
        withUnsafeBytes(of: length.bigEndian) {
            output.replaceSubrange(start..<start + 4, with: $0)
        }
    }

    private func encodeFields(_ id: UInt32, _ output: inout [UInt8]) {
        func begin(_ type: UInt8, _ string: [UInt8]) {
            output.append(type)
            output.append(bigEndian: id)
            output.append(sshString: string)
        }
        switch self {
        case .open(let path):
            begin(PacketType.open, path.bytes)
            output.append(bigEndian: UInt32(1))  // SSH_FXF_READ
            output.append(bigEndian: UInt32(0))  // no attributes
        case .close(let handle): begin(PacketType.close, handle)
        case .read(let handle, let offset, let count):
            begin(PacketType.read, handle)
            output.append(bigEndian: offset)
            output.append(bigEndian: count)
        case .lstat(let path): begin(PacketType.lstat, path.bytes)
        case .fstat(let handle): begin(PacketType.fstat, handle)
        case .opendir(let path): begin(PacketType.opendir, path.bytes)
        case .readdir(let handle): begin(PacketType.readdir, handle)
        case .realpath(let path): begin(PacketType.realpath, path.bytes)
        case .stat(let path): begin(PacketType.stat, path.bytes)
        case .readlink(let path): begin(PacketType.readlink, path.bytes)
        case .limits: begin(PacketType.extended, Array("limits@openssh.com".utf8))
        }
    }
}

/// What a server says of a file.
///
/// A server may leave out any of it.
struct SFTPAttributes: Sendable, Equatable {
    var size: UInt64?
    var permissions: UInt32?
    var modifiedSeconds: Int64?

    var kind: RemoteEntry.Kind {
        switch permissions.map({ $0 & 0o170000 }) {
        case 0o100000: .file
        case 0o040000: .directory
        case 0o120000: .symbolicLink
        case _: .other
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

struct SFTPName: Sendable, Equatable {
    let name: [UInt8]
    let attributes: SFTPAttributes
}

struct SFTPStatus: Sendable, Equatable {
    static let ok: UInt32 = 0
    static let endOfFile: UInt32 = 1
    static let noSuchFile: UInt32 = 2
    static let permissionDenied: UInt32 = 3
    static let failure: UInt32 = 4

    let code: UInt32
    /// The server's words, at most 200 bytes of them, control characters replaced.
    let message: String

    init(code: UInt32, message: some Collection<UInt8>) {
        self.code = code
        let printable = message.prefix(200).map { $0 < 32 || $0 == 127 ? 63 : $0 }
        self.message = String(decoding: printable, as: UTF8.self)
    }
}

/// OpenSSH's answer to `limits@openssh.com`; 0 means that the server does not say.
struct SFTPLimits: Sendable, Equatable {
    let maxReadLength: UInt64
    let maxOpenHandles: UInt64
}

enum SFTPReply: Sendable, Equatable {
    case status(SFTPStatus)
    case handle([UInt8])
    case names([SFTPName])
    case attributes(SFTPAttributes)
    case limits(SFTPLimits)
}

/// Decoding of what the server sends, behind the length, the type and the id.
extension PacketReader {
    mutating func attributes() throws(ConnectionError) -> SFTPAttributes {
        let flags = try uint32()
        var attributes = SFTPAttributes()
        if flags & 1 != 0 { attributes.size = try uint64() }
        if flags & 2 != 0 { _ = try bytes(8) }
        if flags & 4 != 0 { attributes.permissions = try uint32() }
        if flags & 8 != 0 {
            _ = try uint32()
            attributes.modifiedSeconds = Int64(try uint32())
        }
        if flags & 0x8000_0000 != 0 {
            for _ in 0..<(try uint32()) {
                _ = try string()
                _ = try string()
            }
        }
        return attributes
    }

    mutating func status() throws(ConnectionError) -> SFTPStatus {
        let code = try uint32()
        // Some servers of old send the number alone.
        return SFTPStatus(code: code, message: isEmpty ? [] : Array(try string()))
    }

    mutating func names() throws(ConnectionError) -> [SFTPName] {
        // The count is the server's word: it reserves nothing, each name must really be there.
        var names: [SFTPName] = []
        for _ in 0..<(try uint32()) {
            let name = Array(try string())
            _ = try string()
            names.append(SFTPName(name: name, attributes: try attributes()))
        }
        return names
    }

    mutating func limits() throws(ConnectionError) -> SFTPLimits {
        _ = try uint64()
        let read = try uint64()
        _ = try uint64()
        return SFTPLimits(maxReadLength: read, maxOpenHandles: try uint64())
    }

    /// The version and the names of the extensions, from a VERSION packet behind its type.
    mutating func version() throws(ConnectionError) -> (UInt32, Set<String>) {
        let version = try uint32()
        var extensions: Set<String> = []
        while !isEmpty {
            extensions.insert(String(decoding: try string(), as: UTF8.self))
            _ = try string()
        }
        return (version, extensions)
    }

    /// - Returns: nil when the type is none that a reply without data may have.
    mutating func reply(type: UInt8) throws(ConnectionError) -> SFTPReply? {
        switch type {
        case PacketType.status: .status(try status())
        case PacketType.handle: .handle(Array(try string()))
        case PacketType.name: .names(try names())
        case PacketType.attributes: .attributes(try attributes())
        case PacketType.extendedReply: .limits(try limits())
        default: nil
        }
    }
}
