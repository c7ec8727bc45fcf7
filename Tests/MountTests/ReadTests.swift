import Foundation
import Glibc
import StandIns
import Testing

/// Bytes, sizes and times on a real mount of a real sshd.
@Suite(.serialized) struct ReadTests {
    /// Whatever is read, in whatever way, is byte for byte what lies on the seedbox.
    @Test func everyWayOfReadingGivesTheSameBytes() throws {
        let bytes = Fixture.pattern(5_000_003, seed: 1)
        let fixture = try Fixture.withEpisode(bytes)
        let path = fixture.library + "/" + Fixture.episode
        let descriptor = open(path, O_RDONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        // From the end, before anything else was read.
        var buffer = [UInt8](repeating: 0, count: 70_000)
        #expect(pread(descriptor, &buffer, 70_000, off_t(bytes.count - 70_000)) == 70_000)
        #expect(buffer == Array(bytes.suffix(70_000)))
        // At random offsets, of random lengths.
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let offset = Int.random(in: 0..<bytes.count, using: &random)
            let length = Int.random(in: 1...70_000, using: &random)
            let count = pread(descriptor, &buffer, length, off_t(offset))
            let end = min(offset + length, bytes.count)
            #expect(count == end - offset)
            #expect(buffer[..<count].elementsEqual(bytes[offset..<end]), "at \(offset)")
        }
        // Behind the end there is nothing.
        #expect(pread(descriptor, &buffer, 10, off_t(bytes.count)) == 0)
        // Mapped.
        let map = try #require(mmap(nil, bytes.count, PROT_READ, MAP_SHARED, descriptor, 0))
        try #require(map != MAP_FAILED)
        #expect(memcmp(map, bytes, bytes.count) == 0)
        munmap(map, bytes.count)
        // In one go.
        #expect(try fixture.bytes(path) == bytes)
    }

