import Glibc
import Primitives
import StandIns
import Testing

@testable import Transfer

/// The rules that every ``ByteChannel`` keeps, seen through the pool, against a real sshd.
@Suite struct ChannelConformanceTests {
    @Test(arguments: bothTransports)
    func rangesAreTheFilesBytes(_ transport: RemoteAccount.Transport) async throws {
        let box = try Seedbox()
        let bytes = pattern(3_000_001)
        try box.write("a/film.mkv", bytes)
        let file = box.file("a/film.mkv", size: bytes.count)
        try await withPool(box.pool(transport)) { pool in
            let ranges = [
                (0, 1), (0, 262_144), (1, 261_121), (1_234_567, 2_345_678), (3_000_000, 3_000_001),
                (0, 3_000_001), (5, 5),
            ]
            for (start, end) in ranges {
                let read = try await pool.read(ByteRange(UInt64(start), UInt64(end)), of: file)
                #expect(read == Array(bytes[start..<end]))
            }
        }
    }

    @Test(arguments: bothTransports)
    func aLargeRangeIsJoinedInOrder(_ transport: RemoteAccount.Transport) async throws {
        let box = try Seedbox()
        let bytes = pattern(40_000_000)
        try box.write("film.mkv", bytes)
        let file = box.file("film.mkv", size: bytes.count)
        try await withPool(box.pool(transport)) { pool in
            for _ in 0..<3 {
                let read = try await pool.read(ByteRange(7, 39_999_990), of: file)
                #expect(read == Array(bytes[7..<39_999_990]))
            }
        }
    }

    @Test(arguments: bothTransports)
    func parallelReadersGetTheirOwnBytes(_ transport: RemoteAccount.Transport) async throws {
        let box = try Seedbox()
        let bytes = pattern(4_000_000)
        // More files than a connection keeps open, so that handles are evicted meanwhile.
        for number in 0..<50 { try box.write("\(number).mkv", Array(bytes[(number * 1000)...])) }
        let pool = box.pool(transport)
        try await withPool(pool) { pool in
            let wrong = await withTaskGroup(of: Bool.self) { group in
                for index in 0..<400 {
                    group.addTask {
                        let number = index % 50
                        let size = bytes.count - number * 1000
                        let file = box.file("\(number).mkv", size: size)
                        let start = index * 7919
                        let range = ByteRange(offset: UInt64(start), count: 50_000)
                        let want = bytes[(start + number * 1000)..<(start + number * 1000 + 50_000)]
                        return (try? await pool.read(range, of: file)) != Array(want)
                    }
                }
                return await group.filter(\.self).reduce(0) { count, _ in count + 1 }
            }
            #expect(wrong == 0)
        }
    }

    @Test(arguments: bothTransports)
    func theEndOfAHugeFileMovesLittle(_ transport: RemoteAccount.Transport) async throws {
        let box = try Seedbox()
        let size = 10 << 30
        try box.writeSparse("huge.mkv", size: Int64(size))
        let file = box.file("huge.mkv", size: size)
        try await withPool(box.pool(transport)) { pool in
            try await pool.connect()
            let before = pool.status.bytesReceived
            let tail = try await pool.read(
                ByteRange(UInt64(size - 65_536), UInt64(size)),
                of: file
            )
            #expect(tail == [UInt8](repeating: 0, count: 65_536))
            #expect(pool.status.bytesReceived - before < 65_536 + 1024)
        }
    }

    @Test(arguments: bothTransports)
    func aDirectoryOfTenThousandIsListedOnceEach(
        _ transport: RemoteAccount.Transport
    ) async throws {
        let box = try Seedbox()
        for number in 0..<10_000 { try box.write("many/\(number)", [1, 2, 3]) }
        try await withPool(box.pool(transport)) { pool in
            let entries = try await pool.entries(of: RemotePath(box.path("many")), limit: 20_000)
            #expect(Set(entries.map(\.name)) == Set((0..<10_000).map { Array("\($0)".utf8) }))
            #expect(entries.count == 10_000)
            #expect(entries.allSatisfy { $0.kind == .file && $0.size == 3 })
            #expect(entries.allSatisfy { $0.modifiedSeconds == 1_600_000_000 })
            let few = try await pool.entries(of: RemotePath(box.path("many")), limit: 150)
            #expect(few.count == 150)
        }
    }

