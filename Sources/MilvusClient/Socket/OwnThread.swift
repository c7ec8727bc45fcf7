import Glibc

/// Threads for blocking work, which must never run on Swift's cooperative pool.
enum OwnThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Runs `body` on a new, detached thread.
    ///
    /// Who needs to know of its end has `body` tell. Signals are blocked there: they belong to the
    /// program, and SIGPIPE would end it when OpenSSL writes to a closed connection.
    static func start(_ body: @escaping @Sendable () -> Void) throws(MilvusError) {
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Body(body))
        let result = pthread_create(&thread, nil, runBody, box.toOpaque())
        guard result == 0 else {
            box.release()
            throw MilvusError(.unavailable, "cannot start a thread", cause: SystemError(result))
        }
        pthread_detach(thread)
    }

    private static let runBody:
        @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? =
            { argument in
                var every = sigset_t()
                sigfillset(&every)
                pthread_sigmask(SIG_BLOCK, &every, nil)
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }
}
