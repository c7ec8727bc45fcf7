import Foundation

/// Cuts texts into the pieces of words that a model of BERT's kind knows, and numbers them.
///
/// "[SEP]" and the like in a text are text: no show can say where another text begins.
struct WordPiece: Sendable {
    /// Those of the model: `max_seq_length` in its sentence_bert_config.json.
    static let mostTokens = 256
    /// A longer word is unknown as a whole.
    private static let longestWord = 100
    private static let wordsOfTheModel = 30_522

    private let numbers: [ArraySlice<UInt8>: Int32]
    private let unknown: Int32
    private let first: Int32
    private let last: Int32

    /// Reads a vocabulary: one piece in a line, whose number is the line's, from 0.
    ///
    /// - Throws: ``EmbeddingError`` with code `.notConfigured` when the file is missing, short or
    ///   another model's.
    init(vocabulary path: String) throws(EmbeddingError) {
        let bytes: [UInt8]
        do {
            bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        } catch {
            throw EmbeddingError(
                .notConfigured,
                "cannot read '\(path)': put vocab.txt of all-MiniLM-L6-v2 there",
                cause: error
            )
        }
        var numbers: [ArraySlice<UInt8>: Int32] = [:]
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() where !line.isEmpty {
            let ending = line.last == UInt8(ascii: "\r") ? 1 : 0
            numbers[line.dropLast(ending)] = Int32(number)
        }
        func special(_ name: String) -> Int32? { numbers[Array(name.utf8)[...]] }
        guard numbers.count == Self.wordsOfTheModel, let unknown = special("[UNK]"),
            let first = special("[CLS]"), let last = special("[SEP]")
        else {
            throw EmbeddingError(
                .notConfigured,
                """
                '\(path)' is not the vocabulary of all-MiniLM-L6-v2: it has \(numbers.count) \
                pieces, not \(Self.wordsOfTheModel) with [UNK], [CLS] and [SEP]; fetch it again
                """
            )
        }
        (self.numbers, self.unknown, self.first, self.last) = (numbers, unknown, first, last)
    }

    /// The numbers of a text's pieces between those of its begin and its end.
    ///
    /// - Returns: 2 to ``mostTokens`` numbers; what does not fit is left out.
    func tokens(of text: String) -> [Int32] {
        var tokens = [first]
        for word in BERTWords.words(of: Self.start(of: text)) {
            guard tokens.count < Self.mostTokens - 1 else { break }
            append(word, to: &tokens)
        }
        tokens.removeLast(max(0, tokens.count - (Self.mostTokens - 1)))
        tokens.append(last)
        return tokens
    }

    /// So much of a text as can matter, so that a book costs no more than a page: no piece that
    /// fills a place has more letters than the longest word.
    private static func start(of text: String) -> String {
        let most = 64 << 10
        guard text.utf8.count > most else { return text }
        return String(text.unicodeScalars.prefix(most / 2))
    }

    /// The longest known piece first, again and again; a word that has no such pieces is unknown.
    private func append(_ word: String.UnicodeScalarView, to tokens: inout [Int32]) {
        guard word.count <= Self.longestWord else { return tokens.append(unknown) }
        let bytes = Array(String(word).utf8)
        var pieces: [Int32] = []
        var start = 0
        while start < bytes.count {
            let head = start == 0 ? [] : Array("##".utf8)
            guard let (number, end) = longest(head, bytes[start...]) else {
                return tokens.append(unknown)
            }
            pieces.append(number)
            start = end
        }
        tokens += pieces
    }

    private func longest(
        _ head: [UInt8],
        _ rest: ArraySlice<UInt8>
    ) -> (number: Int32, end: Int)? {
        var piece = (head + rest)[...]
        var end = rest.endIndex
        while end > rest.startIndex {
            if let number = numbers[piece] { return (number, end) }
            piece.removeLast()
            end -= 1
        }
        return nil
    }
}
