import CFuse3
import Glibc
import Logging
import Primitives
import VirtualTree

/// Open files: the library's are read only, those of the control directory run operations.
extension FuseServer {
    func open(
        _ request: Request,
        _ node: fuse_ino_t,
        _ info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        guard let info else { return request.fail(EINVAL) }
        // How it is read is decided anew once nobody has it open.
        if releases.withLock({ $0.contains { $0.node == node } }) { finishReleases() }
        let id = NodeID(rawValue: UInt64(node))
        if id.isControl {
            guard let session = tree.openControl(id) else { return request.fail(ENOENT) }
            // Root passes the kernel's own check of the mode.
            let isReading = info.pointee.flags & O_ACCMODE == O_RDONLY
            guard isReading || tree.attributes(of: id)?.isWritable == true else {
                return request.fail(EACCES)
            }
            // Read and written as a stream: the kernel must neither cache nor cut at the size.
            sync2nas_fuse_set_direct_io(info)
            return finishOpen(request, info, .control(session))
        }
        guard info.pointee.flags & O_ACCMODE == O_RDONLY, info.pointee.flags & O_TRUNC == 0 else {
            return request.fail(EROFS)
        }
        guard let file = tree.remoteFile(id) else { return request.fail(ESTALE) }
        openFile(request, id, openRemote(file, id), info)
    }

    private func openRemote(_ file: RemoteFile, _ node: NodeID) -> any OpenFile {
        opener.open(file) { [tree] in tree.tree.following(node) }
    }

    private func openFile(
        _ request: Request,
        _ node: NodeID,
        _ file: any OpenFile,
        _ info: UnsafeMutablePointer<fuse_file_info>
    ) {
        let passed = passthrough == .on ? openForKernel(node, file) : nil
        let (number, mode) = passed ?? handles.add(file, of: node, nil) { nil }
        let isTaken: Bool
        switch mode {
        case .passedThrough(let backing):
            isTaken = sync2nas_fuse_reply_passthrough(request.raw, number, backing) == 0
        case .served:
            info.pointee.fh = number
            sync2nas_fuse_set_noflush(info)
            if sync2nas_fuse_granted().direct_io_mmap {
                // Uncached, so that the file can be handed to the kernel once it is complete.
                sync2nas_fuse_set_direct_io(info)
            } else {
                // A version's bytes never change.
                sync2nas_fuse_set_keep_cache(info)
            }
            isTaken = request.reply(open: info)
        }
        // An open that was interrupted is never released.
        if !isTaken { close(number) }
    }

    private func openForKernel(
        _ node: NodeID,
        _ file: any OpenFile
    ) -> (handle: UInt64, mode: OpenModes.Mode)? {
        if let known = handles.add(file, ofKnown: node, file.completeCopy) { return known }
        // The kernel holds the local file by itself from then on.
        return file.withCompleteCopy { descriptor, copy in
            handles.add(file, of: node, copy) { try? register(descriptor).get() }
        }
    }

    private func finishOpen(
        _ request: Request,
        _ info: UnsafeMutablePointer<fuse_file_info>,
        _ handle: HandleTable.Handle
    ) {
        info.pointee.fh = handles.add(handle)
        // An open that was interrupted is never released.
        if !request.reply(open: info) { close(info.pointee.fh) }
    }

    func read(
        _ request: Request,
        _ node: fuse_ino_t,
        _ size: Int,
        _ offset: off_t,
        _ info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        let id = NodeID(rawValue: UInt64(node))
        guard let info, offset >= 0 else { return request.fail(EBADF) }
        // A predecessor's handle on a version that is no more.
        guard let handle = handle(info.pointee.fh, of: id) else { return request.fail(ESTALE) }
        switch handle {
        case .directory: request.fail(EISDIR)
        case .control(let session):
            let contents = session.contents()
            let range = ByteRange(offset: UInt64(offset), count: UInt64(size))
                .clipped(to: UInt64(contents.count))
            contents.withUnsafeBytes { bytes in
                let part = bytes[Int(range.lowerBound)..<Int(range.upperBound)]
                request.reply(bytes: UnsafeRawBufferPointer(rebasing: part))
            }
        case .file(let file):
            let range = ByteRange(offset: UInt64(offset), count: UInt64(size))
                .clipped(to: file.file.size)
            if let bytes = file.inMemory(range) {
                request.reply(bytes: bytes)
            } else if !readAtOnce(request, file, range) {
                readLater(request, file, range)
            }
        }
    }