    /// Readers of one file at once get the right bytes, each.
    @Test func eightReadersAtOnceGetTheRightBytes() async throws {
        let bytes = Fixture.pattern(4_000_000, seed: 2)
        let fixture = try Fixture.withEpisode(bytes)
        let path = fixture.library + "/" + Fixture.episode
        await withTaskGroup(of: Bool.self) { group in
            for reader in 0..<8 {
                group.addTask {
                    await Self.onThread {
                        let descriptor = open(path, O_RDONLY)
                        defer { close(descriptor) }
                        var buffer = [UInt8](repeating: 0, count: 100_000)
                        for step in 0..<40 {
                            let offset = (step * 7 + reader * 5) % 40 * 100_000
                            guard pread(descriptor, &buffer, 100_000, off_t(offset)) == 100_000,
                                buffer.elementsEqual(bytes[offset..<(offset + 100_000)])
                            else { return false }
                        }
                        return true
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }

    /// Blocking calls must not take the threads of Swift's own pool.
    private static func onThread(_ body: @Sendable @escaping () -> Bool) async -> Bool {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: body()) }
        }
    }

    /// The tools that people use on files work on the mount.
    @Test(arguments: [
        "cp \"$1\" \"$2/copy\" && cmp \"$2/copy\" \"$3\"",
        "rsync -a \"$1\" \"$2/copy\" && cmp \"$2/copy\" \"$3\" && test \"$(stat -c %Y \"$2/copy\")\" = \"$(stat -c %Y \"$3\")\"",
        "test \"$(sha256sum < \"$1\")\" = \"$(sha256sum < \"$3\")\"",
        "test \"$(grep -c harbour \"$1\")\" = \"$(grep -c harbour \"$3\")\"",
        "test \"$(dd if=\"$1\" bs=1000 skip=99 count=7 status=none | cksum)\" = \"$(dd if=\"$3\" bs=1000 skip=99 count=7 status=none | cksum)\"",
        "test \"$(tail -c 1234 \"$1\" | cksum)\" = \"$(tail -c 1234 \"$3\" | cksum)\"",
    ])
    func toolsWork(_ command: String) throws {
        let fixture = try Fixture.withEpisode(
            Fixture.pattern(1_500_000, seed: 3) + Array("\nharbour\nthe harbour\n".utf8)
        )
        let source = fixture.seedbox.root + "/Quiet.Harbour.S01E01.1080p.WEB-CREW.mkv"
        let result = try fixture.run(
            [
                "-c", command, "sh", fixture.library + "/" + Fixture.episode, fixture.directory,
                source,
            ],
            program: "/bin/sh"
        )
        #expect(result.code == 0, "\(result.errors)")
    }

    /// A video plays through the mount.
    @Test func aVideoIsProbedAndPlayed() throws {
        let fixture = try Fixture()
        let video = fixture.seedbox.root + "/Quiet.Harbour.S01E01.mkv"
        let made = try fixture.run(
            [
                "-nostdin", "-v", "error", "-f", "lavfi", "-i",
                "testsrc2=size=320x180:rate=24:duration=2",
                "-f", "lavfi", "-i", "sine=duration=2", "-c:v", "libx264", "-c:a", "aac", video,
            ],
            program: "/usr/bin/ffmpeg"
        )
        try #require(made.code == 0, "\(made.errors)")
        try #require(try fixture.mount().code == 0)
        let path = fixture.library + "/Quiet Harbour/Season 01/Quiet Harbour - S01E01.mkv"
        let probe = try fixture.run(
            ["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path],
            program: "/usr/bin/ffprobe"
        )
        #expect(probe.output.hasPrefix("2."))
        let play = try fixture.run(
            ["-nodisp", "-autoexit", "-loglevel", "error", path],
            extra: ["SDL_VIDEODRIVER": "dummy", "SDL_AUDIODRIVER": "dummy"],
            program: "/usr/bin/ffplay"
        )
        #expect(play.code == 0, "\(play.errors)")
    }

    /// Opening a file of 10 GB and reading its end moves about what was read, not the file.
    @Test func theEndOfABigFileMovesOnlyItself() throws {
        let fixture = try Fixture()
        try fixture.seedbox.writeSparse("Quiet.Harbour.S01E01.mkv", size: 10 << 30)
        try #require(try fixture.mount().code == 0)
        let before = try received(fixture)
        let path = fixture.library + "/Quiet Harbour/Season 01/Quiet Harbour - S01E01.mkv"
        let result = try fixture.run(["-c", "65536", path], program: "/usr/bin/tail")
        #expect(result.output.utf8.count == 65536)
        #expect(try received(fixture) - before < 100_000)
    }

    /// A file that is played comes to its end by itself, and the head of the next episode after it.
    @Test func whatIsPlayedIsFinishedAndTheNextBegun() throws {
        let size = 40_000_000
        let fixture = try Fixture()
        for number in 1...2 {
            try fixture.seedbox.writeSparse("Quiet.Harbour.S01E0\(number).mkv", size: Int64(size))
        }
        try #require(try fixture.mount().code == 0)
        let path = fixture.library + "/Quiet Harbour/Season 01/Quiet Harbour - S01E01.mkv"
        let descriptor = open(path, O_RDONLY)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 1, count: 1 << 20)
        var done = 0
        while done < 37_000_000 {
            let count = read(descriptor, &buffer, buffer.count)
            try #require(count > 0)
            done += count
        }
        // Five MiB are what a player reads before the first picture.
        #expect(fixture.eventually { cached(fixture) >= size + (5 << 20) })
        fixture.seedbox.stopServer()
        #expect(try fixture.bytes(path).count == size)
        let head = try fixture.run(
            ["-c", "3000000", path.replacingOccurrences(of: "E01", with: "E02")],
            program: "/usr/bin/head"
        )
        #expect(head.code == 0)
    }

    private func cached(_ fixture: Fixture) -> Int {
        let text = fixture.text(fixture.control("status.json"))
        let status = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return (status?["cache"] as? [String: Any])?["bytes"] as? Int ?? -1
    }

    @Test func aPlayedFileIsNotFinishedWhenThatIsSwitchedOff() throws {
        let fixture = try Fixture()
        try fixture.seedbox.writeSparse("Quiet.Harbour.S01E01.mkv", size: 80_000_000)
        let extra = ["SYNC2NAS_CACHE_FINISH_PLAYED": "no"]
        try #require(try fixture.mount([], extra: extra).code == 0)
        let path = fixture.library + "/Quiet Harbour/Season 01/Quiet Harbour - S01E01.mkv"
        let head = try fixture.run(["-c", "36000000", path], program: "/usr/bin/head")
        #expect(head.code == 0)
        #expect(try received(fixture) < 75_000_000)
    }

    /// A file that fio wrote with checksums in it passes fio's check on the mount.
    @Test func fioVerifiesTheMount() throws {
        let fixture = try Fixture()
        let place = fixture.seedbox.root + "/Quiet.Harbour.S01E01.mkv"
        let common = [
            "--name=v", "--verify_state_save=0", "--bs=16k", "--size=24m", "--verify=crc32c",
        ]
        let written = try fixture.run(
            common + ["--rw=write", "--do_verify=0", "--filename=\(place)"],
            program: "/usr/bin/fio"
        )
        try #require(written.code == 0, "\(written.errors)")
        try #require(try fixture.mount().code == 0)
        let path = fixture.library + "/Quiet Harbour/Season 01/Quiet Harbour - S01E01.mkv"
        let read = ["--readonly", "--numjobs=4", "--filename=\(path)"]
        for order in ["read", "randread"] {
            let words = common + read + ["--rw=\(order)"]
            let verified = try fixture.run(words, program: "/usr/bin/fio")
            #expect(verified.code == 0, "\(verified.errors)")
        }
    }

    @Test func transfersShowWhatComes() throws {
        let fixture = try Fixture()
        try fixture.seedbox.writeSparse("Quiet.Harbour.S01E01.mkv", size: 8_000_000)
        let limit = ["SYNC2NAS_SFTP_RATE_LIMIT": "2M"]
        try #require(try fixture.mount([], extra: limit).code == 0)
        let path = fixture.library + "/Quiet Harbour/Season 01/Quiet Harbour - S01E01.mkv"
        #expect(fixture.text(fixture.control("transfers")) == "nothing comes from the seedbox\n")
        let reader = Thread { _ = FileManager.default.contents(atPath: path) }
        reader.start()
        #expect(
            fixture.eventually {
                fixture.text(fixture.control("transfers")).contains("Quiet.Harbour.S01E01.mkv")
            }
        )
        let shown = try fixture.run(["transfers", "--json", "--mount", fixture.mountpoint])
        #expect(shown.output.contains("\"bytesPerSecond\""))
        // As a person sees it: four seconds of 2 MiB each.
        #expect(fixture.eventually(within: 30) { reader.isFinished })
    }

