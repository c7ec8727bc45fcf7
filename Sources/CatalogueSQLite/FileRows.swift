import Catalogue
import Foundation
import GRDB
import Primitives

/// Files as rows of `downloaded_files`.
///
/// `decision` is the whole of it as JSON; the original program's columns repeat what of it they
/// can hold, for the queries people have.
enum FileRows {
    static func all(_ database: Database) throws -> [LibraryFile] {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT id, remote_path, size, modified_seconds, file_type, decision
                FROM downloaded_files ORDER BY id
                """
        )
        var files: [LibraryFile] = []
        while let row = try rows.next() {
            let kind: String = row[4]
            guard let kind = FileKind(rawValue: kind) else { continue }
            let size: Int64 = row[2]
            files.append(
                LibraryFile(
                    id: row[0],
                    file: RemoteFile(
                        path: RemotePath(row[1] as String),
                        size: UInt64(clamping: size),
                        modifiedSeconds: row[3]
                    ),
                    kind: kind,
                    decision: try StoredJSON.value(
                        row[5],
                        of: "the decision of file \(row[0] as Int64)"
                    )
                )
            )
        }
        return files
    }

    static func delete(_ ids: [Int64], _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: "DELETE FROM downloaded_files WHERE id = ?"
        )
        for id in ids { try statement.execute(arguments: [id]) }
    }

    static func put(_ files: [LibraryFile], _ database: Database) throws {
        let last = try Int64.fetchOne(database, sql: "SELECT max(id) FROM downloaded_files") ?? 0
        var new = try BulkStatement(insert, database)
        var known = try BulkStatement("\(insert) \(orUpdate)", database)
        for first in stride(from: 0, to: files.count, by: Self.preparedTogether) {
            let some = Array(files[first..<min(files.count, first + Self.preparedTogether)])
            let decisions = some.concurrentMap { file in
                Result { () throws(CatalogueError) in try StoredJSON.text(file.decision) }
            }
            for (file, decision) in zip(some, decisions) {
                let json = try decision.get()
                // Where nothing can be there, SQLite takes two thirds of the time.
                if file.id > last {
                    try run(&new, with: file, json)
                } else {
                    try run(&known, with: file, json)
                }
            }
        }
    }

    /// As many decisions as are written as JSON at once, so that a million of them take no
    /// memory.
    private static let preparedTogether = 2000

    private static func run(
        _ row: inout BulkStatement,
        with file: LibraryFile,
        _ json: String
    ) throws {
        let decision = file.decision
        let placement = decision.placement
        row.add(RemotePath.escaped(file.file.path.lastComponent))
        row.add(file.file.path.text)
        row.add(Int64(clamping: file.file.size))
        row.add(file.file.modifiedSeconds)
        row.add(placement == nil ? "downloaded" : "routed")
        row.add(file.kind.rawValue)
        row.add(placement?.showID)
        row.add(placement?.season)
        row.add(placement?.episodes.first)
        row.add(decision.confidence)
        row.add(decision.rule)
        row.add(json)
        row.add(file.id)
        try row.run()
    }

    private static let insert = """
        INSERT INTO downloaded_files (name, remote_path, size, modified_seconds, modified_time,
            status, file_type, show_id, show_name, tmdb_id, season, episode, confidence, reasoning,
            decision, id, routing_attempts, last_routing_attempt)
        VALUES (?1, ?2, ?3, ?4, strftime('%Y-%m-%dT%H:%M:%S', ?4, 'unixepoch'), ?5, ?6, ?7,
            (SELECT coalesce(tmdb_name, sys_name) FROM tv_shows WHERE id = ?7),
            (SELECT tmdb_id FROM tv_shows WHERE id = ?7), ?8, ?9, ?10, ?11, ?12, ?13, 1,
            CURRENT_TIMESTAMP)
        """
    private static let orUpdate = """
        ON CONFLICT (id) DO UPDATE SET name = excluded.name, remote_path = excluded.remote_path,
            size = excluded.size, modified_seconds = excluded.modified_seconds,
            modified_time = excluded.modified_time,
            status = excluded.status, file_type = excluded.file_type, show_id = excluded.show_id,
            show_name = excluded.show_name, tmdb_id = excluded.tmdb_id, season = excluded.season,
            episode = excluded.episode, confidence = excluded.confidence,
            reasoning = excluded.reasoning, decision = excluded.decision,
            routing_attempts = routing_attempts + 1, last_routing_attempt = CURRENT_TIMESTAMP
        """
}

/// Directory times as rows of `directory_stamps`; numbers above 2^63 are kept as their bits.
enum StampRows {
    static func all(_ database: Database) throws -> [UInt64: DirectoryStamp] {
        let rows = try Row.fetchCursor(
            database,
            sql: "SELECT node, listing, modified_seconds FROM directory_stamps"
        )
        var stamps: [UInt64: DirectoryStamp] = [:]
        while let row = try rows.next() {
            stamps[UInt64(bitPattern: row[0])] = DirectoryStamp(
                listing: UInt64(bitPattern: row[1]),
                modifiedSeconds: row[2]
            )
        }
        return stamps
    }

    static func save(
        _ changed: [UInt64: DirectoryStamp],
        removed: [UInt64],
        _ database: Database
    ) throws {
        let delete = try database.cachedStatement(
            sql: "DELETE FROM directory_stamps WHERE node = ?"
        )
        for node in removed { try delete.execute(arguments: [Int64(bitPattern: node)]) }
        var row = try BulkStatement(
            "INSERT OR REPLACE INTO directory_stamps VALUES (?, ?, ?)",
            database
        )
        for (node, stamp) in changed {
            row.add(Int64(bitPattern: node))
            row.add(Int64(bitPattern: stamp.listing))
            row.add(stamp.modifiedSeconds)
            try row.run()
        }
    }
}
