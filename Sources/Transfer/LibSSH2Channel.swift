import CSSH2
import Foundation
import Glibc

/// The SFTP subsystem over libssh2: needs no program beside ours, and can send a password.
///
/// libssh2's rule is one thread for a session; the connection's thread is that one.
final class LibSSH2Channel: ByteChannel {
    let name = "libssh2"
    /// The window that we open for the server, so that one connection fills a long line.
    let window = 32 << 20
    private static let channelWindow: UInt32 = 64 << 20

    private let socket: Int32
    private let session: OpaquePointer
    private let channel: OpaquePointer
    private let account: RemoteAccount

    /// `libssh2_init` is not thread-safe; a static is made once.
    private static let isReady: Bool = libssh2_init(0) == 0

    init(_ account: RemoteAccount) throws(ConnectionError) {
        guard Self.isReady, let session = sync2nas_ssh2_session() else {
            throw ConnectionError(.invalid, "libssh2 cannot be used")
        }
        let socket: Int32
        do throws(ConnectionError) {
            socket = try TCP.connect(account.host, account.port, within: account.connectTimeout)
        } catch {
            libssh2_session_free(session)
            throw error
        }
        do throws(ConnectionError) {
            channel = try Self.logIn(session, socket, account)
        } catch {
            // The socket first: libssh2's farewell would wait for a dead peer.
            shutdown(socket, Int32(SHUT_RDWR))
            libssh2_session_free(session)
            Glibc.close(socket)
            throw error
        }
        self.session = session
        self.socket = socket
        self.account = account
        libssh2_session_set_blocking(session, 0)
    }

    private static func logIn(
        _ session: OpaquePointer,
        _ socket: Int32,
        _ account: RemoteAccount
    ) throws(ConnectionError) -> OpaquePointer {
        libssh2_session_set_blocking(session, 1)
        libssh2_session_set_timeout(session, Int(account.connectTimeout / .milliseconds(1)))
        let keys = HostKeys(account: account)
        keys.prefer(in: session)
        let result = libssh2_session_handshake(session, socket)
        guard result == 0 else { throw failure(session, "handshake", account) }
        try keys.verify(session)
        try Login(session: session, account: account).run()
        guard let channel = sync2nas_ssh2_open_channel(session, channelWindow) else {
            throw failure(session, "channel", account)
        }
        guard sync2nas_ssh2_start_sftp(channel) == 0 else {
            throw ConnectionError(.protocolViolation, "\(account.address) offers no SFTP")
        }
        return channel
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ConnectionError) -> Int? {
        let target = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
        let count = sync2nas_ssh2_read(channel, target, buffer.count)
        if count > 0 { return count }
        if count == Int(LIBSSH2_ERROR_EAGAIN) { return nil }
        if count == 0 { return libssh2_channel_eof(channel) == 1 ? 0 : nil }
        throw Self.failure(session, "read", account)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ConnectionError) -> Int {
        let source = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        let count = sync2nas_ssh2_write(channel, source, bytes.count)
        if count >= 0 { return count }
        if count == Int(LIBSSH2_ERROR_EAGAIN) { return 0 }
        throw Self.failure(session, "write", account)
    }

    func interest(wantsToWrite: Bool) -> [pollfd] {
        let directions = libssh2_session_block_directions(session)
        var events = Int16(POLLIN)
        if wantsToWrite || directions & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0 {
            events |= Int16(POLLOUT)
        }
        return [pollfd(fd: socket, events: events, revents: 0)]
    }

    func close() {
        // Without a farewell: it could wait for a peer that is gone.
        shutdown(socket, Int32(SHUT_RDWR))
        libssh2_channel_free(channel)
        libssh2_session_free(session)
        Glibc.close(socket)
    }

    func reasonForEnd() -> ConnectionError {
        ConnectionError(.closed, "\(account.address) closed the connection")
    }

