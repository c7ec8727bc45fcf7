import Catalogue
import Dispatch
import Glibc
import Synchronization

/// A connection with a thread of its own, made anew when it breaks.
///
/// libpq blocks, so nothing of it runs on Swift's cooperative threads.
final class PostgresSession: @unchecked Sendable {
    private let settings: PostgresSettings
    private let queue = DispatchQueue(label: "sync2nas.postgresql")
    // Only `queue` touches what follows: that is what makes this Sendable.
    private var connection: PostgresConnection?
    private var failures = 0
    private var lastFailure: (at: ContinuousClock.Instant, error: CatalogueError)?
    private var isClosed = false
    private let watch = Mutex(Watch())

    /// What is under way, for whoever looks whether it takes too long.
    private struct Watch {
        var number = 0
        /// nil while nothing is.
        var socket: Int32?
    }

    init(_ settings: PostgresSettings) {
        self.settings = settings
    }

    /// Runs `body` with the connection; what was asked for before runs first.
    func run<Value: Sendable>(
        _ body: @Sendable @escaping (PostgresConnection) throws(CatalogueError) -> Value
    ) async throws(CatalogueError) -> Value {
        let result: Result<Value, CatalogueError> = await withCheckedContinuation { waiting in
            queue.async { waiting.resume(returning: self.attempt(body)) }
        }
        return try result.get()
    }

    /// Runs `body` in one transaction, again when others' transactions were in its way.
    func transaction<Value: Sendable>(
        _ body: @Sendable @escaping (PostgresConnection) throws(CatalogueError) -> Value
    ) async throws(CatalogueError) -> Value {
        for _ in 0..<Self.tries {
            do throws(CatalogueError) {
                return try await run { connection throws(CatalogueError) in
                    try connection.run("BEGIN")
                    do throws(CatalogueError) {
                        let value = try body(connection)
                        try connection.run("COMMIT")
                        return value
                    } catch {
                        if !connection.isBroken { try connection.run("ROLLBACK") }
                        throw error
                    }
                }
            } catch {
                guard PostgresTrouble.isWorthARetry(error) else { throw error }
            }
        }
        throw CatalogueError(.unavailable, "PostgreSQL is too busy; try again")
    }

    private static let tries = 10

    func close() {
        queue.async {
            self.isClosed = true
            self.connection = nil
        }
    }

    private func attempt<Value>(
        _ body: (PostgresConnection) throws(CatalogueError) -> Value
    ) -> Result<Value, CatalogueError> {
        do throws(CatalogueError) {
            let connection = try connected()
            begin(connection)
            defer { watch.withLock { $0.socket = nil } }
            do throws(CatalogueError) {
                return .success(try body(connection))
            } catch {
                if connection.isBroken { self.connection = nil }
                throw error
            }
        } catch {
            return .failure(error)
        }
    }

    /// Has the connection cut when the server falls silent: libpq would wait for ever.
    private func begin(_ connection: PostgresConnection) {
        let number = watch.withLock { watch in
            watch.number += 1
            watch.socket = connection.socket
            return watch.number
        }
        let end = DispatchTime.now() + .milliseconds(Int(settings.silence / .milliseconds(1)))
        DispatchQueue.global(qos: .utility).asyncAfter(deadline: end) { [weak self] in
            self?.watch.withLock { watch in
                guard watch.number == number, let socket = watch.socket else { return }
                shutdown(socket, Int32(SHUT_RDWR))
            }
        }
    }

    /// The connection; a server that is away is asked again with growing pauses, and meanwhile
    /// nobody waits for it.
    private func connected() throws(CatalogueError) -> PostgresConnection {
        // One that broke while it lay idle fails nobody, if the server is back.
        if let connection, !connection.hasEnded { return connection }
        connection = nil
        guard !isClosed else { throw CatalogueError(.unavailable, "the catalogue is closed") }
        if let lastFailure, ContinuousClock.now - lastFailure.at < pause { throw lastFailure.error }
        do throws(CatalogueError) {
            let new = try PostgresConnection(settings)
            // Another server may have come back than the one that went away.
            try PostgresSchema.migrate(new)
            connection = new
            failures = 0
            lastFailure = nil
            return new
        } catch {
            failures += 1
            lastFailure = (ContinuousClock.now, error)
            throw error
        }
    }

    private var pause: Duration { min(.milliseconds(100) * (1 << min(failures, 6)), .seconds(5)) }
}
