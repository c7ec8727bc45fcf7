import Foundation
import FuseBridge
import Glibc
import Synchronization

/// Speaks to a running mount through its control directory, as a person with a shell would.
public struct ControlClient: Sendable {
    /// Why the mount did not do what was asked; the text is the mount's own.
    public struct Refusal: Error, Sendable, CustomStringConvertible {
        public let description: String
        /// What the write failed with.
        public let errno: Int32
    }

    public let mountpoint: String

    /// Finds the mount.
    ///
    /// - Parameters:
    ///   - mountpoint: nil for the only one there is.
    ///   - catalogue: Whose library it must serve, as ``Settings/catalogue`` names it; nil for any.
    /// - Returns: nil when no such mount is there.
    /// - Throws: ``Settings/Problem`` when there are several, or the named one is none.
    public static func find(
        _ mountpoint: String?,
        catalogue: String? = nil
    ) throws(Settings.Problem) -> ControlClient? {
        var mounts = Mountpoint.ours()
        if let mountpoint {
            let path = Settings.absolute(mountpoint)
            guard mounts.contains(path) else {
                throw Settings.Problem("no Sync2NAS is mounted at '\(path)'")
            }
            return ControlClient(mountpoint: path)
        }
        // Mounts of other users, and those that nobody serves, do not answer.
        mounts.removeAll { path in
            guard let status = ControlClient(mountpoint: path).status else { return true }
            return status.catalogue != catalogue ?? status.catalogue
        }
        guard mounts.count < 2 else {
            throw Settings.Problem(
                "several are mounted (\(mounts.joined(separator: ", "))): choose one with --mount"
            )
        }
        return mounts.first.map { ControlClient(mountpoint: $0) }
    }

    /// How long a mount that is only looked at may take to answer.
    private static let patience: Duration = .seconds(3)

    /// What this process needs to know of the mount; nil when it does not answer soon.
    var status: MountSummary? {
        let answer = Mutex<MountSummary?>(nil)
        let isDone = DispatchSemaphore(value: 0)
        // A read of a mount that nobody serves does not come back.
        Thread.detachNewThread {
            let text = try? read("status.json")
            answer.withLock {
                $0 = text.flatMap {
                    try? JSONDecoder().decode(MountSummary.self, from: Data($0.utf8))
                }
            }
            isDone.signal()
        }
        guard isDone.wait(timeout: .now() + Self.patience / .seconds(1)) == .success else {
            return nil
        }
        return answer.withLock { $0 }
    }

    /// Reads a control file.
    ///
    /// - Throws: ``Refusal``.
    public func read(_ name: String) throws(Refusal) -> String {
        let descriptor = try open(name, O_RDONLY)
        defer { close(descriptor) }
        return contents(descriptor)
    }

    /// Writes one line and reads the answer to it.
    ///
    /// - Throws: ``Refusal`` with the mount's reason.
    public func run(_ name: String, _ line: String) throws(Refusal) -> String {
        let descriptor = try open(name, O_RDWR)
        defer { close(descriptor) }
        // One command, whatever stands in it.
        let text = line.split(whereSeparator: \.isNewline).joined(separator: " ") + "\n"
        let written = write(descriptor, text, text.utf8.count)
        let failure = errno
        // The first line repeats the question.
        let answer = contents(descriptor).split(separator: "\n", omittingEmptySubsequences: false)
            .dropFirst().joined(separator: "\n")
        guard written == text.utf8.count else {
            let words = answer.hasPrefix("error: ") ? String(answer.dropFirst(7)) : answer
            let reason = words.isEmpty ? String(cString: strerror(failure)) : words
            throw Refusal(
                description: reason.trimmingCharacters(in: .newlines),
                errno: failure
            )
        }
        return answer
    }

    /// The part of the status that the command line goes by.
    struct MountSummary: Decodable {
        struct Mount: Decodable {
            let processID: pid_t
            let supervisorID: pid_t
        }
        let mount: Mount?
        let catalogue: String
    }

    private func open(_ name: String, _ flags: Int32) throws(Refusal) -> Int32 {
        let path = "\(mountpoint)/control/\(name)"
        let descriptor = Glibc.open(path, flags | O_CLOEXEC)
        guard descriptor >= 0 else {
            let failure = errno
            let reason = String(cString: strerror(failure))
            throw Refusal(description: "cannot open '\(path)': \(reason)", errno: failure)
        }
        return descriptor
    }

    private func contents(_ descriptor: Int32) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = pread(descriptor, &buffer, buffer.count, off_t(bytes.count))
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += buffer[..<count]
        }
    }
}
