public import Primitives

extension SFTPPool {
    /// Other connections that a read may be repeated on, each when the one before broke.
    ///
    /// More than a bad way takes; a request that ends every connection must not go on for ever.
    private static let repeats = 8

    public func read(
        _ range: ByteRange,
        of file: RemoteFile,
        priority: ReadPriority
    ) async throws(SourceError) -> Bytes {
        guard !range.isEmpty else { return Bytes(count: 0) }
        try await keepRate(range, file, priority)
        let outcome = try await attempt("read", file.path, file) {
            connection throws(RequestFailure) in
            try await connection.read(range, of: file, priority: priority)
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

    /// Waits until the rate limit lets `range` come.
    private func keepRate(
        _ range: ByteRange,
        _ file: RemoteFile,
        _ priority: ReadPriority
    ) async throws(SourceError) {
        guard !settings.rateLimit.isUnlimited else { return }
        while let rate = settings.rateLimit.current,
            let free = takeRate(Int(range.count), priority, rate)
        {
            do {
                try await Task.sleep(until: free, clock: .continuous)
            } catch {
                throw SourceError(.cancelled, file.path, "read '\(file.path)': cancelled")
            }
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

    /// Runs `body` on a connection, and on another when that one breaks: what breaks one often
    /// takes its neighbours along.
    func attempt<Value: Sendable>(
        _ purpose: String,
        _ path: RemotePath,
        _ file: RemoteFile? = nil,
        _ body: (SFTPConnection) async throws(RequestFailure) -> Value
    ) async throws(SourceError) -> Value {
        var deadline = ContinuousClock.now + settings.readTimeout
        var broken: [SFTPConnection] = []
        while true {
            do throws(RequestFailure) {
                let connection = try await connection(
                    for: file,
                    excluding: broken,
                    until: deadline
                )
                do throws(RequestFailure) {
                    return try await body(connection)
                } catch {
                    guard case .connection = error, broken.count < Self.repeats else { throw error }
                    broken.append(connection)
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
