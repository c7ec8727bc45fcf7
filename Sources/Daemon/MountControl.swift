import ControlDirectory
import Foundation
import FuseBridge
public import Operations
import VirtualTree

/// Mounts as the command line sees them.
public enum MountControl {
    /// Takes a mount away and waits until its processes have let go of the cache.
    ///
    /// - Throws: ``Settings/Problem`` when nothing of ours is mounted there, or it stays.
    public static func unmount(_ path: String) throws(Settings.Problem) {
        guard Mountpoint.ours().contains(path) else {
            throw Settings.Problem("no Sync2NAS is mounted at '\(path)'")
        }
        let mount = ControlClient(mountpoint: path).status?.mount
        guard Mountpoint.unmount(path) else {
            throw Settings.Problem("cannot unmount '\(path)': only who mounted it and root may")
        }
        guard let mount else { return }
        // The next mount may come right behind and needs the cache.
        for process in [mount.processID, mount.supervisorID] where process != 0 {
            for _ in 0..<1_000 {
                guard isRunning(process) else { break }
                // No child of ours to wait for, and a NAS' kernel may be older than pidfd_open(2).
                usleep(10_000)
            }
        }
    }

    /// Whether `process` still holds anything.
    ///
    /// One that has ended and whose parent takes its time to hear of it does not; in a container
    /// without an init that is for ever.
    private static func isRunning(_ process: Int32) -> Bool {
        kill(process, 0) == 0 && !OwnProcess.isEnding(process)
    }
}

extension Workshop {
    /// Runs what a line written to a control file would, in this process.
    ///
    /// - Returns: The answer, or why it was not done.
    public func answer(_ file: String, _ line: String) async -> Result<String, OperationError> {
        await ControlDirectory(operations).answer(file, line)
    }

    /// What a control file shows.
    public func text(of file: String) async -> String {
        ControlDirectory(operations).text(of: file)
    }
}
