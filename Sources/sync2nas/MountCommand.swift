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

    /// Which of a mount's processes this is; set by the process that starts it.
    enum Part: String, ExpressibleByArgument {
        case supervisor
        case server
    }

    @Option(help: .hidden)
    var part: Part?

    func validate() throws {
        guard (1...2).contains(places.count) else {
            throw ValidationError(
                "give the mount point, and before it the seedbox: sftp://user@host/path"
            )
        }
    }

    func run() async throws {
        let settings = try orExit { try Settings(arguments) }
        switch part {
        case nil where foreground:
            try untilNoPasswordIsAsked(settings) { password, report in
                supervise(settings, password: password, report: report)
            }
        case nil:
            try untilNoPasswordIsAsked(settings) { try startInBackground($0, report: $1) }
        case .supervisor:
            Background.log(to: logFile(settings))
            MessageSocket.inherited.keepToOurselves()
            let inheritance = Inheritance(from: .inherited)
            let code = supervise(settings, password: inheritance.password) { message in
                MessageSocket.inherited.send(message)
                guard message == .ready else { return }
                MessageSocket.inherited.leave()
                Background.leaveDirectory()
            }
            throw ExitCode(code)
        case .server:
            guard let failure = await serve(settings) else { return }
            let word = MessageSocket.Message.failed(
                failure.description,
                needsPassword: failure.needsPassword
            )
            MessageSocket.inherited.send(word)
            throw ExitCode(1)
        }
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

    /// - Parameters:
    ///   - settings: Names whose password is asked for.
    ///   - attempt: Tries with a password; reports how it goes and returns the exit code.
    /// - Throws: `ExitCode`.
    private func untilNoPasswordIsAsked(
        _ settings: Settings,
        attempt: (String?, @escaping (MessageSocket.Message) -> Void) throws -> Int32
    ) throws {
        var password: String?
        let state = FreshState(settings)
        for _ in 0..<3 {
            var failure: (text: String, needsPassword: Bool)?
            let code = try attempt(password) { message in
                switch message {
                case .progress(let text): showProgress(text)
                case .warning(let text):
                    showProgress("")
                    printError("warning: \(text)")
                case .ready:
                    showProgress("")
                    for warning in settings.warnings { printError("warning: \(warning)") }
                case .failed(let text, let needsPassword): failure = (text, needsPassword)
                case .record, .takeOver, .password, .start, .mounted: break
                }
            }
            guard let failure else {
                guard code == 0 else {
                    printError("error: the mount ended; '\(logFile(settings))' may say why")
                    throw ExitCode(code)
                }
                return
            }
            showProgress("")
            password = failure.needsPassword ? ask(for: settings) : nil
            if password == nil {
                state.remove()
                printError("error: \(failure.text)")
                throw ExitCode(1)
            }
        }
        state.remove()
        printError("error: the server refuses the password")
        throw ExitCode(1)
    }

    private func showProgress(_ text: String) {
        guard isatty(STDERR_FILENO) == 1 else { return }
        printError("\r\(text)", terminator: "\u{1B}[K")
    }

    private func startInBackground(
        _ password: String?,
        report: (MessageSocket.Message) -> Void
    ) throws -> Int32 {
        let supervisor = try orExit {
            try OwnProcess(
                ownArguments(as: .supervisor),
                hasOwnSession: true,
                in: FileManager.default.currentDirectoryPath
            )
        }
        // Who gives up waiting wants no mount that comes up later.
        let signals = stopSignals { _ in supervisor.stop() }
        defer { for signal in signals { signal.cancel() } }
        if let password { supervisor.socket.send(.password(password)) }
        supervisor.socket.send(.start)
        while let (message, _) = supervisor.socket.receive() {
            report(message)
            if message == .ready { return 0 }
        }
        return 1
    }

    private func ownArguments(as part: Part) -> [String] {
        let own = Array(CommandLine.arguments.dropFirst())
        let given = self.part == nil ? own : own.dropLast(2)
        return given + ["--part", part.rawValue]
    }

    private func ask(for settings: Settings) -> String? {
        guard isatty(STDIN_FILENO) == 1 else { return nil }
        guard let text = getpass("Password for \(settings.account.address): ") else { return nil }
        let password = String(cString: text)
        return password.isEmpty ? nil : password
    }

    // MARK: In the process that supervises

    private func supervise(
        _ settings: Settings,
        password: String?,
        report: (MessageSocket.Message) -> Void
    ) -> Int32 {
        let supervisor = Supervisor(
            arguments: ownArguments(as: .server),
            hasOwnSession: !foreground,
            log: makeLog(verbose: options.verbose)
        )
        let signals = stopSignals { _ in supervisor.stop() }
        defer { for signal in signals { signal.cancel() } }
        return supervisor.run(password: password, relay: report)
    }

    private func logFile(_ settings: Settings) -> String {
        settings.dataDirectory + "/sync2nas.log"
    }

    // MARK: In the process that serves

    /// - Returns: Why the mount did not come up; nil after it was served and taken away.
    private func serve(_ settings: Settings) async -> MountDaemon.Failure? {
        // What it logs is for the file; what went wrong is told through the socket.
        if !foreground { Background.log(to: logFile(settings)) }
        let socket = MessageSocket.inherited
        socket.keepToOurselves()
        let inheritance = Inheritance(from: socket)
        var chosen = settings
        if let password = inheritance.password { chosen.account.password = Secret(password) }
        let daemon: MountDaemon
        do throws(MountDaemon.Failure) {
            daemon = try await MountDaemon(
                chosen,
                mountpoint: mountpoint,
                inheritance: inheritance,
                log: makeLog(verbose: options.verbose)
            )
        } catch {
            return error
        }
        let signals = stopSignals { daemon.stop($0) }
        defer { for signal in signals { signal.cancel() } }
        do throws(MountDaemon.Failure) {
            try await daemon.run { text in
                socket.send(.progress(text))
            } warning: { text in
                socket.send(.warning(text))
            } mounted: { descriptor in
                socket.send(.mounted, descriptor: descriptor)
            } ready: { [foreground] in
                socket.send(.ready)
                if !foreground { Background.leaveDirectory() }
            }
            return nil
        } catch {
            return error
        }
    }

    private func stopSignals(
        _ stop: @Sendable @escaping (String) -> Void
    ) -> [any DispatchSourceSignal] {
        // A terminal that closes is no reason to take a library away.
        if !foreground { signal(SIGHUP, SIG_IGN) }
        signal(SIGPIPE, SIG_IGN)
        var names = [SIGTERM: "SIGTERM", SIGINT: "SIGINT"]
        if foreground { names[SIGHUP] = "SIGHUP" }
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
