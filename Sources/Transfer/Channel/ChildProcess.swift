import CSSH2
import Glibc

/// A program that talks over one socket on its standard input and output.
///
/// It gets its own session, so that Ctrl-C in our terminal does not reach it and all its
/// children (a ProxyCommand, say) can be ended together. It is always reaped by `end`, and ends
/// with the thread that made it when that thread is killed.
final class ChildProcess {
    /// Our end: what the child writes to standard output, reads from standard input.
    let socket: Int32
    /// What the child says on standard error.
    let complaints: Int32
    private let pid: pid_t
    /// A copy of the child's own, taken when first needed; -1 when there is none to be had.
    private var connection: Int32?

    /// - Parameters:
    ///   - path: The program.
    ///   - arguments: Without the program's own name.
    /// - Throws: ``ConnectionError`` `.closed` when it cannot be started.
    init(_ path: String, _ arguments: [String]) throws(ConnectionError) {
        var pair: [Int32] = [-1, -1]
        var errors: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &pair) == 0, socketpair(AF_UNIX, kind, 0, &errors) == 0
        else {
            let error = SystemError()
            for descriptor in pair + errors where descriptor >= 0 { close(descriptor) }
            throw ConnectionError(.closed, "cannot create a socket pair", cause: error)
        }
        defer {
            close(pair[1])
            close(errors[1])
        }
        // Only our ends: the child must not be surprised by descriptors that never block.
        for descriptor in [pair[0], errors[0]] {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }
        var size: Int32 = 1 << 20
        for descriptor in pair {
            setsockopt(
                descriptor,
                SOL_SOCKET,
                SO_SNDBUF,
                &size,
                socklen_t(MemoryLayout<Int32>.size)
            )
        }
        let (result, pid) = ChildProcess.spawn(path, arguments, socket: pair[1], errors: errors[1])
        guard result == 0 else {
            close(pair[0])
            close(errors[0])
            throw ConnectionError(.closed, "cannot start '\(path)'", cause: SystemError(result))
        }
        self.pid = pid
        socket = pair[0]
        complaints = errors[0]
    }

    private static func spawn(
        _ path: String,
        _ arguments: [String],
        socket: Int32,
        errors: Int32
    ) -> (Int32, pid_t) {
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var pid: pid_t = 0
        let result = cssh2_spawn(path, words, socket, errors, &pid)
        return (result, pid)
    }

    /// Lets the child sleep until `bytes` have come over its TCP connection, or its end.
    ///
    /// Without effect where the child has no such connection of its own (behind a ProxyCommand)
    /// or the kernel does not share it.
    func setLowWater(_ bytes: Int) {
        let connection = connection ?? cssh2_connection(pid)
        self.connection = connection
        guard connection >= 0 else { return }
        var mark = Int32(bytes)
        let size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(connection, SOL_SOCKET, SO_RCVLOWAT, &mark, size)
    }

    /// Ends the process and its children and reaps it.
    ///
    /// Only once; takes half a second at most, when it does not want to go.
    func end() {
        close(socket)
        if let connection, connection >= 0 { close(connection) }
        kill(-pid, SIGTERM)
        // Looked at without reaping: until then nobody else can get this number, and the
        // last signal reaches our processes only.
        for _ in 0..<50 {
            var info = siginfo_t()
            let result = waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT)
            if result != 0 || info.si_signo == SIGCHLD { break }
            poll(nil, 0, 10)
        }
        // Also for children that outlived it.
        kill(-pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        close(complaints)
    }
}
