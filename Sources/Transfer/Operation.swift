import Primitives
import Synchronization

/// Why one operation on a connection failed.
enum OperationFailure: Error, Sendable {
    /// The connection is gone or of no use; another may do.
    case connection(ConnectionError)
    /// The server refused, with the protocol's status code.
    case refused(UInt32, String)
    /// The file is not the version that was asked for.
    case changed(String)
    case cancelled
}

/// A result that is waited for; the first to give it wins, later ones are dropped.
final class Promise<Value: Sendable>: Sendable {
    private enum State {
        case empty
        case waiting(CheckedContinuation<Result<Value, OperationFailure>, Never>)
        case kept(Result<Value, OperationFailure>)
        case taken
    }

    private let state = Mutex(State.empty)

    func fulfil(_ result: Result<Value, OperationFailure>) {
        let continuation = state.withLock { state in
            switch state {
            case .empty: state = .kept(result)
            case .waiting(let continuation):
                state = .taken
                return Optional(continuation)
            case .kept, .taken: break
            }
            return nil
        }
        continuation?.resume(returning: result)
    }

    /// Waits for the result; called once.
    func result() async -> Result<Value, OperationFailure> {
        await withCheckedContinuation { continuation in
            let kept = state.withLock { state -> Result<Value, OperationFailure>? in
                if case .kept(let result) = state {
                    state = .taken
                    return result
                }
                state = .waiting(continuation)
                return nil
            }
            if let kept { continuation.resume(returning: kept) }
        }
    }
}

/// One request with one answer.
final class SimpleOperation: Sendable {
    let request: SFTPRequest
    let promise = Promise<SFTPReply>()

    init(_ request: SFTPRequest) {
        self.request = request
    }
}

/// A range of a file, read with as many requests as it needs.
///
/// `@unchecked Sendable`: it is made by the caller and from then on touched only by the
/// connection's thread, except for the promise and the flag, which are safe.
final class ReadOperation: @unchecked Sendable {
    let file: RemoteFile
    let range: ByteRange
    let promise = Promise<[UInt8]>()
    let isCancelled = Atomic(false)

    /// The open file that it reads from; nil before it begins and after it has ended.
    var handle: RemoteHandle?
    var buffer: [UInt8]
    /// Bytes that are not there yet.
    var missing: Int
    /// A check of the file's size and time is under way.
    var isChecking = false
    /// A check was answered after the last request for data had been sent.
    var isChecked = false

    init(_ range: ByteRange, of file: RemoteFile) {
        self.file = file
        self.range = range
        missing = Int(range.count)
        buffer = [UInt8](repeating: 0, count: missing)
    }
}
