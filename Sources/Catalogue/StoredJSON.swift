internal import Dispatch
public import Foundation
internal import Primitives

/// What stores keep as JSON: equal values are equal texts.
public enum StoredJSON {
    /// The JSON of `value`.
    ///
    /// - Throws: ``CatalogueError`` `.rejected` when it has none, as a number that is none.
    public static func bytes(_ value: some Encodable) throws(CatalogueError) -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(value)
        } catch {
            throw CatalogueError(.rejected, "a value cannot be written", cause: error)
        }
    }

    /// The same as text.
    public static func text(_ value: some Encodable) throws(CatalogueError) -> String {
        String(decoding: try bytes(value), as: UTF8.self)
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
            return try JSONDecoder().decode(Value.self, from: json)
        } catch {
            throw CatalogueError(.unusable, "\(what()) cannot be read", cause: error)
        }
    }

    /// The value of `text`; nil when that is something else.
    public static func value<Value: Decodable>(_ text: String?) -> Value? {
        text.flatMap { try? JSONDecoder().decode(Value.self, from: Data($0.utf8)) }
    }
}

/// The JSON of a value, which another processor makes while its user does something else.
public final class PendingJSON: Sendable {
    private let made = Lock<Result<String, CatalogueError>?>(nil)
    private let isMade = DispatchSemaphore(value: 0)

    /// Begins with it.
    public init(_ value: some Encodable & Sendable) {
        DispatchQueue.global(qos: .userInitiated).async { [self] in
            let result = Result { () throws(CatalogueError) in try StoredJSON.text(value) }
            made.withLock { $0 = result }
            isMade.signal()
        }
    }

    /// The JSON; waits until it is made.
    ///
    /// - Throws: ``CatalogueError`` `.rejected` when the value has none.
    public func text() throws(CatalogueError) -> String {
        isMade.wait()
        isMade.signal()
        guard let result = made.withLock(\.self) else {
            throw CatalogueError(.rejected, "a value cannot be written")
        }
        return try result.get()
    }
}
