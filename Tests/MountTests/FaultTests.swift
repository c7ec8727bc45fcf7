import Foundation
import Glibc
import StandIns
import Synchronization
import Testing

/// Everything that can go wrong on the way, while eight readers compare every byte.
///
/// Short here; `Tests/faults` runs each scenario for minutes.
@Suite(.serialized) struct FaultTests {
    private static let fileCount = 6
    private static let fileSize = 6_000_000

    /// A mounted seedbox with files of random bytes.
    private struct Scene {
        let fixture: Fixture
        let detour: Detour?
        let files: [Exerciser.File]
        var exerciser: Exerciser { Exerciser(fixture.mountpoint, files) }
        let descriptors: Int
        let memory: Int

        func name(_ number: Int) -> String { "Quiet.Harbour.S01E0\(number + 1).1080p.mkv" }
    }

    private func scene(
        _ options: Seedbox.Options = .init(),
        throughDetour: Bool = false,
        count: Int = fileCount,
        size: Int = fileSize,
        settings: [String: String] = [:]
    ) throws -> Scene {
        let fixture = try Fixture(options)
        var files: [Exerciser.File] = []
        for number in 0..<count {
            let contents = try random(size + number)
            let name = "Quiet.Harbour.S01E\(String(format: "%02d", number + 1)).1080p.mkv"
            let path = fixture.seedbox.root + "/" + name
            try contents.write(to: URL(fileURLWithPath: path))
            try fixture.seedbox.touch(name, mtime: 1_600_000_000)
            let place =
                "Quiet Harbour/Season 01/Quiet Harbour - S01E"
                + "\(String(format: "%02d", number + 1)) [1080p].mkv"
            files.append(Exerciser.File(path: fixture.library + "/" + place, contents: contents))
        }
        let detour = throughDetour ? try Detour(to: fixture.seedbox.port) : nil
        if let detour { try fixture.know(detour.port) }
        var extra = ["SYNC2NAS_SFTP_READ_TIMEOUT": "3", "SYNC2NAS_SFTP_REPLY_TIMEOUT": "2"]
        extra.merge(settings) { $1 }
        let url = fixture.seedbox.url
        let port = detour?.port ?? fixture.seedbox.port
        let address = url.replacingOccurrences(
            of: ":\(fixture.seedbox.port)/",
            with: ":\(port)/"
        )
        var words = fixture.mountArguments
        words[1] = address
        let result = try fixture.run(words, extra: extra)
        try #require(result.code == 0, "\(result.errors)")
        return Scene(
            fixture: fixture,
            detour: detour,
            files: files,
            descriptors: fixture.descriptors,
            memory: fixture.memory("VmRSS")
        )
    }

    private func random(_ count: Int) throws -> Data {
        let handle = try #require(FileHandle(forReadingAtPath: "/dev/urandom"))
        return try #require(try handle.read(upToCount: count))
    }

