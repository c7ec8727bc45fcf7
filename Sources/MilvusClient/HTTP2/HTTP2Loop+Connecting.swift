import Glibc

/// Getting to a channel.
extension HTTP2Loop {
    func connect(_ session: HTTP2Session) throws(MilvusError) -> any ByteChannel {
        let lookup = try AddressLookup(server.host, port: server.port)
        try hold(session, lookup.done.descriptor, Int16(POLLIN), until: connectDeadline)
        let addresses = try lookup.addresses()
        var failure: MilvusError?
        for (index, address) in addresses.enumerated() {
            // One dead address must not use up the time of those behind it.
            let left = connectDeadline - .now
            let deadline = ContinuousClock.now + left / (addresses.count - index)
            do throws(MilvusError) {
                let descriptor = try dial(session, address, deadline)
                return try secured(session, descriptor, deadline)
            } catch {
                guard error.code == .unavailable else { throw error }
                failure = error
            }
        }
        throw MilvusError(.unavailable, "cannot reach '\(server.authority)'", cause: failure)
    }

    private func dial(
        _ session: HTTP2Session,
        _ address: AddressLookup.Address,
        _ deadline: ContinuousClock.Instant
    ) throws(MilvusError) -> Int32 {
        let socket = try TCPSocket(address)
        if !socket.isConnected {
            try hold(session, socket.descriptor, Int16(POLLOUT), until: deadline)
        }
        return try socket.connected()
    }

    private func secured(
        _ session: HTTP2Session,
        _ descriptor: Int32,
        _ deadline: ContinuousClock.Instant
    ) throws(MilvusError) -> any ByteChannel {
        guard case .tls(let authorities) = server.transport else { return PlainChannel(descriptor) }
        let channel = try TLSChannel(descriptor, server, authorities: authorities)
        while try !channel.handshake() {
            try hold(session, descriptor, channel.awaited, until: deadline)
        }
        return channel
    }

    /// Waits for `events` of `descriptor`, looking after the exchanges meanwhile.
    private func hold(
        _ session: HTTP2Session,
        _ descriptor: Int32,
        _ events: Int16,
        until deadline: ContinuousClock.Instant
    ) throws(MilvusError) {
        repeat {
            guard .now < deadline else {
                throw MilvusError(.unavailable, "no answer in \(server.connectTimeout)")
            }
            try tend(session)
        } while try poll(session, descriptor, events, until: deadline) == 0
    }
}