    @Test func checkCacheFindsWhatWasDamaged() throws {
        let fixture = try Fixture.withEpisode(Fixture.pattern(3_000_000, seed: 4))
        let path = fixture.library + "/" + Fixture.episode
        let bytes = try fixture.bytes(path)
        // What was read is on its way to the disk.
        #expect(
            fixture.eventually {
                let mounted = try? fixture.run(["check-cache", "--mount", fixture.mountpoint])
                return mounted?.output.hasPrefix("all 46 blocks") ?? false
            }
        )
        try #require(try fixture.unmount().code == 0)
        let blocks = fixture.cache + "/blocks"
        let names = try FileManager.default.contentsOfDirectory(atPath: blocks)
        let data = blocks + "/" + (try #require(names.first { $0.hasSuffix(".data") }))
        let file = try #require(FileHandle(forUpdatingAtPath: data))
        try file.seek(toOffset: 70_000)
        try file.write(contentsOf: Data([1, 2, 3]))
        try file.close()
        let found = try fixture.run(["check-cache"] + fixture.stateOptions)
        #expect(found.code == 0 && found.output.hasPrefix("1 of 46 blocks of 1 files"))
        // The seedbox is not asked, so it need not be known.
        let again = try fixture.run(["check-cache", "--cache-dir", fixture.cache])
        #expect(again.output.hasPrefix("all 45 blocks"))
        try #require(try fixture.mount().code == 0)
        #expect(try fixture.bytes(path) == bytes)
    }

