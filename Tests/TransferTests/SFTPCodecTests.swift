import Primitives
import Testing

@testable import Transfer

@Suite struct SFTPCodecTests {
    /// Packets written out by hand from draft-ietf-secsh-filexfer-02.
    static let packets: [(SFTPRequest, [UInt8])] = [
        (
            .open(RemotePath("/a")),
            [0, 0, 0, 19, 3, 0, 0, 0, 9, 0, 0, 0, 2, 47, 97, 0, 0, 0, 1, 0, 0, 0, 0]
        ),
        (.close(handle: [1, 2]), [0, 0, 0, 11, 4, 0, 0, 0, 9, 0, 0, 0, 2, 1, 2]),
        (
            .read(handle: [1], offset: 0x1_0000_0002, count: 0x3_FC00),
            [0, 0, 0, 22, 5, 0, 0, 0, 9, 0, 0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 2, 0, 3, 0xFC, 0]
        ),
        (.lstat(RemotePath("b")), [0, 0, 0, 10, 7, 0, 0, 0, 9, 0, 0, 0, 1, 98]),
        (.fstat(handle: []), [0, 0, 0, 9, 8, 0, 0, 0, 9, 0, 0, 0, 0]),
        (.opendir(RemotePath("")), [0, 0, 0, 9, 11, 0, 0, 0, 9, 0, 0, 0, 0]),
        (.readdir(handle: [255]), [0, 0, 0, 10, 12, 0, 0, 0, 9, 0, 0, 0, 1, 255]),
        (.realpath(RemotePath(".")), [0, 0, 0, 10, 16, 0, 0, 0, 9, 0, 0, 0, 1, 46]),
        (.stat(RemotePath(".")), [0, 0, 0, 10, 17, 0, 0, 0, 9, 0, 0, 0, 1, 46]),
        (.readlink(RemotePath(".")), [0, 0, 0, 10, 19, 0, 0, 0, 9, 0, 0, 0, 1, 46]),
    ]

    @Test(arguments: packets)
    func requestsAreWrittenAsTheDraftSays(_ request: SFTPRequest, _ bytes: [UInt8]) {
        var output: [UInt8] = [42]
        request.encode(id: 9, into: &output)
        #expect(output == [42] + bytes)
    }

    @Test func attributesMayLackAnything() throws {
        let cases: [([UInt8], SFTPAttributes)] = [
            ([0, 0, 0, 0], SFTPAttributes()),
            ([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0], SFTPAttributes(size: 256)),
            // Owner and group are skipped.
            (
                [0, 0, 0, 6, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0x41, 0xED],
                SFTPAttributes(permissions: 0o040755)
            ),
            // The first of the two times is that of access.
            (
                [0, 0, 0, 8, 0, 0, 0, 1, 0x80, 0, 0, 0],
                SFTPAttributes(modifiedSeconds: 0x8000_0000)
            ),
            ([128, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 65, 0, 0, 0, 0], SFTPAttributes()),
        ]
        for (bytes, attributes) in cases {
            let (decoded, rest) = try bytes.withUnsafeBytes { buffer in
                var reader = PacketReader(buffer)
                return (try reader.attributes(), reader.count)
            }
            #expect(decoded == attributes)
            #expect(rest == 0)
        }
    }

    /// A packet cut anywhere is an error, never a crash and never a value made of nothing.
    @Test func everyTruncationIsNoticed() {
        let whole = Array(Reply.names(3, [Array("a".utf8), Array("bc".utf8)]).dropFirst(9))
        for count in 0..<whole.count {
            #expect(throws: ConnectionError.self) {
                try whole[..<count].withUnsafeBytes { buffer in
                    var reader = PacketReader(buffer)
                    _ = try reader.names()
                }
            }
        }
    }

    @Test func aCountOfFourBillionNamesTakesNoMemory() {
        let bytes: [UInt8] = [255, 255, 255, 255, 0, 0, 0, 1, 65]
        #expect(throws: ConnectionError.self) {
            try bytes.withUnsafeBytes { buffer in
                var reader = PacketReader(buffer)
                _ = try reader.names()
            }
        }
    }

    @Test func theServersWordsAreMadePrintable() {
        let status = SFTPStatus(code: 4, message: Array("no\u{1B}[2J\nway".utf8))
        #expect(status.message == "no?[2J?way")
        #expect(
            SFTPStatus(code: 4, message: [UInt8](repeating: 65, count: 9999)).message.count == 200
        )
    }
}
