import Logging
public import Primitives

extension SFTPPool {
    /// READDIRs sent together once a directory turns out to be large.
    ///
    /// OpenSSH gives 100 names at a time, so 10,000 files take about nine round trips instead of a
    /// hundred.
    private static let mostReaddirs = 16
    /// Names are left out when no file can have them; a server that sends nothing else for ever
    /// is cut off after this many.
    private static let mostLeftOut = 1000

    public func entries(
        of directory: RemotePath,
        limit: Int
    ) async throws(SourceError) -> [RemoteEntry] {
        var places = OpenDirectories.most
        while true {
            let (listing, others) = try await list(directory, limit, among: places)
            switch listing {
            case .success(let entries):
                if places < OpenDirectories.most { openDirectories.settle(for: places) }
                return entries
            case .failure(let refusal):
                // Others may have had all the handles that the server gives.
                guard refusal.status.code == SFTPStatus.failure, others > 0, places > 1 else {
                    throw failure("list", directory, refusal.status)
                }
                places = max(1, min(places, others + 1) / 2)
            }
        }
    }

    /// - Returns: What the server says, and how many other directories were open then.
    private func list(
        _ directory: RemotePath,
        _ limit: Int,
        among places: Int
    ) async throws(SourceError) -> (Result<[RemoteEntry], Refusal>, others: Int) {
        do throws(RequestFailure) {
            try await openDirectories.enter(places)
        } catch {
            throw SourceError(.cancelled, directory, "list '\(directory)': cancelled")
        }
        let listing: Result<[RemoteEntry], Refusal>
        do throws(SourceError) {
            listing = try await attempt("list", directory) { connection throws(RequestFailure) in
                try await self.list(directory, limit, connection)
            }
        } catch {
            _ = openDirectories.leave()
            throw error
        }
        return (listing, openDirectories.leave())
    }

    private struct Refusal: Error {
        let status: SFTPStatus
    }

    private func list(
        _ directory: RemotePath,
        _ limit: Int,
        _ connection: SFTPConnection
    ) async throws(RequestFailure) -> Result<[RemoteEntry], Refusal> {
        let handle: [UInt8]
        switch try await connection.reply(to: .opendir(directory)) {
        case .handle(let bytes): handle = bytes
        case .status(let status): return .failure(Refusal(status: status))
        case .names, .attributes, .limits: return .success([])
        }
        defer { connection.discard(handle: handle) }
        var entries: [RemoteEntry] = []
        var oddNames = 0
        var leftOut = 0
        // The first gives all of a small directory, the second says that it was all; two more are
        // cheaper than a round trip for what is a little larger.
        var together = 4
        while entries.count < limit, leftOut < Self.mostLeftOut {
            let requests = [SFTPRequest](repeating: .readdir(handle: handle), count: together)
            for reply in try await connection.replies(to: requests) {
                switch reply {
                case .names(let names):
                    let before = entries.count
                    oddNames += add(names, to: &entries, limit)
                    // A reply without names counts as well: it brings us no nearer to the end.
                    leftOut += max(1, names.count) - (entries.count - before)
                case .status(let status) where status.code == SFTPStatus.endOfFile:
                    return finish(entries, oddNames, directory)
                case .status(let status): return .failure(Refusal(status: status))
                case .handle, .attributes, .limits: continue
                }
            }
            together = min(together * 2, Self.mostReaddirs)
        }
        return finish(entries, oddNames, directory)
    }

    /// - Returns: How many names were left out because no file can have them.
    private func add(_ names: [SFTPName], to entries: inout [RemoteEntry], _ limit: Int) -> Int {
        var odd = 0
        for name in names where entries.count < limit {
            let bytes = name.name
            if bytes == [46] || bytes == [46, 46] { continue }
            // With a slash it would lead to another directory, with a NUL to another name.
            if bytes.isEmpty || bytes.contains(0) || bytes.contains(UInt8(ascii: "/")) {
                odd += 1
            } else {
                entries.append(name.attributes.entry(named: bytes))
            }
        }
        return odd
    }

    private func finish(
        _ entries: [RemoteEntry],
        _ oddNames: Int,
        _ directory: RemotePath
    ) -> Result<[RemoteEntry], Refusal> {
        if oddNames > 0 {
            logger.warning("'\(directory)' lists \(oddNames) names that no file can have")
        }
        return .success(entries)
    }

    public func resolve(
        _ path: RemotePath
    ) async throws(SourceError) -> (RemotePath, RemoteEntry) {
        let replies = try await attempt("resolve", path) { connection throws(RequestFailure) in
            // Not every server's REALPATH follows links or notices that nothing is there;
            // STAT does both.
            try await connection.replies(to: [.realpath(path), .stat(path)])
        }
        for reply in replies {
            if case .status(let status) = reply { throw failure("resolve", path, status) }
        }
        guard case .names(let names) = replies[0], let name = names.first?.name,
            name.first == UInt8(ascii: "/"), case .attributes(let attributes) = replies[1]
        else {
            throw SourceError(
                .unavailable,
                path,
                "resolve '\(path)': the server named no absolute path"
            )
        }
        let real = RemotePath(bytes: name)
        return (real, attributes.entry(named: real.lastComponent))
    }
}
