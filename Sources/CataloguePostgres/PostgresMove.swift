import Catalogue

/// Everything of another store as rows of all tables, and how far it is as the row of
/// `catalogue_state`.
enum PostgresMove {
    /// What is being moved in, and how many parts of it are there; no mark when nothing is.
    static func progress(
        _ connection: PostgresConnection
    ) throws(CatalogueError) -> (mark: String?, parts: Int) {
        try connection.rows("SELECT move_mark, move_parts FROM catalogue_state") { row in
            (row.isNull(0) ? nil : row.text(0), Int(row.integer(1)))
        }.first ?? (nil, 0)
    }

    /// How many parts of it are there already; what else was there makes way.
    static func begin(
        _ mark: String,
        _ connection: PostgresConnection
    ) throws(CatalogueError) -> Int {
        let known = try progress(connection)
        guard known.mark != mark else { return known.parts }
        try clear(mark: mark, connection)
        return 0
    }

    static func clear(
        mark: String?,
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        // First, so that other writers wait; by DELETE, since readers under way would see what
        // TRUNCATE leaves.
        try connection.run(
            "UPDATE catalogue_state SET move_mark = $1, move_parts = 0",
            [PostgresValue(mark)]
        )
        try connection.script(
            """
            DELETE FROM downloaded_files; DELETE FROM episodes; DELETE FROM tv_shows;
            DELETE FROM directory_stamps; DELETE FROM kept_answers; DELETE FROM journal;
            """
        )
    }

    /// Counts the step, unless the parts before it are not there; other movers wait for its end.
    static func take(
        _ step: MoveStep,
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        let before = Int64(step.partsBefore)
        let touched = try connection.run(
            """
            UPDATE catalogue_state SET move_parts = $1::integer
            WHERE move_mark = $2 AND move_parts = $3::integer
            """,
            [.integer(before + 1), .text(step.mark), .integer(before)]
        )
        guard touched == 1 else { throw .otherMove }
    }

    static func put(
        _ part: CatalogueCopy,
        of whole: CatalogueCopy,
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        try PostgresShows.put(part.contents.shows, connection)
        try PostgresEpisodes.put(part.contents.episodes, connection)
        try PostgresFiles.put(part.contents.files, whole.contents, connection)
        try PostgresJournal.insert(part.journal, connection)
        try PostgresStamps.save(part.stamps, removed: [], connection)
        for answer in part.answers { try PostgresAnswers.insert(answer, connection) }
    }

    /// Makes what was put the catalogue, for all to see.
    static func end(
        _ whole: CatalogueCopy,
        _ connection: PostgresConnection
    ) throws(CatalogueError) {
        let contents = whole.contents
        try PostgresShows.count(Set(contents.episodes.map(\.showTMDBID)), connection)
        try connection.run(
            """
            UPDATE catalogue_state SET revision = greatest(revision, $1) + 1,
                next_show = greatest(next_show, $2), next_file = greatest(next_file, $3),
                move_mark = NULL, move_parts = 0
            """,
            [contents.revision, contents.nextShowID, contents.nextFileID].map { .integer($0) }
        )
        try connection.run("NOTIFY \(PostgresListener.channel)")
    }
}
