/// What each token of a text takes from the others.
struct Attention {
    static let heads = 12
    /// 32 numbers of each head.
    private static let lanesOfHead = 4
    private static let lanesOfRow = heads * lanesOfHead

    let queries: UnsafeMutablePointer<Lanes>
    let keys: UnsafeMutablePointer<Lanes>
    let values: UnsafeMutablePointer<Lanes>
    let output: UnsafeMutablePointer<Lanes>
    /// Room for one weight for each token, and for the keys of one head.
    let weights: UnsafeMutablePointer<Lanes>

    /// Does one text, whose tokens are the rows of `rows`.
    func apply(_ rows: Range<Int>) {
        for head in 0..<Self.heads {
            for row in rows { attend(row, to: rows, head * Self.lanesOfHead) }
        }
    }

    private func attend(_ row: Int, to rows: Range<Int>, _ column: Int) {
        let query = queries + row * Self.lanesOfRow + column
        let weight = UnsafeMutableRawPointer(weights).assumingMemoryBound(to: Float.self)
        let (query0, query1, query2, query3) = (query[0], query[1], query[2], query[3])
        var most = -Float.infinity
        for (place, other) in rows.enumerated() {
            let key = keys + other * Self.lanesOfRow + column
            let sum = (query0 * key[0] + query1 * key[1]) + (query2 * key[2] + query3 * key[3])
            let near = sum.sum() * 0.176_776_7  // 1 / sqrt(32)
            weight[place] = near
            most = max(most, near)
        }
        let total = share(rows.count, most)
        var (sum0, sum1, sum2, sum3) = (Lanes(), Lanes(), Lanes(), Lanes())
        for (place, other) in rows.enumerated() {
            let value = values + other * Self.lanesOfRow + column
            let weight = weight[place]
            sum0 += weight * value[0]
            sum1 += weight * value[1]
            sum2 += weight * value[2]
            sum3 += weight * value[3]
        }
        let target = output + row * Self.lanesOfRow + column
        let scale = 1 / total
        target[0] = sum0 * scale
        target[1] = sum1 * scale
        target[2] = sum2 * scale
        target[3] = sum3 * scale
    }

    /// Turns `count` weights into powers of e, and gives their sum.
    private func share(_ count: Int, _ most: Float) -> Float {
        let lanes = (count + Lanes.scalarCount - 1) / Lanes.scalarCount
        let weight = UnsafeMutableRawPointer(weights).assumingMemoryBound(to: Float.self)
        // e to the power of this is below the smallest weight that matters.
        for place in count..<(lanes * Lanes.scalarCount) { weight[place] = most - 100 }
        var total = Lanes()
        for place in 0..<lanes {
            weights[place] = LaneMath.exp(weights[place] - most)
            total += weights[place]
        }
        return total.sum()
    }
}
