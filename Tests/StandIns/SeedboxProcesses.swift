import CSystem
import Glibc

/// A process that we started, and all that it started.
struct ProcessTree {
    let root: pid_t

    /// Every process below `root`, and `root` itself first.
    var members: [pid_t] {
        let parents = ProcessTree.parents()
        var members = [root]
        var next = 0
        while next < members.count {
            members += parents.filter { $0.value == members[next] }.keys
            next += 1
        }
        return members
    }

    func signal(_ number: Int32) {
        for pid in members { kill(pid, number) }
    }

    /// Ends all of them.
    ///
    /// First stopped, so that none can start another meanwhile: a session of sshd lives on when
    /// the listening process has gone, and is nobody's child then.
    func end() {
        for pid in stopped() { kill(pid, SIGKILL) }
        var status: Int32 = 0
        while waitpid(root, &status, 0) < 0 && errno == EINTR {}
    }

    /// Stops all of them, and those that they were just about to start.
    @discardableResult
    func stopped() -> Set<pid_t> {
        var known: Set<pid_t> = []
        while case let new = Set(members).subtracting(known), !new.isEmpty {
            for pid in new { kill(pid, SIGSTOP) }
            known.formUnion(new)
        }
        return known
    }

    private static func parents() -> [pid_t: pid_t] {
        var parents: [pid_t: pid_t] = [:]
        for name in TemporaryFolder.names(in: "/proc") {
            guard let pid = pid_t(name), let stat = TemporaryFolder.text(of: "/proc/\(name)/stat")
            else { continue }
            // The command in parentheses may hold spaces; state and parent come behind it.
            let fields = stat[(stat.lastIndex(of: ")") ?? stat.startIndex)...].split(separator: " ")
            if fields.count > 2, let parent = pid_t(fields[2]) { parents[pid] = parent }
        }
        return parents
    }

    /// The commands of all processes that have `words` among their arguments.
    static func commands(with words: [String]) -> [String] {
        TemporaryFolder.names(in: "/proc").filter { pid_t($0) != nil }.compactMap { name in
            guard let line = TemporaryFolder.text(of: "/proc/\(name)/cmdline") else { return nil }
            let arguments = line.split(separator: "\0").map(String.init)
            return words.allSatisfy(arguments.contains) ? arguments.first : nil
        }
    }

    /// Starts `words[0]` with its output in `log`.
    static func start(_ words: [String], log: String) throws -> ProcessTree {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Foundation's own are inherited: a file that a test reads just now would stay open.
        sync2nas_spawn_without(&actions, 3)
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        var pid: pid_t = 0
        let result = posix_spawn(&pid, words[0], &actions, nil, arguments, environ)
        guard result == 0 else {
            throw SeedboxError("cannot start \(words[0]): \(String(cString: strerror(result)))")
        }
        return ProcessTree(root: pid)
    }

    /// Runs a program to its end.
    static func run(_ words: [String], log: String) throws {
        let tree = try start(words, log: log)
        var status: Int32 = 0
        while waitpid(tree.root, &status, 0) < 0 && errno == EINTR {}
        guard status == 0 else {
            let text = TemporaryFolder.text(of: log) ?? ""
            throw SeedboxError("\(words.joined(separator: " ")) failed: \(text)")
        }
    }
}

/// What went wrong with a stand-in.
public struct SeedboxError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
