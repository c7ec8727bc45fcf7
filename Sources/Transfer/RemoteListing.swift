import Primitives

/// Lists directories and follows links over one connection.
struct RemoteListing {
    /// READDIRs under way at once: two are a small directory and its end in one round trip; a
    /// big one answers a hundred names each, so many hide the round trips.
    private static let firstBatch = 2
    private static let largestBatch = 16

    private let connection: SFTPConnection
    private let limit: Int

    init(_ connection: SFTPConnection, limit: Int) {
        self.connection = connection
        self.limit = limit
    }

    func entries(of directory: RemotePath) async throws(OperationFailure) -> [RemoteEntry] {
        let handle: [UInt8]
        switch try await connection.send(.opendir(directory)) {
        case .handle(let bytes): handle = bytes
        case .status(let code, let text): throw .refused(code, text)
        case .names, .attributes, .extended: throw Self.wrongKind()
        }
        let result: Result<[RemoteEntry], OperationFailure>
        do throws(OperationFailure) {
            result = .success(try await readAll(handle))
        } catch {
            result = .failure(error)
        }
        // Nobody waits for the answer.
        Task { [connection] in _ = try? await connection.send(.close(handle: handle)) }
        return try result.get()
    }

    private func readAll(_ handle: [UInt8]) async throws(OperationFailure) -> [RemoteEntry] {
        var entries: [RemoteEntry] = []
        var batch = Self.firstBatch
        while entries.count < limit {
            for reply in await replies(to: .readdir(handle: handle), count: batch) {
                switch try reply.get() {
                case .names(let names):
                    // A server that answers without names would be asked for ever.
                    guard !names.isEmpty else { return entries }
                    entries += names.lazy.filter { !Self.isDot($0.name) }.map {
                        $0.attributes.entry(named: $0.name)
                    }
                case .status(SFTPStatus.endOfFile, _): return Array(entries.prefix(limit))
                case .status(let code, let text): throw .refused(code, text)
                case .handle, .attributes, .extended: throw Self.wrongKind()
                }
            }
            batch = min(batch * 2, Self.largestBatch)
        }
        return Array(entries.prefix(limit))
    }

    private func replies(
        to request: SFTPRequest,
        count: Int
    ) async -> [Result<SFTPReply, OperationFailure>] {
        await withTaskGroup(of: (Int, Result<SFTPReply, OperationFailure>).self) { group in
            for number in 0..<count {
                group.addTask { [connection] in
                    do throws(OperationFailure) {
                        return (number, .success(try await connection.send(request)))
                    } catch {
                        return (number, .failure(error))
                    }
                }
            }
            var results: [(Int, Result<SFTPReply, OperationFailure>)] = []
            for await result in group { results.append(result) }
            // An end that overtook names must not cut them off.
            return results.sorted { one, other in
                let ends = (Self.isEnd(one.1), Self.isEnd(other.1))
                return ends.0 != ends.1 ? ends.1 : one.0 < other.0
            }.map(\.1)
        }
    }

    private static func isEnd(_ reply: Result<SFTPReply, OperationFailure>) -> Bool {
        if case .success(.names) = reply { return false }
        return true
    }

    func resolve(_ path: RemotePath) async throws(OperationFailure) -> (RemotePath, RemoteEntry) {
        let canonical: RemotePath
        switch try await connection.send(.realpath(path)) {
        case .names(let names):
            guard names.count == 1 else { throw Self.wrongKind() }
            canonical = RemotePath(bytes: names[0].name)
        case .status(let code, let text): throw .refused(code, text)
        case .handle, .attributes, .extended: throw Self.wrongKind()
        }
        switch try await connection.send(.stat(canonical)) {
        case .attributes(let attributes):
            return (canonical, attributes.entry(named: canonical.lastComponent))
        case .status(let code, let text): throw .refused(code, text)
        case .handle, .names, .extended: throw Self.wrongKind()
        }
    }

    private static func isDot(_ name: [UInt8]) -> Bool {
        name == [UInt8(ascii: ".")] || name == Array("..".utf8)
    }

    private static func wrongKind() -> OperationFailure {
        .connection(
            ConnectionError(.protocolViolation, "the server gave an answer of the wrong kind")
        )
    }
}
