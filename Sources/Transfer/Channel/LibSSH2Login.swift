import CSSH2
import Glibc

/// Tries the ways to log in, in the order: identity file, agent and default keys, password.
struct LibSSH2Login {
    let account: RemoteAccount
    let session: LibSSH2Session

    private var user: String { account.loginName }
    private var userLength: UInt32 { UInt32(user.utf8.count) }

    func perform() throws(ConnectionError) {
        let offered = try offeredMethods()
        guard !isLoggedIn else { return }
        var tried: [String] = []
        var hint = ""
        if offered.contains("publickey") {
            if let file = account.identityFile {
                let identity = try IdentityFile(file)
                tried.append("identity file '\(file)'")
                if try logIn(with: identity, isDefault: false) { return }
                if identity.isRSA ?? false { hint = LibSSH2Login.noSHA2 }
            } else if account.password == nil {
                tried.append("the keys of ssh-agent")
                if try logInWithAgent() { return }
                tried.append("default keys")
                if try logInWithDefaultKeys() { return }
            }
        }
        if account.password != nil {
            if offered.contains("password") {
                tried.append("password")
                if try logInWithPassword() { return }
            }
            if offered.contains("keyboard-interactive") {
                tried.append("keyboard-interactive")
                if try logInWithPrompts() { return }
            }
        }
        let ways = tried.isEmpty ? "nothing that we were given" : tried.joined(separator: ", ")
        throw ConnectionError(
            .loginRefused,
            "'\(account.label)' refused the login; tried \(ways); the server accepts"
                + " \(offered.joined(separator: ", "))\(hint)"
        )
    }

    /// libssh2 before 1.11 signs with RSA and SHA-1 only, which OpenSSH 8.8 and later refuse.
    private static let noSHA2 =
        ". This libssh2 may sign with RSA and SHA-1 only, which modern servers refuse: use an"
        + " ed25519 key or transport=openssh"

    private var isLoggedIn: Bool { libssh2_userauth_authenticated(session.handle) == 1 }

    private func offeredMethods() throws(ConnectionError) -> [String] {
        var list: UnsafeMutablePointer<CChar>?
        let result = try session.repeating("log in at '\(account.label)'") {
            list = libssh2_userauth_list(session.handle, user, userLength)
            return list == nil ? libssh2_session_last_errno(session.handle) : 0
        }
        if let list { return String(cString: list).split(separator: ",").map(String.init) }
        guard result == 0 || isLoggedIn else {
            throw session.error(.unreachable, "'\(account.label)' ended the login")
        }
        return []
    }

    /// Whether it worked; throws when the connection is of no more use.
    private func accepted(_ result: Int32) throws(ConnectionError) -> Bool {
        switch result {
        case 0: return true
        case LIBSSH2_ERROR_SOCKET_DISCONNECT, LIBSSH2_ERROR_SOCKET_RECV, LIBSSH2_ERROR_SOCKET_SEND:
            throw session.error(
                .loginRefused,
                "'\(account.label)' hung up during the login, perhaps after too many attempts"
            )
        case _: return false
        }
    }

    private func logIn(with identity: IdentityFile, isDefault: Bool) throws(ConnectionError) -> Bool
    {
        if identity.isLocked, account.passphrase == nil {
            if isDefault { return false }
            throw ConnectionError(
                .keyUnusable,
                "identity file '\(identity.path)' needs a passphrase"
            )
        }
        let result = try session.repeating("log in at '\(account.label)'") {
            libssh2_userauth_publickey_fromfile_ex(
                session.handle,
                user,
                userLength,
                nil,
                identity.path,
                account.passphrase?.text
            )
        }
        if try accepted(result) { return true }
        let isKeyAtFault =
            result == LIBSSH2_ERROR_FILE || result == LIBSSH2_ERROR_KEYFILE_AUTH_FAILED
        if isKeyAtFault, !isDefault {
            throw session.error(
                .keyUnusable,
                "identity file '\(identity.path)' cannot be used: wrong passphrase or a kind of"
                    + " key that libssh2 does not know"
            )
        }
        return false
    }

    private func logInWithDefaultKeys() throws(ConnectionError) -> Bool {
        for name in ["id_ed25519", "id_ecdsa", "id_rsa"] {
            guard let identity = try? IdentityFile("\(HomeDirectory.path)/.ssh/\(name)") else {
                continue
            }
            if try logIn(with: identity, isDefault: true) { return true }
        }
        return false
    }

    /// The agent's socket blocks while it asks its user; libssh2 gives no way to bound that.
    private func logInWithAgent() throws(ConnectionError) -> Bool {
        guard getenv("SSH_AUTH_SOCK") != nil, let agent = libssh2_agent_init(session.handle) else {
            return false
        }
        defer {
            libssh2_agent_disconnect(agent)
            libssh2_agent_free(agent)
        }
        guard libssh2_agent_connect(agent) == 0, libssh2_agent_list_identities(agent) == 0 else {
            return false
        }
        var identity: UnsafeMutablePointer<libssh2_agent_publickey>?
        while libssh2_agent_get_identity(agent, &identity, identity) == 0 {
            let result = try session.repeating("log in at '\(account.label)'") {
                libssh2_agent_userauth(agent, user, identity)
            }
            if try accepted(result) { return true }
        }
        return false
    }

    private func logInWithPassword() throws(ConnectionError) -> Bool {
        guard let password = account.password?.text else { return false }
        let result = try session.repeating("log in at '\(account.label)'") {
            libssh2_userauth_password_ex(
                session.handle,
                user,
                userLength,
                password,
                UInt32(password.utf8.count),
                nil
            )
        }
        return try accepted(result)
    }

    private func logInWithPrompts() throws(ConnectionError) -> Bool {
        let result = try session.repeating("log in at '\(account.label)'") {
            cssh2_login_keyboard_interactive(session.handle, user, userLength)
        }
        return try accepted(result)
    }
}
