import CSSH2
import Glibc

/// A libssh2 session over its socket.
///
/// One thread uses it, and nothing it calls blocks for longer than the wait allows.
final class LibSSH2Session {
    /// Not thread-safe in libssh2, so once for the process, before the first session.
    private static let libraryError = libssh2_init(0)

    let handle: OpaquePointer
    let socket: Int32
    let account: RemoteAccount
    let port: UInt16
    private let wait: BoundedWait
    /// Read by the keyboard-interactive answer; lives as long as the session.
    private let password: UnsafeMutablePointer<CChar>?

    var label: String { account.label }

    init(_ account: RemoteAccount, _ wait: BoundedWait) throws(ConnectionError) {
        self.account = account
        self.wait = wait
        port = account.port ?? 22
        guard Self.libraryError == 0 else {
            throw ConnectionError(.closed, "libssh2_init failed with \(Self.libraryError)")
        }
        let socket = try TCPSocket.connect(host: account.host, port: port, wait)
        let password = account.password.flatMap { strdup($0.text) }
        guard let handle = cssh2_session(password) else {
            free(password)
            Glibc.close(socket)
            throw ConnectionError(.closed, "no memory for an SSH session")
        }
        self.socket = socket
        self.password = password
        self.handle = handle
        libssh2_session_set_blocking(handle, 0)
    }

    /// Repeats `call` while it asks to wait.
    func repeating(
        _ purpose: String,
        _ call: () -> Int32
    ) throws(ConnectionError) -> Int32 {
        let wait = wait.with(limit: account.timeLimits.reply, purpose: purpose)
        while true {
            let result = call()
            guard result == LIBSSH2_ERROR_EAGAIN else { return result }
            let directions = libssh2_session_block_directions(handle)
            var events = Int16(0)
            if directions & LIBSSH2_SESSION_BLOCK_INBOUND != 0 { events |= Int16(POLLIN) }
            if directions & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0 { events |= Int16(POLLOUT) }
            if events == 0 { events = Int16(POLLIN) }
            try wait(for: [pollfd(fd: socket, events: events, revents: 0)])
        }
    }

    func error(_ code: ConnectionError.Code, _ message: String) -> ConnectionError {
        var text: UnsafeMutablePointer<CChar>?
        var length: Int32 = 0
        let number = libssh2_session_last_error(handle, &text, &length, 0)
        let words = text.map { String(cString: $0) } ?? "no reason given"
        return ConnectionError(code, message, cause: LibSSH2Error(number: number, words: words))
    }

    // MARK: Steps of connecting

    func shakeHands() throws(ConnectionError) {
        // Asking for the type on file first; a good server would look changed otherwise.
        let known = try knownHosts().knownTypes
        let others = KnownHosts.types.map(\.name).filter { !known.contains($0) }
        let order = (known + others).joined(separator: ",")
        libssh2_session_method_pref(handle, LIBSSH2_METHOD_HOSTKEY, order)
        // The fastest that there are first; names that this libssh2 does not know are skipped.
        let ciphers = "aes128-gcm@openssh.com,aes128-ctr,aes192-ctr,aes256-ctr"
        for direction in [LIBSSH2_METHOD_CRYPT_CS, LIBSSH2_METHOD_CRYPT_SC] {
            libssh2_session_method_pref(handle, direction, ciphers)
        }
        let result = try repeating("shake hands with '\(label)'") {
            libssh2_session_handshake(handle, socket)
        }
        switch result {
        case 0: return
        case LIBSSH2_ERROR_KEX_FAILURE, LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE,
            LIBSSH2_ERROR_METHOD_NONE:
            throw error(
                .protocolViolation,
                "no common algorithms with '\(label)'; transport=openssh knows newer ones"
            )
        case _:
            throw error(.unreachable, "'\(label)' ended the SSH handshake")
        }
    }

    func checkHostKey() throws(ConnectionError) {
        let key = try hostKey()
        let shown = "\(key.type) \(key.fingerprint)"
        switch try knownHosts().verdict(key) {
        case .trusted: return
        case .changed: throw .hostKeyChanged(account, shown)
        case .unknown where account.acceptNewHostKey:
            try KnownHosts.append(key, host: account.host, port: port, to: account.knownHostsPath)
        case .unknown: throw .hostKeyUnknown(account, shown)
        }
    }

    private func knownHosts() throws(ConnectionError) -> KnownHosts {
        try KnownHosts(
            handle,
            host: account.host,
            port: port,
            paths: [account.knownHostsPath, "/etc/ssh/ssh_known_hosts"]
        )
    }

    private func hostKey() throws(ConnectionError) -> HostKey {
        var length = 0
        var type: Int32 = 0
        guard let start = libssh2_session_hostkey(handle, &length, &type),
            let digest = libssh2_hostkey_hash(handle, LIBSSH2_HOSTKEY_HASH_SHA256)
        else { throw error(.protocolViolation, "'\(label)' showed no host key") }
        let bytes = UnsafeRawBufferPointer(start: start, count: length)
        var reader = PacketReader(bytes)
        // The key begins with its own type (RFC 4253 §6.6).
        let name = String(decoding: try reader.string(), as: UTF8.self)
        let hash = UnsafeRawBufferPointer(start: digest, count: 32)
        return HostKey(
            type: name,
            base64: Base64.encoded(bytes, padded: true),
            fingerprint: "SHA256:" + Base64.encoded(hash, padded: false)
        )
    }

    func openChannel(window: UInt32, packet: UInt32) throws(ConnectionError) -> OpaquePointer {
        var channel: OpaquePointer?
        let type = "session"
        _ = try repeating("open a channel at '\(label)'") {
            channel = libssh2_channel_open_ex(
                handle,
                type,
                UInt32(type.utf8.count),
                window,
                packet,
                nil,
                0
            )
            return channel == nil ? libssh2_session_last_errno(handle) : 0
        }
        guard let channel else { throw error(.unreachable, "'\(label)' opens no channel for us") }
        // What the server says on standard error would fill the window unread.
        _ = try repeating("open a channel at '\(label)'") {
            libssh2_channel_handle_extended_data2(
                channel,
                LIBSSH2_CHANNEL_EXTENDED_DATA_IGNORE
            )
        }
        let request = "subsystem"
        let name = "sftp"
        let result = try repeating("start SFTP at '\(label)'") {
            libssh2_channel_process_startup(
                channel,
                request,
                UInt32(request.utf8.count),
                name,
                UInt32(name.utf8.count)
            )
        }
        guard result == 0 else {
            throw error(.protocolViolation, "'\(label)' offers no sftp subsystem")
        }
        return channel
    }

    /// Frees everything.
    ///
    /// Only once.
    func close() {
        _ = libssh2_session_disconnect_ex(handle, SSH_DISCONNECT_BY_APPLICATION, "", "")
        // From here on nothing can block: freeing channels would otherwise wait for the server.
        shutdown(socket, Int32(SHUT_RDWR))
        for _ in 0..<100 where libssh2_session_free(handle) != LIBSSH2_ERROR_EAGAIN { break }
        Glibc.close(socket)
        if let password {
            explicit_bzero(password, strlen(password))
            free(password)
        }
    }
}

/// libssh2's own words, as the cause of another error.
struct LibSSH2Error: Error, CustomStringConvertible {
    let number: Int32
    let words: String

    var description: String { "\(words) (libssh2 \(number))" }
}
