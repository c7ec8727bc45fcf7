public import Catalogue
import Foundation
import GRDB
import Primitives

/// Reads an SQLite file of the original Sync2NAS program; nothing in it is changed.
public enum OriginalDatabase {
    /// - Parameter path: The file.
    /// - Returns: Its shows, episodes and files, and what of them makes no sense.
    /// - Throws: ``CatalogueError``: `.unavailable` when there is no such file, `.unusable` when it
    ///   is none of the original's.
    public static func read(_ path: String) throws(CatalogueError) -> ImportedLibrary {
        guard FileManager.default.fileExists(atPath: path) else {
            throw CatalogueError(.unavailable, "there is no file '\(path)'")
        }
        var configuration = Configuration()
        configuration.readonly = true
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            return try queue.read { database in
                let tables = try String.fetchAll(
                    database,
                    sql: "SELECT name FROM sqlite_master WHERE type = 'table'"
                )
                guard tables.contains("tv_shows"), !tables.contains("catalogue_state") else {
                    let what =
                        tables.contains("catalogue_state")
                        ? "a catalogue of ours already" : "no database of the original Sync2NAS"
                    throw CatalogueError(.unusable, "'\(path)' is \(what)")
                }
                return try library(database, tables)
            }
        } catch let error as CatalogueError {
            throw error
        } catch {
            throw CatalogueError(.unusable, "cannot read '\(path)'", cause: error)
        }
    }

    private static func library(
        _ database: Database,
        _ tables: [String]
    ) throws -> ImportedLibrary {
        var library = ImportedLibrary()
        try OriginalShows.read(database, into: &library)
        if tables.contains("episodes") { try OriginalEpisodes.read(database, into: &library) }
        if tables.contains("downloaded_files") {
            try OriginalFiles.read(database, into: &library)
        }
        return library
    }
}

/// Rows by the names of their columns, of which older versions lack some.
private struct OriginalRow {
    let row: Row

    func text(_ column: String) -> String? {
        guard row.hasColumn(column), let value = row[column] as (any DatabaseValueConvertible)?
        else { return nil }
        let text = String.fromDatabaseValue(value.databaseValue) ?? "\(value.databaseValue)"
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        return trimmed.isEmpty ? nil : trimmed
    }

    func number(_ column: String) -> Int? { text(column).flatMap { Int($0) } }

    /// "2011-04-17 00:00:00" and "2011-04-17T00:00:00" are the same day.
    func day(_ column: String) -> String? { text(column).map { String($0.prefix(10)) } }

    func object(_ column: String) -> [String: Any] {
        let bytes = Data((text(column) ?? "").utf8)
        return (try? JSONSerialization.jsonObject(with: bytes)) as? [String: Any] ?? [:]
    }
}

private enum OriginalShows {
    static func read(_ database: Database, into library: inout ImportedLibrary) throws {
        var places: [Int: Int] = [:]
        for row in try Row.fetchAll(database, sql: "SELECT * FROM tv_shows ORDER BY id") {
            let row = OriginalRow(row: row)
            let number = row.number("id") ?? 0
            guard let name = row.text("sys_name") ?? row.text("tmdb_name") else {
                library.problems.append("tv_shows row \(number) has no name: left out")
                continue
            }
            var show = ShowDraft(systemName: name, aliases: aliases(row, &library.problems))
            show.details = details(row, name, &library.problems)
            guard let tmdbID = show.details?.tmdbID, let known = places[tmdbID] else {
                if let tmdbID = show.details?.tmdbID { places[tmdbID] = library.shows.count }
                library.shows.append(.init(show: show))
                continue
            }
            let first = library.shows[known].show.systemName
            library.problems.append(
                "tv_shows row \(number) ('\(name)') is tmdb:\(tmdbID) as '\(first)' is: taken as another"
                    + " title of that"
            )
            library.shows[known].show.aliases += [name] + show.aliases
        }
        for index in library.shows.indices {
            let show = library.shows[index].show
            let own = [show.systemName, show.details?.name]
            library.shows[index].show.aliases = Array(Set(show.aliases)).sorted()
                .filter { !own.contains($0) }
        }
    }

