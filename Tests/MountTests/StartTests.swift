import Foundation
import Glibc
import StandIns
import Testing

/// Starting and stopping: every failure is one clear line, and leaves nothing behind.
@Suite(.serialized) struct StartTests {
    private func fixture() throws -> Fixture {
        let fixture = try Fixture()
        try fixture.seedbox.write("Quiet.Harbour.S01E01.mkv", [1, 2, 3])
        return fixture
    }

    private func expectRefusal(_ fixture: Fixture, _ result: Fixture.Result, _ words: String) {
        #expect(result.code == 1)
        let lines = result.errors.split(separator: "\n")
        #expect(lines.count == 1, "\(result.errors)")
        #expect(result.errors.hasPrefix("error: "))
        #expect(result.errors.contains(words), "\(result.errors)")
        #expect(!fixture.isMounted)
        #expect(fixture.processes().isEmpty)
        #expect(!FileManager.default.fileExists(atPath: fixture.data))
    }

    @Test func theMountAnswersWhenTheCommandReturns() throws {
        let fixture = try fixture()
        let result = try fixture.mount()
        #expect(result.code == 0 && result.errors.isEmpty, "\(result.errors)")
        #expect(fixture.files(below: fixture.library).count == 1)
        #expect(fixture.processes().count == 2)
    }

    @Test func aClosedPortIsRefused() throws {
        let fixture = try fixture()
        fixture.seedbox.stopServer()
        expectRefusal(fixture, try fixture.mount(), "refused")
    }

    @Test func anUnknownHostNameIsRefused() throws {
        let fixture = try fixture()
        let arguments =
            ["mount", "sftp://me@no-such-host.invalid/x", fixture.mountpoint] + fixture.stateOptions
        expectRefusal(fixture, try fixture.run(arguments), "no-such-host.invalid")
    }

    @Test func anUnknownHostKeyIsRefused() throws {
        let fixture = try fixture()
        try "".write(toFile: fixture.seedbox.knownHostsPath, atomically: true, encoding: .utf8)
        expectRefusal(fixture, try fixture.mount(), "--accept-new-host-key")
        #expect(try fixture.mount(["--accept-new-host-key"]).code == 0)
    }

    @Test func aWrongKeyIsRefused() throws {
        let fixture = try fixture()
        try "".write(toFile: fixture.seedbox.authorizedKeys, atomically: true, encoding: .utf8)
        expectRefusal(fixture, try fixture.mount(), "refused the login")
    }

    @Test func aMissingPathIsRefused() throws {
        let fixture = try fixture()
        let arguments = [
            "mount", fixture.seedbox.url + "/none", fixture.mountpoint, "-i",
            fixture.seedbox.keyPath,
            "--known-hosts", fixture.seedbox.knownHostsPath,
        ]
        expectRefusal(fixture, try fixture.run(arguments + fixture.stateOptions), "/none")
    }

    @Test func aMissingMountPointIsRefused() throws {
        let fixture = try fixture()
        rmdir(fixture.mountpoint)
        expectRefusal(fixture, try fixture.mount(), "mkdir -p")
    }

    @Test func aMountPointWithFilesIsRefused() throws {
        let fixture = try fixture()
        try "x".write(toFile: fixture.mountpoint + "/mine", atomically: true, encoding: .utf8)
        expectRefusal(fixture, try fixture.mount(), "not empty")
        #expect(fixture.text(fixture.mountpoint + "/mine") == "x")
    }

    @Test func aMountPointThatIsAFileIsRefused() throws {
        let fixture = try fixture()
        rmdir(fixture.mountpoint)
        try "x".write(toFile: fixture.mountpoint, atomically: true, encoding: .utf8)
        expectRefusal(fixture, try fixture.mount(), "not a directory")
    }

    @Test func whatIsMountedAlreadyIsRefused() throws {
        let fixture = try fixture()
        try #require(try fixture.mount().code == 0)
        let again = try fixture.mount()
        #expect(again.code == 1 && again.errors.contains("sync2nas unmount"), "\(again.errors)")
        #expect(fixture.isMounted)
    }

