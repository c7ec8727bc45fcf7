/// Which blocks of one file, a bit each; the lowest bit of the first byte is block 0.
struct BlockSet: Equatable, Sendable {
    /// As they stand in the map file.
    private(set) var bytes: [UInt8]
    private(set) var count = 0
    let capacity: Int

    init(capacity: Int) {
        self.capacity = capacity
        bytes = [UInt8](repeating: 0, count: (capacity + 7) / 8)
    }

    /// - Parameters:
    ///   - bytes: At least a bit for each block; bits behind the last block are ignored.
    ///   - capacity: Blocks of the file.
    init(bytes: [UInt8], capacity: Int) {
        self.capacity = capacity
        self.bytes = bytes
        if capacity % 8 != 0, let last = self.bytes.indices.last {
            self.bytes[last] &= UInt8(1 << (capacity % 8)) - 1
        }
        count = self.bytes.reduce(0) { $0 + $1.nonzeroBitCount }
    }

    var isFull: Bool { count == capacity }

    func contains(_ block: Int) -> Bool {
        bytes[block >> 3] & (1 << UInt8(block & 7)) != 0
    }

    func contains(_ blocks: Range<Int>) -> Bool {
        blocks.allSatisfy { contains($0) }
    }

    mutating func insert(_ block: Int) {
        guard !contains(block) else { return }
        bytes[block >> 3] |= 1 << UInt8(block & 7)
        count += 1
    }

    mutating func remove(_ block: Int) {
        guard contains(block) else { return }
        bytes[block >> 3] &= ~(1 << UInt8(block & 7))
        count -= 1
    }

    /// Runs of neighbours inside `blocks` that are, or are not, in the set; in order.
    func runs(in blocks: Range<Int>, present: Bool) -> [Range<Int>] {
        blocks.runs { contains($0) == present }
    }
}

extension Range<Int> {
    /// Runs of neighbours that satisfy `condition`, in order.
    func runs(where condition: (Int) -> Bool) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var start: Int?
        for block in self {
            if condition(block) {
                start = start ?? block
            } else if let first = start {
                runs.append(first..<block)
                start = nil
            }
        }
        if let first = start { runs.append(first..<upperBound) }
        return runs
    }

    /// What is left without `others`, which are in order and lie inside.
    func without(_ others: [Range<Int>]) -> [Range<Int>] {
        var left: [Range<Int>] = []
        var start = lowerBound
        for other in others {
            if start < other.lowerBound { left.append(start..<other.lowerBound) }
            start = other.upperBound
        }
        if start < upperBound { left.append(start..<upperBound) }
        return left
    }

    /// Cut into neighbours of at most `limit` blocks.
    func pieces(ofAtMost limit: Int) -> [Range<Int>] {
        stride(from: lowerBound, to: upperBound, by: limit)
            .map { $0..<Swift.min($0 + limit, upperBound) }
    }
}
