import Glibc
public import Logging
public import Primitives
import Synchronization

/// The seedbox as a source of files and directories, over a few SFTP connections.
///
/// Connections open lazily and in the background, are shared by everybody, and are replaced
/// when they break. No caller ever waits for a lock that is held during I/O: state is changed in
/// short critical sections, connecting happens in tasks and on the connections' own threads.
public final class SFTPPool: RangeSource, DirectorySource, Sendable {
    public struct Settings: Sendable {
        /// Most providers allow ten per account; others of the user's programs need some.
        public var connections = 4
        /// Files kept open per connection for the next read.
        public var openFiles = 32
        /// How long a read waits for the server to come back.
        public var readTimeout: Duration = .seconds(30)
        /// A directory of this process's own where connections may be shared from; nil for none.
        public var sharingDirectory: String?
        public var rateLimit = RateSchedule.unlimited
        /// Nearer to the server one session fills the way, and connections of their own use more
        /// processors than shared ones.
        var farRoundTrip = Duration.milliseconds(5)
        /// Bytes that a session has on the way when OpenSSH's window of 2 MiB begins to limit it;
        /// on a slower way more sessions than connections only take from each other.
        var fullSession = 512 << 10

        public init() {}
    }

    private struct State {
        var decisions: PoolState
        /// All that have a thread: usable, connecting, or just ended.
        var connections: [Int: SFTPConnection] = [:]
        var tasks: [Int: Task<Void, Never>] = [:]
        var waiters: [Int: Pending<SFTPConnection>] = [:]
        /// Waiters that want to hear of the first failure as well.
        var starters: Set<Int> = []
        var lastWaiter = 0
        var timer: Task<Void, Never>?
        var pastBytes: UInt64 = 0
        var expectations = Expectations()
        var rate = RateLimiter()
    }

    let settings: Settings
    let label: String
    let logger: Logger
    let openDirectories = OpenDirectories()
    private let account: RemoteAccount
    private let makeChannel: ChannelMaker
    private let shared: SharedConnections?
    private let state: Lock<State>

    /// Does nothing yet; see ``connect()``.
    public convenience init(
        _ account: RemoteAccount,
        settings: Settings = Settings(),
        logger: Logger
    ) {
        let isOpenSSH = account.chosenTransport == .openSSH
        let shared = settings.sharingDirectory.flatMap {
            isOpenSSH ? SharedConnections(directory: $0, limit: settings.connections) : nil
        }
        self.init(account, settings: settings, logger: logger, sharing: shared) {
            wait throws(ConnectionError) in
            switch account.chosenTransport {
            case .openSSH, .automatic: try OpenSSHChannel(account, sharing: shared)
            case .libssh2: try LibSSH2Channel(account, wait)
            }
        }
    }

    init(
        _ account: RemoteAccount,
        settings: Settings,
        logger: Logger,
        sharing shared: SharedConnections? = nil,
        makeChannel: @escaping ChannelMaker
    ) {
        self.shared = shared
        self.account = account
        self.settings = settings
        self.logger = logger
        self.makeChannel = makeChannel
        label = account.label
        let perConnection = shared == nil ? 1 : SharedConnections.sessionsPerConnection
        let limit = settings.connections * perConnection
        state = Lock(State(decisions: PoolState(limit: limit)))
    }

    /// Opens the first connection now, so that a wrong setting is told at start.
    ///
    /// Returns at once when a connection is usable. A failure is reported at once; the pool
    /// goes on trying in the background all the same.
    public func connect() async throws(ConnectionError) {
        do {
            _ = try await waitForConnection(hearsFailure: true, until: nil)
        } catch {
            switch error {
            case .connection(let error): throw error
            case .cancelled: throw ConnectionError(.closed, "connecting was cancelled")
            }
        }
    }

