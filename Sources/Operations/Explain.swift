import Catalogue
import Ingest
import Naming
import Primitives

/// Why a file stands where it stands.
public struct Explanation: Sendable, Codable {
    public let remotePath: String
    /// "Show S01E05"; nil when the file has no place.
    public let place: String?
    public let rule: String
    public let confidence: Double
    public let by: String
    public let candidates: [String]
    /// What of the path says what: "title: 'Show' at 0-4".
    public let evidence: [String]
}

extension Operations {
    /// Tells why files stand where they stand.
    ///
    /// - Parameter text: A part of their path on the seedbox.
    /// - Returns: An explanation for each, at most a hundred.
    /// - Throws: ``OperationError`` with code `.notFound` or `.invalid`.
    public func explain(_ text: String) async throws(OperationError) -> [Explanation] {
        guard !text.isEmpty else {
            throw OperationError(.invalid, "say which file: a part of its path on the seedbox")
        }
        let contents = await services.library.contents
        let files = contents.files.filter(Self.named(text)).prefix(100)
        guard !files.isEmpty else {
            throw OperationError(
                .notFound,
                "no video or subtitle on the seedbox has '\(RemotePath.printable(text))' in its path"
            )
        }
        let shows = Dictionary(contents.shows.map { ($0.id, $0.name) }) { first, _ in first }
        let parser = NameParser()
        return files.map { file in
            let decision = file.decision
            let path = file.file.path.text
            let bytes = Array(path.utf8)
            let evidence = parser.parse(path).evidence.filter { $0.bytes.upperBound <= bytes.count }
                .sorted { $0.bytes.lowerBound < $1.bytes.lowerBound }
                .map { found in
                    let words = String(decoding: bytes[found.bytes], as: UTF8.self)
                    let (from, to) = (found.bytes.lowerBound, found.bytes.upperBound)
                    return "\(found.fact.rawValue): '\(words)' at \(from)-\(to)"
                }
            let by =
                switch decision.by {
                case .person: "a person"
                case .languageModel: "a language model"
                case nil: "the program"
                }
            return Explanation(
                remotePath: path,
                place: decision.placement.map { "\(shows[$0.showID] ?? "?") \($0.label)" },
                rule: decision.rule,
                confidence: decision.confidence,
                by: by,
                candidates: decision.candidates,
                evidence: evidence
            )
        }
    }
}
