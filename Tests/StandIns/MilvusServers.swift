public import Testing

/// Starts both Milvus Lite servers for a suite, once, and stops them after its last test.
public struct MilvusServers: SuiteTrait, TestScoping {
    @TaskLocal public static var running: [MilvusLite.Version: MilvusLite] = [:]

    public func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        var servers: [MilvusLite.Version: MilvusLite] = [:]
        for version in MilvusLite.Version.allCases {
            servers[version] = try await MilvusLite(version: version)
        }
        defer { for server in servers.values { server.stop() } }
        try await Self.$running.withValue(servers) { try await function() }
    }
}

extension Trait where Self == MilvusServers {
    public static var milvusServers: MilvusServers { MilvusServers() }
}