    @Test func aSecondInstanceOnTheSameCacheIsRefused() throws {
        let fixture = try fixture()
        try #require(try fixture.mount().code == 0)
        let other = fixture.directory + "/other"
        mkdir(other, 0o755)
        var arguments = fixture.mountArguments
        arguments[2] = other
        let second = try fixture.run(arguments)
        let daemon = fixture.server ?? -1
        #expect(second.code == 1)
        #expect(
            second.errors.contains("process \(daemon)") && second.errors.contains("--cache-dir"),
            "\(second.errors)"
        )
    }

    @Test(.enabled(if: Seedbox.canHavePassword, "needs root and a mount namespace"))
    func aPasswordLogsInFromAFileOrTheEnvironment() throws {
        var options = Seedbox.Options()
        options.passwordLogin = .password
        let fixture = try Fixture(options)
        try fixture.seedbox.write("Quiet.Harbour.S01E01.mkv", [1, 2, 3])
        let arguments =
            [
                "mount", fixture.seedbox.url, fixture.mountpoint, "--known-hosts",
                fixture.seedbox.knownHostsPath,
            ] + fixture.stateOptions
        let file = fixture.directory + "/password"
        try Seedbox.password.write(toFile: file, atomically: true, encoding: .utf8)
        let result = try fixture.run(arguments + ["--password-file", file])
        #expect(result.code == 0, "\(result.errors)")
        #expect(try fixture.unmount().code == 0)
        let variable = ["SYNC2NAS_SFTP_PASSWORD": Seedbox.password]
        #expect(try fixture.run(arguments, extra: variable).code == 0)
        #expect(fixture.files(below: fixture.library).count == 1)
        #expect(!fixture.text(fixture.data + "/sync2nas.log").contains(Seedbox.password))
        #expect(try fixture.unmount().code == 0)
        // The catalogue is there now, so a wrong password shows in the status, not at the start.
        try FileManager.default.removeItem(atPath: fixture.data)
        let wrong = try fixture.run(arguments, extra: ["SYNC2NAS_SFTP_PASSWORD": "not this"])
        expectRefusal(fixture, wrong, "password")
        #expect(!wrong.errors.contains("not this"))
    }

    @Test func aPasswordIsNeverTakenFromTheCommandLine() throws {
        let fixture = try fixture()
        let result = try fixture.run(["mount", "sftp://me:hunter2@box/x", fixture.mountpoint])
        #expect(result.code == 1 && result.errors.contains("--password-file"))
        #expect(!result.errors.contains("hunter2"))
    }

    @Test func aStaleMountIsCleanedAway() throws {
        let fixture = try fixture()
        try #require(try fixture.mount().code == 0)
        // The kernel remembers it, and goes on telling.
        #expect(fixture.modified(fixture.mountpoint) > 0)
        fixture.killAll()
        #expect(fixture.eventually { fixture.processes().isEmpty })
        #expect(fixture.isMounted)
        let again = try fixture.mount()
        #expect(again.code == 0, "\(again.errors)")
        #expect(fixture.files(below: fixture.library).count == 1)
    }

    @Test(arguments: [SIGTERM, SIGINT]) func aSignalUnmounts(_ signal: Int32) throws {
        let fixture = try fixture()
        try #require(try fixture.mount().code == 0)
        _ = fixture.supervisor.map { kill($0, signal) }
        #expect(fixture.eventually { fixture.processes().isEmpty && !fixture.isMounted })
    }

    @Test func aSignalToTheServerUnmountsAsWell() throws {
        let fixture = try fixture()
        try #require(try fixture.mount().code == 0)
        _ = fixture.server.map { kill($0, SIGTERM) }
        #expect(fixture.eventually { fixture.processes().isEmpty && !fixture.isMounted })
    }

    @Test func unmountingWaitsForTheProcess() throws {
        let fixture = try fixture()
        try #require(try fixture.mount().code == 0)
        #expect(try fixture.unmount().code == 0)
        #expect(!fixture.isMounted && fixture.processes().isEmpty)
        #expect(try fixture.unmount().code == 1)
    }

    @Test func aFileThatIsOpenDoesNotKeepTheMount() throws {
        let fixture = try fixture()
        try #require(try fixture.mount().code == 0)
        let descriptor = open(
            fixture.library + "/Quiet Harbour/Season 01/Quiet Harbour - S01E01.mkv",
            O_RDONLY
        )
        #expect(descriptor >= 0)
        #expect(try fixture.unmount().code == 0)
        #expect(!fixture.isMounted && fixture.processes().isEmpty)
        close(descriptor)
    }

    @Test func theSecondMountNeedsNoSeedbox() throws {
        let fixture = try fixture()
        try #require(try fixture.mount().code == 0)
        try fixture.unmount()
        fixture.seedbox.stopServer()
        #expect(try fixture.mount().code == 0)
        #expect(fixture.files(below: fixture.library).count == 1)
        #expect(fixture.eventually { fixture.text(fixture.control("status")).contains("offline") })
    }

    /// The library of the last run needs no seedbox, but a login that only a person can mend is
    /// told when there is one.
    @Test func theSecondMountSaysThatTheLoginIsRefused() throws {
        let fixture = try fixture()
        try #require(try fixture.mount().code == 0)
        try fixture.unmount()
        let empty = fixture.directory + "/nobody"
        try "".write(toFile: empty, atomically: true, encoding: .utf8)
        let second = try fixture.mount(["--known-hosts", empty])
        #expect(second.code == 1 && second.errors.contains("host key"), "\(second.errors)")
        #expect(!fixture.isMounted)
        #expect(try fixture.mount().code == 0)
    }

    @Test func aMissingSecondPathIsTold() throws {
        let fixture = try fixture()
        var arguments = fixture.mountArguments
        arguments[1] += ",/no/such/path"
        let result = try fixture.run(arguments)
        #expect(result.code == 0 && fixture.files(below: fixture.library).count == 1)
        #expect(result.errors.hasPrefix("warning: ") && result.errors.contains("/no/such/path"))
    }

    @Test(arguments: ["subtype=x", "noatime,max_read=4096"])
    func anOptionThatWouldBreakTheMountIsRefused(_ option: String) throws {
        let fixture = try fixture()
        expectRefusal(fixture, try fixture.mount(["-o", option]), "cannot be changed")
    }

    @Test func aMistypedPathKeepsTheLibrary() throws {
        let fixture = try fixture()
        try #require(try fixture.mount().code == 0)
        var before = stat()
        stat(fixture.library + "/Quiet Harbour", &before)
        try fixture.unmount()
        var arguments = fixture.mountArguments
        arguments[1] += "/nowhere"
        #expect(try fixture.run(arguments).code == 1)
        #expect(try fixture.mount().code == 0)
        var after = stat()
        #expect(stat(fixture.library + "/Quiet Harbour", &after) == 0)
        #expect(before.st_ino == after.st_ino)
    }

    @Test func theConfigurationFileNamesTheSeedbox() throws {
        let fixture = try fixture()
        let config = """
            [SFTP]
            host = \(fixture.seedbox.host)
            PORT = \(fixture.seedbox.port)
            username = \(fixture.seedbox.user)
            ssh_key_path = \(fixture.seedbox.keyPath)
            known_hosts = \(fixture.seedbox.knownHostsPath)
            paths = \(fixture.seedbox.root)
            """
        let path = fixture.directory + "/config.ini"
        try config.write(toFile: path, atomically: true, encoding: .utf8)
        let result = try fixture.run(
            ["mount", fixture.mountpoint, "--config", path] + fixture.stateOptions
        )
        #expect(result.code == 0, "\(result.errors)")
        #expect(fixture.files(below: fixture.library).count == 1)
    }

    @Test func stateIsPrivate() throws {
        let fixture = try fixture()
        try #require(try fixture.mount().code == 0)
        for path in [fixture.data, fixture.cache] {
            var status = stat()
            #expect(stat(path, &status) == 0 && status.st_mode & 0o077 == 0, "\(path)")
        }
    }
}
