import Foundation
import Glibc
import StandIns
import Testing

/// The mount outlives the process that serves it, and the kernel reads complete files itself.
@Suite(.serialized) struct SurvivalTests {
    private func status(_ fixture: Fixture) throws -> [String: Any] {
        let text = fixture.text(fixture.control("status.json"))
        return try #require(
            try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        )
    }

    private func hits(_ fixture: Fixture) throws -> Int {
        let cache = try #require(try status(fixture)["cache"] as? [String: Any])
        return try #require(cache["hits"] as? Int)
    }

    private func isPassedThrough(_ fixture: Fixture) throws -> Bool {
        let mount = try #require(try status(fixture)["mount"] as? [String: Any])
        return mount["passthrough"] as? String == "on"
    }

    /// A handle that was open when the server died goes on reading, and so does everything else.
    @Test func aKilledServerIsReplaced() throws {
        let bytes = Fixture.pattern(9_000_000, seed: 20)
        let fixture = try Fixture.withEpisode(bytes)
        let path = fixture.library + "/" + Fixture.episode
        let descriptor = open(path, O_RDONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 100_000)
        for round in 1...3 {
            try fixture.replaceServer()
            let offset = round * 2_000_000
            #expect(pread(descriptor, &buffer, 100_000, off_t(offset)) == 100_000)
            #expect(buffer.elementsEqual(bytes[offset..<offset + 100_000]))
        }
        #expect(fixture.files(below: fixture.library) == [Fixture.episode])
        #expect(try fixture.bytes(path) == bytes)
        #expect(fixture.echo("Dark", to: "add-show") == 0)
        #expect(try fixture.unmount().code == 0)
        #expect(!fixture.isMounted && fixture.processes().isEmpty)
    }

    /// A read that waited when the server died is answered by its successor.
    @Test func aReadInFlightCompletes() throws {
        let bytes = Fixture.pattern(3_000_000, seed: 21)
        let fixture = try Fixture.withEpisode(bytes)
        fixture.seedbox.pause()
        let copy = fixture.directory + "/copy"
        let path = fixture.library + "/" + Fixture.episode
        let reader = try ChildProcess("cat", [path], output: copy)
        #expect(
            fixture.eventually {
                fixture.text("/proc/\(reader.pid)/wchan").contains("fuse")
                    || fixture.text("/proc/\(reader.pid)/wchan").contains("request_wait")
            }
        )
        let old = try #require(fixture.server)
        kill(old, SIGKILL)
        #expect(fixture.eventually { (fixture.server ?? old) != old })
        fixture.seedbox.resume()
        let code = reader.wait()
        // Before Linux 6.9 the read fails, and nobody waits for ever.
        let resends = try isPassedThrough(fixture)
        #expect(resends ? code == 0 : true)
        if code == 0 { #expect(try fixture.bytes(copy) == bytes) }
    }

    /// Programs that open file after file notice nothing of a server that dies, and what they
    /// closed then is let go of.
    @Test func opensAndClosesOutliveTheServer() throws {
        let fixture = try Fixture.withEpisode(Fixture.pattern(200_000, seed: 25))
        let path = fixture.library + "/" + Fixture.episode
        _ = try fixture.bytes(path)
        guard try isPassedThrough(fixture) else { return }
        let flag = fixture.directory + "/go-on"
        #expect(FileManager.default.createFile(atPath: flag, contents: nil))
        let opens = #"while test -e "$2"; do : < "$1" || exit 1; done"#
        let programs = try (0..<2).map { number in
            try ChildProcess(
                "sh",
                ["-c", opens, "sh", path, flag],
                output: fixture.directory + "/opens\(number)"
            )
        }
        for _ in 1...5 { try fixture.replaceServer() }
        try FileManager.default.removeItem(atPath: flag)
        for program in programs { #expect(program.wait() == 0) }
        #expect(
            fixture.eventually {
                fixture.text(fixture.control("status")).contains("Mount      0 files")
            }
        )
    }

    private func descriptors(_ process: pid_t) throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd").count
    }

    /// The process that starts servers keeps nothing of those that died.
    @Test func theSupervisorKeepsNothingOfTheDead() throws {
        let fixture = try Fixture.withEpisode(Fixture.pattern(100_000, seed: 27))
        let supervisor = try #require(fixture.supervisor)
        try fixture.replaceServer()
        let before = try descriptors(supervisor)
        for _ in 1...4 { try fixture.replaceServer() }
        #expect(try descriptors(supervisor) == before)
    }

    /// A thread of the server waits for an answer that only the server could give, and cannot be
    /// killed: as one that tells the kernel of a change, behind a lookup.
    @Test func aServerThatWaitsForItselfIsReplaced() throws {
        let bytes = Fixture.pattern(3_000_000, seed: 28)
        let fixture = try Fixture()
        try fixture.seedbox.write("Quiet.Harbour.S01E01.1080p.WEB-CREW.mkv", bytes)
        let path = fixture.library + "/" + Fixture.episode
        let signal = fixture.directory + "/read-now"
        let mounted = try fixture.mount(extra: [
            "LD_PRELOAD": Fixture.product("libOwnReader.so"), "OWN_READER_FILE": path,
            "OWN_READER_SIGNAL": signal,
        ])
        try #require(mounted.code == 0, "\(mounted.errors)")
        let server = try #require(fixture.server)
        fixture.seedbox.pause()
        #expect(FileManager.default.createFile(atPath: signal, contents: nil))
        #expect(
            fixture.eventually {
                let tasks = "/proc/\(server)/task"
                let threads = try? FileManager.default.contentsOfDirectory(atPath: tasks)
                return threads?.contains {
                    fixture.text("\(tasks)/\($0)/wchan").contains("request_wait")
                } ?? false
            }
        )
        kill(server, SIGKILL)
        #expect(fixture.eventually { fixture.server.map { $0 != server } ?? false })
        #expect(fixture.files(below: fixture.library) == [Fixture.episode])
        fixture.seedbox.resume()
        #expect(try fixture.bytes(path) == bytes)
        #expect(fixture.text(fixture.data + "/sync2nas.log").contains("waited for itself"))
    }

    /// Servers that are killed while they begin, more often in a row than a crash loop may take.
    @Test func serversKilledWhileTheyBeginAreReplaced() throws {
        let bytes = Fixture.pattern(100_000, seed: 26)
        let fixture = try Fixture.withEpisode(bytes)
        for _ in 1...8 {
            let server = try #require(fixture.server)
            kill(server, SIGKILL)
            #expect(fixture.eventually { fixture.server.map { $0 != server } ?? false })
        }
        #expect(try fixture.bytes(fixture.library + "/" + Fixture.episode) == bytes)
    }

    /// A server that crashes again and again is given up, and says so, instead of making readers
    /// wait for ever.
    @Test func aCrashLoopEnds() throws {
        let fixture = try Fixture.withEpisode(Fixture.pattern(100_000, seed: 22))
        while let server = fixture.server {
            kill(server, SIGABRT)
            #expect(
                fixture.eventually { fixture.server != server || fixture.supervisor == nil }
            )
            _ = fixture.eventually { fixture.server != nil || fixture.supervisor == nil }
        }
        #expect(fixture.processes().isEmpty)
        #expect(fixture.text(fixture.data + "/sync2nas.log").contains("giving the mount up"))
        #expect(open(fixture.library, O_RDONLY) == -1)
        // The next mount cleans up.
        #expect(try fixture.mount().code == 0)
        #expect(fixture.files(below: fixture.library) == [Fixture.episode])
    }

    /// The kernel reads a complete file without asking the server, before and after the server
    /// died, and the bytes are the same.
    @Test func aCompleteFileIsReadByTheKernel() throws {
        let bytes = Fixture.pattern(3_000_000, seed: 23)
        let fixture = try Fixture.withEpisode(bytes)
        let path = fixture.library + "/" + Fixture.episode
        guard try isPassedThrough(fixture) else {
            let mount = try #require(try status(fixture)["mount"] as? [String: Any])
            let words = try #require(mount["passthrough"] as? String)
            #expect(words.hasPrefix("off: ") && words.count > 10)
            return
        }
        #expect(try fixture.bytes(path) == bytes)
        // Complete in the map, and so on the disk.
        var before = -1
        #expect(
            fixture.eventually {
                guard let first = try? hits(fixture) else { return false }
                _ = try? fixture.bytes(path)
                before = (try? hits(fixture)) ?? -2
                return first == before
            }
        )
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        let mapped = try #require(mmap(nil, bytes.count, PROT_READ, MAP_SHARED, descriptor, 0))
        #expect(memcmp(mapped, bytes, bytes.count) == 0)
        munmap(mapped, bytes.count)
        #expect(try hits(fixture) == before)
        try fixture.replaceServer()
        var buffer = [UInt8](repeating: 0, count: 100_000)
        #expect(pread(descriptor, &buffer, 100_000, 1_000_000) == 100_000)
        #expect(buffer.elementsEqual(bytes[1_000_000..<1_100_000]))
        #expect(try fixture.bytes(path) == bytes)
    }

    /// The kernel knows a local file for a moment longer than somebody has it open; neither that
    /// moment nor a server that dies in it keeps the disk full.
    @Test(.enabled(if: geteuid() == 0, "mounting a small disk needs root"))
    func aLocalFileThatNobodyReadsLeavesTheDisk() throws {
        let fixture = try Fixture()
        try fixture.seedbox.write(
            "Quiet.Harbour.S01E01.1080p.WEB-CREW.mkv",
            Fixture.pattern(3_000_000, seed: 29)
        )
        mkdir(fixture.cache, 0o755)
        try #require(Glibc.mount("none", fixture.cache, "tmpfs", 0, "size=64m") == 0)
        defer { umount2(fixture.cache, Int32(MNT_DETACH)) }
        try #require(try fixture.mount().code == 0)
        defer { _ = try? fixture.unmount() }
        guard try isPassedThrough(fixture) else { return }
        let path = fixture.library + "/" + Fixture.episode
        _ = try fixture.bytes(path)
        // All of it is on the disk then.
        try #require(try fixture.unmount().code == 0)
        try #require(try fixture.mount().code == 0)
        _ = try fixture.bytes(path)
        try fixture.replaceServer()
        _ = try fixture.bytes(path)
        #expect(try hits(fixture) == 0)

        for name in try FileManager.default.contentsOfDirectory(atPath: fixture.cache + "/blocks") {
            unlink(fixture.cache + "/blocks/" + name)
        }
        #expect(
            fixture.eventually(within: 60) {
                var space = statvfs()
                guard statvfs(fixture.cache, &space) == 0 else { return false }
                return (space.f_blocks - space.f_bfree) * space.f_frsize < 2_000_000
            }
        )
    }

    /// Passthrough can be switched off, and the bytes are the same.
    @Test func passthroughCanBeSwitchedOff() throws {
        let bytes = Fixture.pattern(1_000_000, seed: 24)
        let fixture = try Fixture()
        try fixture.seedbox.write("Quiet.Harbour.S01E01.1080p.WEB-CREW.mkv", bytes)
        try #require(try fixture.mount(extra: ["SYNC2NAS_MOUNT_PASSTHROUGH": "no"]).code == 0)
        #expect(!(try isPassedThrough(fixture)))
        let path = fixture.library + "/" + Fixture.episode
        #expect(try fixture.bytes(path) == bytes)
        // Once they are stored, and the kernel has forgotten them, they come from the cache.
        #expect(
            fixture.eventually(within: 20) {
                let descriptor = open(path, O_RDONLY)
                posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED)
                close(descriptor)
                guard (try? fixture.bytes(path)) == bytes else { return false }
                return ((try? hits(fixture)) ?? 0) > 0
            }
        )
    }
}