    /// Connects, and opens a second session where one is worth having.
    ///
    /// A login takes six round trips and a tenth of a second of a processor, which whoever begins
    /// to read would miss.
    public func prepareForReaders() async {
        do throws(ConnectionError) {
            try await connect()
        } catch {
            // Told by whoever needs it.
            return
        }
        // With an answer the round trip is known, by which sessions share a connection.
        _ = try? await resolve(RemotePath("/"))
        if status.sessions == 1 { _ = chooseUsable(nil, isWorkComing: true) }
    }

    /// Tries again at once where a pause is being kept.
    ///
    /// For people who mended something.
    public func reconnectNow() {
        perform(state.withLock { $0.decisions.retryDue() })
    }

    /// Ends every connection, thread and process, and waits for their ends.
    ///
    /// What is outstanding fails with `.unavailable`; so does everything asked later.
    public func shutdown() async {
        let (connections, tasks, waiters) = state.withLock { state in
            state.decisions.shutDown()
            state.timer?.cancel()
            defer { state.waiters = [:] }
            return (
                Array(state.connections.values), Array(state.tasks.values),
                Array(state.waiters.values)
            )
        }
        let error = ConnectionError(.closed, "shutting down")
        for waiter in waiters { waiter.finish(.failure(.connection(error))) }
        for connection in connections { connection.close() }
        for task in tasks { await task.value }
    }

    public var status: RemoteStatus {
        state.withLock { state in
            let meters = state.connections.values.map(\.meter)
            let received = meters.map { $0.bytesReceived.load(ordering: .relaxed) }.reduce(0, +)
            let roundTrips = meters.map { $0.roundTripNanoseconds.load(ordering: .relaxed) }
            return RemoteStatus(
                transport: account.chosenTransport,
                connected: state.decisions.live.keys.count { id in
                    state.connections[id]?.meter.isShared.load(ordering: .relaxed) == false
                },
                sessions: state.decisions.live.count,
                limit: settings.connections,
                failure: state.decisions.failure,
                failingFor: state.decisions.failingSince.map { .now - $0 },
                bytesReceived: state.pastBytes + received,
                roundTrip: roundTrips.filter { $0 > 0 }.min().map { .nanoseconds($0) }
            )
        }
    }

    /// Bytes asked for and not delivered, roughly.
    var load: Int {
        state.withLock { state in
            state.connections.values.map { $0.meter.load.load(ordering: .relaxed) }.reduce(0, +)
        }
    }

    // MARK: Choosing

    /// The usable connection that will answer first.
    ///
    /// - Parameters:
    ///   - file: A connection that has it open saves a round trip.
    ///   - exclude: Used only when there is no other.
    ///   - deadline: Until when to wait while nothing is usable.
    /// - Returns: A connection that worked a moment ago.
    /// - Throws: ``RequestFailure`` with the reason why there is none.
    func connection(
        for file: RemoteFile?,
        excluding exclude: [SFTPConnection],
        until deadline: ContinuousClock.Instant
    ) async throws(RequestFailure) -> SFTPConnection {
        if let usable = chooseUsable(file, exclude) { return usable }
        return try await waitForConnection(hearsFailure: false, until: deadline)
    }

    private func chooseUsable(
        _ file: RemoteFile?,
        _ exclude: [SFTPConnection] = [],
        isWorkComing: Bool = false
    ) -> SFTPConnection? {
        noticeEnds()
        let (best, step): (SFTPConnection?, PoolState.Step) = state.withLock { state in
            let usable = state.decisions.live.keys.compactMap { state.connections[$0] }
            let fresh = usable.filter { connection in !exclude.contains { $0 === connection } }
            let costs = (fresh.isEmpty ? usable : fresh).map { ($0, $0.meter.cost(of: file)) }
            guard let (best, _) = costs.min(by: { $0.1 < $1.1 }) else { return (nil, .nothing) }
            let load = best.meter.load.load(ordering: .relaxed)
            let verdict = state.decisions.requested(
                // Listings alone are well served by one.
                isBusy: isWorkComing || load > 0 && file != nil,
                useful: usefulSessions(state.connections.values),
                now: .now
            )
            if case .useAndConnect(let id) = verdict { return (best, .connect(id: id)) }
            return (best, .nothing)
        }
        perform(step)
        return best
    }

