/// Something that files are opened from for reading.
public protocol FileOpener: Sendable {
    /// Opens one version of a file. Answers at once: the network is asked only when bytes are.
    ///
    /// - Parameters:
    ///   - file: The version.
    ///   - following: The file that is played after it, should that ever be of interest.
    /// - Returns: A handle; its ``OpenFile/close()`` is called once.
    func open(
        _ file: RemoteFile,
        following: @escaping @Sendable () -> RemoteFile?
    ) -> any OpenFile

    /// Somebody looked the file up and may open it soon. Never waits; may do nothing.
    func expect(_ file: RemoteFile)

    /// Whether something of the file is on the local disk, so that it need not be expected.
    func holdsAny(of file: RemoteFile) -> Bool

    /// From now on every local file stays whole for those who have it open, also when it is given
    /// up.
    ///
    /// For a process that took over handles of versions that it cannot name.
    func keepOpenCopiesWhole()
}

/// One open file: what is read through it in which order says what will be wanted next.
public protocol OpenFile: Sendable {
    var file: RemoteFile { get }

    /// The bytes of `range` when they lie in memory, or are just coming there from the local disk.
    ///
    /// Never waits for the network.
    ///
    /// - Parameter range: Bytes wanted, already clipped to `file.size`.
    /// - Returns: Exactly `range.count` bytes, or nil.
    func inMemory(_ range: ByteRange) -> ByteSlice?

    /// Fills `buffer` with `range` when all of it is on the local disk.
    ///
    /// Never waits for the network.
    ///
    /// - Parameters:
    ///   - range: Bytes wanted, already clipped to `file.size`.
    ///   - buffer: Holds at least `range.count` bytes.
    /// - Returns: Whether the buffer was filled; otherwise its content is undefined.
    func readAtOnce(_ range: ByteRange, into buffer: UnsafeMutableRawBufferPointer) -> Bool

    /// Reads `range` from wherever it is.
    ///
    /// - Parameter range: Bytes wanted, already clipped to `file.size`.
    /// - Returns: Exactly `range.count` bytes.
    /// - Throws: ``SourceError``; `.cancelled` soon after the task was cancelled.
    func read(_ range: ByteRange) async throws(SourceError) -> ByteSlice

    /// Calls `body` with a descriptor of a local file that holds exactly the bytes of this one,
    /// for the kernel to read in our place.
    ///
    /// May read the disk, never the network. The descriptor is valid during the call, the local
    /// file stays whole until ``close()``.
    ///
    /// - Returns: What `body` returned; nil, uncalled, while bytes are missing or not known to be
    ///   right.
    func withCompleteCopy<Result>(_ body: (Int32) -> Result) -> Result?

    /// Gives up what only this handle wanted. Called once, after the last read.
    func close()
}
