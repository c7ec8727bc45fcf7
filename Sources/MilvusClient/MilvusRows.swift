public import Foundation

/// The values of one field, row by row.
public enum MilvusColumn: Sendable, Equatable {
    case int64([Int64])
    case double([Double])
    case text([String])
    /// Each one document in UTF-8.
    case json([Data])
    /// All vectors in one array, one behind the other.
    case vectors([Float], dimensions: Int)

    public var count: Int {
        switch self {
        case .int64(let values): values.count
        case .double(let values): values.count
        case .text(let values): values.count
        case .json(let values): values.count
        case .vectors(let values, let dimensions): values.count / max(dimensions, 1)
        }
    }
}

/// Rows of a collection, column by column: reading many is a walk through a few arrays.
public struct MilvusRows: Sendable, Equatable {
    /// The primary keys.
    public let ids: [Int64]
    /// By the name of the field, without the primary key; each as long as `ids`.
    public let columns: [String: MilvusColumn]

    /// - Parameters:
    ///   - ids: The primary keys.
    ///   - columns: One value for each key, by the name of the field.
    public init(ids: [Int64] = [], columns: [String: MilvusColumn] = [:]) {
        self.ids = ids
        self.columns = columns
    }

    public var count: Int { ids.count }
    public var isEmpty: Bool { ids.isEmpty }

    /// Throws ``MilvusError`` `.malformed` when there are rows without such a column.
    public func int64(_ name: String) throws(MilvusError) -> [Int64] {
        if case .int64(let values) = columns[name] { return values }
        return try absent(name)
    }

    /// Throws ``MilvusError`` `.malformed` when there are rows without such a column.
    public func double(_ name: String) throws(MilvusError) -> [Double] {
        if case .double(let values) = columns[name] { return values }
        return try absent(name)
    }

    /// Throws ``MilvusError`` `.malformed` when there are rows without such a column.
    public func text(_ name: String) throws(MilvusError) -> [String] {
        if case .text(let values) = columns[name] { return values }
        return try absent(name)
    }

    /// Throws ``MilvusError`` `.malformed` when there are rows without such a column.
    public func json(_ name: String) throws(MilvusError) -> [Data] {
        if case .json(let values) = columns[name] { return values }
        return try absent(name)
    }

    /// Throws ``MilvusError`` `.malformed` when there are rows without such a column.
    public func vectors(_ name: String) throws(MilvusError) -> [Float] {
        if case .vectors(let values, _) = columns[name] { return values }
        return try absent(name)
    }

    /// A server leaves the columns out when there is no row.
    private func absent<Value>(_ name: String) throws(MilvusError) -> [Value] {
        guard isEmpty else {
            throw MilvusError(.malformed, "the rows have no field '\(name)' of this type")
        }
        return []
    }

    /// All rows of `pages`, in order; `.malformed` when they differ in their fields.
    init(joining pages: [MilvusRows]) throws(MilvusError) {
        guard pages.count != 1 else {
            self = pages[0]
            return
        }
        let pages = pages.filter { !$0.isEmpty }
        var columns: [String: MilvusColumn] = [:]
        for (name, column) in pages.first?.columns ?? [:] {
            columns[name] =
                switch column {
                case .int64:
                    try .int64(pages.joined { page throws(MilvusError) in try page.int64(name) })
                case .double:
                    try .double(pages.joined { page throws(MilvusError) in try page.double(name) })
                case .text:
                    try .text(pages.joined { page throws(MilvusError) in try page.text(name) })
                case .json:
                    try .json(pages.joined { page throws(MilvusError) in try page.json(name) })
                case .vectors(_, let dimensions):
                    try .vectors(
                        pages.joined { page throws(MilvusError) in try page.vectors(name) },
                        dimensions: dimensions
                    )
                }
        }
        self.init(ids: pages.flatMap(\.ids), columns: columns)
    }
}

extension [MilvusRows] {
    fileprivate func joined<Value>(
        _ values: (MilvusRows) throws(MilvusError) -> [Value]
    ) throws(MilvusError) -> [Value] {
        var all: [Value] = []
        for page in self { all += try values(page) }
        return all
    }
}
