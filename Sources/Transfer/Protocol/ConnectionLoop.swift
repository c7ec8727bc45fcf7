import Glibc
import Primitives
import Synchronization

/// Moves bytes between a channel and an engine, on the connection's thread.
struct ConnectionLoop {
    /// Two of the largest packets and room to read on; what fits beside the server's 2 MiB
    /// window is taken in a few calls.
    private static let bufferSize = 1 << 20
    /// Bytes read before the engine may ask for more and new commands are heard.
    private static let readsPerTurn = 4 << 20
    /// With so many bytes on their way, more come while we wait a little.
    private static let bulk = 1 << 20
    /// Milliseconds.
    private static let gathering: Int32 = 1

    private let channel: any ByteChannel
    var engine: SFTPEngine
    private let label: String
    private let limits: RemoteAccount.TimeLimits
    private let meter: ConnectionMeter
    private let buffer = ReceiveBuffer(size: bufferSize)
    /// What comes now, if it goes past the buffer.
    private var arriving: ArrivingData?
    /// When the server last gave a sign of life, or we began to wait for one.
    private var lastSign = ContinuousClock.now
    private var wasWaiting = true
    private var roundTripBegan = ContinuousClock.now
    private var wasTimed = false
    private var knownOpen = 0
    private var way: WayMeter
    private var lowWater = LowWater()
    /// Whether something happened since bytes were last gathered.
    private var mayGather = true

    init(
        channel: any ByteChannel,
        engine: SFTPEngine,
        label: String,
        limits: RemoteAccount.TimeLimits,
        meter: ConnectionMeter
    ) {
        self.channel = channel
        self.engine = engine
        self.label = label
        self.limits = limits
        self.meter = meter
        way = WayMeter(limit: channel.outstandingLimit)
        self.engine.window = way.window
        meter.window.store(way.window, ordering: .relaxed)
    }

    /// Hears `commands`, moves what can be moved and waits when nothing can.
    mutating func turn(
        _ commands: [Command],
        _ wake: EventDescriptor
    ) throws(ConnectionError) {
        for command in commands { engine.submitted(command) }
        engine.produce()
        if case .started = engine.roundTrip, !wasTimed {
            wasTimed = true
            roundTripBegan = .now
        }
        noteWaiting()
        setLowWater()
        let wrote = try write()
        let read = try readAndHandle()
        if wrote || read || !commands.isEmpty {
            mayGather = true
        } else if mayGather, engine.outstandingBytes >= Self.bulk, engine.output.isEmpty {
            mayGather = false
            gather(wake)
        } else {
            try waitForMore(wake)
        }
    }

    private mutating func setLowWater() {
        guard lowWater.update(outstanding: engine.outstandingBytes) else { return }
        channel.setLowWater(lowWater.mark)
    }

    /// Lets more bytes come before they are read: `ssh` hands on 32 KiB at a time, and to be woken
    /// for each costs more than to read it.
    private func gather(_ wake: EventDescriptor) {
        var descriptor = pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0)
        if poll(&descriptor, 1, Self.gathering) > 0 { wake.clear() }
    }

    private mutating func noteWaiting() {
        if engine.isWaiting, !wasWaiting { lastSign = .now }
        wasWaiting = engine.isWaiting
    }

    private mutating func write() throws(ConnectionError) -> Bool {
        var wroteAny = false
        while !engine.output.isEmpty {
            let count = try engine.output.withUnsafeBytes { bytes in
                Result { () throws(ConnectionError) in try channel.write(bytes) }
            }.get()
            guard count > 0 else { break }
            engine.sent(count)
            engine.produce()
            wroteAny = true
        }
        return wroteAny
    }

    private mutating func readAndHandle() throws(ConnectionError) -> Bool {
        var total = 0
        while total < Self.readsPerTurn {
            switch try channel.read(into: room) {
            case .wouldBlock: return total > 0
            case .end:
                throw ConnectionError(.closed, "'\(label)' closed the connection")
            case .bytes(let count):
                total += count
                lastSign = .now
                meter.bytesReceived.add(UInt64(count), ordering: .relaxed)
                try take(count)
                noteProgress(count)
            }
        }
        return true
    }

    /// Where the next bytes go: to their place, when it is known.
    ///
    /// In a stream of data only as much is buffered as tells it.
    private var room: UnsafeMutableRawBufferPointer {
        if let arriving { return arriving.rest }
        guard buffer.isEmpty, engine.outstandingBytes >= Self.bulk else { return buffer.free }
        return UnsafeMutableRawBufferPointer(rebasing: buffer.free[..<SFTPEngine.dataHeader])
    }

    /// `count` bytes have come where there was ``room`` for them.
    private mutating func take(_ count: Int) throws(ConnectionError) {
        guard arriving == nil else {
            arriving?.received(count)
            if let whole = arriving, whole.isWhole {
                arriving = nil
                try engine.received(whole)
            }
            return
        }
        buffer.received(count)
        try buffer.removePackets(upTo: SFTPEngine.largestPacket) {
            packet throws(ConnectionError) in
            try engine.received(packet)
        }
        guard let begun = buffer.begun,
            let data = engine.arrival(of: begun.bytes, length: begun.length)
        else { return }
        buffer.forgetBegun()
        arriving = data
    }

    private mutating func noteProgress(_ count: Int) {
        let roundTrip = meter.roundTripNanoseconds.load(ordering: .relaxed)
        if way.received(count, roundTrip: .nanoseconds(roundTrip), now: lastSign) {
            engine.window = way.window
            lowWater.measured(rate: way.latestRate)
            meter.window.store(way.window, ordering: .relaxed)
            meter.held.store(way.held, ordering: .relaxed)
        }
        if engine.roundTrip == .finished {
            meter.measured(.now - roundTripBegan)
            engine.roundTripTaken()
            wasTimed = false
        }
        if engine.filesVersion != knownOpen {
            knownOpen = engine.filesVersion
            meter.openFiles.withLock { [files = Set(engine.files.keys)] in $0 = files }
        }
    }

    private mutating func waitForMore(_ wake: EventDescriptor) throws(ConnectionError) {
        let limit =
            switch engine.phase {
            // A channel may still be connecting and logging in behind our first packet.
            case .version: limits.connect + limits.reply
            case .limits: limits.reply
            case .ready: engine.isWaiting ? limits.reply : limits.keepAlive
            }
        let left = lastSign + limit - .now
        guard left > .zero else {
            if engine.isWaiting {
                throw ConnectionError(
                    .timedOut,
                    "'\(label)' was silent for \(limit) with requests outstanding"
                )
            }
            // Any request does as a sign of life; this one costs the server nothing.
            engine.submitted(.batch([.realpath(RemotePath("."))], Pending()))
            return
        }
        var descriptors = channel.waits(toWrite: !engine.output.isEmpty)
        descriptors.append(pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0))
        let wait = lowWater.isRaised ? min(left, LowWater.patience) : left
        let ready = poll(&descriptors, nfds_t(descriptors.count), wait.pollMilliseconds)
        guard ready >= 0 || errno == EINTR else {
            throw ConnectionError(.closed, "poll failed", cause: SystemError())
        }
        if ready == 0 { lowWater.missed() }
        if descriptors[descriptors.count - 1].revents != 0 { wake.clear() }
    }
}
