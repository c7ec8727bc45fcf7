internal import Glibc

/// A value that one thread at a time uses, for what every read of the file system passes.
///
/// `Synchronization.Mutex` hands itself over to the thread that has waited longest: once a few
/// threads wait, each use of it takes the time of a thread's waking up. This one is taken by
/// whoever comes first. With eight readers of single pages, on two processors, that is five
/// times as many reads.
///
/// `@unchecked Sendable`: the value is used under the lock alone.
public final class Lock<Value>: @unchecked Sendable {
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let value: UnsafeMutablePointer<Value>

    public init(_ initial: sending Value) {
        mutex = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        pthread_mutex_init(mutex, nil)
        value = .allocate(capacity: 1)
        value.initialize(to: initial)
    }

    deinit {
        value.deinitialize(count: 1)
        value.deallocate()
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
    }

    /// Waits for the lock, and lets go of it when `body` returns.
    ///
    /// `body` is short, waits for nothing, and takes this lock not again.
    public func withLock<Result, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&value.pointee)
    }
}
