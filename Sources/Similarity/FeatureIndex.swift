import Foundation

/// Which names have a feature, for finding the few names worth a closer look.
struct FeatureIndex: Sendable {
    /// Names that are looked through for one query.
    ///
    /// The rarest features come first, so that only those are left out that many names have.
    private static let mostSteps = 60_000

    /// In ascending order.
    private let features: [UInt64]
    /// Where the names of each feature start in `names`, and at last where they end.
    private let starts: [Int32]
    private let names: [Int32]
    /// Weights of all features of each name.
    private let sizes: [Float]

    private struct Entry {
        let feature: UInt64
        let name: Int32
    }

    init(_ sets: [Set<UInt64>]) {
        var entries: [Entry] = []
        entries.reserveCapacity(sets.reduce(0) { $0 + $1.count })
        for (name, set) in sets.enumerated() {
            for feature in set { entries.append(Entry(feature: feature, name: Int32(name))) }
        }
        entries.sort { $0.feature == $1.feature ? $0.name < $1.name : $0.feature < $1.feature }
        var features: [UInt64] = []
        var starts: [Int32] = []
        for (place, entry) in entries.enumerated() where entry.feature != features.last {
            features.append(entry.feature)
            starts.append(Int32(place))
        }
        starts.append(Int32(entries.count))
        var sizes = [Float](repeating: 0, count: sets.count)
        for place in features.indices {
            let range = Int(starts[place])..<Int(starts[place + 1])
            let weight = Self.rarity(range.count, of: sets.count)
            for entry in entries[range] { sizes[Int(entry.name)] += weight }
        }
        names = entries.map(\.name)
        (self.features, self.starts, self.sizes) = (features, starts, sizes)
    }

    /// How much a feature tells that `count` of `all` names have.
    static func rarity(_ count: Int, of all: Int) -> Float {
        log(1 + Float(all + 1) / Float(count + 1))
    }

    /// The names that share most with a query: what it has counts in full, what a name has beyond
    /// it counts little, as queries are short (Tversky's index).
    func candidates(for query: Set<UInt64>, most: Int) -> [Int] {
        var ranges = query.compactMap(range)
        ranges.sort { ($0.count, $0.lowerBound) < ($1.count, $1.lowerBound) }
        var shared = [Float](repeating: 0, count: sizes.count)
        var found: [Int32] = []
        var steps = 0
        var size = Float(query.count - ranges.count) * Self.rarity(0, of: sizes.count)
        for range in ranges {
            let weight = Self.rarity(range.count, of: sizes.count)
            size += weight
            steps += range.count
            if steps > Self.mostSteps, !found.isEmpty { continue }
            for name in names[range] {
                if shared[Int(name)] == 0 { found.append(name) }
                shared[Int(name)] += weight
            }
        }
        var best = Best(most)
        for name in found {
            let name = Int(name)
            best.offer(name, shared[name] / (size + 0.25 * sizes[name]))
        }
        return best.inOrder.map(\.number)
    }

    private func range(of feature: UInt64) -> Range<Int>? {
        var low = 0
        var high = features.count
        while low < high {
            let middle = (low + high) / 2
            if features[middle] < feature { low = middle + 1 } else { high = middle }
        }
        guard low < features.count, features[low] == feature else { return nil }
        return Int(starts[low])..<Int(starts[low + 1])
    }
}

/// The best so many of many numbers, without sorting them all.
struct Best {
    struct Scored {
        let number: Int
        let score: Float
    }

    private let most: Int
    private var kept: [Scored] = []
    private var least = -Float.infinity

    init(_ most: Int) {
        self.most = max(1, most)
    }

    mutating func offer(_ number: Int, _ score: Float) {
        guard kept.count < most || score > least else { return }
        kept.append(Scored(number: number, score: score))
        // Sorted seldom: when there are twice as many as wanted.
        if kept.count >= 2 * most { shorten() }
    }

    private mutating func shorten() {
        kept = Array(inOrder)
        least = kept.last?.score ?? least
    }

    /// The best first; of equal ones the smaller number.
    var inOrder: ArraySlice<Scored> {
        kept.sorted { $0.score == $1.score ? $0.number < $1.number : $0.score > $1.score }
            .prefix(most)
    }
}
