import Glibc
import Synchronization

/// `getaddrinfo` with an end: it may block for minutes and cannot be interrupted, so it runs on
/// a thread of its own that is left behind when it takes too long.
final class AddressLookup: Sendable {
    struct Address: Sendable {
        let family: Int32
        /// A `sockaddr` of that family.
        let bytes: [UInt8]
    }

    /// Readable when there is an answer.
    let done: EventDescriptor
    private let answer = Mutex<Result<[Address], MilvusError>?>(nil)

    init(_ host: String, port: UInt16) throws(MilvusError) {
        done = try EventDescriptor()
        try OwnThread.start { [self] in
            let result = Self.lookUp(host, port)
            answer.withLock { $0 = result }
            done.signal()
        }
    }

    /// In the system's order of preference; call it when `done` is readable.
    func addresses() throws(MilvusError) -> [Address] {
        try answer.withLock { $0 }?.get() ?? []
    }

    private static func lookUp(_ host: String, _ port: UInt16) -> Result<[Address], MilvusError> {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, "\(port)", &hints, &list)
        guard code == 0 else {
            let reason = String(cString: gai_strerror(code))
            return .failure(MilvusError(.unavailable, "cannot look up '\(host)': \(reason)"))
        }
        defer { freeaddrinfo(list) }
        var addresses: [Address] = []
        var next = list
        while let entry = next?.pointee {
            if let address = entry.ai_addr {
                let bytes = UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen))
                addresses.append(Address(family: entry.ai_family, bytes: Array(bytes)))
            }
            next = entry.ai_next
        }
        return .success(addresses)
    }
}
