import Catalogue
public import Foundation
import Ingest

/// One change of the library.
public struct HistoryLine: Sendable, Codable {
    public let number: Int64
    public let time: Date
    public let author: String
    public let operation: String
    public let reason: String
    /// "1 show, 28 episodes, 12 files".
    public let extent: String

    init(_ entry: JournalEntry) {
        number = entry.revision
        time = Date(timeIntervalSince1970: Double(entry.seconds))
        author = entry.origin.author.rawValue
        operation = entry.origin.operation
        reason = entry.origin.reason
        let inverse = entry.inverse
        let counts = [
            (inverse.shows.count + inverse.removedShows.count, "show"),
            (inverse.episodes.count + inverse.removedEpisodes.count, "episode"),
            (inverse.files.count + inverse.removedFiles.count, "file"),
        ]
        extent = counts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")" }
            .joined(separator: ", ")
    }
}

extension Operations {
    /// What was done to the library.
    ///
    /// - Parameter text: How many changes; empty for twenty.
    /// - Returns: The latest first.
    /// - Throws: ``OperationError``: `.invalid`, `.unavailable`.
    public func history(_ text: String) async throws(OperationError) -> [HistoryLine] {
        guard let count = text.isEmpty ? 20 : Int(text), (1...10_000).contains(count) else {
            throw OperationError(.invalid, "say how many changes, from 1 to 10000; not '\(text)'")
        }
        do throws(CatalogueError) {
            return try await services.library.journal(count: count).map(HistoryLine.init)
        } catch {
            throw OperationError(.unavailable, "cannot read the history", cause: error)
        }
    }

    /// Takes a change back, as a change of its own.
    ///
    /// - Parameter text: Its number in the history.
    /// - Returns: What was taken back.
    /// - Throws: ``OperationError``: `.invalid`, `.notFound`, `.busy` when later changes stand in
    ///   its way, `.unavailable`.
    public func undo(_ text: String) async throws(OperationError) -> HistoryLine {
        guard let number = Int64(text), number > 0 else {
            throw OperationError(.invalid, "say which change: its number in the history")
        }
        do throws(CatalogueError) {
            return HistoryLine(try await services.library.undo(number))
        } catch {
            let code: OperationError.Code =
                switch error.code {
                case .notFound: .notFound
                case .rejected: .busy
                case .conflict, .full, .unavailable, .unusable: .unavailable
                }
            throw OperationError(code, error.message, cause: error.cause)
        }
    }
}