    private func received(_ fixture: Fixture) throws -> Int {
        let json = try fixture.bytes(fixture.control("status.json"))
        let status = try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any]
        return (status?["remote"] as? [String: Any])?["bytesReceived"] as? Int ?? -1
    }

    /// Sizes, times and inode numbers are the same after a remount, and caching changes none.
    @Test func metadataIsStable() throws {
        let fixture = try Fixture.withEpisode(Fixture.pattern(300_000, seed: 4))
        func all() -> [String] {
            (["", "Quiet Harbour", "Quiet Harbour/Season 01", Fixture.episode]).map { name in
                var status = stat()
                guard stat(fixture.library + "/" + name, &status) == 0 else { return "missing" }
                return
                    "\(status.st_ino) \(status.st_size) \(status.st_mtim.tv_sec) \(status.st_ctim.tv_sec)"
            }
        }
        let before = all()
        #expect(before.last?.hasSuffix("300000 1600000000 1600000000") ?? false)
        _ = try fixture.bytes(fixture.library + "/" + Fixture.episode)
        #expect(all() == before)
        #expect(try fixture.unmount().code == 0)
        try #require(try fixture.mount().code == 0)
        #expect(all() == before)
    }

    /// What was read is served with the seedbox gone, after a remount as well; what was not fails
    /// in bounded time, and the mount answers all the while.
    @Test func whatWasReadIsThereWithoutTheSeedbox() throws {
        let bytes = Fixture.pattern(2_000_000, seed: 5)
        let fixture = try Fixture()
        try fixture.seedbox.write("Quiet.Harbour.S01E01.1080p.WEB-CREW.mkv", bytes)
        try fixture.seedbox.write("Quiet.Harbour.S01E02.1080p.WEB-CREW.mkv", bytes)
        try #require(try fixture.mount().code == 0)
        #expect(try fixture.bytes(fixture.library + "/" + Fixture.episode) == bytes)
        #expect(try fixture.unmount().code == 0)
        fixture.seedbox.stopServer()
        let limit = ["SYNC2NAS_SFTP_READ_TIMEOUT": "2"]
        try #require(try fixture.mount(extra: limit).code == 0)
        #expect(try fixture.bytes(fixture.library + "/" + Fixture.episode) == bytes)
        let other = fixture.library + "/Quiet Harbour/Season 01/Quiet Harbour - S01E02 [1080p].mkv"
        let descriptor = open(other, O_RDONLY)
        var buffer = [UInt8](repeating: 0, count: 10)
        #expect(pread(descriptor, &buffer, 10, 0) == -1)
        #expect(errno == EIO)
        close(descriptor)
    }

    /// A server that dies during a read ends the read with an error in bounded time; `ls` answers
    /// meanwhile, and reads work again when the server is back.
    @Test func aServerThatStopsDuringAReadEndsItInTime() throws {
        let fixture = try Fixture()
        try fixture.seedbox.write("Quiet.Harbour.S01E01.mkv", Fixture.pattern(3_000_000, seed: 6))
        let limits = [
            "SYNC2NAS_SFTP_READ_TIMEOUT": "2", "SYNC2NAS_SFTP_REPLY_TIMEOUT": "1",
            "SYNC2NAS_SFTP_CONNECT_TIMEOUT": "1",
        ]
        try #require(try fixture.mount(extra: limits).code == 0)
        let path = fixture.library + "/Quiet Harbour/Season 01/Quiet Harbour - S01E01.mkv"
        let descriptor = open(path, O_RDONLY)
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 10)
        #expect(pread(descriptor, &buffer, 10, 0) == 10)
        fixture.seedbox.pause()
        let reader = try ChildProcess("tail", ["-c", "1000", path])
        while reader.isRunning {
            let listing = try fixture.run(
                ["2", "ls", "-lR", fixture.mountpoint],
                program: "timeout"
            )
            #expect(listing.code == 0)
        }
        #expect(reader.wait() != 0)
        fixture.seedbox.resume()
        #expect(fixture.eventually(within: 30) { pread(descriptor, &buffer, 10, 1_000_000) == 10 })
    }

    /// A reader that waits for the seedbox can be interrupted at once.
    @Test func aWaitingReaderCanBeKilled() throws {
        let fixture = try Fixture()
        try fixture.seedbox.write("Quiet.Harbour.S01E01.mkv", Fixture.pattern(3_000_000, seed: 7))
        try #require(try fixture.mount().code == 0)
        let path = fixture.library + "/Quiet Harbour/Season 01/Quiet Harbour - S01E01.mkv"
        fixture.seedbox.pause()
        defer { fixture.seedbox.resume() }
        let result = try fixture.run(["-s", "INT", "1", "cat", path], program: "/usr/bin/timeout")
        #expect(result.code == 124)
    }

    /// A file that is replaced on the seedbox shows its new bytes after a scan, never a mixture.
    @Test func aReplacedFileShowsItsNewBytes() throws {
        let old = Fixture.pattern(400_000, seed: 8)
        let new = Fixture.pattern(500_000, seed: 9)
        let fixture = try Fixture.withEpisode(old)
        let path = fixture.library + "/" + Fixture.episode
        #expect(try fixture.bytes(path) == old)
        try fixture.seedbox.write(
            "Quiet.Harbour.S01E01.1080p.WEB-CREW.mkv",
            new,
            mtime: 1_700_000_100
        )
        #expect(try fixture.run(["scan", "--mount", fixture.mountpoint]).code == 0)
        #expect(try fixture.bytes(path) == new)
    }

    /// The catalogue and the cache survive `kill -9` of all processes, and the dead mount is
    /// cleaned away.
    @Test func aKilledMountLosesNothing() throws {
        let bytes = Fixture.pattern(1_000_000, seed: 10)
        let fixture = try Fixture.withEpisode(bytes)
        let path = fixture.library + "/" + Fixture.episode
        #expect(try fixture.bytes(path) == bytes)
        // Sixteen blocks: the map ends in two bytes of bits, which are set once all is promised.
        #expect(fixture.eventually { self.map(fixture).suffix(2) == [0xFF, 0xFF] })
        fixture.killAll()
        #expect(fixture.eventually { fixture.processes().isEmpty })
        fixture.seedbox.stopServer()
        let mounted = try fixture.mount()
        try #require(mounted.code == 0, "\(mounted.errors)")
        #expect(fixture.files(below: fixture.library) == [Fixture.episode])
        #expect(try fixture.bytes(path) == bytes)
    }

    private func map(_ fixture: Fixture) -> [UInt8] {
        let name = fixture.files(below: fixture.cache).first { $0.hasSuffix(".map") }
        return name.flatMap { try? fixture.bytes(fixture.cache + "/" + $0) } ?? []
    }
}