    fileprivate static func failure(
        _ session: OpaquePointer,
        _ what: String,
        _ account: RemoteAccount
    ) -> ConnectionError {
        var text: UnsafeMutablePointer<CChar>?
        let number = libssh2_session_last_error(session, &text, nil, 0)
        let words = text.map { String(cString: $0) } ?? "error \(number)"
        switch number {
        case LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_SOCKET_TIMEOUT:
            return ConnectionError(.timedOut, "\(account.address) does not answer (\(what))")
        case LIBSSH2_ERROR_KEX_FAILURE, LIBSSH2_ERROR_METHOD_NONE,
            LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE:
            return ConnectionError(
                .invalid,
                "\(account.address) and libssh2 have no algorithm in common (\(words)): set"
                    + " transport = openssh"
            )
        default:
            return ConnectionError(.closed, "the connection to \(account.address) failed: \(words)")
        }
    }
}

/// Logs in with what there is: key file or agent, then the password in both of its forms.
private struct Login {
    let session: OpaquePointer
    let account: RemoteAccount

    func run() throws(ConnectionError) {
        let user = account.user
        let offered = libssh2_userauth_list(session, user, UInt32(user.utf8.count))
        if libssh2_userauth_authenticated(session) != 0 { return }
        guard let offered else {
            throw LibSSH2Channel.failure(session, "login", account)
        }
        let methods = String(cString: offered)
        var tried: [String] = []
        if methods.contains("publickey") {
            for file in keyFiles where try logIn(keyFile: file) { return }
            if !keyFiles.isEmpty { tried.append("key files") }
            if account.identityFile == nil, try logInWithAgent(tried: &tried) { return }
        }
        if let password = account.password {
            tried.append("the password")
            if methods.contains("password"), try logIn(password: password) { return }
            if methods.contains("keyboard-interactive") {
                let result = sync2nas_ssh2_login_interactively(session, user, password.text)
                if try succeeded(result) { return }
            }
        }
        let what =
            tried.isEmpty
            ? "there is nothing to log in with" : "refused: \(tried.joined(separator: ", "))"
        throw ConnectionError(
            .loginRefused,
            "\(account.address) refuses the login (\(what); it accepts \(methods)). Check the user"
                + " name and the key or password; libssh2 cannot use an RSA key with a modern server:"
                + " make an ed25519 key, or set transport = openssh"
        )
    }

    private var keyFiles: [String] {
        if let file = account.identityFile { return [file] }
        guard account.password == nil else { return [] }
        return ["id_ed25519", "id_ecdsa", "id_rsa"].map { "\(NSHomeDirectory())/.ssh/\($0)" }
            .filter { access($0, R_OK) == 0 }
    }

    private func logIn(keyFile: String) throws(ConnectionError) -> Bool {
        guard access(keyFile, R_OK) == 0 else {
            throw ConnectionError(
                .keyUnusable,
                "the key file '\(keyFile)' cannot be read: \(lastErrno())"
            )
        }
        let user = account.user
        let result = libssh2_userauth_publickey_fromfile_ex(
            session,
            user,
            UInt32(user.utf8.count),
            nil,
            keyFile,
            nil
        )
        if result == LIBSSH2_ERROR_FILE, account.identityFile != nil {
            throw ConnectionError(
                .keyUnusable,
                "the key file '\(keyFile)' cannot be used: it is no private key, or has a passphrase"
                    + " (load it into ssh-agent)"
            )
        }
        return try succeeded(result)
    }

    private func logIn(password: Secret) throws(ConnectionError) -> Bool {
        let user = account.user
        return try succeeded(
            libssh2_userauth_password_ex(
                session,
                user,
                UInt32(user.utf8.count),
                password.text,
                UInt32(password.text.utf8.count),
                nil
            )
        )
    }

