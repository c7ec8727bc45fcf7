import Foundation
public import Primitives
import Synchronization

/// Asks a model what names mean, and believes only answers that can be true.
///
/// What was read in a name is kept, and not asked again; a service that cannot answer now is asked again
/// with growing pauses; and no more is asked than was allowed.
public final class ModelReader: Sendable {
    /// What a model read in a name.
    public struct Name: Hashable, Sendable {
        public let title: String
        /// nil when the name says none; 0 for specials.
        public let season: Int?
        public let episodes: [Int]
        /// 0 to 1, as the model says.
        public let confidence: Double
    }

    /// One of the shows that a title may mean.
    public struct Candidate: Hashable, Sendable, Encodable {
        public let number: Int
        public let name: String
        public let originalName: String
        public let year: Int?
        public let countries: [String]
        public let overview: String

        public init(
            number: Int,
            name: String,
            originalName: String,
            year: Int?,
            countries: [String],
            overview: String
        ) {
            self.number = number
            self.name = name
            self.originalName = originalName
            self.year = year
            self.countries = countries
            self.overview = overview
        }
    }

    /// Names in one question: more cost attention, fewer cost calls.
    private static let namesAtOnce = 10
    private static let tries = 3
    /// A person waits for it.
    private static let longestPause = 10.0

    private struct State {
        var calls = 0
    }

    private let model: any LanguageModel
    private let prompts: ModelPrompts
    private let mostCalls: Int
    private let kept: any AnswerKeeper
    private let pause: @Sendable (Double) async throws -> Void
    private let state = Mutex(State())

    /// - Parameters:
    ///   - model: Whom to ask.
    ///   - prompts: What to tell it.
    ///   - mostCalls: Questions that may be asked in this reader's lifetime.
    ///   - kept: Where what was read in names is kept.
    ///   - pause: Waits so many seconds.
    public init(
        _ model: any LanguageModel,
        prompts: ModelPrompts = ModelPrompts(),
        mostCalls: Int = 100,
        kept: any AnswerKeeper = AnswersInMemory(),
        pause: @Sendable @escaping (Double) async throws -> Void = {
            try await Task.sleep(for: .seconds($0))
        }
    ) {
        self.model = model
        self.prompts = prompts
        self.mostCalls = mostCalls
        self.kept = kept
        self.pause = pause
    }

    public var label: String { model.label }

    /// Questions asked so far.
    public var calls: Int { state.withLock { $0.calls } }

    // MARK: Names

    private struct NamesAnswer: Decodable {
        struct Name: Codable {
            let title: String
            let season: Int?
            let episodes: [Int]
            let confidence: Double
        }

        let names: [Name]
    }

    private static let namesSchema = """
        {"type":"object","additionalProperties":false,"required":["names"],"properties":{"names":
        {"type":"array","items":{"type":"object","additionalProperties":false,
        "required":["title","season","episodes","confidence"],"properties":{
        "title":{"type":"string"},"season":{"type":["integer","null"]},
        "episodes":{"type":"array","items":{"type":"integer"}},
        "confidence":{"type":"number"}}}}}}
        """

    /// Reads names that the parser is unsure of.
    ///
    /// - Parameter names: File names or short paths.
    /// - Returns: By name, what could be believed.
    /// - Throws: ``ModelError`` when nothing could be asked; what was read before is kept.
    public func read(_ names: [String]) async throws(ModelError) -> [String: Name] {
        var found: [String: Name] = [:]
        var unread: [String] = []
        for name in names {
            if let known = await knownReading(of: name) {
                found[name] = Self.believable(known, of: name)
            } else {
                unread.append(name)
            }
        }
        for start in stride(from: 0, to: unread.count, by: Self.namesAtOnce) {
            let some = Array(unread[start..<min(start + Self.namesAtOnce, unread.count)])
            let question = ModelQuestion(
                name: "names",
                instructions: prompts.names,
                input: some.map(Self.oneLine).joined(separator: "\n"),
                schema: Self.namesSchema
            )
            let answer: NamesAnswer = try await ask(question)
            guard answer.names.count == some.count else {
                throw ModelError(
                    .malformed,
                    "\(label) read \(answer.names.count) names of \(some.count)"
                )
            }
            for (name, read) in zip(some, answer.names) {
                found[name] = Self.believable(read, of: name)
                await keep(read, of: name)
            }
        }
        return found
    }

    private func knownReading(of name: String) async -> NamesAnswer.Name? {
        let known = await kept.answer(of: label, to: question(name))
        return known.flatMap {
            try? JSONDecoder().decode(NamesAnswer.Name.self, from: Data($0.answer))
        }
    }

    private func keep(_ read: NamesAnswer.Name, of name: String) async {
        guard let answer = try? JSONEncoder().encode(read) else { return }
        await kept.keep(KeptAnswer(source: label, question: question(name), answer: Array(answer)))
    }

    /// Whoever changes the prompt wants new answers.
    private func question(_ name: String) -> String {
        var prompt = Fingerprint()
        prompt.add(prompts.names.utf8)
        return "name \(String(prompt.value, radix: 16)) \(name)"
    }

