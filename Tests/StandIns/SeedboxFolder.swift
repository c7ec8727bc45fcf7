import Glibc

/// A folder that is gone when its owner is.
public final class TemporaryFolder: Sendable {
    public let path: String

    public init() throws {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/sync2nas-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw SeedboxError("mkdtemp failed: \(String(cString: strerror(errno)))")
        }
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        remove()
    }

    public func remove() {
        TemporaryFolder.remove(path.utf8CString.dropLast())
    }

    /// By bytes: a name that is not UTF-8 has no way through `String` and back.
    private static func remove(_ path: ArraySlice<CChar>) {
        let cPath = path + [0]
        cPath.withUnsafeBufferPointer { buffer in
            guard let cPath = buffer.baseAddress else { return }
            var info = stat()
            guard lstat(cPath, &info) == 0 else { return }
            guard info.st_mode & S_IFMT == S_IFDIR else {
                unlink(cPath)
                return
            }
            chmod(cPath, 0o700)
            for name in rawNames(in: cPath) { remove(path + [47] + name) }
            rmdir(cPath)
        }
    }

    static func names(in path: String) -> [String] {
        rawNames(in: path).map { String(decoding: $0.map(UInt8.init(bitPattern:)), as: UTF8.self) }
    }

    private static func rawNames(in path: UnsafePointer<CChar>) -> [[CChar]] {
        guard let folder = opendir(path) else { return [] }
        defer { closedir(folder) }
        var names: [[CChar]] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    Array(UnsafeBufferPointer(start: $0, count: strlen($0)))
                }
            }
            if name != [46] && name != [46, 46] { names.append(name) }
        }
        return names
    }

    static func text(of path: String) -> String? {
        bytes(of: path).map { String(decoding: $0, as: UTF8.self) }
    }

    static func bytes(of path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while case let count = read(descriptor, &part, part.count), count > 0 {
            bytes += part[..<count]
        }
        return bytes
    }

    /// Writes a file with its parent folders.
    static func write(_ bytes: [UInt8], to path: String, mode: mode_t = 0o644) throws {
        var folder = ""
        for name in path.split(separator: "/").dropLast() {
            folder += "/\(name)"
            mkdir(folder, 0o755)
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            throw SeedboxError("cannot write \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 else {
                throw SeedboxError("cannot write \(path): \(String(cString: strerror(errno)))")
            }
            done += count
        }
    }
}
