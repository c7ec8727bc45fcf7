import Primitives
import StandIns
import Testing

/// Memory that is used again, in all its sizes.
@Suite struct BytesTests {
    /// Around the sizes at which memory comes from somewhere else.
    private static let sizes = [
        1, 40_000, 65_536, 300_000, 1 << 20, (1 << 20) - 7, 2 << 20, 3 << 20,
    ]

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func nobodysBytesAreGivenToAnother(seed: UInt64) async {
        await withTaskGroup(of: Int.self) { group in
            for user in 0...3 as ClosedRange<UInt8> {
                group.addTask { Self.wrongOnes(user, SeededRandom(seed: seed << 8 + UInt64(user))) }
            }
            for await wrong in group { #expect(wrong == 0) }
        }
    }

    /// Takes and gives back memory at random, up to 60 blocks at once.
    ///
    /// - Returns: How many did not hold what was written to them.
    private static func wrongOnes(_ user: UInt8, _ start: SeededRandom) -> Int {
        var random = start
        var held: [(bytes: Bytes, mark: UInt8)] = []
        var wrong = 0
        for _ in 0..<1500 {
            if held.count < 60, Bool.random(using: &random) {
                // Most of them as a fetch has them: two of these lie in one page.
                let isFetched = Int.random(in: 0..<4, using: &random) > 0
                let size = isFetched ? 1 << 20 : sizes.randomElement(using: &random) ?? 1
                let bytes = Bytes(count: size)
                let mark = user << 6 | UInt8.random(in: 0..<64, using: &random)
                for place in places(bytes) { bytes.mutable[place] = mark }
                held.append((bytes, mark))
            } else if let index = held.indices.randomElement(using: &random) {
                let (bytes, mark) = held.remove(at: index)
                let isWhole = bytes.withUnsafeBytes { all in
                    places(bytes).allSatisfy { all[$0] == mark }
                }
                wrong += isWhole ? 0 : 1
            }
        }
        return wrong
    }

    /// The first byte of each page, and the last.
    private static func places(_ bytes: Bytes) -> [Int] {
        Array(stride(from: 0, to: bytes.count, by: 4096)) + [bytes.count - 1]
    }

    @Test func whatIsReadBeginsAtAPage() {
        let address = Bytes(count: 1 << 20).withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
        #expect(address.isMultiple(of: 4096))
    }
}
