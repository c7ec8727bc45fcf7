public import Primitives

extension Tree {
    /// The file that is played after the one of `id`: the next episode of the season, else the
    /// first of the next season.
    ///
    /// - Returns: nil when `id` is no file, or the last.
    public func following(_ id: NodeID) -> RemoteFile? {
        guard let node = self[id], case .file(let file) = node.content,
            let season = self[node.parent], case .directory(let episodes) = season.content
        else { return nil }
        let later = episodes.drop { $0.id != id }.dropFirst()
        if let next = firstPlayed(later, after: file, named: node.name) { return next }
        guard let show = self[season.parent], case .directory(let seasons) = show.content,
            let next = seasons.drop(while: { $0.id != season.id }).dropFirst().first,
            let folder = self[next.id], case .directory(let first) = folder.content
        else { return nil }
        return firstPlayed(first[...], after: file, named: node.name)
    }

    /// The first that is no other version of the same episode, and no subtitle or picture.
    private func firstPlayed(
        _ entries: ArraySlice<DirectoryEntry>,
        after file: RemoteFile,
        named name: String
    ) -> RemoteFile? {
        let episode = Self.episode(in: name)
        for entry in entries {
            let isVersion = episode != nil && Self.episode(in: entry.name) == episode
            guard !isVersion, let node = self[entry.id], case .file(let other) = node.content,
                other.size >= file.size / 8
            else { continue }
            return other
        }
        return nil
    }

    /// "S01E05" of a name in the library's form.
    private static func episode(in name: String) -> Substring? {
        name.split(separator: " ").first { word in
            word.hasPrefix("S") && word.dropFirst().first?.isNumber == true && word.contains("E")
        }
    }
}
