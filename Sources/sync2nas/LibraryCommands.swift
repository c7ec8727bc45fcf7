import ArgumentParser
import Daemon
import Foundation
import Glibc
import Naming
import Operations

/// A command that a running mount carries out, or, when there is none, this process.
protocol LibraryCommand: AsyncParsableCommand {
    var options: SettingOptions { get }
    var mount: MountOption { get }
    /// The control file that does it.
    var controlFile: String { get }
    /// What to write to it.
    func line() throws(OperationError) -> String
}

extension LibraryCommand {
    func run() async throws {
        let client = try orExit { try options.find(mount) }
        let line = try orExit { try self.line() }
        let answer: String
        if let client {
            answer = try orExit { try client.run(controlFile, line) }
        } else {
            answer = try await runHere(line)
        }
        print(answer.hasSuffix("\n") ? String(answer.dropLast()) : answer)
    }

    private func runHere(_ line: String) async throws -> String {
        let settings = try orExit { try Settings(options.arguments) }
        do {
            let workshop = try await Workshop.open(settings, log: makeLog(verbose: options.verbose))
            let result = await workshop.answer(controlFile, line)
            await workshop.close()
            return try result.get()
        } catch {
            printError("error: \(error)")
            throw ExitCode(1)
        }
    }
}

struct AddShowCommand: LibraryCommand {
    static let configuration = CommandConfiguration(
        commandName: "add-show",
        abstract: "Add a show with its seasons and episodes from TMDB."
    )

    @Argument(help: "The show's name, as 'Frieren' or 'The Office (2005)'.")
    var name: String?

    @Option(help: "TMDB's number of the show.")
    var tmdbId: Int?

    @Flag(help: "Only say what would be added.")
    var dryRun = false

    @Flag(help: "Call its folder as the name was written.")
    var overrideDir = false

    @Flag(help: "Let the language model choose where the name may mean several shows.")
    var useLlm = false

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    var controlFile: String { "add-show" }

    func validate() throws {
        guard (name == nil) != (tmdbId == nil) else {
            throw ValidationError("give either the show's name or --tmdb-id")
        }
    }

    func line() throws(OperationError) -> String {
        let what = tmdbId.map { "tmdb:\($0)" } ?? name ?? ""
        _ = try AddShowRequest(what)
        let flags = [
            dryRun ? "--dry-run " : "", useLlm ? "--use-llm " : "",
            overrideDir ? "--override-dir " : "",
        ]
        return flags.joined() + what
    }
}

struct RouteFilesCommand: LibraryCommand {
    static let configuration = CommandConfiguration(
        commandName: "route-files",
        abstract: "Decide anew where files belong."
    )

    @Argument(help: "all, unrouted, a file in the mount, or a part of a path on the seedbox.")
    var files = "unrouted"

    @Flag(help: "Only say what would move.")
    var dryRun = false

    @Flag(help: "First add shows that only files know, from TMDB.")
    var autoAdd = false

    @Flag(name: [.long, .customShort("l")], help: "Ask the language model about unclear names.")
    var useLlm = false

    @Option(help: "How sure the language model must be, from 0 to 1.")
    var llmConfidence: Double?

    @Option(
        name: .customLong("as"),
        help: "Where the file belongs, as 'Show S02E05'; it stays there, and its like follow."
    )
    var place: String?

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    var controlFile: String { "route" }

    func line() throws(OperationError) -> String {
        var words: [String] = []
        if dryRun { words.append("--dry-run") }
        if autoAdd { words.append("--auto-add") }
        if useLlm { words.append("--use-llm") }
        if let llmConfidence { words.append("--llm-confidence \(llmConfidence)") }
        words.append(MountedFile.name(files))
        if let place { words.append("--as \(place)") }
        let line = words.joined(separator: " ")
        _ = try RouteRequest(line)
        return line
    }
}

