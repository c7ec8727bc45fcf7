/// Bytes that have arrived, up to the end of the last complete packet and some of the next.
///
/// Memory of its own rather than an array: packets are handled where the channel put them,
/// and the only copy on the way to a reader is the one to its place.
final class ReceiveBuffer {
    private let memory: UnsafeMutableRawBufferPointer
    /// What was not handled yet.
    private var start = 0
    private var filled = 0

    /// - Parameter size: More than the largest packet.
    init(size: Int) {
        memory = .allocate(byteCount: size, alignment: 16)
    }

    deinit {
        memory.deallocate()
    }

    /// Room for more; never empty after ``removePackets(upTo:_:)`` returned.
    var free: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: memory[filled...])
    }

    var isEmpty: Bool { start == filled }

    /// What is there of a packet that has begun to come, without its length, and how long it will
    /// be; nil when not even that is known.
    var begun: (bytes: UnsafeRawBufferPointer, length: Int)? {
        guard filled - start >= 4 else { return nil }
        let word = memory.loadUnaligned(fromByteOffset: start, as: UInt32.self)
        let bytes = UnsafeRawBufferPointer(rebasing: memory[(start + 4)..<filled])
        return (bytes, Int(UInt32(bigEndian: word)))
    }

    /// The packet that has begun to come goes on elsewhere.
    func forgetBegun() { (start, filled) = (0, 0) }

    func received(_ count: Int) {
        filled += count
    }

    /// Hands each complete packet, without its length, to `handle` and forgets it.
    ///
    /// - Throws: ``ConnectionError`` `.protocolViolation` for a length of 0 or above
    ///   `largest`, and what `handle` throws.
    func removePackets(
        upTo largest: Int,
        _ handle: (UnsafeRawBufferPointer) throws(ConnectionError) -> Void
    ) throws(ConnectionError) {
        while let (bytes, length) = begun {
            guard length > 0, length <= largest else {
                throw ConnectionError(
                    .protocolViolation,
                    "the server sent a packet of \(length) bytes, the limit is \(largest);"
                        + " does its shell print text at login?"
                )
            }
            guard length <= bytes.count else { break }
            try handle(UnsafeRawBufferPointer(rebasing: bytes[..<length]))
            start += 4 + length
        }
        // A packet that was begun is moved to the front only when its rest might not fit.
        guard start == filled || memory.count - filled < largest + 4 else { return }
        memory.copyMemory(from: UnsafeRawBufferPointer(rebasing: memory[start..<filled]))
        filled -= start
        start = 0
    }
}
