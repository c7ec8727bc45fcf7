import CSystem
import Foundation
import FuseBridge
import Glibc
public import Logging
import Synchronization

/// Keeps a mount alive when the process that serves it dies.
///
/// It holds the kernel's end of the mount and the mount's record, does nothing else, and so has
/// little to die of. What the dead server had begun to answer, its successor answers.
public final class Supervisor: Sendable {
    private let arguments: [String]
    private let hasOwnSession: Bool
    private let log: Logger
    private let directory = FileManager.default.currentDirectoryPath
    private let child = Mutex<(process: pid_t?, isStopping: Bool)>((nil, false))

    /// - Parameters:
    ///   - arguments: What starts the server, without the program's name.
    ///   - hasOwnSession: Whether the server leaves the terminal.
    ///   - log: Where deaths are told.
    public init(arguments: [String], hasOwnSession: Bool, log: Logger) {
        self.arguments = arguments
        self.hasOwnSession = hasOwnSession
        self.log = log
    }

    /// Starts the server, and another one whenever it dies, until it ends as it should.
    ///
    /// - Parameters:
    ///   - password: Given to each server.
    ///   - relay: Gets what the first server reports.
    /// - Returns: 0 after an orderly end, else 1.
    public func run(
        password: String?,
        relay: (MessageSocket.Message) -> Void
    ) -> Int32 {
        let record = sync2nas_memory_file(MountRecord.size)
        guard record >= 0 else {
            let reason = String(cString: strerror(errno))
            relay(
                .failed("cannot keep the mount's state in memory: \(reason)", needsPassword: false)
            )
            return 1
        }
        var mount: Int32?
        var restarts = Restarts()
        while true {
            let began = ContinuousClock.now
            let server: OwnProcess
            do throws(Settings.Problem) {
                server = try OwnProcess(arguments, hasOwnSession: hasOwnSession, in: directory)
            } catch {
                relay(.failed("\(error)", needsPassword: false))
                return 1
            }
            handOver(to: server, record: record, mount: mount, password: password)
            let isFirst = mount == nil
            let (hasServed, hasReported) = listen(to: server, record: record, mount: &mount) {
                message in
                if isFirst {
                    relay(message)
                } else if case .failed(let reason, _) = message {
                    log.error("the successor could not go on: \(reason)")
                }
            }
            let end = server.wait()
            let isStopping = child.withLock { child in
                child.process = nil
                return child.isStopping
            }
            guard mount != nil, end != .exited(0), !isStopping else {
                if isFirst, !hasServed, !hasReported, end != .exited(0) {
                    relay(.failed("the daemon ended without a word", needsPassword: false))
                }
                return end == .exited(0) ? 0 : 1
            }
            let life = ContinuousClock.now - began
            switch restarts.ended(end, hasServed: hasServed, lifetime: life) {
            case .giveUp:
                log.critical(
                    """
                    the daemon \(end.words), \(restarts.failures) times in a row: giving the mount \
                    up; see above for the cause and mount again
                    """
                )
                return 1
            case .restart(let pause):
                log.error("the daemon \(end.words) after \(life): starting another one")
                usleep(UInt32(pause / .microseconds(1)))
            }
        }
    }

    /// Asks the server to end, and starts no other.
    public func stop() {
        child.withLock { child in
            child.isStopping = true
            if let process = child.process { kill(process, SIGTERM) }
        }
    }

    private func handOver(
        to server: OwnProcess,
        record: Int32,
        mount: Int32?,
        password: String?
    ) {
        server.socket.send(.record, descriptor: record)
        if let mount { server.socket.send(.takeOver, descriptor: mount) }
        if let password { server.socket.send(.password(password)) }
        server.socket.send(.start)
        child.withLock { child in
            child.process = server.id
            if child.isStopping { kill(server.id, SIGTERM) }
        }
    }

    /// Hears what the server reports until it is dead.
    private func listen(
        to server: OwnProcess,
        record: Int32,
        mount: inout Int32?,
        relay: (MessageSocket.Message) -> Void
    ) -> (hasServed: Bool, hasReported: Bool) {
        defer { server.socket.close() }
        var hasServed = false
        var hasReported = false
        while true {
            if let mount { helpToEnd(server, record, mount) }
            guard let (message, descriptor) = server.socket.receive() else { break }
            switch message {
            case .mounted: mount = mount ?? descriptor
            case .ready:
                hasServed = true
                relay(message)
            case .failed:
                hasReported = true
                relay(message)
            case .progress, .warning: relay(message)
            case .record, .takeOver, .password, .start: break
            }
        }
        return (hasServed, hasReported)
    }

    /// Milliseconds; nobody who uses the mount may wait for two seconds.
    private static let lookInterval: Int32 = 500

    /// Waits until the server says something or is dead.
    ///
    /// A killed server of which one thread waits in the kernel for an answer that only the server
    /// could give never dies: then nobody gets an answer.
    private func helpToEnd(_ server: OwnProcess, _ record: Int32, _ mount: Int32) {
        var looks = 0
        while !server.socket.isReady(within: Self.lookInterval) {
            guard OwnProcess.isEnding(server.id) else { continue }
            looks += 1
            // At first the other threads may only need a moment to end.
            guard looks > 1 else { continue }
            if looks == 2 {
                log.warning("the daemon was killed while it waited for itself: its requests fail")
            }
            MountRecord.failRequests(of: mount, in: record)
        }
    }
}

extension OwnProcess.End {
    fileprivate var words: String {
        switch self {
        case .exited(let code): "ended with code \(code)"
        case .killed(let signal):
            "was ended by signal \(signal) (\(String(cString: strsignal(signal))))"
        }
    }
}

/// What a server is given at its start.
public struct Inheritance: Sendable {
    /// The mount's record.
    let record: Int32?
    /// The kernel's end of a mount to take over.
    let mount: Int32?
    public let password: String?

    /// Waits for what the supervisor says at the start.
    public init(from socket: MessageSocket) {
        var record: Int32?
        var mount: Int32?
        var password: String?
        loop: while let (message, descriptor) = socket.receive() {
            switch message {
            case .record: record = descriptor
            case .takeOver: mount = descriptor
            case .password(let text): password = text
            case .start: break loop
            case .mounted, .progress, .warning, .ready, .failed: break
            }
        }
        self.record = record
        self.mount = mount
        self.password = password
    }
}
