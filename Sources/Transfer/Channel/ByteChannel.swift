import Glibc

/// Bytes to and from the sftp subsystem of a server.
///
/// One thread opens it, uses it and closes it. No call blocks; between calls that thread waits
/// for the descriptors in `waits`. Implementers may not assume that a refused `write` is
/// repeated before the next `read`, nor that the same bytes lie at the same address then: only
/// that they are the same bytes. Every implementation keeps the rules of
/// `ChannelConformanceTests`.
protocol ByteChannel: AnyObject {
    /// The bytes that may usefully be under way from the server at one time.
    var outstandingLimit: Int { get }

    /// Whether it is one more session on a connection that another channel made.
    var isShared: Bool { get }

    /// What to wait for before the next `read`, and `write` when the last one took nothing.
    func waits(toWrite: Bool) -> [pollfd]

    /// Moves bytes that have arrived to the start of `buffer`, which is not empty.
    ///
    /// - Throws: ``ConnectionError`` that says why the connection ended, where that is known.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(ConnectionError) -> ReadResult

    /// Takes a first part of `bytes`, which is not empty.
    ///
    /// - Returns: The number of bytes taken; 0 when none can be taken now.
    func write(_ bytes: UnsafeRawBufferPointer) throws(ConnectionError) -> Int

    /// Lets the transport below sleep until `bytes` have come from the server, instead of waking for
    /// each packet; 1 again when fewer may come. A hint: not every transport can.
    func setLowWater(_ bytes: Int)

    /// Ends the connection and frees what belongs to it, processes included. Only once.
    func close()
}

extension ByteChannel {
    var isShared: Bool { false }

    func setLowWater(_ bytes: Int) {}
}

enum ReadResult: Equatable {
    case bytes(Int)
    case wouldBlock
    /// Nothing more will come, and no reason is known.
    case end
}
