import Glibc
import Synchronization

/// Lets several sessions use one `ssh` connection.
///
/// A session gets no more than OpenSSH's window of 2 MiB for each round trip, so far from the
/// server several are needed. One more on a connection that is there costs two round trips, and
/// neither a login nor one of the connections that the host allows.
final class SharedConnections: Sendable {
    /// A session's place on a connection.
    struct Seat: Equatable {
        /// The control socket (ssh_config(5), ControlPath).
        let socket: String
        /// Whether it makes the connection, rather than joining one.
        let isFirst: Bool
        fileprivate let number: Int
    }

    private struct Connection {
        var sessions = 1
        /// Whether its first session is there and has not ended.
        var isOpen = false
    }

    private struct State {
        var connections: [Int: Connection] = [:]
        var last = 0
        var isFar = false
        var isRefused = false
    }

    static let sessionsPerConnection = 3

    private let directory: String
    private let limit: Int
    private let state = Mutex(State())

    /// Gives nil when the directory cannot be used; nothing is shared then.
    ///
    /// - Parameters:
    ///   - directory: Where the control sockets go: this process's own, made when it is not there.
    ///   - limit: Connections that there may be.
    init?(directory: String, limit: Int) {
        // What ssh adds while it makes a socket, and the limit of a socket's path (unix(7)).
        guard directory.utf8.count + 24 < 108 else { return nil }
        guard mkdir(directory, 0o700) == 0 || errno == EEXIST else { return nil }
        self.directory = directory
        self.limit = limit
    }

    /// How many sessions are worth having: far from the server as many as connections, and more
    /// once their windows limit them; near by two, or one for every other processor, because
    /// there they are what limits.
    func usefulSessions(isFar: Bool, areFull: Bool) -> Int {
        state.withLock { state in
            state.isFar = isFar
            let near = max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN)) / 2)
            guard isFar else { return min(limit, near) }
            return limit * (areFull && !state.isRefused ? Self.sessionsPerConnection : 1)
        }
    }

    /// Takes a place: on a connection that has room, else on one that is to be made.
    ///
    /// - Returns: nil when there are as many connections as there may be, and none has room.
    func seat() -> Seat? {
        state.withLock { state in
            let joinable = state.connections.filter {
                state.isFar && !state.isRefused && $0.value.isOpen
                    && $0.value.sessions < Self.sessionsPerConnection
            }
            if let number = joinable.keys.min() {
                state.connections[number]?.sessions += 1
                return Seat(socket: socket(number), isFirst: false, number: number)
            }
            guard state.connections.count < limit else { return nil }
            state.last += 1
            state.connections[state.last] = Connection()
            // A predecessor that was killed may have left it.
            unlink(socket(state.last))
            return Seat(socket: socket(state.last), isFirst: true, number: state.last)
        }
    }

    private func socket(_ number: Int) -> String { "\(directory)/\(number)" }

    /// The session works, so its connection can be joined.
    func opened(_ seat: Seat) {
        guard seat.isFirst else { return }
        state.withLock { $0.connections[seat.number]?.isOpen = true }
    }

    /// The server refused a session on a connection that works: from now on each gets its own.
    func refused() {
        state.withLock { $0.isRefused = true }
    }

    /// The session has ended.
    func left(_ seat: Seat) {
        state.withLock { state in
            // Without its first session `ssh` is about to end.
            if seat.isFirst { state.connections[seat.number]?.isOpen = false }
            state.connections[seat.number]?.sessions -= 1
            if state.connections[seat.number]?.sessions == 0 {
                state.connections[seat.number] = nil
                unlink(socket(seat.number))
            }
        }
    }
}
