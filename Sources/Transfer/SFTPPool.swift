public import Logging
public import Primitives
import Synchronization

/// The seedbox: a few connections to one account, behind ``RangeSource`` and
/// ``DirectorySource``.
///
/// Connections are opened when they are needed and replaced when they end. While the seedbox is
/// away, callers wait for it at most `readTimeout`, and nobody tries to connect more often than
/// the back-off allows.
public actor SFTPPool: RangeSource, DirectorySource {
    /// Bytes under way on every connection at which one more is opened.
    private static let busyBytes = 1 << 20
    private static let firstPause = Duration.seconds(1)
    private static let longestPause = Duration.seconds(60)

    public nonisolated let account: RemoteAccount
    private let opener: any ChannelOpening
    private let readTimeout: Duration
    private let log: Logger
    private let clock = ContinuousClock()

    private var connections: [SFTPConnection] = [] { didSet { share() } }
    private var opening = 0 { didSet { share() } }
    private var isShutDown = false
    private var lastError: ConnectionError? { didSet { share() } }
    private var failures = 0
    /// No attempt before this.
    private var nextAttempt: ContinuousClock.Instant
    private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    private var lastWaiter = 0
    /// The server allowed no more than this many.
    private var allowed: Int
    /// Of connections that have ended.
    private var pastBytes: UInt64 = 0
    /// What the status page needs, readable without waiting for the actor.
    private nonisolated let shared = Mutex(Shared())

    private struct Shared {
        var connections: [SFTPConnection] = []
        var isConnecting = false
        var lastError: ConnectionError?
        var allowed = 0
        var pastBytes: UInt64 = 0
    }

    private func share() {
        let state = Shared(
            connections: connections,
            isConnecting: opening > 0,
            lastError: lastError,
            allowed: allowed,
            pastBytes: pastBytes
        )
        shared.withLock { $0 = state }
    }

    /// - Parameters:
    ///   - account: Whose files, where.
    ///   - readTimeout: The longest that a call waits for a connection.
    ///   - log: Where losses of the connection are told.
    public init(_ account: RemoteAccount, readTimeout: Duration = .seconds(30), log: Logger) {
        self.init(account, opener: AccountChannels(account), readTimeout: readTimeout, log: log)
    }

    init(
        _ account: RemoteAccount,
        opener: any ChannelOpening,
        readTimeout: Duration,
        log: Logger
    ) {
        self.account = account
        self.opener = opener
        self.readTimeout = readTimeout
        self.log = log
        allowed = max(1, account.connectionLimit)
        nextAttempt = clock.now
    }

    // MARK: Reading

    public func read(
        _ range: ByteRange,
        of file: RemoteFile
    ) async throws(SourceError) -> [UInt8] {
        if range.isEmpty { return [] }
        return try await using(file.path) { connection throws(OperationFailure) in
            try await connection.read(range, of: file)
        }
    }

    public func entries(
        of directory: RemotePath,
        limit: Int
    ) async throws(SourceError) -> [RemoteEntry] {
        try await using(directory) { connection throws(OperationFailure) in
            try await RemoteListing(connection, limit: limit).entries(of: directory)
        }
    }

    public func resolve(
        _ path: RemotePath
    ) async throws(SourceError) -> (RemotePath, RemoteEntry) {
        try await using(path) { connection throws(OperationFailure) in
            try await RemoteListing(connection, limit: 1).resolve(path)
        }
    }

    /// Tries on one connection, and once more on another when that one fails.
    private func using<Value: Sendable>(
        _ path: RemotePath,
        _ body: @Sendable (SFTPConnection) async throws(OperationFailure) -> Value
    ) async throws(SourceError) -> Value {
        let deadline = clock.now + readTimeout
        var failure: ConnectionError?
        for _ in 0..<3 {
            let connection: SFTPConnection
            do throws(ConnectionError) {
                connection = try await self.connection(until: deadline)
            } catch {
                if Task.isCancelled { throw SourceError(.cancelled, path, "was given up") }
                failure = error
                break
            }
            do throws(OperationFailure) {
                return try await body(connection)
            } catch {
                switch error {
                case .connection(let error):
                    failure = error
                    forget(connection)
                case .refused, .changed, .cancelled: throw SourceError(error, path)
                }
            }
        }
        throw SourceError(
            .unavailable,
            path,
            "the seedbox cannot be reached for '\(path.printable)'",
            cause: failure
        )
    }

    // MARK: Connections

    /// Opens the first connection now, whatever the back-off says.
    ///
    /// - Throws: ``ConnectionError`` that tells a person what is wrong.
    public func connect() async throws(ConnectionError) {
        nextAttempt = clock.now
        _ = try await connection(until: clock.now + account.connectTimeout * 3, failFast: true)
    }

    /// Ends every connection and refuses further calls.
    public func shutdown() {
        isShutDown = true
        for connection in connections { connection.shutDown() }
        connections = []
        wakeWaiters()
    }

    private func connection(
        until deadline: ContinuousClock.Instant,
        failFast: Bool = false
    ) async throws(ConnectionError) -> SFTPConnection {
        while true {
            // State may have changed at every `await` below: it is looked at anew each round.
            guard !isShutDown else { throw ConnectionError(.closed, "shutting down") }
            for connection in connections where connection.endReason != nil { forget(connection) }
            if let best = connections.min(by: { Self.load($0) < Self.load($1) }) {
                if Self.load(best) >= Self.busyBytes { openOneMore() }
                return best
            }
            if opening == 0, clock.now >= nextAttempt {
                openOneMore()
            } else if opening == 0, let lastError, failFast || lastError.code.isFatal {
                throw lastError
            }
            let wake = opening == 0 ? min(nextAttempt, deadline) : deadline
            guard clock.now < deadline, !Task.isCancelled else {
                throw lastError ?? ConnectionError(.timedOut, "\(account.address) does not answer")
            }
            await waitForChange(until: wake)
        }
    }

    private static func load(_ connection: SFTPConnection) -> Int {
        connection.load.load(ordering: .relaxed)
    }

    private func openOneMore() {
        guard !isShutDown, connections.count + opening < allowed, clock.now >= nextAttempt
        else { return }
        opening += 1
        Task {
            do throws(ConnectionError) {
                let connection = try await SFTPConnection.open(
                    opener,
                    replyTimeout: account.replyTimeout,
                    log: log
                )
                opened(connection)
            } catch {
                failedToOpen(error)
            }
        }
    }

    private func opened(_ connection: SFTPConnection) {
        opening -= 1
        guard !isShutDown else { return connection.shutDown() }
        connections.append(connection)
        if lastError != nil { log.notice("connected to \(account.address) again") }
        lastError = nil
        failures = 0
        wakeWaiters()
    }

    private func failedToOpen(_ error: ConnectionError) {
        opening -= 1
        if !connections.isEmpty {
            // The first ones are in: the host just allows no more for now.
            allowed = max(1, connections.count)
            log.debug("no further connection: \(error)")
            return
        }
        if lastError == nil { log.warning("the seedbox is away: \(error)") }
        lastError = error
        failures += 1
        let doubled = Self.firstPause * (1 << min(failures - 1, 6))
        let pause = error.code.isFatal ? Self.longestPause : min(doubled, Self.longestPause)
        nextAttempt = clock.now + pause * Double.random(in: 0.75...1.25)
        wakeWaiters()
    }

    private func forget(_ connection: SFTPConnection) {
        guard let index = connections.firstIndex(where: { $0 === connection }) else { return }
        pastBytes += connection.bytesReceived.load(ordering: .relaxed)
        connections.remove(at: index)
        connection.shutDown()
        if connections.isEmpty {
            allowed = max(1, account.connectionLimit)
            lastError = connection.endReason
        }
    }

    // MARK: Waiting

    /// Waits until a connection opened or failed, the time has come, or the task is cancelled.
    private func waitForChange(until time: ContinuousClock.Instant) async {
        lastWaiter += 1
        let number = lastWaiter
        let timer = Task {
            try? await Task.sleep(until: time, clock: .continuous)
            wake(number)
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled {
                    continuation.resume()
                } else {
                    waiters[number] = continuation
                }
            }
        } onCancel: {
            Task { await self.wake(number) }
        }
        timer.cancel()
    }

    private func wake(_ number: Int) {
        waiters.removeValue(forKey: number)?.resume()
    }

    private func wakeWaiters() {
        let all = waiters.values
        waiters = [:]
        for waiter in all { waiter.resume() }
    }
}

