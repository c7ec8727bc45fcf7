import Glibc
import Primitives
import StandIns
import Testing

@testable import Transfer

/// The program that speaks for us: when it wakes, and when it ends.
@Suite struct SSHProcessTests {
    private static func wait(for channel: OpenSSHChannel, milliseconds: Int32) -> Bool {
        var descriptor = channel.waits(toWrite: false)[0]
        return poll(&descriptor, 1, milliseconds) > 0
    }

    private static func read(_ channel: OpenSSHChannel) throws -> Int {
        var bytes = [UInt8](repeating: 0, count: 4096)
        var total = 0
        while wait(for: channel, milliseconds: 60_000) {
            let result = try bytes.withUnsafeMutableBytes { try channel.read(into: $0) }
            guard case .bytes(let count) = result else { continue }
            total += count
            // VERSION, or the answer to REALPATH: a handful of bytes that come together.
            if total > 8 { return total }
        }
        return total
    }

    private static func write(_ channel: OpenSSHChannel, _ bytes: [UInt8]) throws {
        let count = try bytes.withUnsafeBytes { try channel.write($0) }
        #expect(count == bytes.count)
    }

    @Test(.timeLimit(.minutes(5))) func itSleepsUntilEnoughHasCome() throws {
        let box = try Seedbox()
        let channel = try OpenSSHChannel(box.account(.openSSH))
        defer { channel.close() }
        try Self.write(channel, SFTPRequest.initialization)
        #expect(try Self.read(channel) > 8)

        channel.setLowWater(64 << 10)
        var request: [UInt8] = []
        SFTPRequest.realpath(RemotePath(".")).encode(id: 1, into: &request)
        try Self.write(channel, request)
        #expect(!Self.wait(for: channel, milliseconds: 300))
        channel.setLowWater(1)
        #expect(try Self.read(channel) > 8)
    }

    @Test(.timeLimit(.minutes(5))) func itEndsWithItsThread() async throws {
        let process = try await Self.leftByItsThread("/bin/sleep", ["600"])
        var descriptor = pollfd(fd: process.socket, events: Int16(POLLIN), revents: 0)
        #expect(poll(&descriptor, 1, 60_000) == 1)
        process.end()
    }

    @Test func whatCannotBeStartedSaysWhy() {
        #expect {
            try Transfer.ChildProcess("/nowhere/ssh", [])
        } throws: { error in
            "\(error)".contains("/nowhere/ssh") && "\(error)".contains("No such file")
        }
    }

    private static func leftByItsThread(
        _ path: String,
        _ arguments: [String]
    ) async throws -> Transfer.ChildProcess {
        try await withCheckedThrowingContinuation {
            (continuation: CheckedContinuation<Unowned, any Error>) in
            do {
                try OwnThread.start {
                    continuation.resume(
                        with: Result {
                            Unowned(process: try Transfer.ChildProcess(path, arguments))
                        }
                    )
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }.process
    }

    /// Made by one thread, ended by another.
    private struct Unowned: @unchecked Sendable {
        let process: Transfer.ChildProcess
    }
}
