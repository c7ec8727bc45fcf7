/// Functions of eight numbers at once.
///
/// The C library has them for one number only, and a text of a hundred tokens needs them a million
/// times.
enum LaneMath {
    /// e to the power of each number, to 2e-7 of the result; 0 below -87.
    @inline(__always)
    static func exp(_ x: Lanes) -> Lanes {
        let bounded = x.clamped(lowerBound: Lanes(repeating: -87), upperBound: Lanes(repeating: 88))
        // Added to 1.5 * 2^23 a number loses its fraction, and the lowest bits are its integer.
        let magic = Lanes(repeating: 12_582_912)
        let shifted = bounded * 1.442_695_04 + magic
        let power = shifted - magic
        // ln 2 in two parts, the first of few bits, so that the product with `power` is exact.
        let rest = bounded - power * 0.693_359_375 + power * 2.121_944_4e-4
        // The Taylor series: `rest` is at most ln 2 / 2, so that the ninth term is below 1e-8.
        var sum = Lanes(repeating: 1.0 / 5_040)
        sum = sum * rest + 1.0 / 720
        sum = sum * rest + 1.0 / 120
        sum = sum * rest + 1.0 / 24
        sum = sum * rest + 1.0 / 6
        sum = sum * rest + 0.5
        sum = sum * rest + 1
        sum = sum * rest + 1
        let bits = unsafeBitCast(shifted, to: SIMD8<UInt32>.self) &<< 23
        return unsafeBitCast(unsafeBitCast(sum, to: SIMD8<UInt32>.self) &+ bits, to: Lanes.self)
    }

    /// GELU by its definition with erf, which the model was trained with, not by tanh.
    ///
    /// erf to 1.5e-7: Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26.
    @inline(__always)
    static func gelu(_ x: Lanes) -> Lanes {
        let scaled = x * 0.707_106_77
        let size = scaled.replacing(with: -scaled, where: scaled .< 0)
        let t = Lanes(repeating: 1) / (size * 0.327_591_1 + 1)
        var sum = t * 1.061_405_429 - 1.453_152_027
        sum = sum * t + 1.421_413_741
        sum = sum * t - 0.284_496_736
        sum = sum * t + 0.254_829_592
        let tail = sum * t * exp(-(size * size))
        // Half of 1 + erf: for a negative number the tail itself, without the loss of 1 - 1.
        let share = (2 - tail).replacing(with: tail, where: x .< 0) * 0.5
        return x * share
    }

    /// Makes numbers of mean 0 and variance 1 of one row, then scales and shifts each.
    static func normalise(
        _ row: UnsafeMutablePointer<Lanes>,
        _ count: Int,
        _ norm: LayerNorm
    ) {
        var sum = Lanes()
        for place in 0..<count { sum += row[place] }
        let size = Float(count * Lanes.scalarCount)
        let mean = Lanes(repeating: sum.sum() / size)
        var squares = Lanes()
        for place in 0..<count {
            let distance = row[place] - mean
            squares += distance * distance
        }
        // `layer_norm_eps` of the model's config.json.
        let scale = 1 / (squares.sum() / size + 1e-12).squareRoot()
        for place in 0..<count {
            row[place] = (row[place] - mean) * scale * norm.scale[place] + norm.shift[place]
        }
    }
}

/// What normalised rows are multiplied with and what is added to them.
struct LayerNorm: Sendable {
    let scale: [Lanes]
    let shift: [Lanes]

    init(_ scale: UnsafeBufferPointer<Float>, _ shift: UnsafeBufferPointer<Float>) {
        self.scale = Self.lanes(scale)
        self.shift = Self.lanes(shift)
    }

    private static func lanes(_ numbers: UnsafeBufferPointer<Float>) -> [Lanes] {
        stride(from: 0, to: numbers.count, by: Lanes.scalarCount).map { start in
            var lanes = Lanes()
            for lane in 0..<Lanes.scalarCount { lanes[lane] = numbers[start + lane] }
            return lanes
        }
    }
}