    /// What a name cannot say is not believed, whoever says it.
    private static func believable(_ read: NamesAnswer.Name, of name: String) -> Name? {
        let title = read.title.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        guard !title.isEmpty, title.utf8.count <= 300, letters(name).contains(letters(title)),
            (0...1).contains(read.confidence), !read.episodes.isEmpty, read.episodes.count <= 30,
            read.episodes.allSatisfy({ (0...9_999).contains($0) }),
            read.season.map({ (0...2_100).contains($0) }) ?? true
        else { return nil }
        return Name(
            title: title,
            season: read.season,
            episodes: Set(read.episodes).sorted(),
            confidence: read.confidence
        )
    }

    private static func letters(_ text: String) -> String {
        text.lowercased().filter { $0.isLetter || $0.isNumber }
    }

    private static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline ? " " : $0 })
    }

    // MARK: Shows

    private struct ChoiceQuestion: Encodable {
        let title: String
        let candidates: [Candidate]
    }

    private struct ChoiceAnswer: Decodable {
        let number: Int
        let confidence: Double
    }

    private static let choiceSchema = """
        {"type":"object","additionalProperties":false,"required":["number","confidence"],
        "properties":{"number":{"type":"integer"},"confidence":{"type":"number"}}}
        """

    /// Chooses the show that a title means.
    ///
    /// - Parameters:
    ///   - title: As people or files write it.
    ///   - candidates: At most twenty are shown to the model.
    /// - Returns: The candidate and how sure the model is; nil when it means none.
    /// - Throws: ``ModelError``.
    public func choose(
        _ title: String,
        from candidates: [Candidate]
    ) async throws(ModelError) -> (candidate: Candidate, confidence: Double)? {
        let shown = Array(candidates.prefix(20))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let input = try? encoder.encode(ChoiceQuestion(title: title, candidates: shown))
        else {
            throw ModelError(.malformed, "the title cannot be asked for")
        }
        let question = ModelQuestion(
            name: "choice",
            instructions: prompts.choice,
            input: String(decoding: input, as: UTF8.self),
            schema: Self.choiceSchema
        )
        let answer: ChoiceAnswer = try await ask(question)
        guard (0...1).contains(answer.confidence),
            let candidate = shown.first(where: { $0.number == answer.number })
        else { return nil }
        return (candidate, answer.confidence)
    }

    // MARK: Short names

    private struct ShortQuestion: Encodable {
        let name: String
        let length: Int
    }

    private struct ShortAnswer: Decodable { let name: String }

    private static let shortSchema = """
        {"type":"object","additionalProperties":false,"required":["name"],
        "properties":{"name":{"type":"string"}}}
        """

    /// Shortens a folder's or file's name.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - length: The most bytes it may have.
    /// - Returns: A name of at most so many bytes without path characters; nil when the model
    ///   gives none.
    /// - Throws: ``ModelError``.
    public func shorten(_ name: String, to length: Int) async throws(ModelError) -> String? {
        guard let input = try? JSONEncoder().encode(ShortQuestion(name: name, length: length))
        else {
            throw ModelError(.malformed, "the name cannot be asked for")
        }
        let question = ModelQuestion(
            name: "short",
            instructions: prompts.short,
            input: String(decoding: input, as: UTF8.self),
            schema: Self.shortSchema
        )
        let answer: ShortAnswer = try await ask(question)
        let plain = answer.name.unicodeScalars.filter {
            $0.properties.isAlphabetic || ("0"..."9").contains($0)
                || " .-_()".unicodeScalars.contains($0)
        }
        let short = String(String.UnicodeScalarView(plain)).trimmingCharacters(in: .whitespaces)
        let isSafe = !short.isEmpty && !short.hasPrefix(".") && short.utf8.count <= length
        return isSafe ? short : nil
    }

    // MARK: Asking

    private func ask<Answer: Decodable>(
        _ question: ModelQuestion
    ) async throws(ModelError) -> Answer {
        var attempt = 1
        while true {
            let isAllowed = state.withLock { state in
                guard state.calls < mostCalls else { return false }
                state.calls += 1
                return true
            }
            guard isAllowed else {
                throw ModelError(
                    .spent,
                    "\(label) was asked \(mostCalls) times, which is the limit"
                )
            }
            do throws(ModelError) {
                return try decoded(try await model.answer(question))
            } catch {
                let isWorthIt = error.code == .unavailable || error.code == .malformed
                guard isWorthIt, attempt < Self.tries else { throw error }
                let seconds = error.retryAfter ?? 0.5 * Double(1 << attempt)
                do {
                    try await pause(min(seconds, Self.longestPause))
                } catch {
                    throw ModelError(.cancelled, "was given up")
                }
                attempt += 1
            }
        }
    }

    /// Models like to write something around the object that was asked for.
    private func decoded<Answer: Decodable>(_ text: String) throws(ModelError) -> Answer {
        guard let open = text.firstIndex(of: "{"), let close = text.lastIndex(of: "}"), open < close
        else { throw ModelError(.malformed, "\(label) gave no JSON object") }
        do {
            return try JSONDecoder().decode(Answer.self, from: Data(text[open...close].utf8))
        } catch {
            throw ModelError(.malformed, "\(label) gave an object of another form", cause: error)
        }
    }
}
