/// Reads a word from its start: the place of regular expressions.
struct Scanner {
    private let bytes: ArraySlice<UInt8>
    private(set) var index: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        index = bytes.startIndex
    }

    var isAtEnd: Bool { index == bytes.endIndex }
    var next: UInt8? { isAtEnd ? nil : bytes[index] }

    /// Takes `word` when it comes next.
    mutating func take(_ word: StaticString) -> Bool {
        let wanted = UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
        guard bytes.endIndex - index >= wanted.count,
            bytes[index..<(index + wanted.count)].elementsEqual(wanted)
        else { return false }
        index += wanted.count
        return true
    }

    /// Takes the first of `words` that comes next.
    mutating func take(oneOf words: [StaticString]) -> Bool {
        for word in words where take(word) { return true }
        return false
    }

    /// Takes a number of so many digits.
    ///
    /// - Returns: nil, and nothing is taken, when none comes next or it has more or fewer.
    mutating func number(digits: ClosedRange<Int>) -> Int? {
        var end = index
        var value = 0
        while end < bytes.endIndex, (48...57).contains(bytes[end]), end - index <= digits.upperBound
        {
            value = value * 10 + Int(bytes[end] - 48)
            end += 1
        }
        guard digits.contains(end - index) else { return nil }
        index = end
        return value
    }
}
