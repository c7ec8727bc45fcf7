import Catalogue
import Foundation

/// Backups in PostgreSQL's own form, by its own programs, where they are installed.
enum PostgresDump {
    /// - Returns: nil when the program is not there.
    static func program(_ name: String) -> String? {
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql"))
        let own = (versions ?? []).compactMap { Int($0) }.sorted(by: >)
            .map { "/usr/lib/postgresql/\($0)/bin" }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        return (own + path.split(separator: ":").map(String.init)).map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Writes a dump in the custom format and reads it back.
    ///
    /// - Returns: Whether it was written; it is not when pg_dump is missing.
    static func write(
        to path: String,
        _ settings: PostgresSettings
    ) throws(CatalogueError) -> Bool {
        guard let dump = program("pg_dump"), let restore = program("pg_restore") else {
            return false
        }
        try run(dump, ["-Fc", "--no-owner", "-f", path, "-d", conninfo(settings)], settings)
        let text = try run(restore, ["-f", "-", path], settings)
        for table in ["tv_shows", "episodes", "downloaded_files", "journal"] {
            guard text.contains("\nCOPY public.\(table) ") else {
                throw CatalogueError(.unusable, "the dump '\(path)' has no table \(table)")
            }
        }
        return true
    }

    /// Puts a dump in place of what is there, in one transaction.
    static func restore(
        from path: String,
        _ settings: PostgresSettings
    ) throws(CatalogueError) {
        guard let restore = program("pg_restore") else {
            throw CatalogueError(
                .unavailable,
                "'\(path)' is a dump of PostgreSQL's: install postgresql-client, which has pg_restore"
            )
        }
        let words = ["--clean", "--if-exists", "--no-owner", "--single-transaction", "-d"]
        try run(restore, words + [conninfo(settings), path], settings)
    }

    /// Without the password, which other users of the machine would see.
    private static func conninfo(_ settings: PostgresSettings) -> String {
        var open = settings
        open.password = nil
        return open.keywords.filter { $0.0 != "options" }.map { name, value in
            let quoted = value.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
            return "\(name)='\(quoted)'"
        }.joined(separator: " ")
    }

    @discardableResult
    private static func run(
        _ program: String,
        _ arguments: [String],
        _ settings: PostgresSettings
    ) throws(CatalogueError) -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        if let password = settings.password { environment["PGPASSWORD"] = password }
        process.environment = environment
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        do {
            try process.run()
        } catch {
            throw CatalogueError(.unavailable, "cannot start \(program)", cause: error)
        }
        // The errors are few: reading one after the other cannot fill the other's pipe.
        let text = output.fileHandleForReading.readDataToEndOfFile()
        let trouble = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let words = String(decoding: trouble, as: UTF8.self)
                .split(whereSeparator: \.isWhitespace).joined(separator: " ")
            let name = program.split(separator: "/").last ?? ""
            throw CatalogueError(.unavailable, "\(name) fails: \(words)")
        }
        return String(decoding: text, as: UTF8.self)
    }
}