/// The state of the connections, for people.
extension SFTPPool {
    public struct State: Sendable {
        public let connections: Int
        public let connectionLimit: Int
        public let isConnecting: Bool
        /// "OpenSSH" or "libssh2", of the connections that are open.
        public let transport: String?
        /// Why there is no connection; nil while there is one, and before the first attempt.
        public let lastError: ConnectionError?
        public let bytesReceived: UInt64
        /// nil before the first measurement.
        public let roundTrip: Duration?
    }

    public nonisolated var state: State {
        let shared = shared.withLock { $0 }
        let open = shared.connections.filter { $0.endReason == nil }
        let trips = open.map { $0.roundTripMicroseconds.load(ordering: .relaxed) }.filter { $0 > 0 }
        return State(
            connections: open.count,
            connectionLimit: shared.allowed,
            isConnecting: shared.isConnecting,
            transport: open.first?.transport,
            lastError: open.isEmpty ? shared.lastError : nil,
            bytesReceived: shared.connections.reduce(shared.pastBytes) {
                $0 + $1.bytesReceived.load(ordering: .relaxed)
            },
            roundTrip: trips.min().map { .microseconds($0) }
        )
    }
}

/// Chooses the channel that an account's transport names.
struct AccountChannels: ChannelOpening {
    let account: RemoteAccount

    init(_ account: RemoteAccount) {
        self.account = account
    }

    func open() throws(ConnectionError) -> any ByteChannel {
        let isOpenSSH =
            switch account.transport {
            case .openssh: true
            case .libssh2: false
            case .auto: account.password == nil && OpenSSHChannel.executable() != nil
            }
        return isOpenSSH ? try OpenSSHChannel(account) : try LibSSH2Channel(account)
    }
}

extension SourceError {
    init(_ failure: OperationFailure, _ path: RemotePath) {
        let name = path.printable
        switch failure {
        case .connection(let error):
            self.init(.unavailable, path, "cannot read '\(name)'", cause: error)
        case .refused(SFTPStatus.noSuchFile, _):
            self.init(.notFound, path, "'\(name)' is not on the seedbox")
        case .refused(SFTPStatus.permissionDenied, let text):
            self.init(.denied, path, "the seedbox refuses '\(name)': \(text)")
        case .refused(let code, let text):
            self.init(.denied, path, "the seedbox refuses '\(name)': \(text) (status \(code))")
        case .changed(let text): self.init(.changed, path, "'\(name)' has changed: \(text)")
        case .cancelled: self.init(.cancelled, path, "was given up")
        }
    }
}
