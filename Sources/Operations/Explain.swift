import Catalogue
import Ingest
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

/// Why files stand where they stand.
public struct Explanations: Sendable, Codable {
    static let most = 100

    /// At most a hundred.
    public let files: [Explanation]
    /// Files that were meant, too.
    public let more: Int
}

extension Operations {
    /// Tells why files stand where they stand.
    ///
    /// - Parameter text: A part of their path on the seedbox.
    /// - Returns: An explanation for each of the first.
    /// - Throws: ``OperationError`` with code `.notFound` or `.invalid`.
    public func explain(_ text: String) async throws(OperationError) -> Explanations {
        guard !text.isEmpty else {
            throw OperationError(.invalid, "say which file: a part of its path on the seedbox")
        }
        let contents = await services.library.contents
        let meant = contents.files.filter(Self.named(text))
        let files = meant.prefix(Explanations.most)
        guard !files.isEmpty else {
            throw OperationError(
                .notFound,
                "no video or subtitle on the seedbox has '\(RemotePath.printable(text))' in its path"
            )
        }
        let shows = Dictionary(contents.shows.map { ($0.id, $0.name) }) { first, _ in first }
        let explained = files.map { file in
            let decision = file.decision
            let path = file.file.path.text
            let bytes = Array(path.utf8)
            let evidence = (decision.spans?.all ?? [])
                .filter { $0.bytes.upperBound <= bytes.count }
                .map { span in
                    let words = String(decoding: bytes[span.bytes], as: UTF8.self)
                    let (from, to) = (span.bytes.lowerBound, span.bytes.upperBound)
                    return "\(span.fact): '\(words)' at \(from)-\(to)"
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
        return Explanations(files: explained, more: meant.count - files.count)
    }
}
