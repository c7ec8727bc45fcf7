import Glibc
import Synchronization

/// A bad way to a server on loopback: it passes bytes on, slows them, loses them or breaks off.
public final class Detour: Sendable {
    public enum Mode: Sendable {
        case open
        /// Connections stay, and nothing gets through: a cable that was pulled.
        case silent
        /// So many bytes a second, all connections together.
        case slow(bytesPerSecond: Int)
        /// Each portion of up to 64 KiB breaks its connection off with this probability.
        case breaking(probability: Double)
    }

    private struct State {
        var mode = Mode.open
        var isStopped = false
        var pairs: [Int32: Int32] = [:]
    }

    public let port: UInt16
    private let target: UInt16
    private let listener: Int32
    private let state = Mutex(State())

    /// - Parameter target: The server's port.
    /// - Throws: ``StandInError``.
    public init(to target: UInt16) throws {
        self.target = target
        (listener, port) = try HTTPServer.bound(to: 0)
        guard listen(listener, 64) == 0 else { throw StandInError("listen: \(errno)") }
        Self.detach { self.accept() }
    }

    public func set(_ mode: Mode) { state.withLock { $0.mode = mode } }

    /// Breaks every connection off.
    public func breakAll() {
        // In the lock: a pair that is not in the list any more may be closed.
        state.withLock { state in
            for (one, other) in state.pairs {
                shutdown(one, Int32(SHUT_RDWR))
                shutdown(other, Int32(SHUT_RDWR))
            }
        }
    }

    /// Only the first time does anything: by the second the descriptor's number may be another's.
    public func stop() {
        let isFirst = state.withLock { state in
            defer { state.isStopped = true }
            return !state.isStopped
        }
        guard isFirst else { return }
        shutdown(listener, Int32(SHUT_RDWR))
        breakAll()
    }

    private static func detach(_ body: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Body(run: body)).toOpaque()
        pthread_create(
            &thread,
            nil,
            { box in
                guard let box else { return nil }
                Unmanaged<Body>.fromOpaque(box).takeRetainedValue().run()
                return nil
            },
            box
        )
        pthread_detach(thread)
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private func accept() {
        while !state.withLock({ $0.isStopped }) {
            let client = Glibc.accept(listener, nil, nil)
            guard client >= 0 else { break }
            guard let server = Self.connected(to: target) else {
                close(client)
                continue
            }
            state.withLock { $0.pairs[client] = server }
            Self.detach { self.carry(client, server) }
        }
        close(listener)
    }

    private static func connected(to port: UInt16) -> Int32? {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private func carry(_ client: Int32, _ server: Int32) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        var isOpen = true
        while isOpen {
            if case .silent = state.withLock({ $0.mode }) {
                poll(nil, 0, 20)
                if state.withLock({ $0.isStopped }) { break }
                continue
            }
            var both = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: server, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&both, 2, 100) >= 0 else { break }
            for (from, to) in [(0, server), (1, client)] where isOpen && both[from].revents != 0 {
                isOpen = pass(both[from].fd, to, &buffer)
            }
        }
        state.withLock { _ = $0.pairs.removeValue(forKey: client) }
        close(client)
        close(server)
    }

    /// - Returns: Whether the connection lives on.
    private func pass(_ from: Int32, _ to: Int32, _ buffer: inout [UInt8]) -> Bool {
        var size = buffer.count
        switch state.withLock({ $0.mode }) {
        case .open, .silent: break
        case .slow(let rate):
            size = max(1, min(size, rate / 20))
            poll(nil, 0, Int32(1000 * size / max(rate, 1)))
        case .breaking(let probability):
            if Double.random(in: 0..<1) < probability {
                // A reset rather than an orderly end.
                var linger = linger(l_onoff: 1, l_linger: 0)
                let length = socklen_t(MemoryLayout<linger>.size)
                setsockopt(from, SOL_SOCKET, SO_LINGER, &linger, length)
                setsockopt(to, SOL_SOCKET, SO_LINGER, &linger, length)
                return false
            }
        }
        let count = recv(from, &buffer, size, 0)
        guard count > 0 else { return false }
        var sent = 0
        while sent < count {
            let part = buffer.withUnsafeBytes { bytes in
                send(to, bytes.baseAddress?.advanced(by: sent), count - sent, Int32(MSG_NOSIGNAL))
            }
            guard part > 0 else { return false }
            sent += part
        }
        return true
    }
}
