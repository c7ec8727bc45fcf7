import Foundation
import Glibc
import MilvusClient

/// A real Milvus Lite server on a free loopback port, with data of its own.
///
/// `Tests/milvus-lite DIR` installs both; the variable SYNC2NAS_MILVUS_LITE names DIR.
public final class MilvusLite: Sendable {
    public enum Version: String, Sendable, CaseIterable {
        /// 2.5.1, Milvus's C++ core.
        case v2
        /// 3.2.2, written in Python.
        case v3

    }

    public let version: Version
    public let port: UInt16
    private let directory: URL
    private let process = MutexBox<ChildProcess?>(nil)

    public static let folder = ProcessInfo.processInfo.environment["SYNC2NAS_MILVUS_LITE"]

    /// Starts one and returns when it accepts connections.
    public init(version: Version) async throws {
        self.version = version
        port = try FreePort.next()
        // Milvus Lite 2 wants a short path.
        directory = FileManager.default.temporaryDirectory
            .appending(path: "milvus-\(version)-\(port)-\(getpid())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        do {
            try await start()
        } catch {
            stop()
            throw error
        }
    }

    /// Starts it again after `kill`, on the same port with the same data.
    public func start() async throws {
        let child = try launch()
        process.value = child
        let deadline = ContinuousClock.now + .seconds(120)
        while await !isReady() {
            guard child.isRunning, .now < deadline else {
                let log = try? String(contentsOf: directory.appending(path: "log"), encoding: .utf8)
                throw StandInError("Milvus Lite \(version) does not start: \(log ?? "")")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Milvus Lite 2 takes connections a moment before it can make a collection.
    private func isReady() async -> Bool {
        var server = MilvusServer(host: "127.0.0.1", port: port)
        server.callTimeout = .seconds(5)
        let client = MilvusClient(server)
        do {
            let vector = MilvusField("vector", .vector(dimensions: 2))
            try await client.createCollection("ready", fields: [vector])
            try await client.drop("ready")
        } catch {
            return false
        }
        await client.close()
        return true
    }

    /// Has it stand still, with its connections open; returns when all of its threads do.
    public func pause() throws {
        guard let pid = process.value?.pid else { return }
        Glibc.kill(pid, SIGSTOP)
        let deadline = ContinuousClock.now + .seconds(10)
        while !Self.standsStill(pid) {
            guard .now < deadline else { throw StandInError("process \(pid) does not stop") }
        }
    }

    /// Has it go on after `pause`.
    public func proceed() {
        if let pid = process.value?.pid { Glibc.kill(pid, SIGCONT) }
    }

    /// Whether the state of every thread is "T"; see proc_pid_stat(5).
    private static func standsStill(_ pid: pid_t) -> Bool {
        let tasks = "/proc/\(pid)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        return !threads.isEmpty
            && threads.allSatisfy { thread in
                let state = try? String(contentsOfFile: "\(tasks)/\(thread)/stat", encoding: .utf8)
                return state?.contains(") T ") ?? true
            }
    }

    /// Ends it without any warning; the data stay.
    public func kill() {
        guard let child = process.value else { return }
        Glibc.kill(child.pid, SIGKILL)
        child.wait()
        process.value = nil
    }

    /// Ends it and removes its data.
    public func stop() {
        kill()
        try? FileManager.default.removeItem(at: directory)
    }

    private func launch() throws -> ChildProcess {
        guard let folder = Self.folder else {
            throw StandInError("SYNC2NAS_MILVUS_LITE is not set; see Tests/milvus-lite")
        }
        var environment = ProcessInfo.processInfo.environment
        // Milvus Lite 2 leaves log files in the folder for temporary ones.
        environment["TMPDIR"] = directory.path
        let log = directory.appending(path: "log").path
        let home = URL(filePath: folder).appending(path: version.rawValue)
        switch version {
        case .v2:
            let library = try Self.core(in: home)
            environment["LD_LIBRARY_PATH"] = library.path
            return try ChildProcess(
                library.appending(path: "milvus").path,
                [directory.appending(path: "x.db").path, "127.0.0.1:\(port)", "ERROR"],
                environment: environment,
                output: log,
                errors: log
            )
        case .v3:
            return try ChildProcess(
                home.appending(path: "bin/milvus-lite").path,
                [
                    "server", "--data-dir", directory.path, "--host", "127.0.0.1", "--port",
                    "\(port)",
                ],
                environment: environment,
                output: log,
                errors: log
            )
        }
    }

    /// The folder of the C++ server, whose path has Python's version in it.
    private static func core(in home: URL) throws -> URL {
        let library = home.appending(path: "lib")
        let names = try FileManager.default.contentsOfDirectory(atPath: library.path)
        guard let python = names.first(where: { $0.hasPrefix("python3") }) else {
            throw StandInError("there is no Milvus Lite in '\(home.path)'; see Tests/milvus-lite")
        }
        return library.appending(path: "\(python)/site-packages/milvus_lite/lib")
    }
}
