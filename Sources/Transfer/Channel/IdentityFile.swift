import Glibc

/// What can be told about a private key file without unlocking it.
struct IdentityFile {
    let path: String
    /// Whether a passphrase is needed.
    let isLocked: Bool
    /// Whether it holds an RSA key; nil when a locked container hides that.
    let isRSA: Bool?

    /// - Throws: ``ConnectionError`` `.keyUnusable` when the file cannot be read or is no key.
    init(_ path: String) throws(ConnectionError) {
        self.path = path
        // The largest common key, RSA with 16,384 bits, is below 13 KiB.
        guard let bytes = SmallFile.contents(of: path, limit: 65_536) else {
            throw ConnectionError(
                .keyUnusable,
                "cannot read identity file '\(path)'",
                cause: SystemError()
            )
        }
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.contains("PRIVATE KEY-----") else {
            throw ConnectionError(
                .keyUnusable,
                "'\(path)' is not a private key; give the file without '.pub'"
            )
        }
        if text.contains("BEGIN OPENSSH PRIVATE KEY") {
            let fields = IdentityFile.fields(text)
            isLocked = fields.first.map { $0 != Array("none".utf8) } ?? false
            isRSA = fields.count > 3 ? fields[3].starts(with: [0, 0, 0, 7] + "ssh-rsa".utf8) : nil
        } else {
            isLocked = text.contains("ENCRYPTED")
            isRSA = text.contains("BEGIN RSA") ? true : text.contains("BEGIN EC ") ? false : nil
        }
    }

    /// Cipher, key derivation, its options and the public key of an `openssh-key-v1` file
    /// (PROTOCOL.key of OpenSSH); the public key is readable even when the file is locked.
    private static func fields(_ text: String) -> [[UInt8]] {
        let lines = text.split(whereSeparator: \.isNewline).filter { !$0.hasPrefix("-----") }
        let bytes = Base64.decoded(lines.joined().utf8)
        guard bytes.starts(with: Array("openssh-key-v1\0".utf8)) else { return [] }
        return bytes.withUnsafeBytes { buffer in
            var reader = PacketReader(buffer)
            var fields: [[UInt8]] = []
            do throws(ConnectionError) {
                _ = try reader.bytes(15)
                for _ in 0..<3 { fields.append(Array(try reader.string())) }
                _ = try reader.uint32()
                fields.append(Array(try reader.string()))
            } catch {
                // A damaged file: what was read so far is all that is known of it.
            }
            return fields
        }
    }
}

enum SmallFile {
    /// The bytes of a file, nil when it cannot be read (`errno` says why) or exceeds `limit`.
    static func contents(of path: String, limit: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &part, part.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            guard count > 0 else { return bytes }
            bytes.append(contentsOf: part[..<count])
            guard bytes.count <= limit else {
                errno = EFBIG
                return nil
            }
        }
    }
}
