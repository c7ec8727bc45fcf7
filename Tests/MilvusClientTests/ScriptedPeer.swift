import Glibc
import StandIns
import Synchronization

/// A server on loopback that does with each connection what a test says, on a thread of its own.
final class ScriptedPeer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let accepted = Atomic(0)

    private let ended = Atomic(0)

    /// Connections so far.
    var connections: Int { accepted.load(ordering: .relaxed) }

    /// Those whose script has not ended.
    var openConnections: Int { connections - ended.load(ordering: .relaxed) }

    /// - Parameter script: Gets the connection and its number from 0; it is closed afterwards.
    /// - Throws: `StandInError`.
    init(_ script: @escaping @Sendable (Wire, Int) -> Void) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound, listen(listener, 16) == 0 else { throw StandInError("cannot listen") }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        BlockingThread.start { [self] in
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else { break }
                let number = accepted.wrappingAdd(1, ordering: .relaxed).oldValue
                BlockingThread.start {
                    script(Wire(client), number)
                    close(client)
                    self.ended.wrappingAdd(1, ordering: .relaxed)
                }
            }
            close(listener)
        }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
    }
}

/// One connection of a ``ScriptedPeer``, with what it takes to say HTTP/2.
struct Wire: Sendable {
    private let descriptor: Int32

    init(_ descriptor: Int32) { self.descriptor = descriptor }

    /// - Returns: Whether the other end still takes it.
    @discardableResult
    func send(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.send(
                    descriptor,
                    buffer.baseAddress?.advanced(by: sent),
                    bytes.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// Waits for anything.
    func receive() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        _ = recv(descriptor, &buffer, buffer.count, 0)
    }

    /// Waits for a whole request, which may come long after the preface.
    func receiveRequest() {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        // The preface is no frame (RFC 9113, section 3.4).
        var start = 24
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            bytes += buffer[..<count]
            while bytes.count >= start + 9 {
                let length = bytes[start..<start + 3].reduce(0) { $0 << 8 | Int($1) }
                guard bytes.count >= start + 9 + length else { break }
                // DATA with END_STREAM.
                if bytes[start + 3] == 0, bytes[start + 4] & 1 == 1 { return }
                start += 9 + length
            }
        }
    }

    /// Takes everything until the other end closes.
    func drain() {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while recv(descriptor, &buffer, buffer.count, 0) > 0 {}
    }

    /// A frame of RFC 9113, section 4.1.
    static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32, _ body: [UInt8]) -> [UInt8] {
        let length = UInt32(body.count)
        let head = [UInt8(length >> 16 & 0xFF), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF)]
        return head + [type, flags] + bytes(stream) + body
    }

    static let settings = frame(4, stream: 0, []) + frame(4, flags: 1, stream: 0, [])

    /// HEADERS with every header as a literal that nobody remembers (RFC 7541, section 6.2.2).
    static func headers(_ pairs: [(String, String)], endsStream: Bool = false) -> [UInt8] {
        frame(1, flags: endsStream ? 5 : 4, stream: 1, block(pairs))
    }

    static func block(_ pairs: [(String, String)]) -> [UInt8] {
        pairs.flatMap { [0] + text($0) + text($1) }
    }

    static func data(_ body: [UInt8]) -> [UInt8] { frame(0, stream: 1, body) }

    static func bytes(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(number >> (24 - 8 * $0) & 0xFF) }
    }

    /// Up to 126 bytes.
    private static func text(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + text.utf8 }
}

/// Threads for scripts, which block.
enum BlockingThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    static func start(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        pthread_create(
            &thread,
            nil,
            { box in
                if let box { Unmanaged<Body>.fromOpaque(box).takeRetainedValue().run() }
                return nil
            },
            Unmanaged.passRetained(Body(body)).toOpaque()
        )
        pthread_detach(thread)
    }
}
