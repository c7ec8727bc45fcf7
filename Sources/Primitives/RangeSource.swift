/// Something that bytes of remote files can be read from: the seedbox, or the cache before it.
///
/// Callers may read any number of ranges of any files at once. Implementers may not assume
/// that ranges come in order, do not overlap, or belong to few files.
public protocol RangeSource: Sendable {
    /// Reads `range` of `file`.
    ///
    /// May suspend for as long as the network takes. Callers that need a bound cancel the
    /// task; on cancellation no bytes are delivered.
    ///
    /// - Parameters:
    ///   - range: Bytes wanted, already clipped to `file.size`.
    ///   - file: The file as the catalogue last saw it.
    ///   - priority: What goes first when not all can go at once.
    /// - Returns: Exactly `range.count` bytes.
    /// - Throws: ``SourceError``.
    func read(
        _ range: ByteRange,
        of file: RemoteFile,
        priority: ReadPriority
    ) async throws(SourceError) -> Bytes

    /// Somebody looked the file up and may open it soon: what costs a round trip before the
    /// first byte can be done now.
    ///
    /// Never waits; may do nothing.
    func expect(_ file: RemoteFile)

    /// Bytes that must be on their way at once to keep the way to the server full.
    var bytesToFillTheWay: UInt64 { get }
}

extension RangeSource {
    /// Reads for somebody who waits, and wants an array.
    public func read(
        _ range: ByteRange,
        of file: RemoteFile
    ) async throws(SourceError) -> [UInt8] {
        Array(try await read(range, of: file, priority: .reader))
    }

    public func expect(_ file: RemoteFile) {}

    public var bytesToFillTheWay: UInt64 { 8 << 20 }
}

/// How urgently bytes are wanted; greater goes first.
public enum ReadPriority: Int, Comparable, CaseIterable, Sendable {
    /// A whole file is being brought to the NAS.
    case keep
    /// May be wanted later: the next episode's head.
    case prefetch
    /// Close before the position of somebody who reads on.
    case readAhead
    /// Somebody waits for them.
    case reader

    public static func < (one: ReadPriority, other: ReadPriority) -> Bool {
        one.rawValue < other.rawValue
    }
}

/// Something that lists directories of the seedbox.
public protocol DirectorySource: Sendable {
    /// Lists one directory.
    ///
    /// - Parameters:
    ///   - directory: Absolute path.
    ///   - limit: At most this many entries are returned; the rest is left unread.
    /// - Returns: The entries without `.` and `..`, in the server's order.
    /// - Throws: ``SourceError``: `.notFound`, `.denied`, `.unavailable`, `.cancelled`.
    func entries(of directory: RemotePath, limit: Int) async throws(SourceError) -> [RemoteEntry]

    /// What `path` leads to after following every symbolic link.
    ///
    /// - Returns: The canonical path, and an entry whose name is the last component of it.
    /// - Throws: ``SourceError``; a dangling link or a loop is `.notFound`.
    func resolve(_ path: RemotePath) async throws(SourceError) -> (RemotePath, RemoteEntry)
}

/// Why a remote file or directory could not be read.
public struct SourceError: Error, Sendable {
    /// What the caller can do about it.
    public enum Code: Sendable {
        /// The file is gone. Not worth a retry.
        case notFound
        /// The file is no longer the version that was asked for.
        case changed
        /// The server refuses this file to us. Not worth a retry until somebody mends it there.
        case denied
        /// No server connection could be used. Worth a retry later.
        case unavailable
        /// The caller's task was cancelled.
        case cancelled
    }

    public let code: Code
    public let path: RemotePath
    public let message: String
    public let cause: (any Error)?

    public init(
        _ code: Code,
        _ path: RemotePath,
        _ message: String,
        cause: (any Error)? = nil
    ) {
        self.code = code
        self.path = path
        self.message = message
        self.cause = cause
    }
}

extension SourceError: CustomStringConvertible {
    public var description: String {
        "\(code): \(message)" + (cause.map { ": \($0)" } ?? "")
    }
}
