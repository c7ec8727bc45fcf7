import Primitives

/// A file that is open, or being opened, on one connection.
final class RemoteHandle {
    let file: RemoteFile
    /// nil until the server has answered.
    var handle: [UInt8]?
    /// Reads that wait for the file to be open.
    var waiting: [ReadOperation] = []
    /// Reads that use it.
    var users = 0
    /// Is no longer in the cache, and is closed when the last read has let go of it.
    var isStale = false

    init(_ file: RemoteFile) {
        self.file = file
    }
}

/// Files kept open on one connection, since opening costs a round trip.
struct HandleCache {
    /// OpenSSH allows more than a thousand; others as few as a hundred for a whole account.
    private static let limit = 32

    /// Least recently used first.
    private var handles: [RemoteHandle] = []

    mutating func find(_ file: RemoteFile) -> RemoteHandle? {
        guard let index = handles.firstIndex(where: { $0.file == file }) else { return nil }
        let handle = handles.remove(at: index)
        handles.append(handle)
        return handle
    }

    /// Adds a handle.
    ///
    /// - Returns: One to close in its place, if there were too many.
    mutating func add(_ handle: RemoteHandle) -> RemoteHandle? {
        handles.append(handle)
        guard handles.count > Self.limit,
            let index = handles.firstIndex(where: { $0.users == 0 && $0.handle != nil })
        else { return nil }
        return handles.remove(at: index)
    }

    mutating func remove(_ handle: RemoteHandle) {
        handles.removeAll { $0 === handle }
    }
}