    /// Nothing wrong, the mount answered all the time, and what was taken is given back.
    private func check(
        _ name: String,
        _ scene: Scene,
        _ tally: Exerciser.Tally,
        mayFail: Bool = false
    ) {
        print("fault: \(name): \(tally.line)")
        #expect(tally.wrong.isEmpty)
        #expect(tally.reads > 0)
        if !mayFail { #expect(tally.errors.isEmpty) }
        if Exerciser.isLongRun { #expect(tally.slowestLook < 2) }
        scene.detour?.set(.open)
        // Room for what a mount in use keeps: twelve sessions of three each where it began with
        // one, four more readers of the catalogue with two each, and a few files of the cache.
        let isBack = scene.fixture.eventually(within: 20) {
            scene.fixture.descriptors <= scene.descriptors + 33 + 8 + 8
        }
        #expect(isBack, "\(scene.fixture.openFiles.sorted()), \(scene.descriptors) before")
        // Maps and the pages that are used again; no more, however much was read.
        let growth = scene.fixture.memory("VmRSS") - scene.memory
        #expect(growth < 96 << 20, "\(growth >> 20) MiB more than at the start")
        // Still right, when all is well again.
        for file in scene.files {
            let isRight = scene.fixture.eventually(within: 40) {
                (try? Data(contentsOf: URL(fileURLWithPath: file.path))) == file.contents
            }
            #expect(isRight)
        }
        scene.detour?.stop()
    }

    // MARK: The seedbox

    @Test func nothingGoesWrongWithoutFaults() throws {
        let scene = try scene()
        check("none", scene, scene.exerciser.run())
    }

    @Test func theServerRestartsAgainAndAgain() throws {
        let scene = try scene()
        let tally = try scene.exerciser.run { _ in
            usleep(400_000)
            try scene.fixture.seedbox.restart()
        }
        check("sshd restarts", scene, tally, mayFail: true)
    }

    @Test func sessionsAreKilled() throws {
        var options = Seedbox.Options()
        options.usesInternalSFTP = false
        let scene = try scene(options)
        let tally = scene.exerciser.run { _ in
            usleep(150_000)
            scene.fixture.seedbox.killSessions()
        }
        check("sftp-server is killed", scene, tally, mayFail: true)
    }

    @Test func theServerFreezes() throws {
        let scene = try scene()
        let tally = scene.exerciser.run { round in
            usleep(300_000)
            scene.fixture.seedbox.pause()
            // Longer than the limit for a reply in every other round.
            usleep(round % 2 == 0 ? 600_000 : 2_600_000)
            scene.fixture.seedbox.resume()
        }
        check("sshd freezes", scene, tally, mayFail: true)
    }

    @Test func theWayIsCut() throws {
        let scene = try scene(throughDetour: true)
        let tally = scene.exerciser.run { _ in
            usleep(400_000)
            scene.detour?.set(.silent)
            usleep(2_500_000)
            scene.detour?.set(.open)
        }
        check("half-open connections", scene, tally, mayFail: true)
    }

    @Test func connectionsBreakAtRandom() throws {
        let scene = try scene(throughDetour: true)
        scene.detour?.set(.breaking(probability: 0.01))
        let tally = scene.exerciser.run()
        check("1 % resets", scene, tally, mayFail: true)
    }

    @Test func theWayIsSlow() throws {
        let scene = try scene(throughDetour: true)
        scene.detour?.set(.slow(bytesPerSecond: 65_536))
        // A read of a MiB takes longer than a reader waits; its bytes are there for the next. How
        // many of the random ones are small enough is chance.
        let tally = scene.exerciser.run(readers: 2, seconds: 25, reads: 5) { _ in usleep(50_000) }
        check("64 KiB/s", scene, tally, mayFail: true)
        #expect(tally.reads >= 5)
    }

    @Test func aStingyServerIsEnough() throws {
        var options = Seedbox.Options()
        options.configuration = ["MaxSessions 1", "MaxStartups 2"]
        let scene = try scene(options)
        check("MaxSessions 1, MaxStartups 2", scene, scene.exerciser.run())
    }

    @Test func keysAreExchangedUnderLoad() throws {
        var options = Seedbox.Options()
        options.configuration = ["RekeyLimit 16M"]
        let scene = try scene(options, settings: ["SYNC2NAS_CACHE_MAX_SIZE": "12M"])
        check("rekey every 16 MB", scene, scene.exerciser.run())
    }

    @Test func remoteFilesChangeUnderReaders() throws {
        let scene = try scene(settings: ["SYNC2NAS_CACHE_MAX_SIZE": "12M"])
        let box = scene.fixture.seedbox
        // The others are compared; this one is replaced, cut, made unreadable and removed.
        let victim = box.root + "/" + scene.name(0)
        let readers = Exerciser(scene.fixture.mountpoint, Array(scene.files.dropFirst()))
        let whole = scene.files[0].contents
        let tally = try readers.run { round in
            switch round % 4 {
            case 0: try random(whole.count).write(to: URL(fileURLWithPath: victim))
            case 1: truncate(victim, 1000)
            case 2: chmod(victim, 0)
            default: unlink(victim)
            }
            let bytes = try? Data(contentsOf: URL(fileURLWithPath: scene.files[0].path))
            // Old bytes or an error, never a mixture: unless cached whole, it cannot be read.
            #expect(bytes == nil || bytes == whole)
            usleep(50_000)
        }
        try whole.write(to: URL(fileURLWithPath: victim))
        chmod(victim, 0o644)
        try box.touch(scene.name(0), mtime: 1_600_000_000)
        check("a remote file changes", scene, tally)
    }

    // MARK: The process

    @Test func theServerProcessIsKilledAgainAndAgain() throws {
        let scene = try scene()
        var kills = 0
        let tally = scene.exerciser.run { round in
            // The faults are at random moments; some servers live long enough to log in and read.
            usleep(useconds_t.random(in: 20_000...(round % 4 == 0 ? 1_600_000 : 400_000)))
            guard let server = scene.fixture.server else { return }
            kills += kill(server, SIGKILL) == 0 ? 1 : 0
            let fixture = scene.fixture
            _ = fixture.eventually { fixture.server.map { $0 != server } ?? false }
        }
        print("fault: killed \(kills) times")
        check("kill -9 of the server", scene, tally)
        #expect(kills > 2)
    }

    @Test func theClockJumps() throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let clock = URL(fileURLWithPath: directory + "/clock")
        try Data(count: 8).write(to: clock)
        let scene = try scene(settings: [
            "LD_PRELOAD": Fixture.product("libFalseClock.so"), "FALSE_CLOCK": clock.path,
            "SYNC2NAS_CACHE_MAX_SIZE": "12M",
        ])
        let hand = try FileHandle(forWritingTo: clock)
        // The furthest first, so that what is checked below does not hang on how many there are.
        let years = [40, -40, 20, -20, 1, 0].map { Int64($0) * 365 * 86_400 }
        let tally = scene.exerciser.run { round in
            try? hand.seek(toOffset: 0)
            withUnsafeBytes(of: years[round % years.count] + 7) { hand.write(Data($0)) }
            // Only lets some reads come between two jumps.
            usleep(150_000)
        }
        check("clock jumps", scene, tally)
        // It was really so; and what was read last is never older than what was read before it.
        let later = Date().timeIntervalSince1970 + 39 * 365 * 86_400
        #expect(
            scene.fixture.eventually {
                let times = scene.fixture.lastReads
                return !times.isEmpty && times.allSatisfy { TimeInterval($0) > later }
            }
        )
    }

