/// Which bytes of a file's path said what.
///
/// There is one for every file of the library, so that it is kept as one short text:
/// `title 9-21, season 22-25`.
public struct Spans: Hashable, Sendable {
    public struct Span: Hashable, Sendable {
        /// "title", "season", "group" ….
        public let fact: String
        /// UTF-8 offsets into the path's text.
        public let bytes: Range<Int>

        public init(fact: String, bytes: Range<Int>) {
            self.fact = fact
            self.bytes = bytes
        }
    }

    public let text: String

    public init(_ spans: [Span]) {
        text = spans.map { "\($0.fact) \($0.bytes.lowerBound)-\($0.bytes.upperBound)" }
            .joined(separator: ", ")
    }

    init(text: String) { self.text = text }

    /// In the order in which they were given.
    public var all: [Span] {
        text.split(separator: ", ").compactMap { part in
            let words = part.split(separator: " ")
            let ends = (words.last ?? "").split(separator: "-").compactMap { Int($0) }
            guard words.count == 2, ends.count == 2, ends[0] <= ends[1] else { return nil }
            return Span(fact: String(words[0]), bytes: ends[0]..<ends[1])
        }
    }
}

extension Spans: Codable {
    public init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
