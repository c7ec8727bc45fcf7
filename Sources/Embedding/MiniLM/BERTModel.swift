/// The network of all-MiniLM-L6-v2: six layers of BERT (Devlin et al., 2018) of 384 numbers.
///
/// The tokens of several texts are rows of the same matrices, one text after the other, so that
/// no row is padding; only the attention looks at one text at a time.
final class BERTModel: Sendable {
    static let size = 384
    static let wide = 1_536
    private static let layers = 6
    private static let vocabulary = 30_522
    private static let positions = 512

    private struct Layer: Sendable {
        let query: Linear
        let key: Linear
        let value: Linear
        let attended: Linear
        let attendedNorm: LayerNorm
        let wide: Linear
        let narrow: Linear
        let narrowNorm: LayerNorm
    }

    private let file: TensorFile
    private let embeddingNorm: LayerNorm
    private let layers: [Layer]
    private let words: Embeddings
    private let places: Embeddings
    private let kind: Embeddings

    /// `@unchecked Sendable`: memory of `file`, which is only read and lives as long as the model.
    private struct Embeddings: @unchecked Sendable {
        let numbers: UnsafeBufferPointer<Float>

        /// The place of a tensor in a file is a multiple of four bytes, not of 32.
        @inline(__always)
        func lanes(_ row: Int, _ place: Int) -> Lanes {
            let start = row * BERTModel.size + place * Lanes.scalarCount
            precondition(start + Lanes.scalarCount <= numbers.count, "no row \(row)")
            return UnsafeRawBufferPointer(numbers)
                .loadUnaligned(fromByteOffset: start * 4, as: Lanes.self)
        }
    }

    init(_ file: TensorFile) throws(EmbeddingError) {
        func embeddings(_ name: String, _ rows: Int) throws(EmbeddingError) -> Embeddings {
            Embeddings(numbers: try file.floats("embeddings.\(name).weight", [rows, Self.size]))
        }
        self.file = file
        words = try embeddings("word_embeddings", Self.vocabulary)
        places = try embeddings("position_embeddings", Self.positions)
        kind = try embeddings("token_type_embeddings", 2)
        embeddingNorm = try file.norm("embeddings.LayerNorm", Self.size)
        var layers: [Layer] = []
        for number in 0..<Self.layers { layers.append(try Self.layer(number, file)) }
        self.layers = layers
    }

    private static func layer(_ number: Int, _ file: TensorFile) throws(EmbeddingError) -> Layer {
        let name = "encoder.layer.\(number)."
        return Layer(
            query: try file.linear(name + "attention.self.query", size, size),
            key: try file.linear(name + "attention.self.key", size, size),
            value: try file.linear(name + "attention.self.value", size, size),
            attended: try file.linear(name + "attention.output.dense", size, size),
            attendedNorm: try file.norm(name + "attention.output.LayerNorm", size),
            wide: try file.linear(name + "intermediate.dense", wide, size),
            narrow: try file.linear(name + "output.dense", size, wide),
            narrowNorm: try file.norm(name + "output.LayerNorm", size)
        )
    }

    /// The mean of the rows of each text's tokens, of length 1.
    ///
    /// - Parameters:
    ///   - texts: Tokens, in all no more than the bench has rows for.
    ///   - bench: Where it is worked out; no other thread uses it.
    /// - Returns: In the order of `texts`.
    func vectors(of texts: [[Int32]], on bench: Workbench) -> [[Float]] {
        var ranges: [Range<Int>] = []
        for text in texts {
            let start = ranges.last?.upperBound ?? 0
            ranges.append(start..<(start + text.count))
            for (place, token) in text.enumerated() {
                embed(token, at: place, bench.row(bench.state, start + place))
            }
        }
        let rows = bench.round(ranges.last?.upperBound ?? 0)
        for layer in layers { apply(layer, ranges, rows, bench) }
        return ranges.map { mean(bench.row(bench.state, $0.lowerBound), $0.count) }
    }

    private func embed(_ token: Int32, at place: Int, _ row: UnsafeMutablePointer<Lanes>) {
        for lane in 0..<Workbench.lanes {
            row[lane] =
                words.lanes(Int(token), lane) + places.lanes(place, lane) + kind.lanes(0, lane)
        }
        LaneMath.normalise(row, Workbench.lanes, embeddingNorm)
    }

    private func apply(_ layer: Layer, _ texts: [Range<Int>], _ rows: Int, _ bench: Workbench) {
        layer.query.apply(bench.state, rows: rows, to: bench.queries)
        layer.key.apply(bench.state, rows: rows, to: bench.keys)
        layer.value.apply(bench.state, rows: rows, to: bench.values)
        for text in texts { bench.attention.apply(text) }
        layer.attended.apply(bench.attended, rows: rows, to: bench.change)
        bench.add(rows, layer.attendedNorm)
        layer.wide.apply(bench.state, rows: rows, to: bench.wide)
        for lane in 0..<(rows * Self.wide / Lanes.scalarCount) {
            bench.wide[lane] = LaneMath.gelu(bench.wide[lane])
        }
        layer.narrow.apply(bench.wide, rows: rows, to: bench.change)
        bench.add(rows, layer.narrowNorm)
    }

    private func mean(_ first: UnsafeMutablePointer<Lanes>, _ rows: Int) -> [Float] {
        var sums = [Lanes](repeating: Lanes(), count: Workbench.lanes)
        for row in 0..<rows {
            for lane in 0..<Workbench.lanes { sums[lane] += first[row * Workbench.lanes + lane] }
        }
        let numbers = sums.flatMap { lanes in lanes.indices.map { lanes[$0] } }
        // A sum of finite numbers that are not all 0 has a direction.
        return numbers.unit() ?? numbers
    }
}

extension TensorFile {
    fileprivate func linear(
        _ name: String,
        _ outputs: Int,
        _ inputs: Int
    ) throws(EmbeddingError) -> Linear {
        Linear(
            try floats(name + ".weight", [outputs, inputs]),
            bias: try floats(name + ".bias", [outputs])
        )
    }

    fileprivate func norm(_ name: String, _ size: Int) throws(EmbeddingError) -> LayerNorm {
        LayerNorm(try floats(name + ".weight", [size]), try floats(name + ".bias", [size]))
    }
}
