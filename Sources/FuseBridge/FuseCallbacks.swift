import CFuse3
import Glibc
import VirtualTree

/// The table of functions that libfuse calls; each hands on to a method of ``FuseServer``.
enum FuseCallbacks {
    /// All functions; what would change the tree is refused here.
    ///
    /// A function that is absent would answer ENOSYS, which programs take for a bug.
    static let table: fuse_lowlevel_ops = {
        var table = fuse_lowlevel_ops()
        addReading(to: &table)
        addAttributes(to: &table)
        addRefusals(to: &table)
        return table
    }()

    /// To be called when no request waits.
    static let whenIdle: @convention(c) (UnsafeMutableRawPointer?) -> Void = { data in
        guard let data else { return }
        Unmanaged<FuseServer>.fromOpaque(data).takeUnretainedValue().finishReleases()
    }

    private static func addReading(to table: inout fuse_lowlevel_ops) {
        table.`init` = { _, connection in
            // Waiting reads are many and cheap: the default of 12 would queue a player's
            // read-ahead behind a scan's.
            connection?.pointee.max_background = 64
        }
        table.lookup = { request, parent, name in
            serve(request) { $0.lookup($1, parent, name) }
        }
        table.forget = { request, _, _ in fuse_reply_none(request) }
        table.forget_multi = { request, _, _ in fuse_reply_none(request) }
        table.open = { request, node, info in
            serve(request) { $0.open($1, node, info) }
        }
        table.read = { request, node, size, offset, info in
            serve(request) { $0.read($1, node, size, offset, info) }
        }
        table.write = { request, node, bytes, size, _, info in
            serve(request) { $0.write($1, node, bytes, size, info) }
        }
        table.flush = { request, _, info in
            serve(request) { $0.flush($1, info) }
        }
        table.release = { request, node, info in
            serve(request) { $0.release($1, node, info) }
        }
        table.opendir = { request, node, info in
            serve(request) { $0.opendir($1, node, info) }
        }
        table.readdir = { request, node, size, offset, info in
            serve(request) { $0.readdir($1, node, size, offset, info, plus: false) }
        }
        table.readdirplus = { request, node, size, offset, info in
            serve(request) { $0.readdir($1, node, size, offset, info, plus: true) }
        }
        table.releasedir = { request, node, info in
            serve(request) { $0.release($1, node, info) }
        }
        table.fsync = { request, _, _, _ in fuse_reply_err(request, 0) }
        table.fsyncdir = { request, _, _, _ in fuse_reply_err(request, 0) }
    }

    private static func addAttributes(to table: inout fuse_lowlevel_ops) {
        table.getattr = { request, node, _ in
            serve(request) { $0.getattr($1, node) }
        }
        table.setattr = { request, node, _, changes, _ in
            serve(request) { $0.setattr($1, node, changes) }
        }
        table.statfs = { request, _ in
            serve(request) { $0.statfs($1) }
        }
        table.getxattr = { request, _, _, _ in fuse_reply_err(request, ENODATA) }
        table.listxattr = { request, _, size in
            if size == 0 {
                fuse_reply_xattr(request, 0)
            } else {
                fuse_reply_buf(request, nil, 0)
            }
        }
    }

    private static func addRefusals(to table: inout fuse_lowlevel_ops) {
        table.mknod = { request, parent, _, _, _ in refuse(request, parent) }
        table.mkdir = { request, parent, _, _ in refuse(request, parent) }
        table.unlink = { request, parent, _ in refuse(request, parent) }
        table.rmdir = { request, parent, _ in refuse(request, parent) }
        table.symlink = { request, _, parent, _ in refuse(request, parent) }
        table.rename = { request, parent, _, _, _, _ in refuse(request, parent) }
        table.link = { request, node, _, _ in refuse(request, node) }
        table.create = { request, parent, _, _, _ in refuse(request, parent) }
        table.setxattr = { request, node, _, _, _, _ in refuse(request, node) }
        table.removexattr = { request, node, _ in refuse(request, node) }
        table.fallocate = { request, node, _, _, _, _ in refuse(request, node) }
    }
}

// Functions of the file, not of the type: a C function pointer may not capture even `self`.

private func refuse(_ request: fuse_req_t?, _ node: fuse_ino_t) {
    fuse_reply_err(request, NodeID(rawValue: UInt64(node)).isControl ? EPERM : EROFS)
}

private func serve(_ request: fuse_req_t?, _ body: (FuseServer, Request) -> Void) {
    guard let request, let data = fuse_req_userdata(request) else { return }
    body(Unmanaged<FuseServer>.fromOpaque(data).takeUnretainedValue(), Request(raw: request))
}
