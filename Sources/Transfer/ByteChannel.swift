import Glibc

/// A stream of bytes to the server's SFTP subsystem and back.
///
/// One thread owns it: no two calls overlap. Calls never wait; ``interest()`` says what to poll
/// for until they can do more. `ChannelConformance` in the tests holds the rules.
protocol ByteChannel: AnyObject {
    /// Reads what has arrived.
    ///
    /// - Returns: How many bytes were put into `buffer`; 0 at the end of the stream; nil when
    ///   nothing has arrived.
    /// - Throws: ``ConnectionError`` when the stream is broken.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ConnectionError) -> Int?

    /// Writes as much as is taken now.
    ///
    /// - Returns: How many bytes were taken; 0 when none can be.
    /// - Throws: ``ConnectionError`` when the stream is broken.
    func write(_ bytes: UnsafeRawBufferPointer) throws(ConnectionError) -> Int

    /// What to wait for.
    ///
    /// - Parameter wantsToWrite: Whether there is something to be written.
    /// - Returns: Descriptors and events as for `poll(2)`.
    func interest(wantsToWrite: Bool) -> [pollfd]

    /// Ends the stream and frees all it holds. Called once, and nothing after it.
    func close()

    /// Why the stream ended, where the channel knows more than that it did.
    func reasonForEnd() -> ConnectionError

    /// Bytes that may be under way towards us at once: beyond the channel's own window they only
    /// queue at the server.
    var window: Int { get }

    /// "OpenSSH" or "libssh2".
    var name: String { get }
}

/// Opens channels to one account.
protocol ChannelOpening: Sendable {
    /// Connects and logs in. Waits, so it is called on a thread of its own.
    ///
    /// - Throws: ``ConnectionError``; nothing is left open then.
    func open() throws(ConnectionError) -> any ByteChannel
}
