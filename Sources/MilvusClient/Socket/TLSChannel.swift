import CTLS
import Glibc

/// TLS over a TCP socket, with the peer's certificate checked and HTTP/2 agreed upon.
final class TLSChannel: ByteChannel {
    let descriptor: Int32
    private(set) var awaited = Int16(POLLIN)
    private let tls: OpaquePointer
    private let name: String
    private let host: String

    var hasPending: Bool { sync2nas_tls_pending(tls) > 0 }

    /// - Parameters:
    ///   - descriptor: A connected socket that does not block; closed with the channel.
    ///   - server: Whose certificate is expected.
    ///   - authorities: A PEM file; nil for the system's.
    /// - Throws: ``MilvusError`` `.unavailable` when memory is out; the descriptor is closed.
    init(
        _ descriptor: Int32,
        _ server: MilvusServer,
        authorities: String?
    ) throws(MilvusError) {
        guard let tls = sync2nas_tls_new(descriptor, server.host, authorities, "h2") else {
            close(descriptor)
            throw MilvusError(.unavailable, "cannot set TLS up: no memory")
        }
        self.tls = tls
        self.descriptor = descriptor
        name = server.authority
        host = server.host
    }

    deinit {
        sync2nas_tls_free(tls)
        close(descriptor)
    }

    /// One step of the handshake; call it again after its wait.
    ///
    /// - Returns: Whether it is done.
    /// - Throws: ``MilvusError``: `.unauthorised` when the certificate is not accepted or the
    ///   settings cannot be used, `.malformed` when the peer does not speak TLS and HTTP/2,
    ///   `.unavailable` when it left.
    func handshake() throws(MilvusError) -> Bool {
        let result = Int(sync2nas_tls_handshake(tls))
        guard result != 1 else { return true }
        if result == SYNC2NAS_TLS_FAILED, let fault = sync2nas_tls_certificate_fault(tls) {
            throw MilvusError(
                .unauthorised,
                "the certificate of '\(name)' is not accepted (\(String(cString: fault))); name a "
                    + "file with its authority's certificate in the settings, or have it issued "
                    + "for '\(host)'"
            )
        }
        guard try outcome(result) == .waits else {
            throw MilvusError(.unavailable, "'\(name)' left during the TLS handshake")
        }
        return false
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws(MilvusError) -> Transferred {
        try outcome(sync2nas_tls_read(tls, buffer.baseAddress, buffer.count))
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(MilvusError) -> Transferred {
        try outcome(sync2nas_tls_write(tls, bytes.baseAddress, bytes.count))
    }

    private func outcome(_ result: Int) throws(MilvusError) -> Transferred {
        switch result {
        case 1...: return .bytes(result)
        case SYNC2NAS_TLS_CLOSED: return .ended
        case SYNC2NAS_TLS_WANTS_READ: awaited = Int16(POLLIN)
        case SYNC2NAS_TLS_WANTS_WRITE: awaited = Int16(POLLOUT)
        case SYNC2NAS_TLS_BROKEN: throw failure(.unavailable)
        case SYNC2NAS_TLS_UNUSABLE: throw failure(.unauthorised)
        default: throw failure(.malformed)
        }
        return .waits
    }

    private func failure(_ code: MilvusError.Code) -> MilvusError {
        let reason = String(cString: sync2nas_tls_reason(tls))
        return MilvusError(code, "TLS with '\(name)': \(reason)")
    }
}
