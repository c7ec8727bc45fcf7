import Foundation
import LanguageModels
import Primitives
import StandIns
import Testing
import VirtualTree

@testable import Daemon
@testable import Transfer

@Suite struct SettingsTests {
    private let directory: String

    init() throws {
        directory = try temporaryDirectory()
    }

    private func settings(
        _ text: String,
        environment: [String: String] = [:],
        _ change: (inout Settings.Arguments) -> Void = { _ in }
    ) throws -> Settings {
        let path = directory + "/config.ini"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        var arguments = Settings.Arguments()
        arguments.configFile = path
        arguments.dataDirectory = directory + "/data"
        change(&arguments)
        return try Settings(
            arguments,
            environment: ["HOME": "/home/me"].merging(environment) { $1 }
        )
    }

    private let original = """
        # The original program's file, comments behind values and all.
        [SFTP]
        host = box.example   # where
        port = 2222
        username = me
        ssh_key_path = ~/.ssh/id
        paths = /downloads/tv, /downloads/anime
        [Database]
        type = sqlite
        [SQLite]
        db_file = /var/lib/x/sync2nas.db
        [Transfers]
        incoming = ./incoming
        [Routing]
        anime_tv_path = /nas/tv
        [TMDB]
        api_key = abc
        [llm]
        service = ollama  # Options: ollama, openai
        [ollama]
        model = qwen3:14b
        """

