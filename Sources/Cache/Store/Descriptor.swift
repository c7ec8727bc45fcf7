internal import CChecksum
internal import Glibc
internal import Primitives

/// A system call that failed.
struct SystemError: Error, CustomStringConvertible {
    let call: String
    let number: Int32

    var description: String { "\(call): \(String(cString: strerror(number)))" }

    /// The disk, or this user's share of it, is full.
    var isOutOfSpace: Bool { number == ENOSPC || number == EDQUOT }
    var isMissingFile: Bool { number == ENOENT }
}

/// An open file that is closed when nobody refers to it any more.
///
/// A reader that holds one goes on reading the right bytes while the file is being removed.
final class Descriptor: Sendable {
    let number: Int32

    /// Opens `path`, which is never followed when its last component is a symbolic link.
    init(_ path: String, _ flags: Int32) throws(SystemError) {
        number = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard number >= 0 else { throw SystemError(call: "open '\(path)'", number: errno) }
    }

    deinit {
        close(number)
    }

    /// Reads until `buffer` is full or the file ends.
    ///
    /// - Returns: Bytes read.
    func read(
        into buffer: UnsafeMutableRawBufferPointer,
        at offset: UInt64
    )
        throws(SystemError) -> Int
    {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = pread(number, rest.baseAddress, rest.count, off_t(offset) + done)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw SystemError(call: "pread", number: errno) }
            if count == 0 { break }
            done += count
        }
        return done
    }

    func write(_ buffer: UnsafeRawBufferPointer, at offset: UInt64) throws(SystemError) {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeRawBufferPointer(rebasing: buffer[done...])
            let count = pwrite(number, rest.baseAddress, rest.count, off_t(offset) + done)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else {
                throw SystemError(call: "pwrite", number: count == 0 ? ENOSPC : errno)
            }
            done += count
        }
    }

    /// Returns when the bytes written so far are on the disk.
    func synchronise() throws(SystemError) {
        guard fdatasync(number) == 0 else {
            throw SystemError(call: "fdatasync", number: errno)
        }
    }

    func setSize(_ size: UInt64) throws(SystemError) {
        guard ftruncate(number, off_t(size)) == 0 else {
            throw SystemError(call: "ftruncate", number: errno)
        }
    }

    /// Gives the blocks of `range` back to the file system; they read as zeros from then on.
    func punch(_ range: Range<UInt64>) throws(SystemError) {
        let length = Int64(range.upperBound - range.lowerBound)
        let failure = sync2nas_punch_hole(number, Int64(range.lowerBound), length)
        guard failure == 0 else { throw SystemError(call: "fallocate", number: failure) }
    }

    func status() throws(SystemError) -> FileStatus {
        var status = stat()
        guard fstat(number, &status) == 0 else {
            throw SystemError(call: "fstat", number: errno)
        }
        return FileStatus(status)
    }
}

/// A file that is opened when it is used, and closed when nobody uses it any more.
final class LazyFile: Sendable {
    let path: String
    private let current: Lock<Descriptor?>

    /// - Parameters:
    ///   - path: The file.
    ///   - descriptor: It, opened for reading and writing.
    init(_ path: String, open descriptor: Descriptor? = nil) {
        self.path = path
        current = Lock(descriptor)
    }

    /// The file, opened now if need be.
    func opened() throws(SystemError) -> Descriptor {
        if let known = current.withLock({ $0 }) { return known }
        let new = try Descriptor(path, O_RDWR)
        return current.withLock { current in
            if current == nil { current = new }
            return current ?? new
        }
    }

    /// Closes it as soon as those who use it just now have done.
    func letGo() {
        let old = current.withLock { current in
            defer { current = nil }
            return current
        }
        _ = old
    }
}

/// What the cache needs to know of one of its files.
struct FileStatus: Sendable {
    /// Bytes.
    let size: UInt64
    /// Bytes of disk; less than the size for a sparse file.
    let allocated: UInt64
    /// Since 1970.
    let modifiedNanoseconds: Int64
    let isRegular: Bool
    let isExecutable: Bool

    init(_ status: stat) {
        size = UInt64(max(0, status.st_size))
        allocated = UInt64(max(0, status.st_blocks)) * 512
        modifiedNanoseconds =
            Int64(status.st_mtim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_mtim.tv_nsec)
        isRegular = status.st_mode & S_IFMT == S_IFREG
        isExecutable = status.st_mode & S_IXUSR != 0
    }

    /// - Returns: nil when there is no such file.
    init?(at path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        self.init(status)
    }
}
