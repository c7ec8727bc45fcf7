import CSystem
import Foundation
import Glibc

/// This program, started again as a process of its own, with a socket to its starter.
public struct OwnProcess: Sendable {
    let id: pid_t
    public let socket: MessageSocket

    /// Starts it.
    ///
    /// - Parameters:
    ///   - arguments: Without the program's name.
    ///   - hasOwnSession: Whether it leaves the terminal and reads nothing from it.
    ///   - directory: Where it starts, so that relative paths in `arguments` mean the same.
    /// - Throws: ``Settings/Problem`` when the system does not let us.
    public init(
        _ arguments: [String],
        hasOwnSession: Bool,
        in directory: String
    ) throws(Settings.Problem) {
        guard let (ours, theirs) = MessageSocket.pair() else {
            throw Settings.Problem("cannot make a socket: \(String(cString: strerror(errno)))")
        }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        sync2nas_spawn_in(&actions, directory)
        if hasOwnSession { posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0) }
        // By way of a high number: the socket may have its target's number, and would be closed.
        posix_spawn_file_actions_adddup2(&actions, theirs.descriptor, 100)
        posix_spawn_file_actions_adddup2(&actions, 100, MessageSocket.inherited.descriptor)
        posix_spawn_file_actions_addclose(&actions, 100)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        if hasOwnSession { posix_spawnattr_setflags(&attributes, sync2nas_spawn_setsid()) }
        var words: [UnsafeMutablePointer<CChar>?] =
            (["sync2nas"] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        // Swift's own report of a crash takes seconds, in which the mount would stand still. Who
        // wants one sets the variable.
        setenv("SWIFT_BACKTRACE", "enable=no", 0)
        var process = pid_t()
        let result = posix_spawn(&process, "/proc/self/exe", &actions, &attributes, &words, environ)
        theirs.close()
        guard result == 0 else {
            ours.close()
            throw Settings.Problem("cannot start the daemon: \(String(cString: strerror(result)))")
        }
        id = process
        socket = ours
    }

    /// Asks it to end.
    public func stop() { kill(id, SIGTERM) }

    /// Whether the main thread of a process has ended, as all do that can when it is killed.
    static func isEnding(_ id: pid_t) -> Bool {
        // proc_pid_stat(5): behind the program's name, which may hold anything.
        let line = (try? String(contentsOfFile: "/proc/\(id)/stat", encoding: .utf8)) ?? ""
        return line.split(separator: ")").last?.hasPrefix(" Z") ?? false
    }

    enum End: Equatable {
        case exited(Int32)
        case killed(signal: Int32)
    }

    /// Waits for its end.
    func wait() -> End {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return signal == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: signal)
    }
}

/// What a process without a terminal does with itself.
public enum Background {
    /// Sends output to `logFile` from now on.
    ///
    /// A file that has grown long begins anew, with the old one kept beside it.
    public static func log(to logFile: String) {
        try? FileManager.default.createDirectory(
            atPath: (logFile as NSString).deletingLastPathComponent,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        var status = stat()
        if stat(logFile, &status) == 0, status.st_size > 16 << 20 {
            rename(logFile, logFile + ".1")
        }
        let descriptor = open(logFile, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        dup2(descriptor, 1)
        dup2(descriptor, 2)
        close(descriptor)
    }

    /// Lets go of the directory that it was started in.
    public static func leaveDirectory() { chdir("/") }
}
