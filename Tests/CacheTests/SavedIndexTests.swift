import Foundation
import Primitives
import Synchronization
import Testing

@testable import Cache

/// What a start believes of the saved index, and what it asks of the disk.
///
/// Whether it asked shows when a stored file has grown behind the store's back: the names in its
/// directory are the same, and only who asks for the file itself knows.
@Suite struct SavedIndexTests {
    private let directory: TemporaryDirectory
    private let files = (0..<3).map { remoteFile("\($0)") }

    init() throws { directory = try TemporaryDirectory() }

    private func store(boot: String = "first") throws -> BlockStore {
        try open(directory, change: { $0.boot = boot })
    }

    private func path(_ file: RemoteFile, _ half: String = "data") -> String {
        directory.path + "/blocks/\(VersionKey(file).name).\(half)"
    }

    /// - Returns: Bytes of disk that it has grown by.
    @discardableResult
    private func grow(_ file: RemoteFile) throws -> UInt64 {
        let before = try #require(FileStatus(at: path(file))).allocated
        let handle = try #require(FileHandle(forWritingAtPath: path(file)))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(repeating: 1, count: 1 << 20))
        try handle.synchronize()
        return try #require(FileStatus(at: path(file))).allocated - before
    }

    /// Two files, closed.
    private func prepare() throws -> UInt64 {
        let store = try store()
        for file in files[..<2] { store.fill(0..<5, of: file) }
        store.close()
        return store.statistics.bytes
    }

    @Test func aClosedStoreIsOpenedWithoutAskingForItsFiles() throws {
        let bytes = try prepare()
        try grow(files[0])
        let store = try store()
        #expect(store.statistics.bytes == bytes)
        #expect(store.statistics.files == 2)
        let range = ByteRange(1, 299_999)
        #expect(store.cached(range, of: files[1]) == StandIn.bytes(range, of: files[1]))
    }

    @Test func afterAKillOnlyWhatWasTouchedIsAskedFor() throws {
        _ = try prepare()
        var bytes: UInt64 = 0
        do {
            let store = try store()
            store.fill(0..<5, of: files[2])
            _ = store.cached(ByteRange(0, 10), of: files[1])
            store.flush()
            bytes = store.statistics.bytes
        }
        try grow(files[0])
        bytes += try grow(files[1])
        bytes += try grow(files[2])
        let store = try store()
        #expect(store.statistics.bytes == bytes)
        #expect(store.statistics.files == 3)
    }

    @Test func afterASecondKillTheFirstIsNotForgotten() throws {
        _ = try prepare()
        do { try store().fill(0..<5, of: files[2]) }
        do { _ = try store() }
        let store = try store()
        #expect(store.statistics.files == 3)
        #expect(store.statistics.bytes >= 3 * 300_000)
    }

    @Test(arguments: [true, false])
    func afterAPowerCutOnlyAClosedStoreIsBelieved(isClosed: Bool) throws {
        let bytes = try prepare()
        if !isClosed { _ = try store() }
        let more = try grow(files[0])
        #expect(try store(boot: "second").statistics.bytes == (isClosed ? bytes : bytes + more))
    }

    @Test func withoutANameOfTheStartAKilledStoreIsNotBelieved() throws {
        let bytes = try prepare()
        do { _ = try store(boot: "") }
        let more = try grow(files[0])
        #expect(try store(boot: "").statistics.bytes == bytes + more)
    }

    @Test func namesThatCameOrWentAreNoticed() throws {
        _ = try prepare()
        try FileManager.default.removeItem(atPath: path(files[0]))
        for half in ["data", "map"] {
            try FileManager.default.copyItem(
                atPath: path(files[1], half),
                toPath: path(files[2], half)
            )
        }
        let store = try store()
        #expect(store.statistics.files == 2)
        #expect(!store.holds(files[0]))
        #expect(store.holds(files[1]))
        // Its map says that it is another file's.
        #expect(!store.holds(files[2]))
        #expect(FileStatus(at: path(files[0], "map")) == nil)
    }

    @Test func aDamagedIndexIsNotBelieved() throws {
        var bytes = try prepare()
        bytes += try grow(files[0])
        let index = directory.path + "/index"
        let whole = try Data(contentsOf: URL(fileURLWithPath: index))
        for place in stride(from: 0, to: whole.count, by: 7) {
            try whole.write(to: URL(fileURLWithPath: index))
            try flip(index, at: UInt64(place))
            #expect(SavedIndex(Array(try Data(contentsOf: URL(fileURLWithPath: index)))) == nil)
            #expect(SavedIndex(Array(whole.prefix(place))) == nil)
        }
        #expect(try store().statistics.bytes == bytes)
    }

    @Test func withoutAListOfWhatWasTouchedThereIsNoIndex() throws {
        _ = try prepare()
        let touched = directory.path + "/touched"
        try FileManager.default.createDirectory(
            atPath: touched,
            withIntermediateDirectories: false
        )
        do { try store().fill(0..<5, of: files[2]) }
        #expect(FileStatus(at: directory.path + "/index") == nil)
        try grow(files[0])
        let store = try store()
        #expect(store.statistics.files == 3)
        #expect(store.statistics.bytes >= 3 * 300_000 + mebibyte)
    }

    @Test func whoUsesAClosedStoreLeavesNoIndex() throws {
        var bytes: UInt64 = 0
        do {
            let store = try store()
            store.fill(0..<5, of: files[0])
            store.close()
            store.fill(0..<5, of: files[1])
            store.flush()
            bytes = store.statistics.bytes
        }
        bytes += try grow(files[0])
        let store = try store()
        #expect(store.statistics.bytes == bytes)
        #expect(store.statistics.files == 2)
    }

    @Test func allThatIsKnownOfAVersionIsSaved() throws {
        let versions = [Int64.min, -1, 0, 1_800_000_000_000_000_000].enumerated().map {
            StoreDirectory.Found(
                key: VersionKey(remoteFile("\($0)")),
                allocated: UInt64.max >> UInt64($0),
                lastRead: $1,
                isKept: $0 == 2
            )
        }
        let saved = SavedIndex(
            isClosed: true,
            boot: "a",
            directoryModified: -5,
            versions: versions
        )
        let read = try #require(SavedIndex(saved.bytes))
        #expect(read.versions == versions)
        #expect(read.isClosed)
        #expect(read.boot == "a")
        #expect(read.directoryModified == -5)
    }

    @Test func whatIsKeptAndWhatWasReadLastOutlivesTheIndex() throws {
        do {
            let store = try store()
            for file in files { store.fill(0..<5, of: file) }
            store.setKept(true, files[0])
            _ = store.cached(ByteRange(0, 10), of: files[1])
            store.close()
        }
        let store = try store()
        let victims = store.state.withLock { state in
            [state.index.victim(sparing: nil), state.index.victim(sparing: nil)].map { $0?.key }
        }
        #expect(victims == [VersionKey(files[2]), VersionKey(files[1])])
        #expect(store.state.withLock { $0.index.victim(sparing: nil) } == nil)
    }
}
