import CSystem
import Foundation
import Glibc

/// Starts the daemon as a process of its own and waits until its mount answers.
///
/// The child is this program again, in a session of its own. It reports through a pipe: lines
/// that begin with `progress`, then `ready`, or `error` and everything behind it.
public struct Background: Sendable {
    /// The descriptor at which the child finds the pipe.
    public static let reportDescriptor: Int32 = 3
    /// The descriptor at which the child finds a password, when the parent asked for one.
    public static let secretDescriptor: Int32 = 4

    public enum Outcome: Sendable {
        case ready
        case failed(String, needsPassword: Bool)
    }

    /// Starts the child and waits for its word.
    ///
    /// - Parameters:
    ///   - arguments: The child's, without the program's name.
    ///   - secret: Handed over by a pipe, so that nobody sees it.
    ///   - progress: Told how the first scan goes.
    /// - Returns: How it went.
    public static func start(
        arguments: [String],
        secret: String?,
        progress: (String) -> Void
    ) -> Outcome {
        var report: [Int32] = [-1, -1]
        var secrets: [Int32] = [-1, -1]
        guard sync2nas_pipe(&report) == 0, sync2nas_pipe(&secrets) == 0 else {
            return .failed(
                "cannot make a pipe: \(String(cString: strerror(errno)))",
                needsPassword: false
            )
        }
        let child = spawn(arguments, report: report[1], secret: secrets[0])
        close(report[1])
        close(secrets[0])
        if let secret {
            // Shorter than a pipe's buffer, so this does not wait for the child.
            let line = secret + "\n"
            _ = write(secrets[1], line, line.utf8.count)
        }
        close(secrets[1])
        defer { close(report[0]) }
        guard let child else {
            return .failed(
                "cannot start the daemon: \(String(cString: strerror(errno)))",
                needsPassword: false
            )
        }
        return watch(report[0], child: child, progress: progress)
    }

    private static func watch(
        _ report: Int32,
        child: pid_t,
        progress: (String) -> Void
    ) -> Outcome {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(report, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            text += String(decoding: buffer[..<count], as: UTF8.self)
            while text.hasPrefix("progress "), let end = text.firstIndex(of: "\n") {
                progress(String(text[..<end].dropFirst(9)))
                text = String(text[text.index(after: end)...])
            }
            if text.hasPrefix("ready\n") { return .ready }
        }
        waitpid(child, nil, 0)
        for (word, needsPassword) in [("error ", false), ("password ", true)]
        where text.hasPrefix(word) {
            let message = text.dropFirst(word.count).trimmingCharacters(in: .newlines)
            return .failed(message, needsPassword: needsPassword)
        }
        return .failed("the daemon ended without a word", needsPassword: false)
    }

    private static func spawn(_ arguments: [String], report: Int32, secret: Int32) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        // By way of high numbers, since either pipe may have the other's target.
        posix_spawn_file_actions_adddup2(&actions, report, 100)
        posix_spawn_file_actions_adddup2(&actions, secret, 101)
        posix_spawn_file_actions_adddup2(&actions, 100, reportDescriptor)
        posix_spawn_file_actions_adddup2(&actions, 101, secretDescriptor)
        posix_spawn_file_actions_addclose(&actions, 100)
        posix_spawn_file_actions_addclose(&actions, 101)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(&attributes, sync2nas_spawn_setsid())
        var words: [UnsafeMutablePointer<CChar>?] =
            (["sync2nas"] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let result = posix_spawn(&process, "/proc/self/exe", &actions, &attributes, &words, environ)
        guard result == 0 else {
            errno = result
            return nil
        }
        return process
    }

    // MARK: In the child

    /// Reads what the parent asked the person for.
    public static func receivedSecret() -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(secretDescriptor, &buffer, buffer.count)
        close(secretDescriptor)
        guard count > 0 else { return nil }
        return String(decoding: buffer[..<count], as: UTF8.self).trimmingCharacters(in: .newlines)
    }

    public static func report(_ line: String) {
        let text = line + "\n"
        _ = write(reportDescriptor, text, text.utf8.count)
    }

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

    /// Lets go of the parent and of the directory that it was started in.
    public static func detach() {
        close(reportDescriptor)
        chdir("/")
    }
}
