import Glibc

/// The sftp subsystem behind the user's own `ssh` program.
///
/// `ssh` connects and logs in while our first packet already waits in the socket; when that
/// fails it says why on standard error and exits, which we see as the end of the socket.
final class OpenSSHChannel: ByteChannel {
    /// Four times OpenSSH's fixed 2 MiB channel window: more in flight gains nothing.
    let outstandingLimit = 8 << 20
    private let child: ChildProcess
    private let account: RemoteAccount
    private let sharing: (connections: SharedConnections, seat: SharedConnections.Seat)?
    private var complaints = Complaints()
    private var hasReceived = false

    var isShared: Bool { sharing.map { !$0.seat.isFirst } ?? false }

    /// - Parameters:
    ///   - account: Where to log in, and how.
    ///   - shared: Connections that this session may join, or let others join.
    /// - Throws: ``ConnectionError`` when `ssh` cannot be started.
    init(
        _ account: RemoteAccount,
        sharing shared: SharedConnections? = nil
    ) throws(ConnectionError) {
        self.account = account
        guard let program = Executable.path(of: "ssh") else {
            throw ConnectionError(
                .unreachable,
                "there is no 'ssh' on PATH; install it or use transport=libssh2"
            )
        }
        // ssh would create it with what the umask leaves, and not its folder.
        if account.acceptNewHostKey { try KnownHosts.create(account.knownHostsPath) }
        let seat = shared?.seat()
        guard shared == nil || seat != nil else {
            throw ConnectionError(.sessionRefused, "all connections are as full as they may be")
        }
        do throws(ConnectionError) {
            let arguments = try OpenSSHChannel.arguments(account, seat)
            child = try ChildProcess(program, arguments)
        } catch {
            if let seat { shared?.left(seat) }
            throw error
        }
        sharing = shared.flatMap { shared in seat.map { (shared, $0) } }
    }

    func waits(toWrite: Bool) -> [pollfd] {
        let events = Int16(POLLIN) | (toWrite ? Int16(POLLOUT) : 0)
        return [
            pollfd(fd: child.socket, events: events, revents: 0),
            // Negative once it has ended, which poll skips.
            pollfd(
                fd: complaints.isOver ? -1 : child.complaints,
                events: Int16(POLLIN),
                revents: 0
            ),
        ]
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ConnectionError) -> ReadResult {
        while true {
            let count = recv(child.socket, buffer.baseAddress, buffer.count, 0)
            if count > 0 {
                noteReceived()
                return .bytes(count)
            }
            if count < 0 && errno == EINTR { continue }
            if count < 0 && errno == EAGAIN {
                complaints.read(child.complaints)
                return .wouldBlock
            }
            throw reasonOfEnd()
        }
    }

    private func noteReceived() {
        guard !hasReceived else { return }
        hasReceived = true
        if let sharing { sharing.connections.opened(sharing.seat) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ConnectionError) -> Int {
        while true {
            let count = send(child.socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return count }
            if errno == EINTR { continue }
            if errno == EAGAIN { return 0 }
            throw reasonOfEnd()
        }
    }

    func setLowWater(_ bytes: Int) { child.setLowWater(bytes) }

    func close() {
        child.end()
        if let sharing { sharing.connections.left(sharing.seat) }
    }

    /// Hears `ssh` out, then makes an error of its words.
    private func reasonOfEnd() -> ConnectionError {
        let deadline = ContinuousClock.now + .seconds(1)
        while !complaints.isOver, case let left = deadline - .now, left > .zero {
            var descriptor = pollfd(fd: child.complaints, events: Int16(POLLIN), revents: 0)
            poll(&descriptor, 1, left.pollMilliseconds)
            complaints.read(child.complaints)
        }
        if isShared, !hasReceived {
            sharing?.connections.refused()
            return ConnectionError(
                .sessionRefused,
                "'\(account.label)' lets no further session use a connection"
            )
        }
        return complaints.error(for: account)
    }

    // MARK: Arguments

    static func arguments(
        _ account: RemoteAccount,
        _ seat: SharedConnections.Seat? = nil
    ) throws(ConnectionError) -> [String] {
        try refuseOption(account.host, "host")
        if let user = account.user { try refuseOption(user, "user") }
        let limits = account.timeLimits
        var options = [
            "BatchMode=yes",
            "StrictHostKeyChecking=\(account.acceptNewHostKey ? "accept-new" : "yes")",
            "ConnectTimeout=\(max(1, limits.connect.components.seconds))",
            "ServerAliveInterval=\(max(1, limits.keepAlive.components.seconds))",
            "ServerAliveCountMax=2",
            "ClearAllForwardings=yes",
            "ForwardX11=no",
            "PermitLocalCommand=no",
            "RemoteCommand=none",
            "RequestTTY=no",
            "ControlMaster=\(seat?.isFirst == true ? "yes" : "no")",
            "ControlPath=\(seat.map { quoted($0.socket) } ?? "none")",
            "ControlPersist=no",
            "Compression=no",
            // The fastest by far where the CPU has AES (289 MB/s against 198 for CTR).
            "Ciphers=^aes128-gcm@openssh.com",
            // Names the host's key and the login methods, for our messages.
            "LogLevel=DEBUG1",
        ]
        if seat?.isFirst == false {
            // Where it cannot join, ssh would make a connection that nobody has counted.
            options.append("ProxyCommand=false")
        }
        if let file = account.knownHostsFile {
            options.append("UserKnownHostsFile=\(quoted(file))")
        }
        if let file = account.identityFile {
            // Finds a missing file before ssh goes on without it and is merely refused.
            _ = try IdentityFile(file)
            options += ["IdentityFile=\(quoted(file))", "IdentitiesOnly=yes"]
        }
        var words = options.flatMap { ["-o", $0] }
        if let port = account.port { words += ["-p", "\(port)"] }
        if let user = account.user { words += ["-l", user] }
        return words + ["-s", "--", account.host, "sftp"]
    }

    /// A name that begins with '-' would be taken for an option, and one option runs programs.
    private static func refuseOption(_ name: String, _ what: String) throws(ConnectionError) {
        let isOdd = name.utf8.contains { $0 <= 32 || $0 == 127 }
        guard !name.isEmpty, !name.hasPrefix("-"), !isOdd else {
            throw ConnectionError(.unreachable, "'\(name)' cannot be the name of a \(what)")
        }
    }

    /// ssh splits values at spaces and expands `%` (ssh_config(5), TOKENS).
    private static func quoted(_ path: String) -> String {
        var text = ""
        for character in path {
            switch character {
            case "%": text += "%%"
            case "\"", "\\": text += "\\\(character)"
            case _: text.append(character)
            }
        }
        return "\"\(text)\""
    }
}
