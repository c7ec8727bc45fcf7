public import Foundation
public import Primitives

/// What stores keep as JSON: equal values are equal texts.
public enum StoredJSON {
    /// The JSON of `value`.
    ///
    /// - Throws: ``CatalogueError`` `.rejected` when it has none, as a number that is none.
    public static func bytes(_ value: some Encodable) throws(CatalogueError) -> Data {
        do {
            guard let direct = value as? any DirectlyStored else {
                return try encoder.encode(value)
            }
            var json: [UInt8] = []
            try direct.store(in: &json)
            return Data(json)
        } catch {
            throw CatalogueError(.rejected, "a value cannot be written", cause: error)
        }
    }

    static var encoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    /// The same as text.
    public static func text(_ value: some Encodable) throws(CatalogueError) -> String {
        String(decoding: try bytes(value), as: UTF8.self)
    }

    /// The same, made on another processor while its user does something else.
    public static func begun(
        _ value: some Encodable & Sendable
    ) -> Future<Result<String, CatalogueError>> {
        Future { Result { () throws(CatalogueError) in try text(value) } }
    }

    /// The value of `json`, which cannot be missed.
    ///
    /// - Parameters:
    ///   - json: What was kept.
    ///   - what: What it is, for people.
    /// - Returns: The value.
    /// - Throws: ``CatalogueError`` `.unusable` when it is something else.
    public static func value<Value: Decodable>(
        _ json: Data,
        of what: @autoclosure () -> String
    ) throws(CatalogueError) -> Value {
        do {
            return try read(json)
        } catch {
            throw CatalogueError(.unusable, "\(what()) cannot be read", cause: error)
        }
    }

    /// The value of `text`; nil when that is something else.
    public static func value<Value: Decodable>(_ text: String?) -> Value? {
        text.flatMap { try? read(Data($0.utf8)) }
    }

    private static func read<Value: Decodable>(_ json: Data) throws -> Value {
        if let direct = Value.self as? any DirectlyRead.Type,
            let value = StoredReader.read(direct, from: json) as? Value
        {
            return value
        }
        return try JSONDecoder().decode(Value.self, from: json)
    }
}
