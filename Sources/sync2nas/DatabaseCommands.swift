import ArgumentParser
import Catalogue
import Daemon
import Foundation

/// Runs `body` on the configured database; a failure is one line and exit code 1.
private func onDatabase<Value>(
    _ options: SettingOptions,
    _ body: (DatabaseCare) async throws -> Value
) async throws -> Value {
    let care = try orExit { try DatabaseCare(options.arguments) }
    do {
        return try await body(care)
    } catch {
        printError("error: \(error)")
        throw ExitCode(1)
    }
}

struct InitDBCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init-db",
        abstract: "Make the catalogue's tables, or renew those of an earlier version."
    )

    @OptionGroup var options: SettingOptions

    func run() async throws {
        print(try await onDatabase(options) { try await $0.initialise() })
    }
}

struct CheckDBCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-db",
        abstract: "Look for damage in the catalogue."
    )

    @Flag(help: "Look only for what is soon found.")
    var quick = false

    @OptionGroup var options: SettingOptions

    func run() async throws {
        let problems = try await onDatabase(options) { try await $0.problems(quick: quick) }
        guard !problems.isEmpty else { return print("the catalogue is sound") }
        for problem in problems { print(problem) }
        printError("error: restore a backup with restore-db, or move the database away")
        throw ExitCode(1)
    }
}

struct DBStatsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "db-stats",
        abstract: "Show sizes, rows, indices and connections of the catalogue."
    )

    @OptionGroup var options: SettingOptions

    func run() async throws {
        let lines = try await onDatabase(options) { try await $0.statistics() }
        let width = lines.map(\.name.count).max() ?? 0
        for (name, value) in lines {
            print(name.padding(toLength: width + 2, withPad: " ", startingAt: 0) + value)
        }
    }
}

struct BackupDBCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup-db",
        abstract: "Save the catalogue into a file, also while it is mounted."
    )

    @Argument(help: "A new file; without it, one below the data directory.")
    var file: String?

    @Flag(help: "Write what every kind of database can restore, and not the database's own form.")
    var portable = false

    @OptionGroup var options: SettingOptions

    func run() async throws {
        print(try await onDatabase(options) { try await $0.backUp(to: file, isPortable: portable) })
    }
}

struct RestoreDBCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore-db",
        abstract: "Put what backup-db saved in place of what the catalogue holds."
    )

    @Argument(help: "The file that backup-db made; a portable one from any kind of database.")
    var file: String

    @Flag(help: "Replace what is there.")
    var force = false

    @OptionGroup var options: SettingOptions

    func run() async throws {
        print(
            try await onDatabase(options) { try await $0.restore(from: file, isForced: force) }
        )
    }
}

struct MigrateDBCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate-db",
        abstract: "Copy the whole catalogue into a database of another kind, and compare both."
    )

    @Option(help: "sqlite, postgres or milvus; where it is stands in the section of that name.")
    var to: String

    @Flag(help: "Only say what would be copied.")
    var dryRun = false

    @Flag(help: "Replace what the target holds.")
    var force = false

    @OptionGroup var options: SettingOptions

    func run() async throws {
        let bar = ProgressBar()
        let move = try await onDatabase(options) { care in
            defer { bar.end() }
            return try await care.move(to: to, isDry: dryRun, isForced: force) { progress in
                switch progress {
                case .step(let text):
                    bar.end()
                    printError(text + " …")
                case .rows(let count, let all): bar.show(count, of: all, "rows")
                }
            }
        }
        for tally in move.tallies {
            let fingerprint = String(tally.fingerprint, radix: 16)
            print("\(tally.rows)\t\(tally.name)\t\(fingerprint)")
        }
        print("from  \(move.from)\nto    \(move.to)")
        print(
            move.isDone
                ? "all rows are the same in both; now set [Database] type = \(to)"
                : "nothing was written"
        )
    }
}

struct ImportSync2NASCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import-sync2nas",
        abstract:
            "Take in the library of an original Sync2NAS SQLite file; a second time changes nothing."
    )

    @Argument(help: "The original's database; it is only read.")
    var file: String

    @OptionGroup var options: SettingOptions

    func run() async throws {
        let log = makeLog(verbose: options.verbose)
        let (summary, problems) = try await onDatabase(options) { care in
            try await care.importOriginal(file, log: log)
        }
        for problem in problems { printError("note: \(problem)") }
        print(summary)
    }
}
