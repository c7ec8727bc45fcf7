import Foundation
import Glibc
import StandIns
import Testing

/// The tree, the control directory and hostile input on a real mount.
@Suite(.serialized) struct TreeTests {
    @Test func changesShowAfterAScanWithoutARemount() throws {
        let fixture = try Fixture()
        try fixture.seedbox.write("Quiet.Harbour.S01E01.mkv", [1])
        try fixture.seedbox.write("Quiet.Harbour.S01E02.mkv", [1])
        try #require(try fixture.mount().code == 0)
        let season = fixture.library + "/Quiet Harbour/Season 01"
        let second = season + "/Quiet Harbour - S01E02.mkv"
        let third = season + "/Quiet Harbour - S01E03.mkv"
        // The kernel now remembers the one as there and the other as absent.
        #expect(access(second, F_OK) == 0 && access(third, F_OK) != 0)
        unlink(fixture.seedbox.root + "/Quiet.Harbour.S01E02.mkv")
        try fixture.seedbox.write("Quiet.Harbour.S01E03.mkv", [1, 2, 3])
        try fixture.seedbox.write("Quiet.Harbour.S01E01.mkv", [1, 2], mtime: 1_700_000_001)
        #expect(try fixture.run(["scan", "--mount", fixture.mountpoint]).code == 0)
        #expect(access(second, F_OK) != 0 && access(third, F_OK) == 0)
        var status = stat()
        #expect(stat(season + "/Quiet Harbour - S01E01.mkv", &status) == 0 && status.st_size == 2)
        #expect(fixture.files(below: fixture.library).count == 2)
    }

    @Test func aScanAskedForDuringAnotherComesAfterIt() throws {
        let fixture = try Fixture()
        for number in 1...500 {
            try fixture.seedbox.write("d\(number)/Show.\(number).S01E01.mkv", [1])
        }
        try #require(try fixture.mount().code == 0)
        try fixture.unmount()
        // A second mount scans by itself, at once.
        try #require(try fixture.mount().code == 0)
        try fixture.seedbox.write("Late.S01E01.mkv", [1])
        #expect(try fixture.run(["scan", "--mount", fixture.mountpoint]).code == 0)
        #expect(access(fixture.library + "/Late", F_OK) == 0)
    }

