import CFuse3
import Glibc
import Primitives
import VirtualTree

/// Lookups, attributes and listings: from memory, on the thread that asks.
extension FuseServer {
    /// How long the kernel may remember names and attributes.
    ///
    /// Long, since it is told of every change; not for ever, so that a lost message is mended.
    private static let rememberedSeconds = 3600.0
    /// For files of which nothing is here: whoever looks one up next may be about to open it.
    private static let expectedSeconds = 1.0

    func lookup(_ request: Request, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?) {
        guard let name, let text = String(validatingCString: name) else {
            return request.fail(ENOENT)
        }
        let parent = NodeID(rawValue: UInt64(parent))
        var entry = fuse_entry_param()
        entry.entry_timeout = Self.timeout(of: parent)
        if let attributes = tree.lookup(text, in: parent) {
            fill(&entry, from: attributes)
            expect(attributes.id)
        } else if text.utf8.count > SafeName.maximumBytes {
            return request.fail(ENAMETOOLONG)
        }
        // Inode 0 says that the name is absent, and that this may be remembered too.
        request.reply(entry: &entry)
    }

    func getattr(_ request: Request, _ node: fuse_ino_t) {
        let id = NodeID(rawValue: UInt64(node))
        guard let attributes = tree.attributes(of: id) else { return request.fail(ESTALE) }
        var status = status(of: attributes)
        request.reply(attributes: &status, timeout: attributeTimeout(of: id))
        expect(id)
    }

    /// Somebody looked at the node by itself.
    private func expect(_ id: NodeID) {
        if let file = tree.remoteFile(id) { opener.expect(file) }
    }

    /// How long the kernel may remember a node's attributes.
    private func attributeTimeout(of id: NodeID) -> Double {
        guard let file = tree.remoteFile(id), !opener.holdsAny(of: file) else {
            return Self.timeout(of: id)
        }
        return Self.expectedSeconds
    }

    /// Shells empty a file before they write to it, and `touch` sets its times: both mean
    /// nothing for a control file and are let pass.
    func setattr(_ request: Request, _ node: fuse_ino_t, _ changes: Int32) {
        let id = NodeID(rawValue: UInt64(node))
        guard id.isControl else { return request.fail(EROFS) }
        let harmless =
            FUSE_SET_ATTR_SIZE | FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_MTIME
            | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW | FUSE_SET_ATTR_CTIME
        guard changes & ~harmless == 0 else { return request.fail(EPERM) }
        getattr(request, node)
    }

    func opendir(
        _ request: Request,
        _ node: fuse_ino_t,
        _ info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        let id = NodeID(rawValue: UInt64(node))
        guard let info else { return request.fail(EINVAL) }
        guard let listing = listing(of: id) else { return request.fail(ESTALE) }
        info.pointee.fh = handles.add(.directory(listing))
        if !request.reply(open: info) { _ = handles.remove(info.pointee.fh) }
    }

    func listing(of id: NodeID) -> HandleTable.Listing? {
        tree.entries(of: id).map { entries, parent in
            HandleTable.Listing(entries: entries, directory: id, parent: parent)
        }
    }

    /// Offsets count entries: 0 is `.`, 1 is `..`, then those of the listing.
    func readdir(
        _ request: Request,
        _ node: fuse_ino_t,
        _ size: Int,
        _ offset: off_t,
        _ info: UnsafeMutablePointer<fuse_file_info>?,
        plus: Bool
    ) {
        let id = NodeID(rawValue: UInt64(node))
        guard let info, case .directory(let listing) = handle(info.pointee.fh, of: id) else {
            return request.fail(EBADF)
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 8)
        defer { buffer.deallocate() }
        var used = 0
        for index in max(0, Int(offset))..<max(Int(offset), listing.entries.count + 2) {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[used...])
            let length = add(listing, index, to: rest, request, plus: plus)
            if length > rest.count { break }
            used += length
        }
        request.reply(bytes: UnsafeRawBufferPointer(rebasing: buffer[..<used]))
    }

    /// - Returns: The entry's length; it was added only when that is not above `space.count`.
    private func add(
        _ listing: HandleTable.Listing,
        _ index: Int,
        to space: UnsafeMutableRawBufferPointer,
        _ request: Request,
        plus: Bool
    ) -> Int {
        let name: String
        let id: NodeID
        let isDirectory: Bool
        switch index {
        case 0: (name, id, isDirectory) = (".", listing.directory, true)
        case 1: (name, id, isDirectory) = ("..", listing.parent, true)
        default:
            let entry = listing.entries[index - 2]
            (name, id, isDirectory) = (entry.name, entry.id, entry.isDirectory)
        }
        let target = space.baseAddress?.assumingMemoryBound(to: CChar.self)
        let next = off_t(index + 1)
        if plus {
            var entry = fuse_entry_param()
            // `.` and `..` carry no attributes: the kernel would count a lookup for them.
            if index > 1, let attributes = tree.attributes(of: id) {
                fill(&entry, from: attributes)
                entry.entry_timeout = Self.timeout(of: listing.directory)
            } else {
                entry.attr.st_ino = UInt(id.rawValue)
                entry.attr.st_mode = isDirectory ? S_IFDIR : S_IFREG
            }
            return fuse_add_direntry_plus(request.raw, target, space.count, name, &entry, next)
        }
        var status = stat()
        status.st_ino = UInt(id.rawValue)
        status.st_mode = isDirectory ? S_IFDIR : S_IFREG
        return fuse_add_direntry(request.raw, target, space.count, name, &status, next)
    }

    func statfs(_ request: Request) {
        let totals = tree.tree.totals
        var status = statvfs()
        status.f_bsize = 4096
        status.f_frsize = 4096
        status.f_blocks = UInt((totals.bytes + 4095) / 4096)
        status.f_files = UInt(totals.files)
        status.f_namemax = UInt(SafeName.maximumBytes)
        fuse_reply_statfs(request.raw, &status)
    }

    /// The control directory answers anew each time: its files' sizes change with their answers.
    private static func timeout(of node: NodeID) -> Double {
        node.isControl ? 0 : rememberedSeconds
    }

    private func fill(_ entry: inout fuse_entry_param, from attributes: NodeAttributes) {
        entry.ino = attributes.id.rawValue
        entry.attr = status(of: attributes)
        entry.attr_timeout = attributeTimeout(of: attributes.id)
    }

    private func status(of attributes: NodeAttributes) -> stat {
        var status = stat()
        status.st_ino = UInt(attributes.id.rawValue)
        if attributes.isDirectory {
            // As of an ordinary library: whoever may write by these meets EROFS, and copies can be
            // written to.
            status.st_mode = S_IFDIR | 0o755
            status.st_nlink = UInt(2 + attributes.subdirectories)
        } else {
            status.st_mode = S_IFREG | 0o644
            status.st_nlink = 1
        }
        status.st_uid = owner.user
        status.st_gid = owner.group
        status.st_size = Int(clamping: attributes.size)
        status.st_blksize = 4096
        status.st_blocks = Int(clamping: (attributes.size + 511) / 512)
        let time = timespec(tv_sec: Int(attributes.modifiedSeconds), tv_nsec: 0)
        (status.st_mtim, status.st_ctim, status.st_atim) = (time, time, time)
        return status
    }
}
