import Primitives
import Synchronization

/// Reads: opening, asking for data in slices, and the check that the file is still the same.
extension ConnectionLoop {
    func begin(_ operation: ReadOperation) {
        guard !operation.isCancelled.load(ordering: .relaxed) else { return }
        if let handle = files.find(operation.file) {
            handle.users += 1
            operation.handle = handle
            if handle.handle == nil {
                handle.waiting.append(operation)
            } else {
                slice(operation, handle)
            }
            return
        }
        let handle = RemoteHandle(operation.file)
        handle.users = 1
        handle.waiting = [operation]
        operation.handle = handle
        if let old = files.add(handle), let bytes = old.handle {
            send(.close(handle: bytes), .close)
        }
        send(.open(operation.file.path), .open(handle))
    }

    private func slice(_ operation: ReadOperation, _ handle: RemoteHandle) {
        var offset = operation.range.lowerBound
        while offset < operation.range.upperBound {
            let length = Int(min(UInt64(readSize), operation.range.upperBound - offset))
            slices.append(
                Slice(operation: operation, handle: handle, offset: offset, length: length)
            )
            offset += UInt64(length)
        }
    }

    /// Asks for data as long as the channel's window has room: more would only queue at the
    /// server, before what may become urgent.
    func sendSlices() {
        while nextSlice < slices.count, outstanding < channel.window {
            let slice = slices[nextSlice]
            nextSlice += 1
            guard !slice.operation.isCancelled.load(ordering: .relaxed),
                let handle = slice.handle.handle
            else { continue }
            outstanding += slice.length
            send(
                .read(handle: handle, offset: slice.offset, length: UInt32(slice.length)),
                .data(slice.operation, offset: slice.offset, length: slice.length)
            )
            let isLast =
                nextSlice == slices.count || slices[nextSlice].operation !== slice.operation
            if isLast { check(slice.operation, handle) }
        }
        if nextSlice == slices.count {
            slices.removeAll(keepingCapacity: true)
            nextSlice = 0
        }
    }

    /// The server answers in the order of requests or later, so the answer to this one shows the
    /// file as it was after the data were read.
    private func check(_ operation: ReadOperation, _ handle: [UInt8]) {
        operation.isChecked = false
        operation.isChecking = true
        send(.fstat(handle: handle), .check(operation))
    }

    func handle(_ packet: UnsafeRawBufferPointer) throws(ConnectionError) {
        var reader = SFTPReader(packet)
        let number = try reader.uint8()
        let id = try reader.uint32()
        guard let type = SFTPPacketType(rawValue: number), let waiting = pending[id] else {
            throw ConnectionError(
                .protocolViolation,
                "the server answered request \(id), which was not asked, with type \(number)"
            )
        }
        // A packet that turns out to be broken leaves its request pending, to fail with the rest.
        if type == .data {
            guard case .data(let operation, let offset, let length) = waiting.purpose else {
                throw ConnectionError(.protocolViolation, "the server sent data unasked")
            }
            let bytes = try reader.string()
            guard bytes.count <= length else {
                throw ConnectionError(
                    .protocolViolation,
                    "the server sent \(bytes.count) bytes where \(length) were asked for"
                )
            }
            pending[id] = nil
            outstanding -= length
            return received(bytes, operation, offset, length)
        }
        let reply = try SFTPReply(type, &reader)
        pending[id] = nil
        switch waiting.purpose {
        case .simple(let operation):
            measured(clock.now - waiting.sent)
            operation.promise.fulfil(.success(reply))
        case .open(let handle): opened(handle, reply)
        case .data(let operation, let offset, let length):
            outstanding -= length
            refused(operation, reply, offset)
        case .check(let operation): checked(operation, reply)
        case .ping: measured(clock.now - waiting.sent)
        case .close: break
        }
    }

    private func opened(_ handle: RemoteHandle, _ reply: SFTPReply) {
        let waiting = handle.waiting
        handle.waiting = []
        guard case .handle(let bytes) = reply else {
            files.remove(handle)
            for operation in waiting { operation.promise.fulfil(.failure(Self.refusal(reply))) }
            return
        }
        handle.handle = bytes
        closeIfUnused(handle)
        for operation in waiting where operation.handle != nil { slice(operation, handle) }
    }

    private func received(
        _ bytes: UnsafeRawBufferPointer,
        _ operation: ReadOperation,
        _ offset: UInt64,
        _ length: Int
    ) {
        guard let handle = operation.handle else { return }
        let start = Int(offset - operation.range.lowerBound)
        operation.buffer.withUnsafeMutableBytes { buffer in
            UnsafeMutableRawBufferPointer(rebasing: buffer[start..<(start + bytes.count)])
                .copyMemory(from: bytes)
        }
        operation.missing -= bytes.count
        if bytes.count < length {
            guard !bytes.isEmpty else {
                return fail(operation, .changed("it ends at byte \(offset)"))
            }
            // A short answer is allowed; the rest is asked for again, and checked again.
            slices.append(
                Slice(
                    operation: operation,
                    handle: handle,
                    offset: offset + UInt64(bytes.count),
                    length: length - bytes.count
                )
            )
        }
        finishIfWhole(operation)
    }

    private func refused(_ operation: ReadOperation, _ reply: SFTPReply, _ offset: UInt64) {
        if case .status(SFTPStatus.endOfFile, _) = reply {
            fail(
                operation,
                .changed("it ends before byte \(offset), its size was \(operation.file.size)")
            )
        } else {
            fail(operation, Self.refusal(reply))
        }
    }

    private func checked(_ operation: ReadOperation, _ reply: SFTPReply) {
        operation.isChecking = false
        guard operation.handle != nil else { return }
        guard case .attributes(let attributes) = reply else {
            return fail(operation, Self.refusal(reply))
        }
        if let size = attributes.size, size != operation.file.size {
            return fail(operation, .changed("size was \(operation.file.size), is now \(size)"))
        }
        if let time = attributes.modifiedSeconds, time != operation.file.modifiedSeconds {
            return fail(
                operation,
                .changed("modification time was \(operation.file.modifiedSeconds), is now \(time)")
            )
        }
        operation.isChecked = true
        finishIfWhole(operation)
    }

    private func finishIfWhole(_ operation: ReadOperation) {
        guard operation.missing == 0 else { return }
        if operation.isChecked {
            end(operation)
            let buffer = operation.buffer
            operation.buffer = []
            operation.promise.fulfil(.success(buffer))
        } else if !operation.isChecking, let handle = operation.handle?.handle {
            check(operation, handle)
        }
    }

    private func fail(_ operation: ReadOperation, _ failure: OperationFailure) {
        // A version that is gone or changed is opened anew the next time.
        if let handle = operation.handle {
            files.remove(handle)
            handle.isStale = true
        }
        end(operation)
        operation.promise.fulfil(.failure(failure))
    }

    /// Lets go of an operation: answers that still come for it are dropped.
    func end(_ operation: ReadOperation) {
        guard let handle = operation.handle else { return }
        operation.handle = nil
        operation.isCancelled.store(true, ordering: .relaxed)
        handle.users -= 1
        closeIfUnused(handle)
    }

    private func closeIfUnused(_ handle: RemoteHandle) {
        guard handle.isStale, handle.users == 0, let bytes = handle.handle else { return }
        handle.isStale = false
        send(.close(handle: bytes), .close)
    }

    private static func refusal(_ reply: SFTPReply) -> OperationFailure {
        guard case .status(let code, let message) = reply else {
            return .connection(
                ConnectionError(.protocolViolation, "the server gave an answer of the wrong kind")
            )
        }
        return .refused(code, message)
    }
}
