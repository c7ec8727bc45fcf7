/// Eight numbers that are worked on at once: two registers of any x86-64 or ARM processor.
typealias Lanes = SIMD8<Float>

/// One layer of weights: `outputs` sums over `inputs` numbers each, plus a bias.
///
/// The weights are kept in panels of eight outputs, in the order in which the sums need them. A
/// panel (12 KiB of 384 inputs) stays in the first-level cache while all rows pass by it, and the
/// eight sums of each of four rows stay in registers.
///
/// `@unchecked Sendable`: the memory is filled before anybody else sees it, and then only read.
final class Linear: @unchecked Sendable {
    static let width = Lanes.scalarCount
    /// Rows whose sums are made together; a count of rows is a multiple of it.
    static let rowsAtOnce = 4

    let inputs: Int
    let outputs: Int
    private let panels: UnsafeMutablePointer<Lanes>
    private let bias: UnsafeMutablePointer<Lanes>

    /// Copies the weights into panels.
    ///
    /// - Parameters:
    ///   - weights: As many rows as there are outputs, of one number for each input.
    ///   - numbers: What each sum begins with.
    init(_ weights: UnsafeBufferPointer<Float>, bias numbers: UnsafeBufferPointer<Float>) {
        outputs = numbers.count
        inputs = weights.count / numbers.count
        precondition(outputs % Self.width == 0, "\(outputs) outputs do not fill panels")
        panels = .allocate(capacity: outputs / Self.width * inputs)
        bias = .allocate(capacity: outputs / Self.width)
        for panel in 0..<(outputs / Self.width) {
            let first = panel * Self.width
            var start = Lanes()
            for lane in 0..<Self.width { start[lane] = numbers[first + lane] }
            (bias + panel).initialize(to: start)
            for input in 0..<inputs {
                var lanes = Lanes()
                for lane in 0..<Self.width {
                    lanes[lane] = weights[(first + lane) * inputs + input]
                }
                (panels + panel * inputs + input).initialize(to: lanes)
            }
        }
    }

    deinit {
        panels.deallocate()
        bias.deallocate()
    }

    /// Makes the sums of `rows` rows; `rows` is a multiple of ``rowsAtOnce``.
    ///
    /// - Parameters:
    ///   - input: `rows` rows of ``inputs`` numbers.
    ///   - rows: How many.
    ///   - output: Gets `rows` rows of ``outputs`` numbers; apart from `input`.
    func apply(
        _ input: UnsafeMutablePointer<Lanes>,
        rows: Int,
        to output: UnsafeMutablePointer<Lanes>
    ) {
        precondition(rows % Self.rowsAtOnce == 0, "\(rows) rows cannot be taken by four")
        let numbers = UnsafeRawPointer(input).assumingMemoryBound(to: Float.self)
        let step = outputs / Self.width
        for panel in 0..<step {
            let weights = UnsafePointer(panels + panel * inputs)
            let start = bias[panel]
            for row in stride(from: 0, to: rows, by: Self.rowsAtOnce) {
                let sums = sums(numbers + row * inputs, weights, start)
                let target = output + row * step + panel
                target[0] = sums.0
                target[step] = sums.1
                target[2 * step] = sums.2
                target[3 * step] = sums.3
            }
        }
    }

    @inline(__always)
    private func sums(
        _ row: UnsafePointer<Float>,
        _ weights: UnsafePointer<Lanes>,
        _ start: Lanes
    ) -> (Lanes, Lanes, Lanes, Lanes) {
        let (row1, row2, row3) = (row + inputs, row + 2 * inputs, row + 3 * inputs)
        var (sum0, sum1, sum2, sum3) = (start, start, start, start)
        for place in 0..<inputs {
            // Not `addProduct`: where the processor has no fused one it is a call for each lane.
            let lanes = weights[place]
            sum0 += row[place] * lanes
            sum1 += row1[place] * lanes
            sum2 += row2[place] * lanes
            sum3 += row3[place] * lanes
        }
        return (sum0, sum1, sum2, sum3)
    }
}
