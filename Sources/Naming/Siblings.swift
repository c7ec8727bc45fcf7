/// What the names of one directory's files say about each other.
///
/// One name alone leaves open whether "213" is the thirteenth of a second season; together with
/// "101" to "112" it does not.
struct Siblings {
    private let paths: [String]
    private var names: [ParsedName]

    /// - Parameters:
    ///   - names: As each was read by itself.
    ///   - paths: What they were read from.
    ///   - reread: Reads a path once more, in the knowledge of which number of a date is the month.
    /// - Returns: One name for each, in their order.
    static func reconciled(
        _ names: [ParsedName],
        of paths: [String],
        reread: (String, DateForms.Order) -> ParsedName
    ) -> [ParsedName] {
        guard names.count > 2 else { return names }
        var siblings = Siblings(paths: paths, names: names)
        siblings.readDates(reread)
        for group in siblings.groups() {
            siblings.giveBackTitleNumber(group)
            siblings.readCodes(group)
        }
        siblings.shareTitle()
        return siblings.names
    }

    /// The places of names that agree on a title.
    private func groups() -> [[Int]] {
        let titled = names.indices.filter { names[$0].title != nil && names[$0].hasNumbers }
        return Dictionary(grouping: titled) { normalisedTitle(names[$0].title ?? "") }.values
            .filter { $0.count > 2 }.sorted { $0[0] < $1[0] }
    }

    // MARK: Days

    /// "05-06-2019" is in June when "13-06-2019" lies beside it.
    private mutating func readDates(_ reread: (String, DateForms.Order) -> ParsedName) {
        let orders = Set(
            names.indices.compactMap { text(of: .airDate, $0).flatMap(DateForms.order) }
        )
        guard let order = orders.first, orders.count == 1 else { return }
        for index in names.indices where !names[index].hasNumbers {
            let name = reread(paths[index], order)
            if name.airDate != nil { names[index] = name }
        }
    }

    // MARK: Numbers

    /// "Area 51 - One", "Area 51 - Two", "Area 51 - Three": no three files with names of their own
    /// are one episode.
    private mutating func giveBackTitleNumber(_ group: [Int]) {
        let numbers = Set(group.map { plainNumber($0) })
        guard numbers.count == 1, let number = numbers.first ?? nil,
            Set(group.compactMap { names[$0].episodeTitle }).count == group.count
        else { return }
        for index in group {
            names[index].title = names[index].title.map { "\($0) \(number)" }
            names[index].season = nil
            names[index].episodes = []
            names[index].absolute = []
            names[index].confidence = 0.2
            names[index].evidence.removeAll { $0.fact == .absolute || $0.fact == .episodes }
        }
    }

    /// Whether numbers of three digits are counted on, or season and episode.
    private mutating func readCodes(_ group: [Int]) {
        let plain = group.compactMap { index in plainNumber(index).map { (index, $0) } }
        let values = Set(plain.map(\.1)).sorted()
        guard values.count > 2, let last = values.last, last > 100 else { return }
        if Self.areCounted(values) {
            takeNumbersFromTitles(like: names[group[0]].title ?? "")
            for (index, number) in plain where names[index].season == number / 100 {
                names[index].season = nil
                names[index].episodes = []
                names[index].absolute = [number]
            }
        } else if Self.areCodes(values) {
            for (index, number) in plain where names[index].absolute == [number] {
                names[index].season = number / 100
                names[index].episodes = [number % 100]
                names[index].absolute = []
            }
        }
    }

    /// "The 100" is a title, and "Quiet Harbour 100" beside "Quiet Harbour 99" is an episode.
    private mutating func takeNumbersFromTitles(like title: String) {
        for index in names.indices where !names[index].hasNumbers {
            guard let longer = names[index].title, longer.hasPrefix(title + " "),
                let number = Int(longer.dropFirst(title.count + 1)), (1...9_999).contains(number)
            else { continue }
            names[index].title = title
            names[index].absolute = [number]
            names[index].confidence = 0.75
        }
    }

    /// No season has an episode 0 among the others, or seventy of them.
    private static func areCounted(_ values: [Int]) -> Bool {
        values.contains { $0 < 100 || $0 % 100 == 0 || $0 % 100 > 70 }
    }

    /// Several seasons, each of which begins with its first episodes.
    private static func areCodes(_ values: [Int]) -> Bool {
        let seasons = Dictionary(grouping: values) { $0 / 100 }
        return seasons.count > 1
            && seasons.values.allSatisfy { $0.count > 1 && ($0.min() ?? 0) % 100 <= 3 }
    }

    /// The number that a name was read from, when it is one without any mark, and nothing surer
    /// than that says the episode.
    private func plainNumber(_ index: Int) -> Int? {
        let name = names[index]
        guard name.confidence < 0.88, !name.evidence.contains(where: { $0.fact == .folder }),
            let text = text(of: .absolute, index) ?? text(of: .episodes, index),
            (2...4).contains(text.utf8.count), text.utf8.allSatisfy({ (48...57).contains($0) })
        else { return nil }
        return Int(text)
    }

    private func text(of fact: Evidence.Fact, _ index: Int) -> String? {
        guard let bytes = names[index].evidence.first(where: { $0.fact == fact })?.bytes else {
            return nil
        }
        return String(
            decoding: paths[index].utf8.dropFirst(bytes.lowerBound).prefix(bytes.count),
            as: UTF8.self
        )
    }

    // MARK: Titles

    /// Names that agree on a title confirm each other, and lend it to one that has none.
    private mutating func shareTitle() {
        var titles: [String: Int] = [:]
        for name in names where name.hasNumbers {
            if let title = name.title { titles[normalisedTitle(title), default: 0] += 1 }
        }
        guard let common = titles.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }),
            common.value * 4 >= names.count * 3,
            let title = names.first(where: { $0.title.map(normalisedTitle) == common.key })?.title
        else { return }
        for index in names.indices where names[index].hasNumbers {
            if names[index].title == nil { names[index].title = title }
            if names[index].title == title, names[index].confidence < 0.9 {
                names[index].confidence = min(0.95, names[index].confidence + 0.1)
            }
        }
    }
}
