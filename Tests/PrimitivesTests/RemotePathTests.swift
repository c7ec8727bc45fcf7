import Primitives
import Testing

@Suite struct RemotePathTests {
    @Test(arguments: [
        Array("plain/path.mkv".utf8),
        // Latin-1 "é", which is no UTF-8.
        [0x2F, 0xE9, 0x2E],
        // A cut sequence, an overlong one, a surrogate, and a lone continuation.
        [0xE3, 0x81], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0x80, 0x41],
        // A real private-use scalar that looks like one of our escapes.
        Array("\u{10FFE9}".utf8),
        Array("\u{10FFE9}".utf8) + [0xE9],
    ])
    func textLosesNothing(_ bytes: [UInt8]) {
        let path = RemotePath(bytes: bytes)
        #expect(RemotePath(path.text).bytes == bytes)
    }

    @Test func everyByteSurvivesAsText() {
        let bytes = (UInt8.min...UInt8.max).map { $0 }
        #expect(RemotePath(RemotePath.escaped(bytes)).bytes == bytes)
    }

    @Test func composedAndDecomposedNamesAreTwoFiles() {
        #expect(RemotePath("/caf\u{E9}") != RemotePath("/cafe\u{301}"))
    }

    @Test func aSiblingWithTheSamePrefixIsNotInside() {
        let root = RemotePath("/downloads")
        #expect(RemotePath("/downloads/a").isInside(root))
        #expect(RemotePath("/downloads").isInside(root))
        #expect(!RemotePath("/downloads2/a").isInside(root))
        #expect(RemotePath("/x").isInside(RemotePath("/")))
    }

    @Test func printableTextHoldsNoControlCharacters() {
        let path = RemotePath("/a\u{1B}[31m\nb\u{202E}c")
        #expect(!path.printable.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
    }

    @Test func rangesEndWhereOffsetsEnd() {
        let range = ByteRange(offset: .max - 1, count: 10)
        #expect(range.upperBound == .max)
        #expect(range.clipped(to: 5).isEmpty)
    }
}
