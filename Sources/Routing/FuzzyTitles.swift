import Synchronization

/// Finds the title that is spelled most alike, by the groups of three letters that titles share.
///
/// The measure is Dice's: twice what two have in common over what both have (Ecology 26, 1945).
/// The table is made when it is first asked for: most files bear a title as it stands.
final class FuzzyTitles: Sendable {
    struct Match: Sendable {
        let show: Int
        /// 0 to 1.
        let likeness: Double
    }

    private struct Table {
        /// Titles by the groups that they hold.
        var holders: [UInt32: [Int32]] = [:]
        /// Each title's groups, ascending.
        var grams: [[UInt32]] = []
        var digits: [[UInt8]] = []
    }

    /// Titles that are compared for one name: those that share its rarest groups.
    private static let mostCompared = 2_000
    /// Shorter titles are too soon alike.
    private static let shortest = 6
    private let titles: [(key: String, show: Int)]
    private let table = Mutex<Table?>(nil)

    init(_ titles: [(key: String, show: Int)]) { self.titles = titles }

    /// The shows whose titles are most alike, best first, each once.
    ///
    /// - Parameters:
    ///   - key: A normalised title.
    ///   - least: What likeness is asked for.
    /// - Returns: At most five.
    func nearest(_ key: String, least: Double) -> [Match] {
        guard key.utf8.count >= Self.shortest else { return [] }
        return table.withLock { table in
            if table == nil { table = Self.made(titles) }
            return table.map { nearest(key, least, in: $0) } ?? []
        }
    }

    private func nearest(_ key: String, _ least: Double, in table: Table) -> [Match] {
        let grams = Self.grams(of: key)
        let digits = Self.digits(of: key)
        var best: [Int: Double] = [:]
        for title in Self.candidates(grams, table) where table.digits[title] == digits {
            let common = Self.common(grams, table.grams[title])
            var likeness = 2 * Double(common) / Double(grams.count + table.grams[title].count)
            if likeness < least, likeness >= Self.leastForSlips {
                likeness = max(likeness, Self.slipLikeness(key, titles[title].key))
            }
            guard likeness >= least else { continue }
            let show = titles[title].show
            best[show] = max(best[show] ?? 0, likeness)
        }
        return best.map { Match(show: $0, likeness: $1) }
            .sorted { ($0.likeness, $1.show) > ($1.likeness, $0.show) }.prefix(5).map(\.self)
    }

    /// Below this two titles have too little in common to be one with a slip of the finger.
    private static let leastForSlips = 0.6

    /// Likeness of long titles between which one letter is wrong, missing, too much or swapped;
    /// in short ones that makes another title.
    private static func slipLikeness(_ one: String, _ other: String) -> Double {
        let (one, other) = (Array(one.utf8), Array(other.utf8))
        let length = min(one.count, other.count)
        guard length >= 12, abs(one.count - other.count) <= 1 else { return 0 }
        let head = zip(one, other).prefix { $0 == $1 }.count
        let tail = zip(one.reversed(), other.reversed()).prefix { $0 == $1 }.count
        let isOneLetter = head + tail >= max(one.count, other.count) - 1
        let isSwapped =
            one.count == other.count && head + tail == length - 2 && one[head] == other[head + 1]
            && one[head + 1] == other[head]
        return isOneLetter || isSwapped ? 1 - 1 / Double(length) : 0
    }

    /// Titles that share a rare group with the name; what all titles share tells nothing.
    private static func candidates(_ grams: [UInt32], _ table: Table) -> Set<Int> {
        let holders = grams.compactMap { table.holders[$0] }.sorted { $0.count < $1.count }
        var found: Set<Int> = []
        for titles in holders {
            guard found.count + titles.count <= mostCompared else { break }
            for title in titles { found.insert(Int(title)) }
        }
        return found
    }

    /// How many two ascending lists have in common.
    private static func common(_ one: [UInt32], _ other: [UInt32]) -> Int {
        var (i, j, count) = (0, 0, 0)
        while i < one.count, j < other.count {
            if one[i] == other[j] { count += 1 }
            (i, j) = (one[i] <= other[j] ? i + 1 : i, other[j] <= one[i] ? j + 1 : j)
        }
        return count
    }

    private static func made(_ titles: [(key: String, show: Int)]) -> Table {
        var table = Table()
        for (number, title) in titles.enumerated() {
            let grams = grams(of: title.key)
            for gram in grams { table.holders[gram, default: []].append(Int32(number)) }
            table.grams.append(grams)
            table.digits.append(digits(of: title.key))
        }
        return table
    }

    /// Groups of three bytes, each once and ascending; two marks stand before the first and one
    /// behind the last.
    private static func grams(of key: String) -> [UInt32] {
        var grams: Set<UInt32> = []
        var gram: UInt32 = 0
        for byte in [0, 0] + Array(key.utf8) + [0] {
            gram = (gram << 8 | UInt32(byte)) & 0xFF_FFFF
            grams.insert(gram)
        }
        return grams.sorted()
    }

    /// "Title 2" is never a misspelt "Title 3".
    private static func digits(of key: String) -> [UInt8] {
        key.utf8.filter { (48...57).contains($0) }
    }
}
