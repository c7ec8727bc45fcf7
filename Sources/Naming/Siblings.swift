/// What the names of one directory's files say about each other.
enum Siblings {
    /// Lets names that agree on a title confirm each other, and lend it to one that has none.
    static func reconciled(_ names: [ParsedName]) -> [ParsedName] {
        guard names.count > 2 else { return names }
        var titles: [String: Int] = [:]
        for name in names where name.hasNumbers {
            if let title = name.title { titles[normalisedTitle(title), default: 0] += 1 }
        }
        guard let common = titles.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }),
            common.value * 4 >= names.count * 3,
            let title = names.first(where: { $0.title.map(normalisedTitle) == common.key })?.title
        else { return names }
        return names.map { name in
            var name = name
            if name.title == nil, name.hasNumbers { name.title = title }
            if name.title == title, name.hasNumbers, name.confidence < 0.9 {
                name.confidence = min(0.95, name.confidence + 0.1)
            }
            return name
        }
    }
}
