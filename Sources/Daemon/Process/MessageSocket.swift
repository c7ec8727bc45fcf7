import CSystem
import Glibc

/// One end of the line between two processes of a mount.
public struct MessageSocket: Sendable {
    let descriptor: Int32

    /// What they say to each other; some bring a descriptor along.
    public enum Message: Equatable, Sendable {
        /// To the server: the mount's record, with its descriptor. The first message.
        case record
        /// To the server: a mount whose server has died, with the kernel's end of it.
        case takeOver
        /// What the person was asked for.
        case password(String)
        /// To the server: all is said.
        case start
        /// From the server: it has mounted, with the kernel's end.
        case mounted
        case progress(String)
        /// Something that a person should hear of, though the mount comes up.
        case warning(String)
        /// The mount answers.
        case ready
        case failed(String, needsPassword: Bool)

        var text: String {
            switch self {
            case .record: "record"
            case .takeOver: "takeOver"
            case .password(let secret): "password \(secret)"
            case .start: "start"
            case .mounted: "mounted"
            case .progress(let text): "progress \(text)"
            case .warning(let text): "warning \(text)"
            case .ready: "ready"
            case .failed(let text, let needsPassword):
                (needsPassword ? "refused " : "failed ") + text
            }
        }

        init?(_ text: String) {
            let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            let rest = parts.count > 1 ? String(parts[1]) : ""
            switch parts.first {
            case "record": self = .record
            case "takeOver": self = .takeOver
            case "password": self = .password(rest)
            case "start": self = .start
            case "mounted": self = .mounted
            case "progress": self = .progress(rest)
            case "warning": self = .warning(rest)
            case "ready": self = .ready
            case "failed": self = .failed(rest, needsPassword: false)
            case "refused": self = .failed(rest, needsPassword: true)
            default: return nil
            }
        }
    }

    /// Longer words are cut.
    private static let longest = 32_768

    /// The end that this process was started with.
    public static let inherited = MessageSocket(descriptor: 3)

    static func pair() -> (MessageSocket, MessageSocket)? {
        var ends: [Int32] = [-1, -1]
        guard sync2nas_message_sockets(&ends) == 0 else { return nil }
        return (MessageSocket(descriptor: ends[0]), MessageSocket(descriptor: ends[1]))
    }

    /// Keeps the socket from the processes that this one starts.
    public func keepToOurselves() { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }

    /// Closes the end that this process was started with, and keeps its number taken.
    public func leave() {
        let empty = open("/dev/null", O_RDWR | O_CLOEXEC)
        dup2(empty, descriptor)
        Glibc.close(empty)
    }

    /// Sends a message; nobody may be there to hear it.
    public func send(_ message: Message, descriptor beside: Int32 = -1) {
        let bytes = Array(message.text.utf8.prefix(Self.longest))
        _ = sync2nas_send(descriptor, bytes, bytes.count, beside)
    }

    /// Whether ``receive()`` returns at once, now or within so many milliseconds.
    func isReady(within milliseconds: Int32) -> Bool {
        var descriptor = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, milliseconds) > 0
    }

    /// Waits for a message.
    ///
    /// - Returns: It and the descriptor that came with it, or nil when the other end is closed.
    public func receive() -> (message: Message, descriptor: Int32?)? {
        var bytes = [UInt8](repeating: 0, count: Self.longest)
        while true {
            var beside: Int32 = -1
            let count = sync2nas_receive(descriptor, &bytes, bytes.count, &beside)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            guard let message = Message(String(decoding: bytes[..<count], as: UTF8.self)) else {
                continue
            }
            return (message, beside < 0 ? nil : beside)
        }
    }

    func close() { Glibc.close(descriptor) }
}
