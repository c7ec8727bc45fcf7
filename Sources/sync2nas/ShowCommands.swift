import ArgumentParser
import Daemon
import Operations

struct SearchCommand: LibraryCommand {
    static let configuration = CommandConfiguration(
        commandName: "search",
        abstract: "Find shows of the library by what you remember of a title."
    )

    @Argument(help: "Misspelt, a part, in another language.")
    var text: String

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    var controlFile: String { "search" }

    func line() throws(OperationError) -> String { text }
}

struct SimilarCommand: LibraryCommand {
    static let configuration = CommandConfiguration(
        commandName: "similar",
        abstract: "Find shows of the library that are like one of them."
    )

    @Argument(help: "A show's name, or tmdb:70523.")
    var show: String

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    var controlFile: String { "similar" }

    func line() throws(OperationError) -> String { show }
}

struct HistoryCommand: LibraryCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show what was done to the library, by whom and why."
    )

    @Argument(help: "How many changes, or all.")
    var count = "20"

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    var controlFile: String { "history" }

    func line() throws(OperationError) -> String { count }
}

struct UndoCommand: LibraryCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Take a change of the library back."
    )

    @Argument(help: "The change's number, as history shows it.")
    var number: Int

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    var controlFile: String { "undo" }

    func line() throws(OperationError) -> String { "\(number)" }
}

struct ExplainCommand: LibraryCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Tell why a file stands where it stands."
    )

    @Argument(help: "The file in the mount, or a part of its path on the seedbox.")
    var file: String

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    var controlFile: String { "explain" }
    func line() throws(OperationError) -> String { MountedFile.name(file) }
}

struct SearchTMDBCommand: LibraryCommand {
    static let configuration = CommandConfiguration(
        commandName: "search-tmdb",
        abstract: "Look for a show on TMDB."
    )

    @Argument(help: "A title, as 'Frieren' or 'The Office (2005)'.")
    var name: String?

    @Option(help: "TMDB's number of the show.")
    var tmdbId: Int?

    @Option(name: .shortAndLong, help: "The year of the first episode.")
    var year: Int?

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    var controlFile: String { "search-tmdb" }

    func validate() throws {
        guard (name == nil) != (tmdbId == nil) else {
            throw ValidationError("give either a title or --tmdb-id")
        }
    }

    func line() throws(OperationError) -> String {
        tmdbId.map { "tmdb:\($0)" } ?? (name ?? "") + (year.map { " (\($0))" } ?? "")
    }

}

struct SearchShowCommand: LibraryCommand {
    static let configuration = CommandConfiguration(
        commandName: "search-show",
        abstract: "Look for a show in the library; without a name, list all."
    )

    @Argument(help: "A part of any of its titles.")
    var name: String?

    @Option(help: "TMDB's number of the show.")
    var tmdbId: Int?

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    var controlFile: String { "search-show" }
    func line() throws(OperationError) -> String { tmdbId.map { "tmdb:\($0)" } ?? name ?? "all" }
}

struct FixShowCommand: LibraryCommand {
    static let configuration = CommandConfiguration(
        commandName: "fix-show",
        abstract: "Turn a show of the library into the one that it should have been."
    )

    @Argument(help: "The show as the library has it.")
    var name: String

    @Option(help: "TMDB's number of the right show; search-tmdb finds it.")
    var tmdbId: Int

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    var controlFile: String { "fix-show" }
    func line() throws(OperationError) -> String { "\(name) tmdb:\(tmdbId)" }
}

struct UpdateEpisodesCommand: LibraryCommand {
    static let configuration = CommandConfiguration(
        commandName: "update-episodes",
        abstract: "Ask TMDB again about a show, or about all."
    )

    @Argument(help: "The show's name; without, all shows.")
    var name: String?

    @Option(help: "TMDB's number of the show.")
    var tmdbId: Int?

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    var controlFile: String { "update-episodes" }
    func line() throws(OperationError) -> String { tmdbId.map { "tmdb:\($0)" } ?? name ?? "all" }
}

struct BootstrapEpisodesCommand: LibraryCommand {
    static let configuration = CommandConfiguration(
        commandName: "bootstrap-episodes",
        abstract: "Fetch the episodes of shows that have none yet."
    )

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    var controlFile: String { "update-episodes" }
    func line() throws(OperationError) -> String { "new" }
}

struct SuggestNameCommand: LibraryCommand {
    static let configuration = CommandConfiguration(
        commandName: "suggest-name",
        abstract: "Ask the language model for a shorter name of a folder or file."
    )

    @Argument(help: "The name.")
    var name: String

    @Option(help: "The most bytes it may have.")
    var length = 20

    @OptionGroup var options: SettingOptions
    @OptionGroup var mount: MountOption

    var controlFile: String { "suggest-name" }
    func line() throws(OperationError) -> String { "\(length) \(name)" }
}