    @Test func aLanguageModelIsConfigured() throws {
        let ollama = try #require(
            try settings("\(original)\nhost = nas:11434/\n[llm]\nllm_confidence_threshold = 0.8")
                .model
        )
        #expect(ollama.service.address == "http://nas:11434")
        #expect(ollama.service.model == "qwen3:14b")
        #expect(ollama.confidence == 0.8)
        let remote = "[SFTP]\nhost = h\nusername = u\npaths = /d\n"
        #expect(try settings(remote).model == nil)
        let keyed = try settings(remote + "[LLM]\nservice = openai\n[OpenAI]\napi_key = k")
        #expect(keyed.model?.service.key == "k")
        // Without a key everything else works.
        let keyless = try settings(remote + "[LLM]\nservice = anthropic")
        #expect(keyless.model == nil)
        #expect(keyless.warnings.contains { $0.contains("SYNC2NAS_ANTHROPIC_API_KEY") })
        #expect(throws: Settings.Problem.self) {
            try settings(remote + "[LLM]\nservice = chatgpt")
        }
        #expect(throws: Settings.Problem.self) {
            try settings(remote + "[Library]\nprefer = beauty")
        }
        let preference = try settings(remote + "[Library]\nprefer = source, resolution").preference
        #expect(preference.order == [.source, .resolution])
    }

    @Test func theOriginalsFileIsRead() throws {
        let settings = try settings(original)
        #expect(settings.account.host == "box.example")
        #expect(settings.account.port == 2222)
        #expect(settings.account.user == "me")
        #expect(settings.roots.map(\.text) == ["/downloads/tv", "/downloads/anime"])
        #expect("\(settings.database)" == "SQLite, /var/lib/x/sync2nas.db")
        #expect(settings.tmdbKey == "abc")
        #expect(settings.warnings.isEmpty)
    }

    @Test func everyKeyCanBeOverriddenByTheEnvironment() throws {
        let settings = try settings(
            original,
            environment: [
                "SYNC2NAS_SFTP_HOST": "other", "SYNC2NAS_SFTP_PORT": "23",
                "SYNC2NAS_TMDB_API_KEY": "xyz",
                "SYNC2NAS_SQLITE_DB_FILE": "/e.db", "SYNC2NAS_SFTP_PATHS": "/one",
            ]
        )
        #expect(settings.account.host == "other" && settings.account.port == 23)
        #expect(settings.tmdbKey == "xyz" && "\(settings.database)" == "SQLite, /e.db")
        #expect(settings.roots.map(\.text) == ["/one"])
    }

    @Test func namesCountInAnyCase() throws {
        let settings = try settings("[sftp]\nHOST=h\nPaths=/a\n[tmdb]\nAPI_Key=k\n")
        #expect(settings.account.host == "h" && settings.tmdbKey == "k")
    }

    @Test func aMisspeltKeyIsToldWithTheNearest() throws {
        let settings = try settings("[SFTP]\nhost=h\npaths=/a\nusrname=me\n[tmbd]\nx=1\n")
        #expect(settings.warnings.count == 2)
        #expect(settings.warnings[0].contains("did you mean username"))
        #expect(settings.warnings[1].contains("did you mean [tmdb]"))
    }

    @Test(arguments: [
        "[SFTP\nhost=h", "host=h", "[SFTP]\nhost", "[SFTP]\nhost=h\npaths=/a\nport=abc",
        "[SFTP]\nhost=h\npaths=relative", "[SFTP]\nhost=h\npaths=/a/../b", "[SFTP]\nhost=h",
        "[SFTP]\nhost=h\npaths=/a\ntransport=carrier pigeon",
        "[SFTP]\nhost=h\npaths=/a\n[Database]\ntype=oracle",
        "[SFTP]\nhost=h\npaths=/a\n[Scan]\ninterval=soon",
        "[SFTP]\nhost=h\npaths=/a\n[Cache]\nmax_size=big",
    ])
    func aWrongFileIsRefusedWithTheReason(_ text: String) throws {
        let error = #expect(throws: Settings.Problem.self) { try settings(text) }
        #expect(error.map { !$0.description.isEmpty } ?? false)
    }

    @Test func windowsLineEndsAreRead() throws {
        let text = original.replacingOccurrences(of: "\n", with: "\r\n")
        #expect(try settings(text).remoteText == settings(original).remoteText)
        let path = directory + "/password"
        try "hunter2\r\n".write(toFile: path, atomically: true, encoding: .utf8)
        let account = try settings(original) { $0.passwordFile = path }.account
        #expect(account.password?.text == "hunter2")
    }

    @Test(arguments: ["[SFTP]\npassword TopSecret", "[SFTP\r\nTopSecret"])
    func aWrongLineIsNeverShown(_ text: String) {
        let error = #expect(throws: (any Error).self) { try settings(text) }
        #expect(!"\(String(describing: error))".contains("TopSecret"))
        #expect("\(String(describing: error))".contains("line "))
    }

    @Test(arguments: ["/a%2520b", "/TV%2C%20Shows", "/a,/b%25", "/plain"])
    func anAddressIsRememberedAsItWasMeant(_ path: String) throws {
        let first = try settings("") { $0.remote = "sftp://me@box\(path)" }
        try FileManager.default.createDirectory(
            atPath: directory + "/data",
            withIntermediateDirectories: true
        )
        first.remember()
        #expect(try settings("").roots == first.roots)
    }

    @Test func sizesAndTimesHaveUnits() throws {
        let settings = try settings(
            "[SFTP]\nhost=h\npaths=/a\n[Cache]\nmax_size=1.5 GiB\nmin_free=500M\n[Scan]\ninterval=10m\n"
        )
        #expect(settings.cache.maximum == 3 << 29)
        #expect(settings.cache.free == 500 << 20)
        #expect(settings.scanInterval == .seconds(600))
    }

    @Test(arguments: [
        ("20M", [0: 20 << 20, 5000: 20 << 20]), ("off", [0: nil]),
        ("08:00,2M 23:00,off", [479: nil, 480: 2 << 20, 1380: nil, 1440 + 480: 2 << 20]),
        ("Mon-08:00,1k Saturday-00:00,off", [1920: 1024, 8639: 1024, 8640: nil, 0: nil]),
    ])
    func theRateLimitHasATimetable(_ text: String, _ rates: [Int: UInt64?]) throws {
        let settings = try settings("[SFTP]\nhost=h\npaths=/a\nrate_limit=\(text)\n")
        for (minute, rate) in rates { #expect(settings.rateLimit.rate(atMinute: minute) == rate) }
    }

    @Test(arguments: ["fast", "25:00,2M", "Mon-2M", "08:00", "0", "08:00,2M,3M"])
    func aWrongRateLimitIsRefused(_ text: String) {
        #expect(throws: Settings.Problem.self) {
            try settings("[SFTP]\nhost=h\npaths=/a\nrate_limit=\(text)\n")
        }
    }

    @Test func thePasswordComesFromAFileOrTheEnvironment() throws {
        try "pa ss#word\nrest".write(toFile: directory + "/p", atomically: true, encoding: .utf8)
        let settings = try settings("[SFTP]\nhost=h\npaths=/a\n") {
            $0.passwordFile = self.directory + "/p"
        }
        #expect(settings.account.password != nil)
        #expect(!"\(settings)".contains("pa ss"))
        #expect(
            try self.settings(
                "[SFTP]\nhost=h\npaths=/a\n",
                environment: ["SYNC2NAS_SFTP_PASSWORD": "x"]
            ).account.password != nil
        )
    }

    @Test(arguments: [
        ("sftp://me@box/downloads", "me", "box", 22, "/downloads"),
        ("sftp://me@box:2022/a%20b/c/", "me", "box", 2022, "/a b/c"),
        ("SFTP://me@[::1]:22/x", "me", "::1", 22, "/x"),
    ])
    func anAddressIsRead(
        _ text: String,
        _ user: String,
        _ host: String,
        _ port: Int,
        _ path: String
    ) throws {
        let address = try RemoteAddress(text)
        #expect(address.user == user && address.host == host && Int(address.port) == port)
        #expect(address.paths.map(\.text) == [path])
    }

    @Test(arguments: [
        "me@box:/x", "http://box/x", "sftp://box", "sftp://@/x", "sftp://me@box:0/x",
        "sftp://me@box:99999/x",
        "sftp://me@box/a/../b", "sftp://me:secret@box/x",
    ])
    func aWrongAddressIsRefused(_ text: String) {
        let error = #expect(throws: Settings.Problem.self) { try RemoteAddress(text) }
        #expect(!(error?.description.contains("secret@") ?? true) || !text.contains("secret"))
    }

    @Test func aRootInsideAnotherIsListedOnce() throws {
        let settings = try settings("[SFTP]\nhost=h\npaths=/a/b, /a, /a, /c\n")
        #expect(settings.roots.map(\.text) == ["/a", "/c"])
    }

    @Test func stateIsKeptWhereXDGSays() throws {
        let settings = try settings(
            "[SFTP]\nhost=h\npaths=/a\n",
            environment: ["XDG_DATA_HOME": "/xd", "XDG_CACHE_HOME": "/xc"]
        ) { $0.dataDirectory = nil }
        #expect(
            settings.dataDirectory == "/xd/sync2nas" && settings.cache.directory == "/xc/sync2nas"
        )
    }
}
