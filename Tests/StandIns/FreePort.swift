import Glibc
import Synchronization

/// Ports of loopback for servers that choose none themselves.
enum FreePort {
    private static let counter = Atomic(Int.random(in: 0..<10_000))

    private static func loopback(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    /// Below the ports that the kernel gives to others, who might take it before the server does.
    static func next() throws -> UInt16 {
        for _ in 0..<100 {
            let number = UInt16(counter.wrappingAdd(1, ordering: .relaxed).newValue % 10_000)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            defer { close(descriptor) }
            let address = loopback(20_000 + number)
            let isFree = withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isFree { return 20_000 + number }
        }
        throw StandInError("there is no free port from 20,000 to 29,999")
    }
}
