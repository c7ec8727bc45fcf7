public import CSystem
public import Foundation
import Glibc

/// A program that runs beside a test.
///
/// Foundation's `Process` takes a child for dead when it closes the descriptors it inherited, as
/// sshd does, and then waits for it in the one thread that all others need.
public final class ChildProcess: Sendable {
    public let pid: pid_t
    private let status = MutexBox<Int32?>(nil)

    /// Starts a program; `output` and `errors` are files, nil for none.
    public init(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = ProcessInfo.processInfo.environment,
        output: String? = nil,
        errors: String? = nil
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        let write = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 1, output ?? "/dev/null", write, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors ?? "/dev/null", write, 0o600)
        // Foundation's own are inherited: a file that a test reads just now would stay open.
        sync2nas_spawn_without(&actions, 3)
        var words: [UnsafeMutablePointer<CChar>?] =
            ([program] + arguments).map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] =
            environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + variables { free(word) } }
        var pid = pid_t()
        let result = posix_spawnp(&pid, program, &actions, nil, &words, &variables)
        guard result == 0 else {
            throw StandInError("cannot start \(program): \(String(cString: strerror(result)))")
        }
        self.pid = pid
    }

    /// Waits for its end; the exit code, or 128 and the signal's number.
    @discardableResult
    public func wait() -> Int32 {
        if let known = status.value { return known }
        var raw: Int32 = 0
        while waitpid(pid, &raw, 0) < 0, errno == EINTR {}
        let code = raw & 0x7F == 0 ? raw >> 8 & 0xFF : 128 + raw & 0x7F
        status.value = code
        return code
    }

    /// Whether it has not ended yet.
    public var isRunning: Bool {
        if status.value != nil { return false }
        var raw: Int32 = 0
        guard waitpid(pid, &raw, WNOHANG) == pid else { return true }
        status.value = raw & 0x7F == 0 ? raw >> 8 & 0xFF : 128 + raw & 0x7F
        return false
    }
}
