import Glibc

/// Bytes to and from one peer, without ever blocking.
///
/// For one thread. Whoever gets `.waits` polls `descriptor` for what the channel then awaits.
protocol ByteChannel: AnyObject {
    var descriptor: Int32 { get }

    /// What the last call that returned `.waits` needs the descriptor to be: POLLIN or POLLOUT.
    var awaited: Int16 { get }

    /// Whether a read gives bytes although the descriptor may not be readable.
    var hasPending: Bool { get }

    /// Reads what is there, up to the size of `buffer`.
    ///
    /// - Throws: ``MilvusError`` `.unavailable` when the connection broke.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(MilvusError) -> Transferred

    /// Writes what fits just now of `bytes`, which are never empty.
    ///
    /// - Throws: ``MilvusError`` `.unavailable` when the connection broke.
    func write(_ bytes: UnsafeRawBufferPointer) throws(MilvusError) -> Transferred
}

/// What one read or write did.
enum Transferred: Equatable {
    /// At least one.
    case bytes(Int)
    case waits
    /// The peer sends no more.
    case ended
}

/// A TCP socket as it is.
final class PlainChannel: ByteChannel {
    let descriptor: Int32
    private(set) var awaited = Int16(POLLIN)
    let hasPending = false

    /// - Parameter descriptor: A connected socket that does not block; closed with the channel.
    init(_ descriptor: Int32) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(MilvusError) -> Transferred {
        let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
        return count == 0 ? .ended : try outcome(count, Int16(POLLIN), "reading failed")
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(MilvusError) -> Transferred {
        let count = send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        return try outcome(count, Int16(POLLOUT), "writing failed")
    }

    private func outcome(
        _ count: Int,
        _ event: Int16,
        _ failure: String
    ) throws(MilvusError) -> Transferred {
        guard count < 0 else { return .bytes(count) }
        guard errno == EAGAIN || errno == EINTR else {
            throw MilvusError(.unavailable, failure, cause: SystemError())
        }
        awaited = event
        return .waits
    }
}