    private func logInWithAgent(tried: inout [String]) throws(ConnectionError) -> Bool {
        guard let agent = libssh2_agent_init(session) else { return false }
        defer { libssh2_agent_free(agent) }
        guard libssh2_agent_connect(agent) == 0 else { return false }
        defer { libssh2_agent_disconnect(agent) }
        guard libssh2_agent_list_identities(agent) == 0 else { return false }
        tried.append("the agent's keys")
        var previous: UnsafeMutablePointer<libssh2_agent_publickey>?
        var identity: UnsafeMutablePointer<libssh2_agent_publickey>?
        while libssh2_agent_get_identity(agent, &identity, previous) == 0 {
            if try succeeded(libssh2_agent_userauth(agent, account.user, identity)) { return true }
            previous = identity
        }
        return false
    }

    /// A refusal lets the next method try; a broken connection does not.
    private func succeeded(_ result: Int32) throws(ConnectionError) -> Bool {
        switch result {
        case 0: return true
        case LIBSSH2_ERROR_TIMEOUT, LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_SOCKET_RECV,
            LIBSSH2_ERROR_SOCKET_SEND:
            throw LibSSH2Channel.failure(session, "login", account)
        default: return false
        }
    }
}

/// A TCP connection whose every wait is bounded.
enum TCP {
    static func connect(
        _ host: String,
        _ port: UInt16,
        within limit: Duration
    ) throws(ConnectionError) -> Int32 {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let result = getaddrinfo(host, "\(port)", &hints, &list)
        guard result == 0 else {
            let reason = String(cString: gai_strerror(result))
            throw ConnectionError(.unreachable, "cannot find the host '\(host)': \(reason)")
        }
        defer { freeaddrinfo(list) }
        var reason = "no address"
        var next = list
        let end = ContinuousClock.now + limit
        while let address = next?.pointee {
            switch connect(address, until: end) {
            case .success(let socket): return socket
            case .failure(let error): reason = error.message
            }
            next = address.ai_next
        }
        throw ConnectionError(.unreachable, "cannot reach \(host) port \(port): \(reason)")
    }

    private static func connect(
        _ address: addrinfo,
        until end: ContinuousClock.Instant
    ) -> Result<Int32, ConnectionError> {
        let type = address.ai_socktype | Int32(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = Glibc.socket(address.ai_family, type, address.ai_protocol)
        guard socket >= 0 else { return .failure(ConnectionError(.unreachable, lastErrno())) }
        if Glibc.connect(socket, address.ai_addr, address.ai_addrlen) != 0 {
            guard errno == EINPROGRESS else {
                defer { close(socket) }
                return .failure(ConnectionError(.unreachable, lastErrno()))
            }
            var descriptor = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
            let wait = max(0, (end - ContinuousClock.now) / .milliseconds(1))
            guard poll(&descriptor, 1, Int32(min(wait, 600_000))) > 0 else {
                close(socket)
                return .failure(ConnectionError(.unreachable, "no answer in time"))
            }
            var failure: Int32 = 0
            var length = socklen_t(MemoryLayout.size(ofValue: failure))
            getsockopt(socket, SOL_SOCKET, SO_ERROR, &failure, &length)
            guard failure == 0 else {
                close(socket)
                return .failure(
                    ConnectionError(.unreachable, String(cString: strerror(failure)))
                )
            }
        }
        prepare(socket)
        return .success(socket)
    }

    private static func prepare(_ socket: Int32) {
        // libssh2 polls by itself while it is told to block.
        func set(_ level: Int32, _ option: Int32, _ value: Int32) {
            var value = value
            setsockopt(socket, level, option, &value, socklen_t(MemoryLayout.size(ofValue: value)))
        }
        set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        set(Int32(IPPROTO_TCP), TCP_KEEPIDLE, 15)
        set(Int32(IPPROTO_TCP), TCP_KEEPINTVL, 15)
        // Milliseconds that sent bytes may stay unacknowledged.
        set(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 45_000)
    }
}
