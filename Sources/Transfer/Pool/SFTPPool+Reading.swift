public import Primitives

extension SFTPPool {
    /// A larger range is split over the connections; each has its own window at the server.
    static let largeRead: UInt64 = 4 << 20
    private static let splitSize: UInt64 = 2 << 20

    public func read(
        _ range: ByteRange,
        of file: RemoteFile,
        priority: ReadPriority
    ) async throws(SourceError) -> [UInt8] {
        guard !range.isEmpty else { return [] }
        let pieces = split(range)
        guard pieces.count > 1 else { return try await readPiece(range, of: file) }
        let results = await withTaskGroup(
            of: (Int, Result<[UInt8], SourceError>).self
        ) { group in
            for (index, piece) in pieces.enumerated() {
                group.addTask {
                    do throws(SourceError) {
                        return (index, .success(try await self.readPiece(piece, of: file)))
                    } catch {
                        return (index, .failure(error))
                    }
                }
            }
            var results: [(Int, Result<[UInt8], SourceError>)] = []
            for await result in group {
                if case .failure = result.1 { group.cancelAll() }
                results.append(result)
            }
            return results
        }
        return try joined(results, range)
    }

    /// The parts in their order; of several failures the one that the others follow from.
    private func joined(
        _ results: [(Int, Result<[UInt8], SourceError>)],
        _ range: ByteRange
    ) throws(SourceError) -> [UInt8] {
        // In the order they came: cancellations come after what caused them.
        for (_, result) in results { _ = try result.get() }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(range.count))
        for (_, result) in results.sorted(by: { $0.0 < $1.0 }) { bytes += try result.get() }
        return bytes
    }

    private func split(_ range: ByteRange) -> [ByteRange] {
        guard range.count > Self.largeRead else { return [range] }
        let count = min(UInt64(max(1, usableConnections)), range.count / Self.splitSize)
        let size = range.count / count
        return (0..<count).map { index in
            let start = range.lowerBound + index * size
            return ByteRange(start, index == count - 1 ? range.upperBound : start + size)
        }
    }

    private func readPiece(
        _ range: ByteRange,
        of file: RemoteFile
    ) async throws(SourceError) -> [UInt8] {
        let outcome = try await attempt("read", file.path, file, range.count) {
            connection throws(RequestFailure) in
            try await connection.read(range, of: file)
        }
        switch outcome {
        case .bytes(let bytes): return bytes
        case .changed(let now):
            throw SourceError(.changed, file.path, changeMessage(file, now))
        case .ended(let end):
            throw SourceError(
                .changed,
                file.path,
                "read '\(file.path)': size was \(file.size), but it ends at \(end)"
            )
        case .refused(let status): throw failure("read", file.path, status)
        }
    }

    private func changeMessage(_ file: RemoteFile, _ now: SFTPAttributes) -> String {
        var parts: [String] = []
        if let size = now.size, size != file.size {
            parts.append("size was \(file.size), is now \(size)")
        }
        if let time = now.modifiedSeconds, time != file.modifiedSeconds {
            parts.append("modification time was \(file.modifiedSeconds), is now \(time)")
        }
        return "read '\(file.path)': " + parts.joined(separator: ", ")
    }

    /// Runs `body` on a connection, and once more on another when the first one breaks.
    func attempt<Value: Sendable>(
        _ purpose: String,
        _ path: RemotePath,
        _ file: RemoteFile? = nil,
        _ bytes: UInt64 = 0,
        _ body: (SFTPConnection) async throws(RequestFailure) -> Value
    ) async throws(SourceError) -> Value {
        var deadline = ContinuousClock.now + settings.readTimeout
        var broken: SFTPConnection?
        while true {
            do throws(RequestFailure) {
                let connection = try await connection(
                    for: file,
                    bytes: bytes,
                    excluding: broken,
                    until: deadline
                )
                do throws(RequestFailure) {
                    return try await body(connection)
                } catch {
                    guard case .connection = error, broken == nil else { throw error }
                    broken = connection
                    // A long transfer that breaks late still gets the time of one reconnect.
                    deadline = max(deadline, .now + .seconds(5))
                }
            } catch {
                switch error {
                case .cancelled:
                    throw SourceError(.cancelled, path, "\(purpose) '\(path)': cancelled")
                case .connection(let error):
                    throw SourceError(
                        .unavailable,
                        path,
                        "\(purpose) '\(path)': no connection to '\(label)'",
                        cause: error
                    )
                }
            }
        }
    }

    func failure(_ purpose: String, _ path: RemotePath, _ status: SFTPStatus) -> SourceError {
        let code: SourceError.Code =
            switch status.code {
            case SFTPStatus.noSuchFile: .notFound
            case SFTPStatus.permissionDenied: .denied
            case _: .unavailable
            }
        return SourceError(
            code,
            path,
            "\(purpose) '\(path)': the server says \(status.code) \(status.message)"
        )
    }
}
