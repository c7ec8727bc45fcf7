import Dispatch
import Synchronization

/// Vectors of meaning, by the model all-MiniLM-L6-v2 on this machine's processor.
///
/// The model knows English; in other languages it sees little more than names. Agrees with the
/// reference (sentence-transformers) to 1e-5 in every number.
public final class MiniLM: Embedder {
    public static let name = "all-MiniLM-L6-v2"

    /// One for each core; more would only wait for each other.
    private static let threads = 2

    private let words: WordPiece
    private let model: BERTModel
    /// Takes one call after another, as each uses all the cores that it may.
    private let queue = DispatchQueue(label: "sync2nas.minilm", qos: .utility)

    public var name: String { Self.name }
    public var dimension: Int { BERTModel.size }

    /// Loads the model: reads 90 MB and keeps half of it, and blocks while it does.
    ///
    /// - Parameter directory: Holds `model.safetensors` (F32) and `vocab.txt`. They may be
    ///   replaced while they are used, but only by a rename.
    /// - Throws: ``EmbeddingError`` with code `.notConfigured`, saying which file is wrong, in what
    ///   and what to do.
    public init(directory: String) throws(EmbeddingError) {
        words = try WordPiece(vocabulary: directory + "/vocab.txt")
        model = try BERTModel(try TensorFile(path: directory + "/model.safetensors"))
    }

    /// A text is cut after 256 tokens, about 200 English words.
    public func vectors(of texts: [String]) async throws(EmbeddingError) -> [[Float]] {
        let work = Work(count: texts.count)
        let made: [[Float]]? = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.async { [self] in
                    continuation.resume(returning: perform(work, on: texts))
                }
            }
        } onCancel: {
            work.isCancelled.store(true, ordering: .relaxed)
        }
        guard let made else { throw EmbeddingError(.cancelled, "was given up") }
        return made
    }

    /// What the threads of one call share.
    private final class Work: Sendable {
        let isCancelled = Atomic(false)
        let next = Atomic(0)
        let vectors: Mutex<[[Float]]>

        init(count: Int) {
            vectors = Mutex(Array(repeating: [], count: count))
        }
    }

    private func perform(_ work: Work, on texts: [String]) -> [[Float]]? {
        let tokens = texts.map(words.tokens)
        let groups = Self.groups(of: tokens.map(\.count))
        DispatchQueue.concurrentPerform(iterations: min(Self.threads, groups.count)) { _ in
            let bench = Workbench()
            while !work.isCancelled.load(ordering: .relaxed) {
                let next = work.next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard next < groups.count else { return }
                let made = model.vectors(of: groups[next].map { tokens[$0] }, on: bench)
                work.vectors.withLock { vectors in
                    for (place, vector) in zip(groups[next], made) { vectors[place] = vector }
                }
            }
        }
        guard !work.isCancelled.load(ordering: .relaxed) else { return nil }
        return work.vectors.withLock { $0 }
    }

    /// Texts that are worked on together: as many as fill a bench, but no thread without work
    /// while another has several.
    private static func groups(of counts: [Int]) -> [[Int]] {
        let share = (counts.reduce(0, +) + threads - 1) / threads
        let most = min(Workbench.rows, share)
        var groups: [[Int]] = []
        var rows = 0
        for (place, count) in counts.enumerated() {
            if groups.isEmpty || rows + count > most {
                groups.append([])
                rows = 0
            }
            groups[groups.count - 1].append(place)
            rows += count
        }
        return groups
    }
}
