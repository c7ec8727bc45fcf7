import Foundation
import Glibc
import StandIns

/// What a mount and its processes hold.
extension Fixture {
    /// Has the server's key known at another port as well.
    func know(_ port: UInt16) throws {
        let known = text(seedbox.knownHostsPath)
        let more = known.replacingOccurrences(of: ":\(seedbox.port)", with: ":\(port)")
        try (known + more).write(toFile: seedbox.knownHostsPath, atomically: true, encoding: .utf8)
    }

    /// Descriptors that the server holds.
    var descriptors: Int { openFiles.count }

    /// What each of them leads to.
    var openFiles: [String] {
        guard let server else { return [] }
        let directory = "/proc/\(server)/fd"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: directory + "/" + $0)
        }
    }

    /// Bytes that the server has in memory (`VmRSS`), or had at most (`VmHWM`).
    func memory(_ field: String) -> Int {
        guard let server else { return 0 }
        let line = text("/proc/\(server)/status").split(separator: "\n")
            .first { $0.hasPrefix(field + ":") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) << 10
    }

    /// Blocks that were read from the cache.
    var hits: Int {
        let status = try? JSONSerialization.jsonObject(
            with: Data(text(control("status.json")).utf8)
        )
        let cache = (status as? [String: Any])?["cache"] as? [String: Any]
        return cache?["hits"] as? Int ?? 0
    }

    /// When each cached version was last read, as the server's clock showed it.
    var lastReads: [Int] {
        let blocks = cache + "/blocks"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: blocks)) ?? []
        return names.filter { $0.hasSuffix(".map") }.compactMap { name in
            var status = stat()
            return stat(blocks + "/" + name, &status) == 0 ? status.st_mtim.tv_sec : nil
        }
    }

    var cacheBytes: Int {
        let blocks = cache + "/blocks"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: blocks)) ?? []
        return names.reduce(0) { sum, name in
            var status = stat()
            return stat(blocks + "/" + name, &status) == 0 ? sum + Int(status.st_blocks) * 512 : sum
        }
    }
}
