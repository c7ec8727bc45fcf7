import Foundation
import Glibc
import StandIns
import Testing

/// A seedbox, a TMDB and the program itself, mounted for real.
///
/// Everything is taken away at the end, also when a test fails.
final class Fixture {
    let seedbox: Seedbox
    let tmdb: TMDBStandIn
    let directory: String

    init(_ options: Seedbox.Options = .init()) throws {
        seedbox = try Seedbox(options)
        tmdb = try TMDBStandIn()
        directory = try temporaryDirectory()
        mkdir(mountpoint, 0o755)
    }

    /// Below ``library``, where ``withEpisode(_:)`` has its file.
    static let episode = "Quiet Harbour/Season 01/Quiet Harbour - S01E01 [1080p].mkv"

    /// A mount of a seedbox with one episode.
    static func withEpisode(_ bytes: [UInt8]) throws -> Fixture {
        let fixture = try Fixture()
        try fixture.seedbox.write("Quiet.Harbour.S01E01.1080p.WEB-CREW.mkv", bytes)
        try #require(try fixture.mount().code == 0)
        return fixture
    }

    deinit {
        _ = try? run(["unmount", mountpoint])
        umount2(mountpoint, Int32(MNT_FORCE) | Int32(MNT_DETACH))
        killAll()
        seedbox.stop()
        tmdb.stop()
        try? FileManager.default.removeItem(atPath: directory)
    }

    var mountpoint: String { directory + "/tv" }
    var data: String { directory + "/data" }
    var cache: String { directory + "/cache" }
    var library: String { mountpoint + "/library" }
    func control(_ name: String) -> String { mountpoint + "/control/" + name }

    struct Result {
        let code: Int32
        let output: String
        let errors: String
    }

    static var program: String {
        ProcessInfo.processInfo.environment["SYNC2NAS_PROGRAM"] ?? product("sync2nas")
    }

    /// What was built beside the tests.
    static func product(_ name: String) -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return root.path + "/.build/debug/" + name
    }

    var environment: [String: String] {
        var environment = ProcessInfo.processInfo.environment
        environment["SYNC2NAS_TMDB_BASE_URL"] = tmdb.baseURL
        environment["SYNC2NAS_TMDB_API_KEY"] = TMDBStandIn.key
        environment["SSH_AUTH_SOCK"] = nil
        return environment
    }

    /// Runs the program and waits for its end.
    @discardableResult
    func run(
        _ arguments: [String],
        extra: [String: String] = [:],
        program: String? = nil
    ) throws -> Result {
        let files = [directory + "/out-\(UUID())", directory + "/err-\(UUID())"]
        let code = try ChildProcess(
            program ?? Self.program,
            arguments,
            environment: environment.merging(extra) { $1 },
            output: files[0],
            errors: files[1]
        ).wait()
        return Result(code: code, output: text(files[0]), errors: text(files[1]))
    }

    var stateOptions: [String] { ["--data-dir", data, "--cache-dir", cache] }

    var mountArguments: [String] {
        [
            "mount", seedbox.url, mountpoint, "-i", seedbox.keyPath, "--known-hosts",
            seedbox.knownHostsPath,
        ] + stateOptions
    }

    @discardableResult
    func mount(_ further: [String] = [], extra: [String: String] = [:]) throws -> Result {
        try run(mountArguments + further, extra: extra)
    }

    @discardableResult
    func unmount() throws -> Result { try run(["unmount", mountpoint]) }

    /// Every file below a directory, relative to it, sorted.
    func files(below directory: String) -> [String] {
        guard let all = FileManager.default.enumerator(atPath: directory) else { return [] }
        return all.compactMap { $0 as? String }.filter {
            var status = stat()
            return stat(directory + "/" + $0, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        }.sorted()
    }

    func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    }
    func text(_ path: String) -> String {
        (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    }

    /// Writes a line to a control file as `echo` does.
    ///
    /// - Returns: 0, or the errno of the write.
    func echo(_ line: String, to name: String) -> Int32 {
        let descriptor = open(control(name), O_WRONLY | O_TRUNC)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        let text = line + "\n"
        return write(descriptor, text, text.utf8.count) == text.utf8.count ? 0 : errno
    }

    /// Processes of the program for this mount point: all, or those of one part.
    func processes(_ part: String? = nil) -> [pid_t] {
        Self.allProcesses().filter { pid in
            let line = text("/proc/\(pid)/cmdline")
            return line.contains(mountpoint) && line.contains("\u{0}mount\u{0}")
                && part.map { line.contains("\u{0}--part\u{0}\($0)") } ?? true
        }
    }

    /// Foundation gives up a listing of /proc in which a process ends meanwhile.
    private static func allProcesses() -> [pid_t] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var found: [pid_t] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let pid = pid_t(name) { found.append(pid) }
        }
        return found
    }

    /// The process that answers the kernel.
    var server: pid_t? { processes("server").first }
    /// The process that starts another server when one dies.
    var supervisor: pid_t? { processes("supervisor").first }

    /// Kills the server and waits for another one that answers.
    func replaceServer(_ signal: Int32 = SIGKILL) throws {
        let old = try #require(server)
        kill(old, signal)
        #expect(eventually { (self.server ?? old) != old })
        #expect(text(control("status")).contains("was replaced"))
    }

    /// Leaves a dead mount behind.
    func killAll() {
        // The supervisor first, or it would start another server.
        for pid in [supervisor, server] + processes() { pid.map { _ = kill($0, SIGKILL) } }
    }

    /// When a file or directory was last changed; seconds since 1970, -1 when it is not there.
    func modified(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? status.st_mtim.tv_sec : -1
    }

    var isMounted: Bool {
        text("/proc/self/mounts").contains(" \(mountpoint) fuse.sync2nas ")
    }

    /// A video's bytes: not random, but different everywhere and for every seed.
    static func pattern(_ count: Int, seed: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761 &+ seed) >> 11) }
    }

    /// Waits until `condition` holds, which something that is under way brings about.
    func eventually(within seconds: Double = 10, _ condition: () -> Bool) -> Bool {
        let end = Date().addingTimeInterval(seconds)
        while Date() < end {
            if condition() { return true }
            Thread.sleep(forTimeInterval: 0.02)
        }
        return condition()
    }
}