    // MARK: The cache

    private static let block = 65_536

    @Test func evictionRacesWithReaders() throws {
        let scene = try scene(settings: ["SYNC2NAS_CACHE_MAX_SIZE": "10M"])
        let tally = scene.exerciser.run()
        check("eviction", scene, tally)
        // The disk counts its own table of a file's fragments with the file, a block of 4 KiB each,
        // which is known only after the write: never more than one of our blocks.
        #expect(scene.fixture.cacheBytes <= (10 << 20) + Self.block)
    }

    @Test func theCacheIsDamagedUnderReaders() throws {
        let scene = try scene(settings: ["SYNC2NAS_MOUNT_PASSTHROUGH": "no"])
        var generator = SeededRandom(seed: Exerciser.seed)
        let blocks = scene.fixture.cache + "/blocks"
        let tally = scene.exerciser.run { _ in
            usleep(20_000)
            let names = (try? FileManager.default.contentsOfDirectory(atPath: blocks)) ?? []
            guard !names.isEmpty else { return }
            let path = blocks + "/" + names[Int(generator.next() % UInt64(names.count))]
            flipBit(of: path, &generator)
        }
        check("flipped bits in data and maps", scene, tally)
        let words = scene.fixture.stateOptions + ["--mount", scene.fixture.mountpoint]
        let checked = try scene.fixture.run(["check-cache", "--mount", words.last ?? ""])
        #expect(checked.code == 0)
        print("fault: check-cache says: \(checked.output)", terminator: "")
    }

    private func flipBit(of path: String, _ generator: inout SeededRandom) {
        let descriptor = open(path, O_RDWR)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var status = stat()
        fstat(descriptor, &status)
        guard status.st_size > 0 else { return }
        let offset = off_t(generator.next() % UInt64(status.st_size))
        var byte: UInt8 = 0
        guard pread(descriptor, &byte, 1, offset) == 1 else { return }
        byte ^= 1 << UInt8(generator.next() % 8)
        pwrite(descriptor, &byte, 1, offset)
    }

    @Test func theCacheVanishesUnderReaders() throws {
        let scene = try scene()
        let blocks = scene.fixture.cache + "/blocks"
        let tally = scene.exerciser.run { _ in
            usleep(300_000)
            for name in (try? FileManager.default.contentsOfDirectory(atPath: blocks)) ?? [] {
                unlink(blocks + "/" + name)
            }
        }
        check("cache files vanish", scene, tally)
    }

