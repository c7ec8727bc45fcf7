import Foundation
import Operations
import Synchronization
import VirtualTree

/// One file of the control directory.
final class ControlFile: Sendable {
    let name: String
    /// Runs one line and returns the answer; nil for files that are only read.
    private let command: (@Sendable (String) async throws(OperationError) -> String)?
    private let describe: @Sendable () -> String
    /// The last line that was run, through whichever handle, and its answer.
    private let last = Mutex<(text: String, seconds: Int64)?>(nil)

    /// A file that is only read.
    ///
    /// - Parameters:
    ///   - name: The file's name.
    ///   - text: Its content, made anew for every open.
    init(_ name: String, text: @Sendable @escaping () -> String) {
        self.name = name
        command = nil
        describe = text
    }

    /// A file whose lines are run when they are written.
    ///
    /// - Parameters:
    ///   - name: The operation's name.
    ///   - usage: How it is used, for a reader.
    ///   - command: Runs one line.
    init(
        _ name: String,
        usage: String,
        command: @Sendable @escaping (String) async throws(OperationError) -> String
    ) {
        self.name = name
        self.command = command
        describe = { usage }
    }

    var isWritable: Bool { command != nil }

    /// When its text last changed, seconds since 1970; nil before the first command.
    var modifiedSeconds: Int64? { last.withLock { $0?.seconds } }

    func text() -> String {
        guard isWritable else { return describe() }
        let last = last.withLock { $0?.text } ?? "nothing was asked for yet\n"
        return describe() + "\nLast result:\n" + last
    }

    func answer(_ line: String) async -> Result<String, OperationError> {
        guard let command else {
            return .failure(OperationError(.invalid, "'\(name)' can only be read"))
        }
        do throws(OperationError) {
            return .success(try await command(line))
        } catch {
            return .failure(error)
        }
    }

    /// Runs one line and keeps the answer for later readers.
    ///
    /// - Parameter line: Without its line feed.
    /// - Returns: What to show, and the error that the writer gets, if any.
    func run(_ line: String) async -> (text: String, error: ControlError?) {
        let result: (String, ControlError?) =
            switch await answer(line) {
            case .success(let text): (text + "\n", nil)
            case .failure(let error): ("error: \(error)\n", ControlError(error.controlCode))
            }
        let text = "> \(Printable.line(line))\n\(result.0)"
        note(text)
        return (text, result.1)
    }

    /// Keeps an answer for later readers.
    func note(_ text: String) {
        last.withLock { $0 = (text, Int64(Date().timeIntervalSince1970)) }
    }
}

extension OperationError {
    /// The `errno` a writer gets is chosen by this.
    var controlCode: ControlError.Code {
        switch code {
        case .invalid, .ambiguous: .invalid
        case .notFound: .notFound
        case .alreadyExists: .alreadyExists
        case .busy: .busy
        case .unavailable, .notConfigured: .failed
        }
    }
}

/// Text of strangers, made fit for a terminal.
enum Printable {
    static func line(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar
                }
            )
        )
    }
}

/// A handle on a file whose lines are commands.
final class CommandSession: ControlSession {
    private struct State {
        /// What was written behind the last line feed.
        var pending: [UInt8] = []
        /// What this handle's commands answered; nil before the first.
        var answer: String?
        /// A line was too long: everything up to its end is dropped.
        var isOverlong = false
    }

    /// Longer than any path or title.
    private static let longestLine = 16384

    private let file: ControlFile
    private let state = Mutex(State())

    init(file: ControlFile) {
        self.file = file
    }

    func contents() -> [UInt8] {
        Array((state.withLock { $0.answer } ?? file.text()).utf8)
    }

    func write(_ bytes: [UInt8]) async throws(ControlError) {
        let lines = state.withLock { state -> [[UInt8]]? in
            state.pending += bytes
            var parts = state.pending.split(
                separator: UInt8(ascii: "\n"),
                omittingEmptySubsequences: false
            )
            state.pending = parts.popLast().map(Array.init) ?? []
            guard (parts + [state.pending[...]]).allSatisfy({ $0.count <= Self.longestLine })
            else {
                state.pending = []
                return nil
            }
            return parts.map(Array.init)
        }
        guard let lines else {
            refuse("a line may have at most \(Self.longestLine) bytes")
            throw ControlError(.invalid)
        }
        try await run(lines)
    }

    func finish() async throws(ControlError) {
        let rest = state.withLock { state -> [UInt8] in
            defer { state.pending = [] }
            return state.pending
        }
        try await run([rest])
    }

    /// Runs the lines in their order up to the first that fails.
    private func run(_ lines: [[UInt8]]) async throws(ControlError) {
        for line in lines {
            guard let text = String(validating: line, as: UTF8.self), !text.contains("\0") else {
                refuse("the line is not UTF-8 text")
                throw ControlError(.invalid)
            }
            let words = text.trimmingCharacters(in: .whitespaces)
            if words.isEmpty { continue }
            let result = await file.run(words)
            answer(result.text)
            if let error = result.error { throw error }
        }
    }

    /// Says why a line was not even tried, to this handle and to later readers.
    private func refuse(_ reason: String) {
        let text = "> (a line that cannot be read)\nerror: \(reason)\n"
        file.note(text)
        answer(text)
    }

    private func answer(_ text: String) {
        state.withLock { $0.answer = ($0.answer ?? "") + text }
    }
}
