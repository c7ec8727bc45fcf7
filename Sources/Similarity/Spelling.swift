/// How nearly two words are spelt alike.
struct Spelling {
    typealias Letters = [UInt32]

    /// Used again, as it is needed thousands of times for a query.
    private var rows: [[Int]] = [[], [], []]

    /// 1 less the share of letters that were changed, left out, added or swapped with the next
    /// (the optimal string alignment distance); 0 when less than half is alike.
    mutating func likeness(_ one: Letters, _ other: Letters) -> Float {
        if one == other { return 1 }
        let longest = max(one.count, other.count)
        guard abs(one.count - other.count) * 2 <= longest else { return 0 }
        let share = 1 - Float(distance(one, other)) / Float(longest)
        return share < 0.5 ? 0 : share
    }

    private mutating func distance(_ one: Letters, _ other: Letters) -> Int {
        let width = other.count + 1
        for number in rows.indices where rows[number].count < width {
            rows[number] = Array(repeating: 0, count: max(width, 64))
        }
        for place in 0..<width { rows[1][place] = place }
        for (row, letter) in one.enumerated() {
            rows[2][0] = row + 1
            for place in 1..<width {
                var least = min(rows[1][place], rows[2][place - 1]) + 1
                least = min(least, rows[1][place - 1] + (letter == other[place - 1] ? 0 : 1))
                if row > 0, place > 1, letter == other[place - 2],
                    one[row - 1] == other[place - 1]
                {
                    least = min(least, rows[0][place - 2] + 1)
                }
                rows[2][place] = least
            }
            rows.swapAt(0, 1)
            rows.swapAt(1, 2)
        }
        return rows[1][width - 1]
    }
}
