internal import Dispatch
internal import Primitives

/// A part of a cached file that is read and checked on another processor before its reader asks.
///
/// Who reads on end is then answered from memory, where each read would else wait for the disk,
/// check whole blocks for the few bytes that it wants of the first and the last, and let one
/// processor idle while the other works. What was prepared stays right: a version's bytes never
/// change.
final class PreparedPart: Sendable {
    /// What ends at a multiple of this, or where the file ends.
    static let size: UInt64 = 1 << 20
    /// Parts that are prepared behind the one that the reader is in.
    static let ahead = 2

    let range: ByteRange
    private let bytes: Future<ByteSlice?>

    private static let queue = DispatchQueue(
        label: "cache.prepare",
        qos: .userInitiated,
        attributes: .concurrent
    )

    /// Begins to read what comes from `start` on.
    ///
    /// - Returns: nil when the file ends there.
    init?(from start: UInt64, of file: RemoteFile, in store: BlockStore) {
        guard start < file.size else { return nil }
        let range = ByteRange(start, (start / Self.size + 1) * Self.size).clipped(to: file.size)
        self.range = range
        bytes = Future(on: Self.queue) {
            let read = Bytes(count: Int(range.count))
            return store.cached(range, of: file, into: read.mutable) ? ByteSlice(read) : nil
        }
    }

    /// The bytes of `wanted`, which lies inside; waits for the disk.
    ///
    /// - Returns: nil when not all of the part was there and right.
    func slice(_ wanted: ByteRange) -> ByteSlice? {
        bytes.wait()?.part(Int(wanted.lowerBound - range.lowerBound), Int(wanted.count))
    }
}

/// Which handles hold prepared parts: the few that read last.
final class PreparedHandles: Sendable {
    private struct Holder {
        let handle: UInt64
        weak var file: CachedFile?
    }

    /// Each holds three parts at most.
    static let limit = 4

    private let holders = Lock<[Holder]>([])

    /// `file` begins a part; whoever has not for longest gives up its own.
    func begins(_ file: CachedFile, handle: UInt64) {
        let dropped = holders.withLock { holders -> CachedFile? in
            holders.removeAll { $0.handle == handle }
            holders.append(Holder(handle: handle, file: file))
            return holders.count > Self.limit ? holders.removeFirst().file : nil
        }
        dropped?.dropPrepared()
    }

    func ends(_ handle: UInt64) {
        holders.withLock { $0.removeAll { $0.handle == handle } }
    }
}
