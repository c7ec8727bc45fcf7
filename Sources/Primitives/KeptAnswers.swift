import Synchronization

/// What a service answered, for not asking the same again.
public struct KeptAnswer: Hashable, Sendable, Codable {
    /// Who answered: "TMDB", "openai, gpt-5-mini".
    public let source: String
    public let question: String
    /// With which the source tells whether the answer is still the same; nil when it has none.
    public let tag: String?
    public let answer: [UInt8]

    public init(source: String, question: String, tag: String? = nil, answer: [UInt8]) {
        self.source = source
        self.question = question
        self.tag = tag
        self.answer = answer
    }
}

/// Where answers are kept.
///
/// An implementer may forget any of them at any time; it does not fail.
public protocol AnswerKeeper: Sendable {
    func answer(of source: String, to question: String) async -> KeptAnswer?
    func keep(_ answer: KeptAnswer) async
}

/// Keeps answers for as long as the program runs.
public final class AnswersInMemory: AnswerKeeper {
    private struct Key: Hashable {
        let source: String
        let question: String
    }

    private struct State {
        var answers: [Key: KeptAnswer] = [:]
        var bytes = 0
    }

    /// A show of a thousand episodes has an answer of a megabyte.
    private static let mostBytes = 16 << 20

    private let state = Mutex(State())

    public init() {}

    public func answer(of source: String, to question: String) async -> KeptAnswer? {
        state.withLock { $0.answers[Key(source: source, question: question)] }
    }

    public func keep(_ answer: KeptAnswer) async {
        state.withLock { state in
            let key = Key(source: answer.source, question: answer.question)
            state.bytes += answer.answer.count - (state.answers[key]?.answer.count ?? 0)
            state.answers[key] = answer
            // Seldom so much is asked that it pays to choose.
            if state.bytes > Self.mostBytes { state = State() }
        }
    }
}
