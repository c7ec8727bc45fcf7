import Catalogue
import GRDB

/// Everything of another store as rows of all tables, and how far it is as the row of
/// `catalogue_state`.
enum MovedRows {
    /// What is being moved in; nil when nothing is.
    static func mark(_ database: Database) throws -> String? {
        try String.fetchOne(database, sql: "SELECT move_mark FROM catalogue_state")
    }

    /// How many parts of it are there already; what else was there makes way.
    static func begin(_ mark: String, _ database: Database) throws -> Int {
        if try self.mark(database) == mark {
            return try Int.fetchOne(database, sql: "SELECT move_parts FROM catalogue_state") ?? 0
        }
        try clear(database)
        try database.execute(
            sql: "UPDATE catalogue_state SET move_mark = ?, move_parts = 0",
            arguments: [mark]
        )
        return 0
    }

    static func clear(_ database: Database) throws {
        try database.execute(
            sql: """
                DELETE FROM downloaded_files; DELETE FROM episodes; DELETE FROM tv_shows;
                DELETE FROM directory_stamps; DELETE FROM kept_answers; DELETE FROM journal;
                """
        )
    }

    /// Counts the step, unless the parts before it are not there.
    static func take(_ step: MoveStep, _ database: Database) throws {
        try database.execute(
            sql: "UPDATE catalogue_state SET move_parts = ? WHERE move_mark = ? AND move_parts = ?",
            arguments: [step.partsBefore + 1, step.mark, step.partsBefore]
        )
        guard database.changesCount == 1 else { throw CatalogueError.otherMove }
    }

    static func put(_ part: CatalogueCopy, _ database: Database) throws {
        try ShowRows.put(part.contents.shows, database)
        try EpisodeRows.put(part.contents.episodes, database)
        try FileRows.put(part.contents.files, database)
        for entry in part.journal {
            try JournalRows.insert(entry, try StoredJSON.text(entry.inverse), database)
        }
        try StampRows.save(part.stamps, removed: [], database)
        for answer in part.answers { try AnswerRows.insert(answer, database) }
    }

    /// Makes what was put the catalogue, for all to see.
    static func end(_ whole: CatalogueCopy, _ database: Database) throws {
        let contents = whole.contents
        try ShowRows.count(Set(contents.episodes.map(\.showTMDBID)), database)
        try database.execute(
            sql: """
                UPDATE catalogue_state SET revision = max(revision, ?) + 1,
                    next_show = max(next_show, ?), next_file = max(next_file, ?),
                    move_mark = NULL, move_parts = 0
                """,
            arguments: [contents.revision, contents.nextShowID, contents.nextFileID]
        )
    }
}
