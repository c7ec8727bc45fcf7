import Foundation
import Operations

/// The state of the mount as a page for people.
enum StatusText {
    static func text(of status: StatusReport) -> String {
        let library = status.library
        var lines = ["Sync2NAS \(status.version), " + mount(status.mount), ""]
        if let mount = status.mount {
            lines += [
                "Mount      \(mount.openHandles) files and directories open; the kernel reads"
                    + " complete files itself: \(mount.passthrough)"
            ]
        }
        lines += [
            "Seedbox    \(status.remote.address)  \(status.remote.paths.joined(separator: ", "))",
            "           \(remote(status.remote))",
            "Library    \(library.shows) shows (\(library.showsOnTMDB) known to TMDB), \(library.files)"
                + " files, \(bytes(library.bytes)); \(library.unrouted) not routed",
        ]
        if let cache = status.cache {
            lines += [
                "Cache      \(bytes(cache.bytes))\(cache.limitBytes.map { " of \(bytes($0))" } ?? "")"
                    + " in \(cache.files) files, \(cache.directory)",
                "           \(cache.hits) blocks from the cache, \(cache.misses) fetched,"
                    + " \(cache.evictions) files dropped, \(cache.badBlocks) bad blocks",
            ]
        }
        lines += [
            "Catalogue  \(status.catalogue)"
        ]
        if let trouble = status.catalogueTrouble {
            lines += [
                "           away: \(Printable.line(trouble))",
                "           what was known last is served; changes are refused until it is back",
            ]
        }
        lines.append("TMDB       \(status.tmdb)")
        if let scan = status.lastScan {
            let when = "\(date(scan.finished)), \(String(format: "%.1f", scan.seconds)) s"
            lines.append(
                "Last scan  \(when): " + scan.summary.replacingOccurrences(of: "\n", with: "; ")
            )
            lines += scan.problems.map { "           - \($0)" }
        } else {
            lines.append("Last scan  none yet; the library is as the last run left it")
        }
        lines += status.runningJobs.map { "Running    \($0)" }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func mount(_ mount: StatusReport.Mount?) -> String {
        guard let mount else { return "not mounted" }
        let times = mount.takeovers == 1 ? "once" : "\(mount.takeovers) times"
        let takeovers = mount.takeovers > 0 ? "; the process died and was replaced \(times)" : ""
        return "process \(mount.processID), mounted at \(mount.path),"
            + " running since \(date(mount.since))\(takeovers)"
    }

    private static func remote(_ remote: StatusReport.Remote) -> String {
        var parts = [remote.state]
        if remote.connections > 0 {
            let shared =
                remote.sessions > remote.connections ? " with \(remote.sessions) sessions" : ""
            parts.append(
                "\(remote.connections) of at most \(remote.connectionLimit) connections\(shared)"
            )
        }
        if let transport = remote.transport { parts.append(transport) }
        if let trip = remote.roundTripMilliseconds {
            parts.append(String(format: "round trip %.1f ms", trip))
        }
        parts.append("\(bytes(remote.bytesReceived)) received")
        let line = parts.joined(separator: ", ")
        return remote.lastError.map { "\(line)\n           last error: \($0)" } ?? line
    }

    private static func date(_ date: Date) -> String {
        date.formatted(.iso8601.dateSeparator(.dash).timeSeparator(.colon))
    }

    static func bytes(_ count: UInt64) -> String {
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var value = Double(count)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(count) bytes" : String(format: "%.1f %@", value, units[unit])
    }
}

/// What comes from the seedbox now as a page for people.
enum TransferText {
    static func text(of transfers: [TransferReport]) -> String {
        guard !transfers.isEmpty else { return "nothing comes from the seedbox\n" }
        let lines = transfers.map { transfer in
            let share = transfer.bytes == 0 ? 100 : transfer.cachedBytes * 100 / transfer.bytes
            let rate = StatusText.bytes(UInt64(transfer.bytesPerSecond)) + "/s"
            return "\(field(transfer.reason.rawValue, 11))\(field(rate, 14))"
                + "\(field("\(share) %", 6))of \(field(StatusText.bytes(transfer.bytes), 11))"
                + transfer.path
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func field(_ text: String, _ width: Int) -> String {
        text.padding(toLength: max(width, text.count), withPad: " ", startingAt: 0)
    }
}
