import ArgumentParser
import Daemon
import Foundation
import Glibc
import Logging

/// Options that name the state and the settings.
struct SettingOptions: ParsableArguments {
    @Option(help: "A configuration file.")
    var config: String?

    @Option(help: "Where the catalogue is kept.")
    var dataDir: String?

    @Option(help: "Where fetched bytes are kept.")
    var cacheDir: String?

    @Flag(name: .shortAndLong, help: "Log more; twice for all.")
    var verbose: Int

    var arguments: Settings.Arguments {
        var arguments = Settings.Arguments()
        arguments.configFile = config
        arguments.dataDirectory = dataDir
        arguments.cacheDirectory = cacheDir
        return arguments
    }
}

extension SettingOptions {
    /// Finds the mount that a command speaks to: the named one, that of the named catalogue, or
    /// the only one.
    ///
    /// - Parameter mount: The mount that the person named, if any.
    /// - Returns: nil when this process has to do it itself.
    /// - Throws: ``Settings/Problem``.
    func find(_ mount: MountOption) throws(Settings.Problem) -> ControlClient? {
        let named = config != nil || dataDir != nil
        let catalogue = named ? try Settings(arguments).catalogue : nil
        return try ControlClient.find(mount.path, catalogue: catalogue)
    }
}

struct MountOption: ParsableArguments {
    @Option(name: .customLong("mount"), help: "The mount point, when several are mounted.")
    var path: String?
}

func printError(_ text: String, terminator: String = "\n") {
    FileHandle.standardError.write(Data((text + terminator).utf8))
}

/// Runs `body`; a failure is one line on the error output and exit code 1.
func orExit<Value, Failure: Error>(_ body: () throws(Failure) -> Value) throws -> Value {
    do throws(Failure) {
        return try body()
    } catch {
        printError("error: \(error)")
        throw ExitCode(1)
    }
}

func makeLog(verbose: Int) -> Logger {
    var log = Logger(label: "sync2nas") { StreamLogHandler.standardError(label: $0) }
    log.logLevel = verbose == 0 ? .notice : verbose == 1 ? .info : .debug
    return log
}
