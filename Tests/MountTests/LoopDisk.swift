import Foundation
import Glibc
import StandIns

/// An ext4 file system in a file, so that a copy of the file is a disk whose power was cut.
final class LoopDisk {
    let mountpoint: String
    private let directory: String
    private let image: String
    private let isCopy: Bool
    private var copies = 0

    static var isPossible: Bool {
        geteuid() == 0 && access("/dev/loop-control", F_OK) == 0 && access("/dev/loop0", F_OK) == 0
    }

    init(mebibytes: Int) throws {
        directory = try temporaryDirectory()
        image = directory + "/disk"
        mountpoint = directory + "/mounted"
        isCopy = false
        try Data().write(to: URL(fileURLWithPath: image))
        truncate(image, off_t(mebibytes) << 20)
        try Self.run("mkfs.ext4", ["-q", image])
        try mount()
    }

    private init(_ image: String, in directory: String) throws {
        self.directory = directory
        self.image = image
        mountpoint = image + "-mounted"
        isCopy = true
        try mount()
    }

    private func mount() throws {
        mkdir(mountpoint, 0o755)
        try Self.run("mount", ["-o", "loop", image, mountpoint])
    }

    /// The disk as it is in this moment.
    func copy() throws -> String {
        copies += 1
        let path = directory + "/copy\(copies)"
        try Self.run("cp", ["--sparse=always", image, path])
        return path
    }

    func attached(_ copy: String) throws -> LoopDisk { try LoopDisk(copy, in: directory) }

    func detach() {
        umount2(mountpoint, Int32(MNT_DETACH))
        if isCopy { unlink(image) }
    }

    func remove() {
        detach()
        try? FileManager.default.removeItem(atPath: directory)
    }

    private static func run(_ program: String, _ words: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [program] + words
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw StandInError("\(program) ended with \(process.terminationStatus)")
        }
    }
}
