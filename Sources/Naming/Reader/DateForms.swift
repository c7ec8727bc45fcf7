/// The ways in which a name writes a day.
enum DateForms {
    /// Which of two numbers in front of a year is the month.
    enum Order: Hashable {
        case dayFirst, monthFirst
    }

    /// The order in which a text like "13-06-2019" has them, when only one makes a day.
    static func order(_ text: String) -> Order? {
        let numbers = text.split { !$0.isNumber }.map { Int($0) ?? 0 }
        guard numbers.count == 3, numbers[2] > 1900, numbers[0] != numbers[1] else { return nil }
        return numbers[0] > 12 ? .dayFirst : numbers[1] > 12 ? .monthFirst : nil
    }

    /// "20240115".
    static func compact(_ word: Word) -> AirDate? {
        guard word.digits == 8, let number = word.number else { return nil }
        return plausible(number / 10_000, number / 100 % 100, number % 100)
    }

    /// "240115".
    static func short(_ word: Word) -> AirDate? {
        guard word.digits == 6, let number = word.number else { return nil }
        return plausible(2000 + number / 10_000, number / 100 % 100, number % 100)
    }

    /// "31.01.15", "15.01.31": what is no day to come.
    static func short(_ words: Words) -> AirDate? {
        let numbers = words.compactMap(\.number)
        guard numbers.count == 3 else { return nil }
        return [(numbers[2], numbers[1], numbers[0]), (numbers[0], numbers[1], numbers[2])]
            .compactMap { plausible(2000 + $0.0, $0.1, $0.2) }.min { $0.year < $1.year }
    }

    /// Days on which a file in use today can have been aired.
    static func plausible(_ year: Int, _ month: Int, _ day: Int) -> AirDate? {
        guard (1952...2045).contains(year) else { return nil }
        return AirDate(year: year, month: month, day: day)
    }

    /// Three numbers in the order in which they make a day; nil also when two orders do
    /// and no neighbour tells which is meant.
    static func ordered(
        _ first: Word,
        _ second: Word,
        _ third: Word,
        _ order: Order? = nil
    ) -> AirDate? {
        guard let a = first.number, let b = second.number, let c = third.number,
            second.digits <= 2 || first.digits <= 2
        else { return nil }
        if first.digits == 4 {
            guard second.digits <= 2, third.digits <= 2 else { return nil }
            return plausible(a, b, c) ?? plausible(a, c, b)
        }
        guard first.digits <= 2, second.digits <= 2, third.digits == 4 else { return nil }
        let (dayFirst, monthFirst) = (plausible(c, b, a), plausible(c, a, b))
        if order == .monthFirst { return monthFirst ?? dayFirst }
        if order == .dayFirst { return dayFirst ?? monthFirst }
        // Those who write dots put the day first; of others nothing is known.
        guard second.gap == .dot || dayFirst == nil || monthFirst == nil || a == b else {
            return nil
        }
        return dayFirst ?? monthFirst
    }

    /// Whether three numbers are a day, even if none that can be meant or none that is certain.
    static func looksLikeOne(_ first: Word, _ second: Word, _ third: Word) -> Bool {
        guard let a = first.number, let b = second.number, let c = third.number else {
            return false
        }
        let (year, month, day) =
            first.digits == 4 ? (a, b, c) : third.digits == 4 ? (c, a, b) : (0, 0, 0)
        return (1800...2199).contains(year) && (1...31).contains(month) && (1...31).contains(day)
            && (month <= 12 || day <= 12) && second.gap == third.gap && second.digits <= 2
    }
}