    private func readAtOnce(_ request: Request, _ file: any OpenFile, _ range: ByteRange) -> Bool {
        let bytes = Bytes(count: Int(range.count))
        guard range.isEmpty || file.readAtOnce(range, into: bytes.mutable) else { return false }
        request.reply(bytes: ByteSlice(bytes))
        return true
    }

    private func readLater(_ request: Request, _ file: any OpenFile, _ range: ByteRange) {
        let limit = options.readTimeout
        request.whenFinished {
            await withDeadline(limit) {
                do throws(SourceError) {
                    let bytes = try await file.read(range)
                    return Result<ByteSlice, SourceError>.success(bytes)
                } catch {
                    return .failure(error)
                }
            }
        } answer: { [log] result in
            switch result {
            case .success(let bytes): request.reply(bytes: bytes)
            case .failure(let error):
                if error.code != .cancelled {
                    log.warning("cannot read \(range) of '\(file.file.path.printable)': \(error)")
                }
                request.fail(error.errno)
            case nil:
                log.warning(
                    "gave up reading \(range) of '\(file.file.path.printable)' after \(limit)"
                )
                request.fail(EIO)
            }
        }
    }

    func write(
        _ request: Request,
        _ node: fuse_ino_t,
        _ bytes: UnsafePointer<CChar>?,
        _ size: Int,
        _ info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        let id = NodeID(rawValue: UInt64(node))
        guard let info, case .control(let session) = handle(info.pointee.fh, of: id) else {
            return request.fail(EROFS)
        }
        let written = Array(UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : size))
        request.whenFinished {
            await Self.outcome { () async throws(ControlError) in try await session.write(written) }
        } answer: { error in
            if let error {
                request.fail(error.errno)
            } else {
                request.reply(written: size)
            }
        }
    }

    func flush(_ request: Request, _ info: UnsafeMutablePointer<fuse_file_info>?) {
        guard let info, case .control(let session) = handles[info.pointee.fh] else {
            return request.succeed()
        }
        request.whenFinished {
            await Self.outcome { () async throws(ControlError) in try await session.finish() }
        } answer: { error in
            request.fail(error?.errno ?? 0)
        }
    }

    /// A handle that the kernel let go of, for which it waits to hear that it is closed.
    struct Release {
        let request: Request
        let node: fuse_ino_t
        let handle: UInt64

        /// The kernel holds no more than 64 unanswered ones.
        static let most = 16
    }

    /// Nobody waits for the answer, so it waits until nobody waits for another one.
    func release(
        _ request: Request,
        _ node: fuse_ino_t,
        _ info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        guard let info else { return request.succeed() }
        let handle = info.pointee.fh
        let count = releases.withLock { releases in
            releases.append(Release(request: request, node: node, handle: handle))
            return releases.count
        }
        if count < Release.most {
            sync2nas_fuse_wants_idle_work()
        } else {
            finishReleases()
        }
    }

    func finishReleases() {
        let waiting = releases.withLock { releases in
            defer { releases = [] }
            return releases
        }
        for release in waiting {
            close(release.handle)
            release.request.succeed()
        }
    }

    private func close(_ number: UInt64) {
        let (handle, rest) = handles.remove(number)
        if case .file(let file) = handle { file.close() }
        switch rest {
        case .nothing: break
        case .idle: letGoLater()
        case .unused(let backing): unregister(backing)
        }
    }

    /// The handle, also one that a predecessor gave out.
    func handle(_ number: UInt64, of node: NodeID) -> HandleTable.Handle? {
        if let known = handles[number] { return known }
        return handles.adopt(number) {
            if node.isControl, let session = tree.openControl(node) { return .control(session) }
            if let file = tree.remoteFile(node) { return .file(openRemote(file, node)) }
            return listing(of: node).map { .directory($0) }
        }
    }

    private static func outcome(
        _ work: @Sendable () async throws(ControlError) -> Void
    ) async -> ControlError? {
        do throws(ControlError) {
            try await work()
            return nil
        } catch {
            return error
        }
    }
}