    private static func details(
        _ row: OriginalRow,
        _ name: String,
        _ problems: inout [String]
    ) -> ShowDetails? {
        guard let text = row.text("tmdb_id") else { return nil }
        guard let tmdbID = Int(text), tmdbID > 0 else {
            problems.append("'\(name)' has the TMDB number '\(text)': taken without TMDB's facts")
            return nil
        }
        let services = ["imdb_id": "imdb", "tvdb_id": "tvdb"]
        var external: [String: String] = [:]
        for (key, value) in row.object("tmdb_external_ids") {
            guard let service = services[key], !(value is NSNull) else { continue }
            external[service] = "\(value)"
        }
        return ShowDetails(
            tmdbID: tmdbID,
            name: row.text("tmdb_name") ?? name,
            overview: row.text("tmdb_overview") ?? "",
            firstAired: row.day("tmdb_first_aired"),
            lastAired: row.day("tmdb_last_aired"),
            status: row.text("tmdb_status") ?? "",
            externalIDs: external
        )
    }

    /// Titles joined by commas, though titles have commas of their own, which are followed by a
    /// space as a joint is not.
    private static func aliases(_ row: OriginalRow, _ problems: inout [String]) -> [String] {
        guard let text = row.text("tmdb_aliases") ?? row.text("aliases") else { return [] }
        let names = [row.text("tmdb_name"), row.text("sys_name")]
        if names.contains(text) { return [] }
        var titles: [String] = []
        var title = ""
        let hasJoints = text.firstRange(of: /,(?! )/) != nil
        for (index, character) in zip(text.indices, text) {
            let next = text.index(after: index)
            let isFollowedBySpace = next < text.endIndex && text[next] == " "
            if character == ",", !(isFollowedBySpace && hasJoints) {
                titles.append(title)
                title = ""
            } else {
                title.append(character)
            }
        }
        titles.append(title)
        if !hasJoints, titles.count > 1 {
            problems.append(
                "the other titles of '\(row.text("sys_name") ?? "")' may be one with commas: '\(text)'"
            )
            titles.append(text)
        }
        return titles.map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
}

private enum OriginalEpisodes {
    static func read(_ database: Database, into library: inout ImportedLibrary) throws {
        var places: [Int: Int] = [:]
        for (index, show) in library.shows.enumerated() {
            if let tmdbID = show.show.details?.tmdbID { places[tmdbID] = index }
        }
        var orphans: [String: Int] = [:]
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT * FROM episodes ORDER BY tmdb_id, season, episode"
        )
        while let raw = try rows.next() {
            let row = OriginalRow(row: raw)
            guard let tmdbID = row.number("tmdb_id"), let place = places[tmdbID] else {
                orphans[row.text("tmdb_id") ?? "none", default: 0] += 1
                continue
            }
            guard let season = row.number("season"), let number = row.number("episode"),
                season >= 0, number >= 0
            else {
                library.problems.append(
                    "episodes row \(row.number("id") ?? 0) of tmdb:\(tmdbID) has no season or number:"
                        + " left out"
                )
                continue
            }
            library.shows[place].episodes.append(
                Episode(
                    showTMDBID: tmdbID,
                    tmdbID: row.number("episode_id") ?? 0,
                    season: season,
                    number: number,
                    absolute: row.number("abs_episode") ?? row.number("absolute_episode"),
                    name: row.text("name") ?? "",
                    overview: row.text("overview") ?? "",
                    airDate: row.day("air_date"),
                    type: row.text("episode_type") ?? "standard"
                )
            )
        }
        for (tmdbID, count) in orphans.sorted(by: { $0.key < $1.key }) {
            library.problems.append(
                "\(count) episodes belong to tmdb:\(tmdbID), which no show is: left out"
            )
        }
    }
}

private enum OriginalFiles {
    static func read(_ database: Database, into library: inout ImportedLibrary) throws {
        let times = ISO8601DateFormatter()
        var known: Set<String> = []
        let rows = try Row.fetchCursor(database, sql: "SELECT * FROM downloaded_files ORDER BY id")
        while let raw = try rows.next() {
            let row = OriginalRow(row: raw)
            let number = row.number("id") ?? 0
            guard let path = row.text("remote_path") ?? row.text("path"), path.hasPrefix("/") else {
                library.problems.append("downloaded_files row \(number) has no path: left out")
                continue
            }
            guard row.number("is_dir") ?? 0 == 0, FileKind(name: path) != nil else { continue }
            guard let size = row.number("size"), size >= 0 else {
                library.problems.append("'\(path)' has no size: left out")
                continue
            }
            guard known.insert(path).inserted else {
                library.problems.append("'\(path)' is recorded twice: taken once")
                continue
            }
            // A scan corrects the time, which the original kept without its zone.
            let day = (row.text("modified_time") ?? "").prefix(19).replacing(" ", with: "T") + "Z"
            library.files.append(
                RemoteFile(
                    path: RemotePath(path),
                    size: UInt64(size),
                    modifiedSeconds: Int64(
                        times.date(from: String(day))?.timeIntervalSince1970 ?? 0
                    )
                )
            )
        }
    }
}