    /// Far from a fast server more sessions than connections are worth having.
    private func usefulSessions(_ connections: some Sequence<SFTPConnection>) -> Int {
        guard let shared else { return settings.connections }
        let roundTrips = connections.map { $0.meter.roundTripNanoseconds.load(ordering: .relaxed) }
        let roundTrip = Duration.nanoseconds(roundTrips.filter { $0 > 0 }.min() ?? 0)
        let held = connections.map { $0.meter.held.load(ordering: .relaxed) }
        return shared.usefulSessions(
            isFar: roundTrip >= settings.farRoundTrip,
            areFull: held.max() ?? 0 >= settings.fullSession
        )
    }

    public func expect(_ file: RemoteFile) {
        let isWorthIt = state.withLock { state in
            let isOpen = state.connections.values.contains { connection in
                connection.meter.openFiles.withLock { $0.contains(file) }
            }
            return !isOpen && state.expectations.take(now: .now)
        }
        // Who opens a file may play it: further sessions take time to come.
        if isWorthIt { chooseUsable(file, isWorkComing: true)?.expect(file) }
    }

    func takeRate(
        _ bytes: Int,
        _ priority: ReadPriority,
        _ rate: UInt64
    ) -> ContinuousClock.Instant? {
        state.withLock { state in
            state.rate.take(bytes, isReader: priority == .reader, rate: rate, now: .now)
        }
    }

    public var bytesToFillTheWay: UInt64 {
        state.withLock { state in
            state.connections.values.reduce(0) {
                $0 + UInt64($1.meter.window.load(ordering: .relaxed))
            }
        }
    }

    private func waitForConnection(
        hearsFailure: Bool,
        until deadline: ContinuousClock.Instant?
    ) async throws(RequestFailure) -> SFTPConnection {
        noticeEnds()
        let pending = Pending<SFTPConnection>()
        let (number, step) = state.withLock { register(pending, hearsFailure, &$0) }
        perform(step)
        let timer = deadline.map { deadline in
            Task {
                do { try await Task.sleep(until: deadline, clock: .continuous) } catch { return }
                pending.finish(.failure(.connection(self.reasonOfWaiting())))
            }
        }
        defer {
            timer?.cancel()
            state.withLock { state in
                state.waiters[number] = nil
                state.starters.remove(number)
            }
        }
        return try await pending.value()
    }

    private func register(
        _ pending: Pending<SFTPConnection>,
        _ hearsFailure: Bool,
        _ state: inout State
    ) -> (Int, PoolState.Step) {
        state.lastWaiter += 1
        state.waiters[state.lastWaiter] = pending
        if hearsFailure { state.starters.insert(state.lastWaiter) }
        var step = PoolState.Step.nothing
        switch state.decisions.requested(isBusy: false, now: .now) {
        case .use, .useAndConnect:
            let usable = state.decisions.live.keys.compactMap { state.connections[$0] }.first
            if let usable { pending.finish(.success(usable)) }
        case .waitAndConnect(let id): step = .connect(id: id)
        case .wait: if hearsFailure { step = state.decisions.retryDue() }
        case .fail:
            let closed = ConnectionError(.closed, "shutting down")
            let error = state.decisions.isShutDown ? closed : state.decisions.failure ?? closed
            if hearsFailure, !state.decisions.isShutDown {
                step = state.decisions.retryDue()
            } else {
                pending.finish(.failure(.connection(error)))
            }
        }
        return (state.lastWaiter, step)
    }

    private func reasonOfWaiting() -> ConnectionError {
        let failure = state.withLock { $0.decisions.failure }
        return failure ?? ConnectionError(.timedOut, "connecting to '\(label)' takes too long")
    }

    // MARK: Connecting

    private func perform(_ step: PoolState.Step) {
        switch step {
        case .nothing: return
        case .connect(let id):
            state.withLock { state in
                // Whoever shuts down waits for the tasks that are there by then.
                guard !state.decisions.isShutDown else { return }
                state.tasks[id] = Task { await self.live(id) }
            }
        case .retry(let instant):
            let timer = Task {
                do { try await Task.sleep(until: instant, clock: .continuous) } catch { return }
                self.reconnectNow()
            }
            let old = state.withLock { state in
                defer { state.timer = timer }
                return state.timer
            }
            old?.cancel()
        }
    }

