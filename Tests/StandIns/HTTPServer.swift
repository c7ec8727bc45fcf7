import Foundation
import Glibc
import Synchronization

/// A small HTTP/1.1 server on loopback whose answers tests choose to the byte, broken ones too.
public final class HTTPServer: Sendable {
    public struct Request: Sendable {
        public let method: String
        /// Without the query.
        public let path: String
        public let query: [String: String]
        /// Names in lower case.
        public let headers: [String: String]
        public let body: [UInt8]
    }

    public struct Answer: Sendable {
        public var status = 200
        public var headers: [(String, String)] = []
        public var body: [UInt8]
        /// Sends only so many bytes of the body and closes.
        public var cut: Int?
        public var delay: Duration = .zero

        public init(
            status: Int = 200,
            headers: [(String, String)] = [],
            body: [UInt8],
            cut: Int? = nil,
            delay: Duration = .zero
        ) {
            self.status = status
            self.headers = headers
            self.body = body
            self.cut = cut
            self.delay = delay
        }
    }

    public let port: UInt16
    private let listener: Int32
    private let answer: @Sendable (Request) -> Answer
    private let clients = Mutex<Set<Int32>>([])
    private let isStopped = Atomic(false)

    /// Listens at once; `port` 0 is any that is free, `answer` is called on a thread of its own.
    public init(port: UInt16 = 0, answer: @Sendable @escaping (Request) -> Answer) throws {
        self.answer = answer
        (listener, self.port) = try Self.bound(to: port)
        guard listen(listener, 64) == 0 else {
            close(listener)
            throw StandInError("cannot listen: \(String(cString: strerror(errno)))")
        }
        Thread.detachNewThread { [self, listener] in
            while true {
                let client = accept(listener, nil, nil)
                // One that left again before it was its turn, or no descriptor for it just now.
                if client < 0, [ECONNABORTED, EINTR, EMFILE, ENFILE].contains(errno) { continue }
                guard client >= 0 else {
                    // Only here: closed by another thread, its number might already be another
                    // server's when `accept` is called with it.
                    close(listener)
                    return
                }
                var on: Int32 = 1
                setsockopt(client, Int32(IPPROTO_TCP), TCP_NODELAY, &on, 4)
                clients.withLock { _ = $0.insert(client) }
                Thread.detachNewThread { self.serve(client) }
            }
        }
    }

    static func bound(to port: UInt16) throws -> (descriptor: Int32, port: UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0
                    && getsockname(descriptor, pointer, &length) == 0
            }
        }
        guard isBound else {
            close(descriptor)
            throw StandInError("cannot bind 127.0.0.1:\(port): \(String(cString: strerror(errno)))")
        }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }

    public var baseURL: String { "http://127.0.0.1:\(port)" }

    /// Only the first time does anything: by the second the descriptor's number may be another's.
    public func stop() {
        guard !isStopped.exchange(true, ordering: .relaxed) else { return }
        shutdown(listener, Int32(SHUT_RDWR))
        clients.withLock { for client in $0 { shutdown(client, Int32(SHUT_RDWR)) } }
    }

    private func serve(_ client: Int32) {
        defer {
            clients.withLock { _ = $0.remove(client) }
            close(client)
        }
        var buffer: [UInt8] = []
        while let request = next(client, &buffer) {
            let answer = answer(request)
            Thread.sleep(forTimeInterval: answer.delay / .seconds(1))
            var head =
                "HTTP/1.1 \(answer.status) Status\r\nContent-Length: \(answer.body.count)\r\n"
            for (name, value) in answer.headers { head += "\(name): \(value)\r\n" }
            let body = answer.cut.map { Array(answer.body.prefix($0)) } ?? answer.body
            guard send(client, Array((head + "\r\n").utf8) + body), answer.cut == nil else {
                return
            }
        }
    }

    private func send(_ client: Int32, _ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { bytes in
                Glibc.send(
                    client,
                    bytes.baseAddress?.advanced(by: sent),
                    bytes.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    private func next(_ client: Int32, _ buffer: inout [UInt8]) -> Request? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if let range = buffer.firstRange(of: end) {
                let lines = String(decoding: buffer[..<range.lowerBound], as: UTF8.self)
                    .components(separatedBy: "\r\n")
                var headers: [String: String] = [:]
                for line in lines.dropFirst() {
                    guard let colon = line.firstIndex(of: ":") else { continue }
                    headers[line[..<colon].lowercased()] =
                        line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                }
                let length = headers["content-length"].flatMap(Int.init) ?? 0
                if buffer.count >= range.upperBound + length {
                    let body = Array(buffer[range.upperBound..<(range.upperBound + length)])
                    buffer.removeFirst(range.upperBound + length)
                    return Self.request(lines.first ?? "", headers, body)
                }
            }
            var bytes = [UInt8](repeating: 0, count: 16384)
            let count = recv(client, &bytes, bytes.count, 0)
            guard count > 0 else { return nil }
            buffer += bytes[..<count]
        }
    }

    private static func request(
        _ line: String,
        _ headers: [String: String],
        _ body: [UInt8]
    ) -> Request? {
        let words = line.split(separator: " ")
        guard words.count == 3, let url = URLComponents(string: String(words[1])) else {
            return nil
        }
        var query: [String: String] = [:]
        for item in url.queryItems ?? [] { query[item.name] = item.value ?? "" }
        return Request(
            method: String(words[0]),
            path: url.path,
            query: query,
            headers: headers,
            body: body
        )
    }
}

/// A port at which nobody listens, for as long as it is held.
public struct HeldPort: Sendable {
    public let number: UInt16
    private let descriptor: Int32

    public init() throws { (descriptor, number) = try HTTPServer.bound(to: 0) }

    public func release() { close(descriptor) }
}

/// Why a stand-in could not be started.
public struct StandInError: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
