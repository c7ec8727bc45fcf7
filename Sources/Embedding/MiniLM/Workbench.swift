/// Memory in which one thread works out the vectors of some texts.
final class Workbench {
    /// Eights of numbers in a row of the model's size.
    static let lanes = BERTModel.size / Lanes.scalarCount
    /// Those of the longest text.
    ///
    /// Texts are taken together while they fit, so that the weights are read once for all of them.
    static let rows = WordPiece.mostTokens

    let state = Workbench.allocate(BERTModel.size)
    let queries = Workbench.allocate(BERTModel.size)
    let keys = Workbench.allocate(BERTModel.size)
    let values = Workbench.allocate(BERTModel.size)
    let attended = Workbench.allocate(BERTModel.size)
    let change = Workbench.allocate(BERTModel.size)
    let wide = Workbench.allocate(BERTModel.wide)
    private let weights = Workbench.allocate(Lanes.scalarCount)

    deinit {
        for memory in [state, queries, keys, values, attended, change, wide, weights] {
            memory.deallocate()
        }
    }

    private static func allocate(_ size: Int) -> UnsafeMutablePointer<Lanes> {
        let count = rows * size / Lanes.scalarCount
        let memory = UnsafeMutablePointer<Lanes>.allocate(capacity: count)
        // Rows that only fill up a four are worked on too, and no number in them may be slow.
        memory.initialize(repeating: Lanes(), count: count)
        return memory
    }

    var attention: Attention {
        Attention(queries: queries, keys: keys, values: values, output: attended, weights: weights)
    }

    func row(_ memory: UnsafeMutablePointer<Lanes>, _ row: Int) -> UnsafeMutablePointer<Lanes> {
        memory + row * Self.lanes
    }

    /// So many rows as are worked on for `rows`.
    func round(_ rows: Int) -> Int {
        precondition(rows <= Self.rows, "\(rows) rows on a bench of \(Self.rows)")
        return (rows + Linear.rowsAtOnce - 1) / Linear.rowsAtOnce * Linear.rowsAtOnce
    }

    /// Adds the change to the state, and normalises it.
    func add(_ rows: Int, _ norm: LayerNorm) {
        for lane in 0..<(rows * Self.lanes) { state[lane] += change[lane] }
        for row in 0..<rows { LaneMath.normalise(self.row(state, row), Self.lanes, norm) }
    }
}