    /// The life of one connection, from its attempt to its end.
    private func live(_ id: Int) async {
        do throws(ConnectionError) {
            let connection = try SFTPConnection(
                label: label,
                limits: account.timeLimits,
                handleLimit: settings.openFiles,
                makeChannel: makeChannel
            )
            let isShutDown = state.withLock { state in
                state.connections[id] = connection
                return state.decisions.isShutDown
            }
            if isShutDown { connection.close() }
            do throws(ConnectionError) {
                try await connection.open()
            } catch {
                _ = await connection.ended()
                throw error
            }
            opened(id, connection)
            ended(id, await connection.ended())
            state.withLock { forget(id, &$0) }
        } catch {
            failed(id, error)
        }
    }

    private func opened(_ id: Int, _ connection: SFTPConnection) {
        let (waiters, wasFailing, count) = state.withLock { state in
            let wasFailing = state.decisions.failingSince != nil
            state.decisions.opened(id, now: .now)
            state.timer?.cancel()
            defer { state.waiters = [:] }
            return (Array(state.waiters.values), wasFailing, state.decisions.live.count)
        }
        for waiter in waiters { waiter.finish(.success(connection)) }
        if wasFailing { logger.notice("connected to '\(label)' again") }
        logger.debug("\(count) sessions with '\(label)'")
    }

    private func failed(_ id: Int, _ error: ConnectionError) {
        let (step, waiters, isNews) = state.withLock { state in
            let old = state.decisions.failure?.description
            let step = state.decisions.failed(id, error, now: .now, jitter: .random(in: 0.5...1))
            forget(id, &state)
            let heard = state.waiters.filter {
                error.needsPerson || state.starters.contains($0.key)
            }
            for number in heard.keys { state.waiters[number] = nil }
            return (step, heard.values.map(\.self), old != error.description)
        }
        if isNews, step != .nothing { logger.warning("no connection to '\(label)': \(error)") }
        if step == .nothing { logger.debug("no further connection to '\(label)': \(error)") }
        for waiter in waiters { waiter.finish(.failure(.connection(error))) }
        perform(step)
    }

    /// Heard twice when somebody tripped over the end before its task did; counts once.
    private func ended(_ id: Int, _ error: ConnectionError) {
        let (step, isNews) = state.withLock { state in
            let isNews = state.decisions.live[id] != nil && !state.decisions.isShutDown
            let step = state.decisions.ended(
                id,
                error,
                bytes: state.connections[id]?.meter.bytesReceived.load(ordering: .relaxed) ?? 0,
                now: .now,
                jitter: .random(in: 0.5...1)
            )
            return (step, isNews)
        }
        if isNews { logger.warning("lost a connection to '\(label)': \(error)") }
        perform(step)
    }

    /// A connection's thread knows of its end before the pool's task does; choosing it in
    /// between would use up a caller's second chance.
    private func noticeEnds() {
        let ends = state.withLock { state in
            state.decisions.live.keys.compactMap { id in
                state.connections[id]?.failure.map { (id, $0) }
            }
        }
        for (id, error) in ends { ended(id, error) }
    }

    private func forget(_ id: Int, _ state: inout State) {
        let old = state.connections.removeValue(forKey: id)
        state.pastBytes += old?.meter.bytesReceived.load(ordering: .relaxed) ?? 0
        state.tasks[id] = nil
    }
}

extension ConnectionMeter {
    /// Roughly the bytes that stand before a new request; opening a file costs a round trip.
    fileprivate func cost(of file: RemoteFile?) -> Int {
        let isOpen = file.map { file in openFiles.withLock { $0.contains(file) } } ?? true
        return load.load(ordering: .relaxed) + (isOpen ? 0 : 256 * 1024)
    }
}
