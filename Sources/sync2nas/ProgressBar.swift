import Foundation
import Glibc
import Synchronization

/// How far something is, on the error output: one line that is drawn anew on a terminal, and a line
/// for each tenth elsewhere.
final class ProgressBar: Sendable {
    private let shown = Mutex(-1)
    /// Whether the cursor stands behind the bar.
    private let isOpen = Mutex(false)
    private static let width = 30

    /// - Parameters:
    ///   - count: What is done.
    ///   - all: What there is to do.
    ///   - unit: Of what, in the plural.
    func show(_ count: Int, of all: Int, _ unit: String) {
        let isTerminal = isatty(STDERR_FILENO) == 1
        let percent = all == 0 ? 100 : count * 100 / all
        let step = isTerminal ? percent : percent / 10 * 10
        let isNews = shown.withLock { shown in
            defer { shown = step }
            return shown != step
        }
        guard isNews else { return }
        let text = "\(count) of \(all) \(unit)"
        guard isTerminal else { return printError("\(step) %  \(text)") }
        let filled = String(repeating: "#", count: percent * Self.width / 100)
        let bar = filled.padding(toLength: Self.width, withPad: ".", startingAt: 0)
        printError("\r[\(bar)] \(percent) %  \(text)\u{1B}[K", terminator: "")
        isOpen.withLock { $0 = true }
    }

    /// Ends the line, for what is printed next.
    func end() {
        let wasOpen = isOpen.withLock { isOpen in
            defer { isOpen = false }
            return isOpen
        }
        if wasOpen { printError("") }
    }
}
