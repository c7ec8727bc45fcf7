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

    /// Has `body` called whenever a local file is removed, for as long as this process runs.
    ///
    /// A local file that the kernel was told of takes its space until it is told to let go.
    ///
    /// - Parameter body: Must not wait for a read.
    func whenCopiesGo(_ body: @escaping @Sendable () -> Void)
}

/// Names a local file, as long as this process runs.
///
/// One that was removed and made anew has another number.
public struct LocalCopy: Hashable, Sendable {
    private let number: UInt64

    public init(number: UInt64) {
        self.number = number
    }
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
    func withCompleteCopy<Result>(_ body: (Int32, LocalCopy) -> Result) -> Result?

    /// The local file that ``withCompleteCopy(_:)`` would hand out; nil when there is none, or the
    /// disk would have to be asked. It stays whole until ``close()``.
    var completeCopy: LocalCopy? { get }

    /// Gives up what only this handle wanted. Called once, after the last read.
    func close()
}
