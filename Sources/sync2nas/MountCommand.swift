import ArgumentParser
import Daemon
import Foundation
import Glibc
import Logging
import Transfer

struct MountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mount",
        abstract: "Mount a seedbox as a TV library.",
        usage: """
            sync2nas mount sftp://user@host[:port]/absolute/path MOUNTPOINT [options]
            sync2nas mount MOUNTPOINT --config FILE [options]
            """,
        discussion: """
            Without --foreground it goes to the background once the mount answers. A password is \
            taken from --password-file, from SYNC2NAS_SFTP_PASSWORD, or asked for at the terminal.
            """
    )

    @Argument(help: "The seedbox, unless a configuration file names it, and the mount point.")
    var places: [String]

    @OptionGroup var options: SettingOptions

    @Option(name: [.customShort("i"), .long], help: "A private key file.")
    var identity: String?

    @Option(help: "A known_hosts file in place of the usual ones.")
    var knownHosts: String?

    @Flag(help: "Accept and remember the key of a server that is not known yet.")
    var acceptNewHostKey = false

    @Option(help: "A file whose first line is the password.")
    var passwordFile: String?

    @Flag(help: "Let other users read the mount.")
    var allowOther = false

    @Option(name: .customShort("o"), help: "Mount options, as for mount(8).")
    var mountOptions: [String] = []

    @Flag(help: "Stay in the foreground and log to the terminal.")
    var foreground = false

    /// Set by the parent process only.
    @Flag(help: .hidden)
    var background = false

    func validate() throws {
        guard (1...2).contains(places.count) else {
            throw ValidationError(
                "give the mount point, and before it the seedbox: sftp://user@host/path"
            )
        }
    }

    func run() async throws {
        let settings = try orExit { try Settings(arguments) }
        guard foreground || background else { return try startInBackground(settings) }
        var chosen = settings
        if background, let secret = Background.receivedSecret() {
            chosen.account.password = Secret(secret)
        }
        for _ in 0..<3 {
            guard let failure = await serve(chosen) else { return }
            guard foreground, failure.needsPassword, let password = ask(for: settings) else {
                return fail(failure)
            }
            chosen.account.password = Secret(password)
        }
        throw ExitCode(1)
    }

    private var arguments: Settings.Arguments {
        var arguments = options.arguments
        arguments.remote = places.count == 2 ? places[0] : nil
        arguments.identityFile = identity
        arguments.knownHostsFile = knownHosts
        arguments.acceptNewHostKey = acceptNewHostKey
        arguments.passwordFile = passwordFile
        arguments.allowOther = allowOther
        arguments.mountOptions = mountOptions
        return arguments
    }

    private var mountpoint: String { Settings.absolute(places.last ?? "") }

    // MARK: In the process that the person started

    private func startInBackground(_ settings: Settings) throws {
        var secret: String?
        for attempt in 0..<3 {
            let outcome = Background.start(
                arguments: Array(CommandLine.arguments.dropFirst()) + ["--background"],
                secret: secret
            ) { text in
                if isatty(STDERR_FILENO) == 1 { printError("\r\(text)", terminator: "\u{1B}[K") }
            }
            if isatty(STDERR_FILENO) == 1 { printError("\r", terminator: "\u{1B}[K") }
            switch outcome {
            case .ready:
                for warning in settings.warnings { printError("warning: \(warning)") }
                return
            case .failed(let message, let needsPassword):
                guard needsPassword, let password = ask(for: settings) else {
                    printError("error: \(message)")
                    throw ExitCode(1)
                }
                if attempt == 2 { printError("error: \(message)") }
                secret = password
            }
        }
        throw ExitCode(1)
    }

    private func ask(for settings: Settings) -> String? {
        guard isatty(STDIN_FILENO) == 1 else { return nil }
        guard let text = getpass("Password for \(settings.account.address): ") else { return nil }
        let password = String(cString: text)
        return password.isEmpty ? nil : password
    }

    // MARK: In the process that serves

    /// - Returns: Why the mount did not come up; nil after it was served and taken away.
    private func serve(_ settings: Settings) async -> MountDaemon.Failure? {
        let logFile = settings.dataDirectory + "/sync2nas.log"
        // What it logs is for the file; what went wrong is told through the pipe.
        if background { Background.log(to: logFile) }
        let log = makeLog(verbose: options.verbose)
        let daemon: MountDaemon
        do throws(MountDaemon.Failure) {
            daemon = try MountDaemon(settings, mountpoint: mountpoint, log: log)
        } catch {
            return error
        }
        let signals = stopSignals { daemon.stop($0) }
        defer { for signal in signals { signal.cancel() } }
        do throws(MountDaemon.Failure) {
            try await daemon.run { [background] text in
                if background { Background.report("progress \(text)") }
            } ready: { [background] in
                guard background else { return }
                Background.report("ready")
                Background.detach()
            }
            return nil
        } catch {
            return error
        }
    }

    private func fail(_ failure: MountDaemon.Failure) {
        if background {
            Background.report(
                (failure.needsPassword ? "password " : "error ") + failure.description
            )
        } else {
            printError("error: \(failure)")
        }
        Glibc.exit(1)
    }

    private func stopSignals(
        _ stop: @Sendable @escaping (String) -> Void
    ) -> [any DispatchSourceSignal] {
        // A terminal that closes is no reason to take a library away.
        if background { signal(SIGHUP, SIG_IGN) }
        signal(SIGPIPE, SIG_IGN)
        let names = [SIGTERM: "SIGTERM", SIGINT: "SIGINT"]
        return names.map { number, name in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { stop(name) }
            source.resume()
            return source
        }
    }
}

struct UnmountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unmount",
        abstract: "Take a mount away."
    )

    @Argument(help: "The mount point.")
    var mountpoint: String

    func run() throws {
        let path = Settings.absolute(mountpoint)
        do throws(Settings.Problem) {
            try MountControl.unmount(path)
        } catch {
            printError("error: \(error)")
            throw ExitCode(1)
        }
    }
}