    @Test(.enabled(if: geteuid() == 0, "mounting a small disk needs root"))
    func theCacheDiskIsFullAndReadOnly() throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let size = "size=14m"
        try #require(Glibc.mount("none", directory, "tmpfs", 0, size) == 0)
        defer { umount2(directory, Int32(MNT_DETACH)) }
        let scene = try scene(settings: [
            "SYNC2NAS_CACHE_DIRECTORY": directory + "/cache", "SYNC2NAS_CACHE_MIN_FREE": "0",
            "SYNC2NAS_CACHE_MAX_SIZE": "1G",
        ])
        let filler = directory + "/filler"
        let tally = scene.exerciser.run { round in
            usleep(250_000)
            if round % 2 == 0 {
                try? Data(count: 13 << 20).write(to: URL(fileURLWithPath: filler))
            } else {
                unlink(filler)
            }
            let isReadOnly = round % 4 == 2
            let flags = UInt(MS_REMOUNT) | (isReadOnly ? UInt(MS_RDONLY) : 0)
            Glibc.mount("none", directory, "tmpfs", flags, size)
        }
        Glibc.mount("none", directory, "tmpfs", UInt(MS_REMOUNT), size)
        unlink(filler)
        check("cache disk full and read-only", scene, tally)
        _ = try scene.fixture.unmount()
    }

    /// The disk of the cache is a file; a copy of that file at some moment is what a power cut then
    /// would have left, with the pages that nobody had synchronised missing.
    @Test(.enabled(if: LoopDisk.isPossible, "loop devices need root and a kernel that has them"))
    func powerCutsNeverGiveWrongBytes() throws {
        let disk = try LoopDisk(mebibytes: 192)
        defer { disk.remove() }
        let scene = try scene(settings: [
            "SYNC2NAS_CACHE_DIRECTORY": disk.mountpoint + "/cache",
            "SYNC2NAS_CACHE_MIN_FREE": "0",
        ])
        var copies: [String] = []
        let tally = try scene.exerciser.run { round in
            usleep(useconds_t.random(in: 50_000...600_000))
            guard round < 8 else { return }
            copies.append(try disk.copy())
        }
        check("power cuts while it runs", scene, tally)
        #expect(try scene.fixture.unmount().code == 0)
        var found = 0
        for copy in copies {
            let after = try disk.attached(copy)
            defer { after.detach() }
            var words = scene.fixture.mountArguments
            words[words.count - 1] = after.mountpoint + "/cache"
            try #require(try scene.fixture.run(words).code == 0)
            for file in scene.files {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: file.path))
                #expect(bytes == file.contents)
            }
            found += scene.fixture.hits
            #expect(try scene.fixture.unmount().code == 0)
        }
        print("fault: \(copies.count) power cuts: \(found) blocks had survived, none was wrong")
        #expect(found > 0)
    }

    // MARK: Numbers

    @Test func tenThousandOpensAtOnce() throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let scene = try scene()
        let count = min(10_000, Int(limit.rlim_cur) - 500)
        var open: [Int32] = []
        for number in 0..<count {
            let file = scene.files[number % scene.files.count]
            let descriptor = Glibc.open(file.path, O_RDONLY)
            if descriptor >= 0 { open.append(descriptor) }
        }
        #expect(open.count == count)
        let tally = scene.exerciser.run()
        for descriptor in open { close(descriptor) }
        check("\(count) opens at once", scene, tally)
    }

    @Test func aThousandFilesAreReadAtOnceInLittleMemory() throws {
        let scene = try scene(count: 1, size: 200_000)
        let box = scene.fixture.seedbox
        var contents: [Data] = []
        for number in 0..<1000 {
            let bytes = try random(150_000)
            let name = "Wide.Sea.S\(number / 100 + 1)E\(number % 100 + 1).mkv"
            try bytes.write(to: URL(fileURLWithPath: box.root + "/" + name))
            contents.append(bytes)
        }
        #expect(try scene.fixture.run(["scan", "--mount", scene.fixture.mountpoint]).code == 0)
        let names = scene.fixture.files(below: scene.fixture.library + "/Wide Sea")
        #expect(names.count == 1000)
        let wanted = Set(contents)
        let found = Found()
        let group = DispatchGroup()
        for name in names {
            group.enter()
            let path = scene.fixture.library + "/Wide Sea/" + name
            let thread = Thread {
                if let bytes = try? Data(contentsOf: URL(fileURLWithPath: path)) {
                    found.insert(bytes)
                }
                group.leave()
            }
            thread.stackSize = 256 << 10
            thread.start()
        }
        #expect(group.wait(timeout: .now() + 120) == .success)
        #expect(found.all == wanted)
        let peak = scene.fixture.memory("VmHWM")
        print("fault: 1,000 files at once: peak \(peak >> 20) MiB")
        #expect(peak < 256 << 20)
    }
}

private final class Found: Sendable {
    private let bytes = Mutex<Set<Data>>([])

    var all: Set<Data> { bytes.withLock { $0 } }
    func insert(_ new: Data) { bytes.withLock { _ = $0.insert(new) } }
}
