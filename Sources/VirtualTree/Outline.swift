import Primitives

/// A directory under construction: names are told apart here, and nowhere else.
///
/// The first to take a name keeps it, so callers add what is older first.
struct Outline: Sendable {
    enum Item: Sendable {
        case directory(Outline)
        case file(RemoteFile)
    }

    struct Entry: Sendable {
        let name: String
        let id: NodeID
        let item: Item
    }

    let id: NodeID
    private(set) var items: [Entry] = []
    /// Names in lower case: Windows and macOS clients see no other difference, and Swift's
    /// string equality folds the composed and decomposed spellings.
    private var taken: Set<String> = []

    init(id: NodeID) {
        self.id = id
    }

    /// Adds under `stem + ending`, or with the first mark between the two that makes it differ.
    ///
    /// `marks` are tried in their order; numbers from 2 follow, written by `numbered`.
    ///
    /// - Returns: The name that it got.
    @discardableResult
    mutating func add(
        _ item: Item,
        id: NodeID,
        stem: String,
        ending: String = "",
        marks: [String] = [],
        numbered: (Int) -> String = { " (\($0))" }
    ) -> String {
        var candidates = Array(([""] + marks).reversed())
        var number = 2
        while true {
            let mark: String
            if let next = candidates.popLast() {
                mark = next
            } else {
                mark = numbered(number)
                number += 1
            }
            let name = SafeName.make(stem, ending: mark + ending)
            if taken.insert(name.lowercased()).inserted {
                items.append(Entry(name: name, id: id, item: item))
                return name
            }
        }
    }
}
