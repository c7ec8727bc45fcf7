import Logging
import Primitives
import StandIns
import Testing

@testable import Transfer

/// Both ways to a server; what holds for one must hold for the other.
let bothTransports: [RemoteAccount.Transport] = [.openSSH, .libssh2]

extension Seedbox {
    func account(_ transport: RemoteAccount.Transport) -> RemoteAccount {
        var account = RemoteAccount(host: host, port: port, user: user)
        account.identityFile = keyPath
        account.knownHostsFile = knownHostsPath
        account.transport = transport
        return account
    }

    func pool(
        _ transport: RemoteAccount.Transport,
        connections: Int = 4,
        change: (inout RemoteAccount) -> Void = { _ in }
    ) -> SFTPPool {
        var account = account(transport)
        change(&account)
        var settings = SFTPPool.Settings()
        settings.connections = connections
        settings.readTimeout = .seconds(600)
        return SFTPPool(account, settings: settings, logger: .quiet)
    }

    /// The file below the root as a catalogue would know it.
    func file(_ name: String, size: Int, mtime: Int64 = 1_600_000_000) -> RemoteFile {
        RemoteFile(
            path: RemotePath(path(name)),
            size: UInt64(size),
            modifiedSeconds: mtime
        )
    }
}

extension Logger {
    static let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
}

/// Bytes that differ from offset to offset, the same in every run (xorshift64).
func pattern(_ count: Int, seed: UInt64 = 0x9E37_79B9_7F4A_7C15) -> [UInt8] {
    var state = seed
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state >> 24)
    }
}

/// Runs `body` and shuts the pool down whatever happens.
func withPool<Value>(
    _ pool: SFTPPool,
    _ body: (SFTPPool) async throws -> Value
) async throws -> Value {
    do {
        let value = try await body(pool)
        await pool.shutdown()
        return value
    } catch {
        await pool.shutdown()
        throw error
    }
}

/// The code of the error that `body` throws; nil when it throws none.
func connectionCode(_ body: () async throws -> Void) async -> ConnectionError.Code? {
    do {
        try await body()
    } catch let error as ConnectionError {
        return error.code
    } catch {
        Issue.record(error)
    }
    return nil
}

func sourceCode<Value>(_ body: () async throws -> Value) async -> SourceError.Code? {
    do {
        _ = try await body()
    } catch let error as SourceError {
        return error.code
    } catch {
        Issue.record(error)
    }
    return nil
}
