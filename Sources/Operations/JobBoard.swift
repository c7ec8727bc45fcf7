public import Foundation
import Synchronization

/// One piece of long work, as it can be watched.
public struct Job: Sendable {
    public enum State: Sendable {
        case running
        case succeeded
        case failed
    }

    /// Counted from 1 since the start.
    public let number: Int
    /// The operation's name.
    public let name: String
    public let started: Date
    public internal(set) var finished: Date?
    public internal(set) var state = State.running
    /// How far it is, or how it ended; one or more lines.
    public internal(set) var text: String
}

/// The jobs that are running, and the last ones that ended.
public final class JobBoard: Sendable {
    private struct State {
        var last = 0
        var jobs: [Int: Job] = [:]
        var waiters: [Int: [CheckedContinuation<Void, Never>]] = [:]
    }

    /// Enough to look back over a day of scans every half hour.
    private static let kept = 50

    private let state = Mutex(State())

    public init() {}

    public var jobs: [Job] {
        state.withLock { $0.jobs.values.sorted { $0.number < $1.number } }
    }

    public subscript(number: Int) -> Job? { state.withLock { $0.jobs[number] } }

    /// Starts a job, unless one of this name is running.
    ///
    /// - Parameters:
    ///   - name: The operation's name.
    ///   - work: Told a function to report progress with; returns the closing text.
    /// - Returns: The new job.
    /// - Throws: ``OperationError`` with code `.busy` and the running job's number.
    public func start(
        _ name: String,
        _ work:
            @Sendable @escaping (_ progress: @Sendable @escaping (String) -> Void)
            async throws(OperationError) -> String
    ) throws(OperationError) -> Job {
        let job = try begin(name)
        Task {
            do throws(OperationError) {
                let text = try await work { [weak self] text in
                    self?.state.withLock { $0.jobs[job.number]?.text = text }
                }
                end(job.number, .succeeded, text)
            } catch {
                end(job.number, .failed, "\(error)")
            }
        }
        return job
    }

    /// Waits until a job has ended.
    ///
    /// - Parameter number: The job's number.
    /// - Returns: The ended job; nil when there is none of this number.
    public func ended(_ number: Int) async -> Job? {
        await withCheckedContinuation { continuation in
            let isRunning = state.withLock { state in
                guard state.jobs[number]?.state == .running else { return false }
                state.waiters[number, default: []].append(continuation)
                return true
            }
            if !isRunning { continuation.resume() }
        }
        return self[number]
    }

    private func begin(_ name: String) throws(OperationError) -> Job {
        let (job, running) = state.withLock { state -> (Job?, Int?) in
            if let job = state.jobs.values.first(where: { $0.name == name && $0.state == .running })
            {
                return (nil, job.number)
            }
            state.last += 1
            let job = Job(number: state.last, name: name, started: Date(), text: "starting")
            state.jobs[job.number] = job
            state.jobs[job.number - Self.kept] = nil
            return (job, nil)
        }
        guard let job else {
            throw OperationError(
                .busy,
                "a \(name) is running already; watch it in control/jobs/\(running ?? 0)"
            )
        }
        return job
    }

    private func end(_ number: Int, _ result: Job.State, _ text: String) {
        let waiters = state.withLock { state in
            state.jobs[number]?.state = result
            state.jobs[number]?.text = text
            state.jobs[number]?.finished = Date()
            return state.waiters.removeValue(forKey: number) ?? []
        }
        for waiter in waiters { waiter.resume() }
    }
}
