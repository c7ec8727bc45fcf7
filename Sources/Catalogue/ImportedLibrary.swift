public import Primitives

/// A library as another program kept it.
public struct ImportedLibrary: Sendable {
    public struct ImportedShow: Sendable {
        public var show: ShowDraft
        public var episodes: [Episode]

        public init(show: ShowDraft, episodes: [Episode] = []) {
            self.show = show
            self.episodes = episodes
        }
    }

    public var shows: [ImportedShow] = []
    public var files: [RemoteFile] = []
    /// What could not be taken as it stood, each with its row, for a person to put right.
    public var problems: [String] = []

    public init() {}
}
