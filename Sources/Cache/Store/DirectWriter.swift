internal import CChecksum
internal import Glibc

/// Writes big pieces past the kernel's memory.
///
/// What is fetched ahead of a player is read once, from our memory: to have the kernel keep it as
/// well costs more processor time than all the rest of a fetch, and pushes out what others on the
/// NAS need. Small pieces, which probes read again and again, go the usual way.
///
/// Belongs to the store's writer, which is one thread at a time.
final class DirectWriter {
    /// Below this the kernel's memory is of use: it gathers small writes.
    private static let least = 512 << 10
    /// What disks and file systems want offsets, lengths and addresses to be multiples of.
    private static let alignment = 4096
    /// The file that was written last, so that it is not opened for every piece.
    private var last: (data: Descriptor, direct: Descriptor)?
    /// Some file systems have no such way.
    private var isSupported = true

    /// Writes `bytes` to the file at `path`, of which `data` is an ordinary descriptor.
    func write(
        _ bytes: UnsafeRawBufferPointer,
        at offset: UInt64,
        to data: Descriptor,
        at path: String
    ) throws(SystemError) {
        let address = UInt(bitPattern: bytes.baseAddress)
        let isAligned = (UInt64(address) | offset) % UInt64(Self.alignment) == 0
        guard isSupported, bytes.count >= Self.least, isAligned else {
            return try data.write(bytes, at: offset)
        }
        let whole = bytes.count / Self.alignment * Self.alignment
        do {
            try descriptor(data, path).write(.init(rebasing: bytes[..<whole]), at: offset)
        } catch {
            guard error.number == EINVAL else { throw error }
            isSupported = false
            last = nil
            return try data.write(bytes, at: offset)
        }
        guard whole < bytes.count else { return }
        try data.write(.init(rebasing: bytes[whole...]), at: offset + UInt64(whole))
    }

    private func descriptor(
        _ data: Descriptor,
        _ path: String
    ) throws(SystemError) -> Descriptor {
        if let last, last.data === data { return last.direct }
        let direct = try Descriptor(path, O_WRONLY | sync2nas_o_direct)
        last = (data, direct)
        return direct
    }

    /// Lets go of the file that was written last: a removed one would keep its place on the disk.
    func letGo() { last = nil }
}