    @Test func addShowGivesTheFilesTheirPlaces() throws {
        let fixture = try Fixture()
        try fixture.seedbox.write("[Crew] Sousou no Frieren - 05 (1080p).mkv", [1])
        try #require(try fixture.mount().code == 0)
        #expect(fixture.text(fixture.control("add-show")).contains("echo 'Frieren' > add-show"))
        #expect(fixture.echo("Frieren", to: "add-show") == 0)
        #expect(
            fixture.files(below: fixture.library) == [
                "Frieren - Beyond Journey's End (2023) {tmdb-209867}/Season 01/"
                    + "Frieren - Beyond Journey's End (2023) - S01E05 - Phantoms of the Dead [1080p].mkv"
            ]
        )
        #expect(fixture.text(fixture.control("add-show")).contains("30 episodes"))
    }

    @Test func aRefusedLineFailsTheWriteAndSaysWhy() throws {
        let fixture = try Fixture()
        try fixture.seedbox.write("a.mkv", [1])
        try #require(try fixture.mount().code == 0)
        #expect(fixture.echo("The Office", to: "add-show") == EINVAL)
        #expect(fixture.text(fixture.control("add-show")).contains("tmdb:2316"))
        #expect(fixture.echo("No Such Show Anywhere", to: "add-show") == ENOENT)
        #expect(fixture.echo("tmdb:5", to: "add-show") == ENOENT)
        #expect(fixture.echo("tmdb:x", to: "add-show") == EINVAL)
        #expect(fixture.echo("tmdb:70523", to: "add-show") == 0)
        #expect(fixture.echo("tmdb:70523", to: "add-show") == EEXIST)
        fixture.tmdb.stop()
        #expect(fixture.echo("Frieren", to: "add-show") == EIO)
        #expect(fixture.echo("nothing like this", to: "route") == ENOENT)
        #expect(fixture.echo("--what", to: "route") == EINVAL)
    }

    @Test func hostileControlInputIsRefused() throws {
        let fixture = try Fixture()
        try fixture.seedbox.write("a.mkv", [1])
        try #require(try fixture.mount().code == 0)
        func write(_ bytes: [UInt8], to name: String) -> Int32 {
            let descriptor = open(fixture.control(name), O_WRONLY)
            defer { close(descriptor) }
            return Glibc.write(descriptor, bytes, bytes.count) == bytes.count ? 0 : errno
        }
        #expect(write([0xFF, 0xFE, 0x0A], to: "add-show") == EINVAL)
        #expect(write([0x61, 0, 0x62, 0x0A], to: "add-show") == EINVAL)
        #expect(write(Array(repeating: 0x61, count: 100_000), to: "add-show") == EINVAL)
        #expect(
            write(Array(String(repeating: "x", count: 400).utf8) + [0x0A], to: "add-show") == EINVAL
        )
        #expect(write(Array("../../etc/passwd\n".utf8), to: "route") == ENOENT)
        #expect(open(fixture.control("status"), O_WRONLY) == -1)
        #expect(fixture.text(fixture.control("status")).contains("Sync2NAS"))
    }

    @Test func theCommandsSpeakToTheMount() throws {
        let fixture = try Fixture()
        try fixture.seedbox.write("Dark.S01E01.720p.WEB-CREW.mkv", [1])
        try #require(try fixture.mount().code == 0)
        let mount = ["--mount", fixture.mountpoint]
        #expect(
            try fixture.run(["add-show", "Dark", "--dry-run"] + mount).output.hasPrefix(
                "would add 'Dark'"
            )
        )
        #expect(
            try fixture.run(["add-show", "--tmdb-id", "70523"] + mount).output.hasPrefix(
                "added 'Dark'"
            )
        )
        let again = try fixture.run(["add-show", "Dark"] + mount)
        #expect(again.code == 1 && again.errors.contains("already"))
        let route = try fixture.run(["route-files", "Dark.S01E01", "--dry-run"] + mount)
        #expect(route.output.contains("-> Dark S01E01"))
        #expect(try fixture.run(["scan"] + mount).output.contains("1 files in 1 directories"))
        #expect(try fixture.run(["status"] + mount).output.contains(fixture.mountpoint))
        let json = try fixture.run(["status", "--json"] + mount).output
        #expect(try JSONSerialization.jsonObject(with: Data(json.utf8)) is [String: Any])
    }

    @Test func aFileIsNamedByItsPathInTheMount() throws {
        let fixture = try Fixture()
        try fixture.seedbox.write("Hafen.S01E02.720p.WEB-CREW.mkv", [1])
        try #require(try fixture.mount().code == 0)
        let mount = ["--mount", fixture.mountpoint]
        #expect(try fixture.run(["add-show", "--tmdb-id", "70523"] + mount).code == 0)
        let path = fixture.library + "/Hafen/Season 01/Hafen - S01E02 [720p].mkv"
        let explained = try fixture.run(["explain", path] + mount)
        #expect(explained.output.contains("stands at   Hafen S01E02"), "\(explained)")
        let placed = try fixture.run(["route-files", path, "--as", "Dark S01E03"] + mount)
        #expect(placed.output.contains("-> Dark S01E03"), "\(placed)")
        let season = fixture.library + "/Dark (2017) {tmdb-70523}/Season 01"
        let names = try FileManager.default.contentsOfDirectory(atPath: season)
        #expect(names.count == 1 && names[0].contains("S01E03"))
        // The name it had is gone, and so nothing has it in its path.
        #expect(try fixture.run(["explain", path] + mount).code == 1)
    }

    @Test func theCommandsWorkWithoutAMount() throws {
        // Another library that is mounted meanwhile is not spoken to.
        let other = try Fixture()
        try #require(try other.mount().code == 0)
        let fixture = try Fixture()
        try fixture.seedbox.write("Dark.S01E01.720p.WEB-CREW.mkv", [1])
        try #require(try fixture.mount().code == 0)
        try fixture.unmount()
        try #require(try fixture.run(["status"] + fixture.stateOptions).output.contains("1 files"))
        #expect(
            try fixture.run(["add-show", "Dark"] + fixture.stateOptions).output.contains(
                "1 files here"
            )
        )
        try #require(try fixture.mount().code == 0)
        #expect(
            fixture.files(below: fixture.library).first?.hasPrefix("Dark (2017) {tmdb-70523}/")
                ?? false
        )
        let status = try fixture.run(["status"] + fixture.stateOptions).output
        #expect(status.contains(fixture.mountpoint))
        #expect(try other.run(["status"] + other.stateOptions).output.contains("0 shows"))
    }

    @Test func hostileNamesOnTheSeedboxStayInsideTheTree() throws {
        let fixture = try Fixture()
        let names: [[UInt8]] = [
            Array("a\nb\u{1B}[31m.mkv".utf8), [0xFF, 0xFE] + Array(".mkv".utf8),
            Array("..hidden..mkv".utf8), Array("con.mkv".utf8), Array("q?*<>|\"\\.mkv".utf8),
            Array(repeating: 0x61, count: 250) + Array(".mkv".utf8), Array("\u{202E}gpj.mkv".utf8),
            Array("Caf\u{E9}.mkv".utf8), Array("Cafe\u{301}.mkv".utf8), Array("CAF\u{C9}.mkv".utf8),
        ]
        for name in names {
            let path = Array(fixture.seedbox.root.utf8) + [0x2F] + name
            let descriptor = (path + [0]).withUnsafeBytes { bytes -> Int32 in
                guard let name = bytes.bindMemory(to: CChar.self).baseAddress else { return -1 }
                return open(name, O_WRONLY | O_CREAT, 0o644)
            }
            try #require(descriptor >= 0)
            _ = write(descriptor, "data", 4)
            close(descriptor)
        }
        symlink("loop", fixture.seedbox.root + "/loop")
        symlink("/etc", fixture.seedbox.root + "/outside")
        symlink(".", fixture.seedbox.root + "/self")
        try #require(try fixture.mount().code == 0)
        let shown = fixture.files(below: fixture.mountpoint + "/views/unrouted")
        #expect(shown.count == names.count, "\(shown)")
        for name in shown {
            #expect(name.utf8.count <= 255 && !name.contains { "<>:\"\\|?*".contains($0) })
            #expect(!name.unicodeScalars.contains { $0.value < 0x20 })
            #expect(
                try fixture.bytes(fixture.mountpoint + "/views/unrouted/" + name)
                    == Array("data".utf8)
            )
        }
        #expect(Set(shown.map { $0.lowercased() }).count == names.count)
    }

    @Test func aHostileTitleStaysInsideTheTree() throws {
        let fixture = try Fixture()
        try fixture.seedbox.write("etc passwd evil S01E01.mkv", [1])
        try #require(try fixture.mount().code == 0)
        #expect(fixture.echo("tmdb:999002", to: "add-show") == 0)
        #expect(
            !fixture.text(fixture.control("add-show")).unicodeScalars.contains {
                $0.value < 0x20 && $0 != "\n"
            }
        )
        for path in fixture.files(below: fixture.mountpoint) {
            #expect(!path.split(separator: "/").contains(".."))
            #expect(!path.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
        }
    }

    /// Nothing outside of the control directory can be changed, and the answer is never ENOSYS.
    @Test func theTreeIsReadOnly() throws {
        let fixture = try Fixture()
        try fixture.seedbox.write("Quiet.Harbour.S01E01.mkv", [1, 2, 3])
        try #require(try fixture.mount().code == 0)
        let file = fixture.library + "/Quiet Harbour/Season 01/Quiet Harbour - S01E01.mkv"
        let new = fixture.library + "/new"
        func expectReadOnly(_ what: String, _ result: Int32) {
            #expect(result == -1, "\(what)")
            #expect(errno == EROFS, "\(what): \(String(cString: strerror(errno)))")
        }
        expectReadOnly("mkdir", mkdir(new, 0o755))
        expectReadOnly("rmdir", rmdir(fixture.library))
        expectReadOnly("unlink", unlink(file))
        expectReadOnly("rename", rename(file, new))
        expectReadOnly("link", link(file, new))
        expectReadOnly("symlink", symlink("x", new))
        expectReadOnly("mknod", mknod(new, S_IFIFO | 0o644, 0))
        expectReadOnly("create", open(new, O_CREAT | O_WRONLY, 0o644))
        expectReadOnly("open for writing", open(file, O_RDWR))
        expectReadOnly("truncate on open", open(file, O_WRONLY | O_TRUNC))
        expectReadOnly("truncate", truncate(file, 0))
        expectReadOnly("chmod", chmod(file, 0o777))
        expectReadOnly("chown", chown(file, 1, 1))
        expectReadOnly("utimes", utimensat(AT_FDCWD, file, nil, 0))
        #expect(try fixture.bytes(file) == [1, 2, 3])
        // In the control directory files are only written to.
        #expect(mkdir(fixture.control("x"), 0o755) == -1 && errno == EPERM)
        #expect(unlink(fixture.control("scan")) == -1 && errno == EPERM)
    }

    @Test func secretsAreNeverShown() throws {
        let fixture = try Fixture()
        try fixture.seedbox.write("a.mkv", [1])
        let secret = "correct-horse-battery"
        let extra = [
            "SYNC2NAS_TMDB_API_KEY": secret, "SYNC2NAS_SFTP_PASSWORD": secret,
            "SYNC2NAS_SFTP_TRANSPORT": "openssh",
        ]
        try #require(try fixture.mount(["-vv"], extra: extra).code == 0)
        _ = fixture.echo("Frieren", to: "add-show")
        let shown = ["status", "status.json", "add-show", "scan", "route"].map {
            fixture.text(fixture.control($0))
        }
        #expect(!shown.joined().contains(secret))
        #expect(!fixture.text(fixture.data + "/sync2nas.log").contains(secret))
        #expect(shown[2].contains("does not accept the key"))
    }

    @Test func descriptorsComeBack() throws {
        let fixture = try Fixture()
        try fixture.seedbox.write("Quiet.Harbour.S01E01.mkv", Fixture.pattern(500_000, seed: 1))
        try #require(try fixture.mount().code == 0)
        let path = fixture.library + "/Quiet Harbour/Season 01/Quiet Harbour - S01E01.mkv"
        _ = try fixture.bytes(path)
        let daemon = try #require(fixture.server)
        func descriptors() -> Int {
            (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(daemon)/fd"))?.count
                ?? -1
        }
        #expect(
            fixture.eventually {
                fixture.text(fixture.control("status")).contains("Mount      0 files")
            }
        )
        let before = descriptors()
        for _ in 0..<50 {
            _ = try fixture.bytes(path)
            _ = fixture.files(below: fixture.mountpoint)
        }
        #expect(fixture.eventually { descriptors() <= before + 2 })
    }

    @Test func tenThousandFilesAreMounted() throws {
        let fixture = try Fixture()
        for show in 0..<100 {
            for episode in 1...100 {
                try fixture.seedbox.write(
                    "Show.\(show).S01/Show.\(show).S01E\(100 + episode).720p.WEB-CREW.mkv",
                    [1]
                )
            }
        }
        #expect(try fixture.mount().code == 0)
        #expect(fixture.files(below: fixture.mountpoint).count >= 10_000)
        try fixture.unmount()
        fixture.seedbox.stopServer()
        #expect(try fixture.mount().code == 0)
        #expect(fixture.files(below: fixture.mountpoint).count >= 10_000)
    }
}