struct ScanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scan",
        abstract: "List the seedbox and take in what is new, changed or gone."
    )

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    func run() async throws {
        guard let client = try orExit({ try options.find(mount) }) else {
            let settings = try orExit { try Settings(options.arguments) }
            return try await scanHere(settings)
        }
        try await client.waitForJob(of: "scan", answer: try await start(client))
    }

    /// A scan that is under way may have passed what the person just changed: ours comes after it.
    private func start(_ client: ControlClient) async throws -> String {
        while true {
            do throws(ControlClient.Refusal) {
                return try client.run("scan", "now")
            } catch {
                guard error.errno == EBUSY else {
                    printError("error: \(error)")
                    throw ExitCode(1)
                }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func scanHere(_ settings: Settings) async throws {
        do {
            let workshop = try await Workshop.open(settings, log: makeLog(verbose: options.verbose))
            let report = try await workshop.operations.scan()
            await workshop.close()
            print(report.summary)
            if report.error != nil { throw ExitCode(1) }
        } catch let error as ExitCode {
            throw error
        } catch {
            printError("error: \(error)")
            throw ExitCode(1)
        }
    }
}

extension ControlClient {
    /// Waits for a job that a control file has started, and prints how it ended.
    ///
    /// - Parameters:
    ///   - name: The operation's name.
    ///   - answer: What the control file said.
    /// - Throws: `ExitCode` when the job failed, after saying why.
    fileprivate func waitForJob(of name: String, answer: String) async throws {
        let number = answer.trimmingCharacters(in: .newlines).split(separator: "/").last ?? ""
        while true {
            let text = try orExit { try read("jobs/\(number)") }
            guard !text.hasPrefix("\(name): running") else {
                try await Task.sleep(for: .milliseconds(50))
                continue
            }
            let lines = text.split(separator: "\n", maxSplits: 1)
            let result = lines.last.map(String.init) ?? ""
            guard text.hasPrefix("\(name): succeeded") else {
                printError("error: \(result.trimmingCharacters(in: .newlines))")
                throw ExitCode(1)
            }
            print(result, terminator: "")
            return
        }
    }
}

struct CheckCacheCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-cache",
        abstract: "Compare every cached block with its checksum, and drop damaged ones."
    )

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    func run() async throws {
        let named = options.cacheDir != nil
        if !named, let client = try orExit({ try options.find(mount) }) {
            let answer = try orExit { try client.run("check-cache", "all") }
            return try await client.waitForJob(of: "check-cache", answer: answer)
        }
        let settings = try orExit { try CacheSettings(options.arguments) }
        do {
            let log = makeLog(verbose: options.verbose)
            let report = try await CacheCheck.run(settings, log: log) { _ in }
            print(report.summary)
        } catch {
            printError("error: \(error)")
            throw ExitCode(1)
        }
    }
}

struct TransfersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfers",
        abstract: "Show what comes from the seedbox now."
    )

    @Flag(help: "As JSON, for programs.")
    var json = false

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    func run() async throws {
        guard let client = try orExit({ try options.find(mount) }) else {
            printError("error: nothing is mounted")
            throw ExitCode(1)
        }
        let name = json ? "transfers.json" : "transfers"
        print(try orExit { try client.read(name) }, terminator: "")
    }
}

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the state of the mount."
    )

    @Flag(help: "As JSON, for programs.")
    var json = false

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    func run() async throws {
        let name = json ? "status.json" : "status"
        if let client = try orExit({ try options.find(mount) }) {
            print(try orExit { try client.read(name) }, terminator: "")
            return
        }
        let settings = try orExit { try Settings(options.arguments) }
        do {
            let workshop = try await Workshop.open(settings, log: makeLog(verbose: options.verbose))
            print(await workshop.text(of: name), terminator: "")
            await workshop.close()
        } catch {
            printError("error: \(error)")
            throw ExitCode(1)
        }
    }
}

struct ParseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parse",
        abstract: "Show what release names say.",
        discussion: "Names come from the arguments, or, with '-', from standard input, a line each."
    )

    @Flag(help: "One JSON object a line.")
    var json = false

    @Argument(help: "Names or paths.")
    var names: [String]

    func run() throws {
        let parser = NameParser()
        let people = ParsedText(isColoured: ParsedText.isColoured)
        func show(_ name: String) {
            let parsed = parser.parse(name)
            if json {
                print(ParsedNameRecord(name: name, parsed: parsed).json)
            } else {
                print(people.text(of: parsed, name: name))
            }
        }
        for name in names where name != "-" { show(name) }
        guard names.contains("-") else { return }
        while let line = readLine() { show(line) }
    }
}
