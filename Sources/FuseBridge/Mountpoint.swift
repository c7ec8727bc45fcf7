import CFuse3
import Foundation
import Glibc

/// What lies at the path that somebody wants to mount at, or unmount.
public enum Mountpoint {
    /// Why a path cannot be mounted at.
    public struct Problem: Error, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// Makes sure that `path` can be mounted at; a mount whose daemon has died is taken away.
    ///
    /// - Throws: ``Problem`` with the remedy.
    public static func prepare(_ path: String) throws(Problem) {
        guard access("/dev/fuse", F_OK) == 0 else {
            throw Problem(
                description: "/dev/fuse is absent: load the kernel's FUSE module ('modprobe fuse'),"
                    + " or give the container the device (docker: --device /dev/fuse)"
            )
        }
        guard access("/dev/fuse", R_OK | W_OK) == 0 else {
            throw Problem(
                description: "this user may not use /dev/fuse: as root, 'chmod 666 /dev/fuse' lets"
                    + " everybody mount, as is usual"
            )
        }
        var status = stat()
        if isDead(path) { unmount(path) }
        guard stat(path, &status) == 0 else {
            let reason = String(cString: strerror(errno))
            let remedy = errno == ENOENT ? "; create it with 'mkdir -p \(path)'" : ""
            throw Problem(description: "cannot mount at '\(path)': \(reason)\(remedy)")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw Problem(description: "cannot mount at '\(path)': it is not a directory")
        }
        if let type = mounts().last(where: { $0.path == path })?.type {
            let remedy =
                type == typeName
                ? "; unmount it with 'sync2nas unmount \(path)'" : "; choose another directory"
            throw Problem(
                description: "cannot mount at '\(path)': a file system (\(type)) is mounted there"
                    + remedy
            )
        }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: path) else {
            throw Problem(description: "cannot mount at '\(path)': this user may not read it")
        }
        guard getuid() == 0 || access(path, W_OK) == 0 else {
            throw Problem(
                description: "cannot mount at '\(path)': this user may not write there, and so not"
                    + " mount there; choose a directory of your own"
            )
        }
        guard names.isEmpty else {
            throw Problem(
                description: "cannot mount at '\(path)': it is not empty ('\(names.sorted()[0])' is"
                    + " in it); choose or create an empty directory"
            )
        }
    }

    /// The type under which our mounts stand in `/proc/mounts`.
    public static let typeName = "fuse.sync2nas"

    /// Paths of our file systems that are mounted now, oldest first.
    public static func ours() -> [String] {
        mounts().filter { $0.type == typeName }.map(\.path)
    }

    /// Takes a mount away at once; those who have files open there get errors.
    ///
    /// - Returns: Whether nothing of ours is mounted there any more.
    @discardableResult
    public static func unmount(_ path: String) -> Bool {
        // MNT_FORCE ends requests that wait, MNT_DETACH takes the mount from under open files.
        if umount2(path, Int32(MNT_FORCE) | Int32(MNT_DETACH)) != 0 {
            _ = runHelper(["fusermount3", "-u", "-z", "-q", "--", path])
        }
        return !mounts().contains { $0.path == path && $0.type == typeName }
    }

    /// Whether the path's file system has lost its daemon.
    private static func isDead(_ path: String) -> Bool {
        // Never answered from the kernel's memory, as stat(2) may be.
        var space = statvfs()
        return statvfs(path, &space) != 0 && (errno == ENOTCONN || errno == ECONNABORTED)
    }

    private static func mounts() -> [(path: String, type: String)] {
        let text = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            return fields.count > 2 ? (unescaped(fields[1]), String(fields[2])) : nil
        }
    }

    /// `/proc/mounts` writes space, tab, line feed and backslash as three octal digits.
    private static func unescaped(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = String(decoding: rest.prefix(3), as: UTF8.self)
            if byte == UInt8(ascii: "\\"), digits.count == 3, let value = UInt8(digits, radix: 8) {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func runHelper(_ words: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        do { try process.run() } catch { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }
}
