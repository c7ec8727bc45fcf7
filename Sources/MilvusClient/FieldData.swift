/// Columns to and from their form on the wire.
extension MVFieldData {
    init(_ name: String, _ column: MilvusColumn) {
        self.init()
        fieldName = name
        switch column {
        case .int64(let values):
            type = .int64
            scalars.longData.data = values
        case .double(let values):
            type = .double
            scalars.doubleData.data = values
        case .text(let values):
            type = .varChar
            scalars.stringData.data = values
        case .json(let values):
            type = .json
            scalars.jsonData.data = values
        case .vectors(let values, let dimensions):
            type = .floatVector
            vectors.dim = Int64(dimensions)
            vectors.floatVector.data = values
        }
    }

    /// Nil for a type that is not among ours.
    var column: MilvusColumn? {
        switch field {
        case .scalars(let scalars): scalars.column
        case .vectors(let vectors):
            if case .floatVector(let array) = vectors.data {
                .vectors(array.data, dimensions: Int(clamping: vectors.dim))
            } else {
                nil
            }
        case nil: nil
        }
    }
}

extension MVScalarField {
    fileprivate var column: MilvusColumn? {
        switch data {
        case .longData(let array): .int64(array.data)
        case .doubleData(let array): .double(array.data)
        case .stringData(let array): .text(array.data)
        case .jsonData(let array): .json(array.data)
        default: nil
        }
    }
}

extension MilvusRows {
    /// - Throws: ``MilvusError`` `.rejected` when columns differ in length.
    func check(_ purpose: String) throws(MilvusError) {
        for (name, column) in columns where column.count != count {
            let numbers = "'\(name)' has \(column.count) values for \(count) rows"
            throw MilvusError(.rejected, "cannot \(purpose): \(numbers)")
        }
    }

    /// For a request.
    var fieldsData: [MVFieldData] {
        [MVFieldData(MilvusField.primaryKey, .int64(ids))] + columns.map { MVFieldData($0, $1) }
    }

    /// Of a query's answer.
    ///
    /// - Throws: ``MilvusError`` `.malformed` when a field is missing or too short.
    init(_ data: [MVFieldData], _ fields: [String]) throws(MilvusError) {
        let key = data.first { $0.fieldName == MilvusField.primaryKey }
        guard case .int64(let ids) = key?.column else {
            // A server may leave everything out when it found nothing.
            guard data.allSatisfy({ ($0.column?.count ?? 0) == 0 }) else {
                throw MilvusError(.malformed, "the answer has no key")
            }
            self.init()
            return
        }
        try self.init(ids, data, fields)
    }

    init(_ ids: [Int64], _ data: [MVFieldData], _ fields: [String]) throws(MilvusError) {
        var columns: [String: MilvusColumn] = [:]
        for field in data where field.fieldName != MilvusField.primaryKey {
            guard let column = field.column else { continue }
            guard column.count == ids.count else {
                let numbers = "\(column.count) values for \(ids.count) rows"
                throw MilvusError(.malformed, "the field '\(field.fieldName)' has \(numbers)")
            }
            columns[field.fieldName] = column
        }
        for name in fields where columns[name] == nil && !ids.isEmpty {
            throw MilvusError(.malformed, "the answer has no field '\(name)'")
        }
        self.init(ids: ids, columns: columns)
    }
}

extension MilvusHits {
    /// Of a search's answer.
    init(_ results: MVSearchResultData, _ fields: [String]) throws(MilvusError) {
        let ids = results.ids.intID.data
        guard results.scores.count == ids.count else {
            let numbers = "\(results.scores.count) scores for \(ids.count) rows"
            throw MilvusError(.malformed, "the answer has \(numbers)")
        }
        rows = try MilvusRows(ids, results.fieldsData, fields)
        scores = results.scores
    }
}
