/// Reads release names: pure, deterministic, in time proportional to the name's length.
public struct NameParser: Sendable {
    /// Longer names are cut: no file system has them.
    private static let longestName = 2048

    public init() {}

    /// Reads a file name, or a path whose folders complete what the file name lacks.
    ///
    /// - Parameter path: Relative, with slashes; any text.
    /// - Returns: What it says; fields stay empty where it says nothing.
    public func parse(_ path: String) -> ParsedName {
        parse(path, order: nil) { read($0, isFolder: true) }
    }

    private func parse(
        _ path: String,
        order: DateForms.Order?,
        folder: (Substring) -> ParsedName
    ) -> ParsedName {
        let folders = Folders(path)
        let isInSeasonFolder = folders.parents.first.map { Folders.isSeason(folder($0)) } ?? false
        var name = read(folders.file, isInSeasonFolder: isInSeasonFolder, order: order)
        let offset = path.utf8.distance(from: path.startIndex, to: folders.file.startIndex)
        name.evidence = name.evidence.map {
            let bytes = $0.bytes
            return Evidence(
                fact: $0.fact,
                bytes: bytes.lowerBound + offset..<bytes.upperBound + offset
            )
        }
        Folders.complete(&name, from: folders.parents, of: path, read: folder)
        name.exclusion = name.exclusion ?? Folders.exclusion(folders.parents)
        name.confidence = Confidence.of(name, numbers: name.confidence)
        return name
    }

    /// Reads the files of one directory, where neighbours disambiguate each other.
    ///
    /// - Parameter paths: Relative paths in the same directory.
    /// - Returns: One result for each path, in their order.
    public func parse(siblings paths: [String]) -> [ParsedName] {
        // They have the same folders.
        var folders: [Substring: ParsedName] = [:]
        func parsed(_ path: String, _ order: DateForms.Order?) -> ParsedName {
            parse(path, order: order) { folder in
                if let known = folders[folder] { return known }
                let name = read(folder, isFolder: true)
                folders[folder] = name
                return name
            }
        }
        let names = paths.map { parsed($0, nil) }
        return Siblings.reconciled(names, of: paths, reread: parsed)
    }

    private func read(
        _ name: Substring,
        isInSeasonFolder: Bool = false,
        isFolder: Bool = false,
        order: DateForms.Order? = nil
    ) -> ParsedName {
        let name = name.utf8.count > Self.longestName ? name.prefix(512) : name
        guard let turned = Obfuscation.turned(name) else {
            var reader = NameReader(name, isInSeasonFolder: isInSeasonFolder, isFolder: isFolder)
            reader.dateOrder = order
            return reader.read()
        }
        var reader = NameReader(turned[...])
        var parsed = reader.read()
        parsed.evidence = []
        return parsed
    }
}
