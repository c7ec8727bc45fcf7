import ArgumentParser
import Daemon

@main
struct Sync2NAS: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync2nas",
        abstract: "Mounts a seedbox as a tidy TV library.",
        discussion: """
            sync2nas mount sftp://me@seedbox/downloads /mnt/tv
            sync2nas add-show 'Frieren'
            sync2nas unmount /mnt/tv
            """,
        version: programVersion,
        subcommands: [
            MountCommand.self, UnmountCommand.self, StatusCommand.self, ScanCommand.self,
            AddShowCommand.self, RouteFilesCommand.self, ParseCommand.self, CheckCacheCommand.self,
            TransfersCommand.self, ExplainCommand.self, SearchTMDBCommand.self,
            SearchShowCommand.self, FixShowCommand.self, UpdateEpisodesCommand.self,
            BootstrapEpisodesCommand.self, SuggestNameCommand.self, HistoryCommand.self,
            SearchCommand.self,
            SimilarCommand.self,
            UndoCommand.self, InitDBCommand.self, CheckDBCommand.self, DBStatsCommand.self,
            BackupDBCommand.self, RestoreDBCommand.self, MigrateDBCommand.self,
            ImportSync2NASCommand.self,
        ]
    )
}
