internal import Glibc
public import Primitives

/// One file that bytes come from the seedbox for, now or a moment ago.
public struct FileTransfer: Sendable, Equatable {
    public let file: RemoteFile
    /// The most urgent of what is under way; nil when nothing is.
    public let priority: ReadPriority?
    /// Bytes asked for and not there.
    public let bytesUnderWay: UInt64
    /// Bytes of the file on the local disk.
    public let bytesCached: UInt64
    /// Bytes per second, of late.
    public let rate: Double
}

/// How fast bytes of each file come.
///
/// A pure value: no clock.
struct TransferLog {
    private struct Record {
        /// Bytes per second at `time`.
        var rate: Double
        var time: ContinuousClock.Instant

        /// The rate as if nothing had come since.
        func rate(at now: ContinuousClock.Instant) -> Double {
            rate * exp(-((now - time) / TransferLog.memory))
        }
    }

    /// What came so long ago counts for a third.
    private static let memory = Duration.seconds(3)
    /// A file that nothing came of for so long is not told of any more.
    private static let remembered = Duration.seconds(15)
    private static let most = 256

    private var lastForgot: ContinuousClock.Instant?
    private var records: [RemoteFile: Record] = [:]

    mutating func arrived(_ count: Int, of file: RemoteFile, now: ContinuousClock.Instant) {
        let before = records[file]?.rate(at: now) ?? 0
        let added = Double(count) / (Self.memory / .seconds(1))
        records[file] = Record(rate: before + added, time: now)
        // Of many files, as of a scan; not at every one, because it looks at all.
        if records.count > Self.most, lastForgot.map({ now - $0 > .seconds(1) }) ?? true {
            forgetOld(now)
        }
    }

    private mutating func forgetOld(_ now: ContinuousClock.Instant) {
        lastForgot = now
        records = records.filter { now - $0.value.time < Self.remembered }
    }

    /// Files of which something came not long ago, with the rate.
    mutating func rates(now: ContinuousClock.Instant) -> [RemoteFile: Double] {
        forgetOld(now)
        return records.mapValues { $0.rate(at: now) }
    }
}
