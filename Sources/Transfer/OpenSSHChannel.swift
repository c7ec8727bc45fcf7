import CSystem
import Foundation
import Glibc

/// The SFTP subsystem over a child process of the user's own `ssh`.
///
/// `BatchMode` and a session of its own keep it from asking at the terminal and from getting the
/// terminal's signals. What it writes to its error output says why a connection failed.
final class OpenSSHChannel: ByteChannel {
    let name = "OpenSSH"
    /// OpenSSH's client window is 2 MiB (channels.h); some more keeps the server busy.
    let window = 4 << 20

    private let process: pid_t
    private let stream: Int32
    private let errors: Int32
    private let account: RemoteAccount
    private var errorText: [UInt8] = []
    private var isReaped = false

    /// Finds the program as a shell would.
    static func executable() -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/ssh" }.first { access($0, X_OK) == 0 }
    }

    init(_ account: RemoteAccount) throws(ConnectionError) {
        guard let executable = Self.executable() else {
            throw ConnectionError(
                .invalid,
                "no 'ssh' program was found: install openssh-client, or set transport = libssh2"
            )
        }
        self.account = account
        var ends: [Int32] = [-1, -1]
        guard
            socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0
        else { throw ConnectionError(.unreachable, "cannot make a socket: \(lastErrno())") }
        var pipeEnds: [Int32] = [-1, -1]
        guard sync2nas_pipe(&pipeEnds) == 0 else {
            let reason = lastErrno()
            for end in ends { Glibc.close(end) }
            throw ConnectionError(.unreachable, "cannot make a pipe: \(reason)")
        }
        let spawned = Self.spawn(
            executable,
            try Self.arguments(account),
            stream: ends[1],
            errors: pipeEnds[1]
        )
        Glibc.close(ends[1])
        Glibc.close(pipeEnds[1])
        guard let spawned else {
            Glibc.close(ends[0])
            Glibc.close(pipeEnds[0])
            throw ConnectionError(.unreachable, "cannot start '\(executable)': \(lastErrno())")
        }
        process = spawned
        stream = ends[0]
        errors = pipeEnds[0]
        for descriptor in [stream, errors] {
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        }
        // The default of some 200 KiB makes ssh wait for us too often.
        var size: Int32 = 1 << 20
        setsockopt(
            stream,
            SOL_SOCKET,
            SO_RCVBUF,
            &size,
            socklen_t(MemoryLayout.size(ofValue: size))
        )
    }

    static func arguments(_ account: RemoteAccount) throws(ConnectionError) -> [String] {
        for word in [account.user, account.host] where word.hasPrefix("-") || word.isEmpty {
            throw ConnectionError(.invalid, "'\(word)' cannot be a user or host name")
        }
        let seconds = max(1, account.connectTimeout.components.seconds)
        var options = [
            "BatchMode=yes", "ConnectTimeout=\(seconds)", "ConnectionAttempts=1",
            "ServerAliveInterval=15", "ServerAliveCountMax=3", "ClearAllForwardings=yes",
            "ForwardAgent=no", "ForwardX11=no", "PermitLocalCommand=no", "Compression=no",
            "RequestTTY=no", "EscapeChar=none",
            // Hardware does AES-GCM in one pass; the default ChaCha20 is half as fast.
            "Ciphers=^aes128-gcm@openssh.com,aes256-gcm@openssh.com",
            "StrictHostKeyChecking=\(account.acceptNewHostKey ? "accept-new" : "yes")",
        ]
        if let file = account.knownHostsFile {
            options += ["UserKnownHostsFile=\"\(file)\"", "GlobalKnownHostsFile=/dev/null"]
        }
        var arguments = ["ssh"] + options.flatMap { ["-o", $0] }
        if let identity = account.identityFile {
            arguments += ["-o", "IdentitiesOnly=yes", "-i", identity]
        }
        return arguments
            + ["-p", "\(account.port)", "-l", account.user, "-s", "--", account.host, "sftp"]
    }

    private static func spawn(
        _ executable: String,
        _ arguments: [String],
        stream: Int32,
        errors: Int32
    ) -> pid_t? {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, stream, 0)
        posix_spawn_file_actions_adddup2(&actions, stream, 1)
        posix_spawn_file_actions_adddup2(&actions, errors, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var noSignals = sigset_t()
        sigemptyset(&noSignals)
        posix_spawnattr_setsigmask(&attributes, &noSignals)
        posix_spawnattr_setflags(
            &attributes,
            sync2nas_spawn_setsid() | Int16(POSIX_SPAWN_SETSIGMASK)
        )
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let result = posix_spawn(&process, executable, &actions, &attributes, &words, environ)
        guard result == 0 else {
            errno = result
            return nil
        }
        return process
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ConnectionError) -> Int? {
        let count = Glibc.read(stream, buffer.baseAddress, buffer.count)
        if count >= 0 { return count }
        if errno == EAGAIN || errno == EINTR { return nil }
        if errno == ECONNRESET { return 0 }
        throw ConnectionError(.closed, "cannot read from ssh: \(lastErrno())")
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ConnectionError) -> Int {
        let count = send(stream, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        if count >= 0 { return count }
        if errno == EAGAIN || errno == EINTR { return 0 }
        throw reasonForEnd()
    }

    func interest(wantsToWrite: Bool) -> [pollfd] {
        drainErrors()
        let events = Int16(POLLIN) | (wantsToWrite ? Int16(POLLOUT) : 0)
        return [pollfd(fd: stream, events: events, revents: 0)]
    }

    func close() {
        Glibc.close(stream)
        kill(process, SIGTERM)
        reap(within: 1)
        if !isReaped {
            kill(process, SIGKILL)
            reap(within: 5)
        }
        Glibc.close(errors)
    }

    func reasonForEnd() -> ConnectionError {
        // Its last words come just before or after the stream's end.
        reap(within: 1)
        drainErrors()
        let text = String(decoding: errorText, as: UTF8.self)
        return OpenSSHFailure.classify(text, account: account)
    }

    private func reap(within seconds: Double) {
        let end = ContinuousClock.now + .seconds(seconds)
        while !isReaped {
            let result = waitpid(process, nil, WNOHANG)
            isReaped = result == process || (result < 0 && errno == ECHILD)
            if isReaped || ContinuousClock.now > end { return }
            // Ends early when it closes its error output.
            var descriptor = pollfd(fd: -1, events: 0, revents: 0)
            poll(&descriptor, 1, 5)
        }
    }

    private func drainErrors() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(errors, &buffer, buffer.count)
            guard count > 0 else { return }
            // Servers may send banners of any length.
            errorText = (errorText + buffer[..<count]).suffix(16384)
        }
    }
}