    @Test(arguments: bothTransports)
    func namesComeAsTheirBytes(_ transport: RemoteAccount.Transport) async throws {
        let box = try Seedbox()
        try box.write("new\nline", [1])
        try box.write("e\u{301}", [1])
        try box.write("\u{e9}", [1])
        let invalid: [CChar] = Array("\(box.root)/".utf8CString.dropLast()) + [-1, -2, 0]
        close(open(invalid, O_CREAT | O_WRONLY, 0o644))
        mkdir(box.path("folder"), 0o755)
        try box.link("link", to: "nowhere")
        try await withPool(box.pool(transport)) { pool in
            let entries = try await pool.entries(of: RemotePath(box.root), limit: 100)
            let kinds = Dictionary(uniqueKeysWithValues: entries.map { ($0.name, $0.kind) })
            #expect(
                kinds == [
                    Array("new\nline".utf8): .file, Array("e\u{301}".utf8): .file,
                    Array("\u{e9}".utf8): .file, [255, 254]: .file,
                    Array("folder".utf8): .directory, Array("link".utf8): .symbolicLink,
                ]
            )
        }
    }

    @Test(arguments: bothTransports)
    func whatIsMissingIsNotFound(_ transport: RemoteAccount.Transport) async throws {
        let box = try Seedbox()
        try box.link("dangling", to: "nowhere")
        try box.link("loop", to: "loop")
        let file = box.file("missing.mkv", size: 10)
        try await withPool(box.pool(transport)) { pool in
            #expect(
                await sourceCode { try await pool.read(ByteRange(0, 10), of: file) } == .notFound
            )
            let missing = RemotePath(box.path("missing"))
            #expect(await sourceCode { try await pool.entries(of: missing, limit: 1) } == .notFound)
            for name in ["missing", "dangling"] {
                let path = RemotePath(box.path(name))
                #expect(await sourceCode { try await pool.resolve(path) } == .notFound)
            }
        }
    }

    @Test(arguments: bothTransports)
    func whatIsForbiddenIsDenied(_ transport: RemoteAccount.Transport) async throws {
        var options = Seedbox.Options()
        // Modes do not stop root, so the server itself refuses.
        options.serverArguments = ["-P", "open,opendir"]
        let box = try Seedbox(options)
        try box.write("film.mkv", [1, 2, 3])
        let file = box.file("film.mkv", size: 3)
        try await withPool(box.pool(transport)) { pool in
            #expect(await sourceCode { try await pool.read(ByteRange(0, 3), of: file) } == .denied)
            let root = RemotePath(box.root)
            #expect(await sourceCode { try await pool.entries(of: root, limit: 1) } == .denied)
        }
    }

    @Test(arguments: bothTransports)
    func aChangedFileIsNeverRead(_ transport: RemoteAccount.Transport) async throws {
        let box = try Seedbox()
        let bytes = pattern(100_000)
        try box.write("film.mkv", bytes)
        let file = box.file("film.mkv", size: bytes.count)
        try await withPool(box.pool(transport)) { pool in
            _ = try await pool.read(ByteRange(0, 10), of: file)
            // In place, so that the open handle sees it.
            try box.write("film.mkv", Array(bytes[..<90_000]))
            do throws(SourceError) {
                _ = try await pool.read(ByteRange(0, 100_000), of: file)
                Issue.record("a changed file was read")
            } catch {
                #expect(error.code == .changed)
                #expect(error.message.contains("size was 100000, is now 90000"))
            }
            try box.write("film.mkv", bytes, mtime: 1_600_000_001)
            #expect(
                await sourceCode { try await pool.read(ByteRange(0, 10), of: file) } == .changed
            )
            let new = box.file("film.mkv", size: bytes.count, mtime: 1_600_000_001)
            #expect(try await pool.read(ByteRange(0, 10), of: new) == Array(bytes[..<10]))
        }
    }

    @Test(arguments: bothTransports)
    func linksAreResolvedToTheirEnd(_ transport: RemoteAccount.Transport) async throws {
        let box = try Seedbox()
        try box.write("real/film.mkv", [1, 2, 3, 4])
        try box.link("two", to: "one")
        try box.link("one", to: "real/film.mkv")
        try await withPool(box.pool(transport)) { pool in
            let (path, entry) = try await pool.resolve(RemotePath(box.path("two")))
            #expect(path.text.hasSuffix("/real/film.mkv"))
            #expect(entry.name == Array("film.mkv".utf8))
            #expect(entry.kind == .file)
            #expect(entry.size == 4)
        }
    }

    @Test(arguments: bothTransports)
    func rekeyingLosesNothing(_ transport: RemoteAccount.Transport) async throws {
        var options = Seedbox.Options()
        options.configuration = ["RekeyLimit 1M"]
        let box = try Seedbox(options)
        let bytes = pattern(12_000_000)
        try box.write("film.mkv", bytes)
        let file = box.file("film.mkv", size: bytes.count)
        try await withPool(box.pool(transport, connections: 1)) { pool in
            let read = try await pool.read(ByteRange(0, 12_000_000), of: file)
            #expect(read == bytes)
        }
    }

    @Test(arguments: bothTransports)
    func theSeparateServerProgramWorksAsWell(_ transport: RemoteAccount.Transport) async throws {
        var options = Seedbox.Options()
        options.usesInternalSFTP = false
        let box = try Seedbox(options)
        let bytes = pattern(1_000_000)
        try box.write("film.mkv", bytes)
        let file = box.file("film.mkv", size: bytes.count)
        try await withPool(box.pool(transport)) { pool in
            let read = try await pool.read(ByteRange(0, 1_000_000), of: file)
            #expect(read == bytes)
        }
    }
}
