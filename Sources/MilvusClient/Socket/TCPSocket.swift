import Glibc

/// A TCP socket that does not block, on its way to one address.
///
/// It is closed when dropped, unless `connected` gave it away.
struct TCPSocket: ~Copyable {
    let descriptor: Int32
    /// If not, it is or has failed when the descriptor can be written.
    let isConnected: Bool

    /// - Throws: ``MilvusError`` `.unavailable`.
    init(_ address: AddressLookup.Address) throws(MilvusError) {
        let kind = Int32(SOCK_STREAM.rawValue)
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(address.family, kind | flags, Int32(IPPROTO_TCP))
        guard descriptor >= 0 else {
            throw MilvusError(.unavailable, "cannot create a socket", cause: SystemError())
        }
        let result = address.bytes.withUnsafeBytes { bytes in
            guard let base = bytes.bindMemory(to: sockaddr.self).baseAddress else {
                return Int32(-1)
            }
            return connect(descriptor, base, socklen_t(bytes.count))
        }
        guard result == 0 || errno == EINPROGRESS else {
            let error = SystemError()
            close(descriptor)
            throw MilvusError(.unavailable, "cannot connect", cause: error)
        }
        self.descriptor = descriptor
        isConnected = result == 0
    }

    deinit {
        close(descriptor)
    }

    /// The descriptor, which is the caller's from now on.
    ///
    /// - Throws: ``MilvusError`` `.unavailable` when the address could not be reached.
    consuming func connected() throws(MilvusError) -> Int32 {
        var number: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &length)
        guard number == 0 else {
            _ = consume self
            throw MilvusError(.unavailable, "cannot connect", cause: SystemError(number))
        }
        tune()
        let descriptor = descriptor
        discard self
        return descriptor
    }

    private borrowing func tune() {
        let tcp = Int32(IPPROTO_TCP)
        // Requests are small and must not wait for each other.
        set(tcp, TCP_NODELAY, 1)
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        set(tcp, TCP_KEEPIDLE, 30)
        set(tcp, TCP_KEEPINTVL, 10)
        set(tcp, TCP_KEEPCNT, 3)
        // Milliseconds that sent bytes may stay unacknowledged; the kernel's own is 15 minutes.
        set(tcp, TCP_USER_TIMEOUT, 30_000)
    }

    private borrowing func set(_ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }
}