/// What ssh's last words mean.
enum OpenSSHFailure {
    static func classify(_ text: String, account: RemoteAccount) -> ConnectionError {
        let lower = text.lowercased()
        let place = account.address
        if lower.contains("remote host identification has changed") {
            return HostKeys.changed(place, file: account.knownHostsFile)
        }
        if lower.contains("host key verification failed") {
            let key = text.split(separator: "\n").first { $0.contains("host key is known") }
            return HostKeys.unknown(place, key: key.map { "ssh says: \($0)" })
        }
        if lower.contains("unprotected private key") || lower.contains("invalid format")
            || lower.contains("error in libcrypto")
            || lower.contains("no such identity")
                && account.identityFile != nil
        {
            return ConnectionError(
                .keyUnusable,
                "the key file '\(account.identityFile ?? "")' cannot be used: \(lastLine(text))"
            )
        }
        if lower.contains("permission denied") || lower.contains("too many authentication failures")
        {
            return ConnectionError(
                .loginRefused,
                "\(place) refuses the login (\(lastLine(text))): check the user name, add the public"
                    + " key to the account there, or give a password with --password-file"
            )
        }
        if lower.contains("subsystem request failed") {
            return ConnectionError(.protocolViolation, "\(place) offers no SFTP")
        }
        let isUnreachable = [
            "could not resolve", "connection refused", "timed out", "no route", "unreachable",
            "connection reset", "connection closed", "kex_exchange_identification",
        ].contains { lower.contains($0) }
        let words = lastLine(text)
        return ConnectionError(
            isUnreachable ? .unreachable : .closed,
            "the connection to \(place) failed" + (words.isEmpty ? "" : ": \(words)")
        )
    }

    private static func lastLine(_ text: String) -> String {
        let lines = text.split(whereSeparator: \.isNewline)
            .map { $0.filter { !$0.isNewline }.trimmingCharacters(in: .whitespaces) }
            .filter { !$0.isEmpty }
        return lines.last.map { String($0.prefix(300)) } ?? ""
    }
}

func lastErrno() -> String { String(cString: strerror(errno)) }
