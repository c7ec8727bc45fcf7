import Foundation
import FuseBridge
import Glibc
import VirtualTree

/// A file that a person names by its path in a mount.
public enum MountedFile {
    /// How commands name the file to the library: by its number in the catalogue when the path leads
    /// to a file in one of our mounts, else as it was written.
    ///
    /// - Parameter path: What the person wrote: a path in a mount, or a part of one on the seedbox.
    /// - Returns: `file:N`, or `path` unchanged.
    public static func name(_ path: String) -> String {
        let full = Settings.absolute(path)
        guard Mountpoint.ours().contains(where: { full.hasPrefix($0 + "/") }) else { return path }
        var status = stat()
        guard stat(full, &status) == 0,
            let number = NodeID(rawValue: UInt64(status.st_ino)).fileNumber
        else { return path }
        return "file:\(number)"
    }
}
