import CSSH2
import Glibc

/// The sftp subsystem behind libssh2, of which only the transport is used.
///
/// libssh2's own SFTP calls ask for 30,000 bytes at a time and wait; see SFTPEngine.
final class LibSSH2Channel: ByteChannel {
    /// What one channel may have under way: 150 ms at 200 MB/s.
    let outstandingLimit = 32 << 20
    /// Twice that, so that the window never closes; OpenSSH's client is stuck at 2 MiB.
    private static let window: UInt32 = 64 << 20
    private static let packet: UInt32 = 32_768

    /// libssh2 must send a packet it has begun before any other, or it fails with BAD_USE.
    private enum Unfinished {
        case nothing
        case read
        case write
    }

    private let session: LibSSH2Session
    private let channel: OpaquePointer
    private var unfinished = Unfinished.nothing

    init(_ account: RemoteAccount, _ wait: BoundedWait) throws(ConnectionError) {
        session = try LibSSH2Session(account, wait)
        let login = LibSSH2Login(account: account, session: session)
        do throws(ConnectionError) {
            try session.shakeHands()
            try session.checkHostKey()
            try login.perform()
            channel = try session.openChannel(window: Self.window, packet: Self.packet)
        } catch {
            session.close()
            throw error
        }
    }

    func waits(toWrite: Bool) -> [pollfd] {
        let directions = libssh2_session_block_directions(session.handle)
        // Not simply when there is something to write: where that waits for the server to widen
        // its window or to finish a key exchange, a writable socket would keep us spinning.
        let wantsToSend = directions & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0
        let events = Int16(POLLIN) | (wantsToSend ? Int16(POLLOUT) : 0)
        return [pollfd(fd: session.socket, events: events, revents: 0)]
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ConnectionError) -> ReadResult {
        guard unfinished != .write else { return .wouldBlock }
        var total = 0
        // One call returns one packet of at most 32 KiB.
        while total < buffer.count {
            let place = buffer.baseAddress?.advanced(by: total).assumingMemoryBound(to: CChar.self)
            let count = libssh2_channel_read_ex(channel, 0, place, buffer.count - total)
            if count > 0 {
                unfinished = .nothing
                total += count
                continue
            }
            if count == Int(LIBSSH2_ERROR_EAGAIN) {
                unfinished = isSending ? .read : .nothing
                return total > 0 ? .bytes(total) : .wouldBlock
            }
            if total > 0 { return .bytes(total) }
            guard count < 0 else { return libssh2_channel_eof(channel) == 1 ? .end : .wouldBlock }
            throw session.error(.closed, "the connection to '\(session.label)' broke")
        }
        return .bytes(total)
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ConnectionError) -> Int {
        guard unfinished != .read else { return 0 }
        let place = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        let count = libssh2_channel_write_ex(channel, 0, place, bytes.count)
        if count == Int(LIBSSH2_ERROR_EAGAIN) {
            unfinished = isSending ? .write : .nothing
            return 0
        }
        unfinished = .nothing
        guard count >= 0 else {
            throw session.error(.closed, "the connection to '\(session.label)' broke")
        }
        return count
    }

    private var isSending: Bool {
        libssh2_session_block_directions(session.handle) & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0
    }

    func close() {
        session.close()
    }
}
