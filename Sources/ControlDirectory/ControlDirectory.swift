import Foundation
public import Operations
import Synchronization
public import VirtualTree

/// Operations as files: `cat` shows how to use one and how it last went, `echo … >` runs it.
///
/// It translates and decides nothing. Node numbers: the root is 1, its files follow, and job N is
/// 1000 + N.
public final class ControlDirectory: ControlTree {
    public let root = NodeID.control(1)
    private let jobsDirectory = NodeID.control(2)
    private static let firstFile: UInt64 = 10
    private static let firstJob: UInt64 = 1000

    let operations: Operations
    let files: [ControlFile]
    private let startedSeconds: Int64

    public init(_ operations: Operations) {
        self.operations = operations
        files = ControlFile.all(operations)
        startedSeconds = Int64(Date().timeIntervalSince1970)
    }

    public func attributes(of id: NodeID) -> NodeAttributes? {
        if id == root || id == jobsDirectory {
            return NodeAttributes(
                id: id,
                isDirectory: true,
                modifiedSeconds: startedSeconds,
                subdirectories: id == root ? 1 : 0
            )
        }
        if let job = job(id) {
            return NodeAttributes(
                id: id,
                isDirectory: false,
                size: UInt64(JobText.text(of: job).utf8.count),
                modifiedSeconds: Int64((job.finished ?? Date()).timeIntervalSince1970)
            )
        }
        guard let file = file(id) else { return nil }
        return NodeAttributes(
            id: id,
            isDirectory: false,
            isWritable: file.isWritable,
            size: UInt64(file.text().utf8.count),
            modifiedSeconds: file.modifiedSeconds ?? startedSeconds
        )
    }

    public func entries(of id: NodeID) -> [DirectoryEntry]? {
        switch id {
        case root:
            let entries = files.enumerated().map { number, file in
                DirectoryEntry(name: file.name, id: Self.id(ofFile: number), isDirectory: false)
            }
            return entries + [DirectoryEntry(name: "jobs", id: jobsDirectory, isDirectory: true)]
        case jobsDirectory:
            return operations.jobs.jobs.map { job in
                DirectoryEntry(
                    name: "\(job.number)",
                    id: .control(Self.firstJob + UInt64(job.number)),
                    isDirectory: false
                )
            }
        default: return nil
        }
    }

    public func open(_ id: NodeID) -> (any ControlSession)? {
        if let job = job(id) { return TextSession(text: JobText.text(of: job)) }
        guard let file = file(id) else { return nil }
        return file.isWritable
            ? CommandSession(file: file) : TextSession(text: file.text())
    }

    /// Runs a line as if it were written to the file `name`.
    ///
    /// - Returns: The answer, or why it was not done.
    public func answer(
        _ name: String,
        _ line: String
    ) async -> Result<String, OperationError> {
        guard let file = files.first(where: { $0.name == name }) else {
            return .failure(OperationError(.notFound, "there is no control file '\(name)'"))
        }
        return await file.answer(line)
    }

    /// What a reader of the file `name` sees; empty when there is none.
    public func text(of name: String) -> String {
        files.first { $0.name == name }?.text() ?? ""
    }

    private static func id(ofFile number: Int) -> NodeID {
        .control(firstFile + UInt64(number))
    }

    private func file(_ id: NodeID) -> ControlFile? {
        files.enumerated().first { Self.id(ofFile: $0.offset) == id }?.element
    }

    private func job(_ id: NodeID) -> Job? {
        let number = id.rawValue &- NodeID.control(Self.firstJob).rawValue
        return id.isControl && number < 1 << 32 ? operations.jobs[Int(number)] : nil
    }
}

/// A job as a text file.
enum JobText {
    static func text(of job: Job) -> String {
        let state =
            switch job.state {
            case .running: "running"
            case .succeeded: "succeeded"
            case .failed: "failed"
            }
        let end = job.finished ?? Date()
        let seconds = String(format: "%.1f", end.timeIntervalSince(job.started))
        return "\(job.name): \(state) after \(seconds) s\n\(job.text)\n"
    }
}

/// A handle on something that can only be read.
struct TextSession: ControlSession {
    let text: String

    func contents() -> [UInt8] { Array(text.utf8) }
    func write(_ bytes: [UInt8]) throws(ControlError) { throw ControlError(.notPermitted) }
    func finish() {}
}
