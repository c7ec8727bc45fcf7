import Glibc
import Synchronization

/// A connected TCP socket that does not block.
enum TCPSocket {
    /// Tries every address of `host` in the system's order.
    ///
    /// - Throws: ``ConnectionError`` `.unreachable` with the last reason.
    static func connect(
        host: String,
        port: UInt16,
        _ wait: BoundedWait
    ) throws(ConnectionError) -> Int32 {
        let addresses = try AddressLookup.addresses(of: host, port: port, wait)
        var failure: (any Error)?
        for (index, address) in addresses.enumerated() {
            var wait = wait
            // One dead address must not use up the time of those behind it.
            let left = wait.deadline - .now
            wait.deadline = .now + left / (addresses.count - index)
            do throws(ConnectionError) {
                return try connect(address, wait)
            } catch {
                if error.code == .closed { throw error }
                failure = error.cause ?? error
            }
        }
        throw ConnectionError(.unreachable, "cannot reach '\(host):\(port)'", cause: failure)
    }

    private static func connect(
        _ address: AddressLookup.Address,
        _ wait: BoundedWait
    ) throws(ConnectionError) -> Int32 {
        let kind = Int32(SOCK_STREAM.rawValue)
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(address.family, kind | flags, Int32(IPPROTO_TCP))
        guard descriptor >= 0 else {
            throw ConnectionError(.unreachable, "cannot create a socket", cause: SystemError())
        }
        var isConnected = false
        defer { if !isConnected { close(descriptor) } }
        let result = address.bytes.withUnsafeBytes { bytes in
            guard let base = bytes.bindMemory(to: sockaddr.self).baseAddress else {
                return Int32(-1)
            }
            return Glibc.connect(descriptor, base, socklen_t(bytes.count))
        }
        if result != 0 {
            guard errno == EINPROGRESS else {
                throw ConnectionError(.unreachable, "cannot connect", cause: SystemError())
            }
            try wait(for: [pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)])
            let error = option(descriptor, SOL_SOCKET, SO_ERROR)
            guard error == 0 else {
                throw ConnectionError(.unreachable, "cannot connect", cause: SystemError(error))
            }
        }
        tune(descriptor)
        isConnected = true
        return descriptor
    }

    private static func tune(_ descriptor: Int32) {
        let tcp = Int32(IPPROTO_TCP)
        // Requests are small and must not wait for each other.
        set(descriptor, tcp, TCP_NODELAY, 1)
        set(descriptor, SOL_SOCKET, SO_KEEPALIVE, 1)
        set(descriptor, tcp, TCP_KEEPIDLE, 30)
        set(descriptor, tcp, TCP_KEEPINTVL, 10)
        set(descriptor, tcp, TCP_KEEPCNT, 3)
        // Milliseconds that sent bytes may stay unacknowledged; the kernel's own is 15 minutes.
        set(descriptor, tcp, TCP_USER_TIMEOUT, 30_000)
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Int32) {
        var value = value
        setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    private static func option(_ descriptor: Int32, _ level: Int32, _ name: Int32) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, level, name, &value, &length) == 0 ? value : errno
    }
}

/// `getaddrinfo` with an end: it may block for minutes and cannot be interrupted, so it runs on
/// a thread of its own that is left behind when it takes too long.
enum AddressLookup {
    struct Address: Sendable {
        let family: Int32
        /// A `sockaddr` of that family.
        let bytes: [UInt8]
    }

    private final class Answer: Sendable {
        let value = Mutex<Result<[Address], ConnectionError>?>(nil)
    }

    static func addresses(
        of host: String,
        port: UInt16,
        _ wait: BoundedWait
    ) throws(ConnectionError) -> [Address] {
        let answer = Answer()
        let done = try EventDescriptor()
        try OwnThread.start {
            let result = lookUp(host, port)
            answer.value.withLock { $0 = result }
            done.signal()
        }
        do {
            try wait(for: [pollfd(fd: done.descriptor, events: Int16(POLLIN), revents: 0)])
        } catch {
            guard error.code == .timedOut else { throw error }
            throw ConnectionError(.unreachable, "looking up '\(host)' takes too long")
        }
        guard let result = answer.value.withLock({ $0 }) else { return [] }
        return try result.get()
    }

    private static func lookUp(_ host: String, _ port: UInt16) -> Result<[Address], ConnectionError>
    {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, "\(port)", &hints, &list)
        guard code == 0 else {
            let reason = String(cString: gai_strerror(code))
            return .failure(ConnectionError(.unreachable, "cannot look up '\(host)': \(reason)"))
        }
        defer { freeaddrinfo(list) }
        let addresses = sequence(first: list) { $0?.pointee.ai_next }.prefix { $0 != nil }
            .compactMap { entry -> Address? in
                guard let info = entry?.pointee, let address = info.ai_addr else { return nil }
                let bytes = UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen))
                return Address(family: info.ai_family, bytes: Array(bytes))
            }
        return .success(Array(addresses))
    }
}
