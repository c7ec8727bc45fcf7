/// The words of a name; beyond both ends there are words without a letter, so that a rule may
/// look at neighbours without asking whether there are any.
struct Words: RandomAccessCollection, ExpressibleByArrayLiteral {
    private var words: [Word]
    private static let none = Word(
        range: 0..<0,
        gap: [],
        bracket: 0,
        opener: 0,
        number: nil,
        entry: Vocabulary.Entry()
    )

    init(_ words: [Word]) { self.words = words }

    init(arrayLiteral elements: Word...) { words = elements }

    var startIndex: Int { 0 }
    var endIndex: Int { words.count }

    subscript(position: Int) -> Word {
        get { words.indices.contains(position) ? words[position] : Self.none }
        set {
            guard words.indices.contains(position) else { return }
            words[position] = newValue
        }
    }

    mutating func insert(_ word: Word, at position: Int) { words.insert(word, at: position) }
}

/// A mark for each word; none beyond both ends.
struct Marks {
    private var marks: [Bool] = []

    init(count: Int = 0) { marks = Array(repeating: false, count: count) }

    subscript(position: Int) -> Bool {
        get { marks.indices.contains(position) && marks[position] }
        set {
            guard marks.indices.contains(position) else { return }
            marks[position] = newValue
        }
    }

    mutating func insert(_ mark: Bool, at position: Int) { marks.insert(mark, at: position) }

    /// The marks of the first so many words.
    func contains(before position: Int) -> Bool { marks.prefix(max(0, position)).contains(true) }

    var isEmpty: Bool { !marks.contains(true) }
}
