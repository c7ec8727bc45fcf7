import Primitives
import Testing

@testable import Cache

@Suite struct ReadAheadTests {
    private let gibibyte: UInt64 = 1 << 30

    /// Reads on end from `start`; returns what was asked for ahead.
    private func play(
        _ ahead: inout ReadAhead,
        from start: UInt64 = 0,
        _ bytes: UInt64,
        step: UInt64 = 128 << 10
    ) -> [ByteRange] {
        stride(from: start, to: start + bytes, by: Int(step)).compactMap {
            ahead.read(ByteRange(offset: $0, count: step)).prefetch
        }
    }

    @Test func firstReadAsksForNothing() {
        var ahead = ReadAhead(fileSize: gibibyte)
        #expect(ahead.read(ByteRange(0, 131_072)) == .init(prefetch: nil, cancelsEarlier: false))
    }

    @Test func windowGrowsFrom256KiBTo8MiBAndLeavesNoGap() {
        var ahead = ReadAhead(fileSize: gibibyte)
        let asked = play(&ahead, 64 * mebibyte)
        for (earlier, later) in zip(asked, asked.dropFirst()) {
            #expect(earlier.upperBound == later.lowerBound)
        }
        #expect(asked.first == ByteRange(256 * kibibyte, 384 * kibibyte))
        #expect(asked.map(\.count).max() ?? 0 <= 8 * mebibyte)
        let end = asked.last?.upperBound ?? 0
        #expect(end > 64 * mebibyte && end <= 72 * mebibyte)
    }

    @Test func aboutAsMuchIsAskedForAheadAsWasRead() {
        for read in [1, 2, 4] as [UInt64] {
            var ahead = ReadAhead(fileSize: gibibyte)
            let end = play(&ahead, read * mebibyte).last?.upperBound ?? 0
            #expect(end <= 2 * read * mebibyte + 128 * kibibyte)
        }
    }

    /// Head, tail and a few places between, as ffprobe does.
    @Test func probeGetsNoMoreThan128KiBAheadAnywhere() {
        var ahead = ReadAhead(fileSize: gibibyte)
        for start in [0, gibibyte - 256 * kibibyte, gibibyte / 2, gibibyte / 3, gibibyte / 4] {
            for range in play(&ahead, from: start, 256 * kibibyte, step: 32 * kibibyte) {
                #expect(range.upperBound <= start + 384 * kibibyte)
                #expect(range.count <= 128 * kibibyte)
            }
        }
    }

    @Test func jumpCancelsWhatWasAheadAndBeginsAnew() {
        var ahead = ReadAhead(fileSize: gibibyte)
        _ = play(&ahead, 16 * mebibyte)
        let jump = ahead.read(ByteRange(offset: gibibyte / 2, count: 131_072))
        #expect(jump == .init(prefetch: nil, cancelsEarlier: true))
        let next = ahead.read(ByteRange(offset: gibibyte / 2 + 131_072, count: 131_072))
        #expect(next.prefetch?.count == 128 * kibibyte)
    }

    @Test func twoTracksInTurnsKeepTheirWindowsWithinOneBudget() {
        var ahead = ReadAhead(fileSize: gibibyte)
        var asked: [UInt64: UInt64] = [:]
        for step in UInt64(0)..<400 {
            for start in [0, gibibyte / 2] {
                let range = ByteRange(offset: start + step * 131_072, count: 131_072)
                let decision = ahead.read(range)
                #expect(step < 2 || !decision.cancelsEarlier)
                if let prefetch = decision.prefetch { asked[start] = prefetch.upperBound }
                let outstanding = asked.reduce(UInt64(0)) { sum, entry in
                    let next = entry.key + step * 131_072
                    return sum + (entry.value > next ? entry.value - next : 0)
                }
                #expect(outstanding <= 8 * mebibyte + 262_144)
            }
        }
        #expect(asked.count == 2)
    }

    @Test func nothingBehindTheEndIsAskedFor() {
        var ahead = ReadAhead(fileSize: 10 * mebibyte)
        let asked = play(&ahead, 10 * mebibyte)
        #expect(asked.last?.upperBound == 10 * mebibyte)
    }

    @Test func readsOutOfOrderAreOneSequence() {
        var ahead = ReadAhead(fileSize: gibibyte)
        _ = play(&ahead, 2 * mebibyte)
        let later = ahead.read(ByteRange(offset: 2 * mebibyte + 131_072, count: 131_072))
        let earlier = ahead.read(ByteRange(offset: 2 * mebibyte, count: 131_072))
        #expect(!later.cancelsEarlier && !earlier.cancelsEarlier)
        #expect(ahead.longestRun == 2 * mebibyte + 262_144)
    }
}
