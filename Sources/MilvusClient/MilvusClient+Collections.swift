import Foundation
import SwiftProtobuf

/// Collections, what is in them apart.
extension MilvusClient {
    public func hasCollection(_ name: String) async throws(MilvusError) -> Bool {
        var request = MVHasCollectionRequest()
        request.base = .of(.hasCollection)
        request.dbName = server.database
        request.collectionName = name
        let purpose = "look for the collection '\(name)'"
        let answer: MVBoolResponse = try await call(.hasCollection, request, purpose)
        return answer.value
    }

    /// Names of all collections, sorted.
    public func listCollections() async throws(MilvusError) -> [String] {
        var request = MVShowCollectionsRequest()
        request.base = .of(.showCollections)
        request.dbName = server.database
        let answer: MVShowCollectionsResponse =
            try await call(.showCollections, request, "list the collections")
        return answer.collectionNames.sorted()
    }

    /// Makes a collection with the Int64 primary key `id` and `fields`.
    ///
    /// It can be written at once, and read after ``createIndex(on:in:metric:)`` for every vector
    /// field and ``load(_:)``. There must be a vector field: Milvus allows no collection without.
    ///
    /// - Throws: ``MilvusError`` `.rejected` when there is one of this name with other fields;
    ///   whether one with the same fields is an error depends on the server.
    public func createCollection(
        _ name: String,
        fields: [MilvusField]
    ) async throws(MilvusError) {
        let purpose = "create the collection '\(name)'"
        var schema = MVCollectionSchema()
        schema.name = name
        schema.fields = [.primaryKey] + fields.map(MVFieldSchema.init)
        var request = MVCreateCollectionRequest()
        request.base = .of(.createCollection)
        request.dbName = server.database
        request.collectionName = name
        request.shardsNum = 1
        request.consistencyLevel = .strong
        do {
            request.schema = try schema.serializedData()
        } catch {
            throw MilvusError(.rejected, "cannot \(purpose)", cause: error)
        }
        let _: MVStatus = try await call(.createCollection, request, purpose)
    }

    /// Has vectors of `field` compared by `metric`, each with each: exact, and fast enough for
    /// some 100,000 of them.
    ///
    /// The same index a second time is no error.
    public func createIndex(
        on field: String,
        in collection: String,
        metric: MilvusMetric
    ) async throws(MilvusError) {
        var request = MVCreateIndexRequest()
        request.base = .of(.createIndex)
        request.dbName = server.database
        request.collectionName = collection
        request.fieldName = field
        request.extraParams = [
            MVKeyValuePair("index_type", "FLAT"),
            MVKeyValuePair("metric_type", metric.rawValue),
            MVKeyValuePair("params", "{}"),
        ]
        let purpose = "index '\(field)' of '\(collection)'"
        do throws(MilvusError) {
            let _: MVStatus = try await call(.createIndex, request, purpose)
        } catch {
            // Milvus Lite 3 makes no difference between the same index and another one.
            guard error.code == .rejected, try await hasIndex(field, collection, metric) else {
                throw error
            }
        }
    }

    private func hasIndex(
        _ field: String,
        _ collection: String,
        _ metric: MilvusMetric
    ) async throws(MilvusError) -> Bool {
        var request = MVDescribeIndexRequest()
        request.base = .of(.describeIndex)
        request.dbName = server.database
        request.collectionName = collection
        request.fieldName = field
        let purpose = "look at the index of '\(field)' of '\(collection)'"
        let answer: MVDescribeIndexResponse = try await call(.describeIndex, request, purpose)
        let wanted = MVKeyValuePair("metric_type", metric.rawValue)
        return answer.indexDescriptions.contains {
            $0.fieldName == field && $0.params.contains(wanted)
        }
    }

    /// Has the collection brought into the server's memory, and waits until it is.
    ///
    /// - Throws: ``MilvusError`` `.timedOut` when it is not within ``MilvusServer/callTimeout``; the
    ///   server goes on.
    public func load(_ collection: String) async throws(MilvusError) {
        let purpose = "load '\(collection)'"
        let deadline = ContinuousClock.now + server.callTimeout
        var request = MVLoadCollectionRequest()
        request.base = .of(.loadCollection)
        request.dbName = server.database
        request.collectionName = collection
        request.replicaNumber = 1
        let _: MVStatus = try await call(.loadCollection, request, purpose)
        while try await !isLoaded(collection, purpose) {
            guard .now < deadline else {
                throw MilvusError(.timedOut, "cannot \(purpose): not done in \(server.callTimeout)")
            }
            // A real server answers before it has loaded; Milvus Lite never gets here.
            do {
                try await Task.sleep(for: .milliseconds(100))
            } catch {
                throw MilvusError(.cancelled, "cannot \(purpose)", cause: error)
            }
        }
    }

    private func isLoaded(
        _ collection: String,
        _ purpose: String
    ) async throws(MilvusError) -> Bool {
        var request = MVGetLoadStateRequest()
        request.dbName = server.database
        request.collectionName = collection
        let answer: MVGetLoadStateResponse = try await call(.getLoadState, request, purpose)
        return answer.state == .loadStateLoaded
    }

    /// Removes the collection and all its rows; one that does not exist is no error.
    public func drop(_ collection: String) async throws(MilvusError) {
        var request = MVDropCollectionRequest()
        request.base = .of(.dropCollection)
        request.dbName = server.database
        request.collectionName = collection
        do throws(MilvusError) {
            let purpose = "drop the collection '\(collection)'"
            let _: MVStatus = try await call(.dropCollection, request, purpose)
        } catch {
            guard error.code == .notFound else { throw error }
        }
    }

    /// Has the rows written so far put into segments on the server's disk.
    ///
    /// Not needed for safety: they are in its log already. A real server answers before it is done.
    /// For Milvus Lite a collection that does not exist is no error.
    public func flush(_ collection: String) async throws(MilvusError) {
        var request = MVFlushRequest()
        request.base = .of(.flush)
        request.dbName = server.database
        request.collectionNames = [collection]
        let _: MVFlushResponse = try await call(.flush, request, "flush '\(collection)'")
    }
}

extension MVFieldSchema {
    fileprivate static var primaryKey: MVFieldSchema {
        var schema = MVFieldSchema()
        schema.name = MilvusField.primaryKey
        schema.isPrimaryKey = true
        schema.dataType = .int64
        return schema
    }

    fileprivate init(_ field: MilvusField) {
        self.init()
        name = field.name
        switch field.kind {
        case .int64: dataType = .int64
        case .double: dataType = .double
        case .json: dataType = .json
        case .text(let mostBytes):
            dataType = .varChar
            typeParams = [MVKeyValuePair("max_length", "\(mostBytes)")]
        case .vector(let dimensions):
            dataType = .floatVector
            typeParams = [MVKeyValuePair("dim", "\(dimensions)")]
        }
    }
}
