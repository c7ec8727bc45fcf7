import Catalogue
public import Primitives

/// A directory of the seedbox that is mounted, and the name it has among several.
public struct RemoteRoot: Hashable, Sendable {
    public let path: RemotePath

    public init(path: RemotePath) {
        self.path = path
    }
}

/// The view of files that could not be placed: as they lie on the seedbox.
struct UnroutedLayout {
    let roots: [RemoteRoot]

    func outline(of files: [LibraryFile]) -> Outline {
        var top = Folder()
        for file in files where file.decision.placement == nil {
            top.insert(file, at: relativePath(of: file.file.path)[...])
        }
        var usedIDs: Set<NodeID> = []
        return top.outline(id: .unrouted, path: [], usedIDs: &usedIDs)
    }

    /// The components below the root that holds the path; with several roots, the root's own
    /// name comes first.
    private func relativePath(of path: RemotePath) -> [[UInt8]] {
        let slash = UInt8(ascii: "/")
        guard let root = roots.first(where: { path.isInside($0.path) }) else {
            return path.bytes.split(separator: slash).map(Array.init)
        }
        let depth = root.path.bytes.split(separator: slash).count
        let below = path.bytes.split(separator: slash).dropFirst(depth).map(Array.init)
        return roots.count > 1 ? [root.path.lastComponent] + below : Array(below)
    }
}

/// A remote directory while files are sorted into it.
private struct Folder {
    private var folders: [[UInt8]: Folder] = [:]
    private var files: [(name: [UInt8], file: LibraryFile)] = []

    mutating func insert(_ file: LibraryFile, at path: ArraySlice<[UInt8]>) {
        guard let first = path.first else { return }
        if path.count == 1 {
            files.append((first, file))
        } else {
            folders[first, default: Folder()].insert(file, at: path.dropFirst())
        }
    }

    func outline(id: NodeID, path: [UInt8], usedIDs: inout Set<NodeID>) -> Outline {
        var outline = Outline(id: id)
        for (name, folder) in folders.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            let inner = path + [UInt8(ascii: "/")] + name
            let id = Self.freeID(for: inner, usedIDs: &usedIDs)
            let content = folder.outline(id: id, path: inner, usedIDs: &usedIDs)
            outline.add(.directory(content), id: id, stem: String(decoding: name, as: UTF8.self))
        }
        for (name, file) in files {
            let (stem, ending) = FileEnding.split(String(decoding: name, as: UTF8.self))
            outline.add(.file(file.file), id: .file(file.id, file.file), stem: stem, ending: ending)
        }
        return outline
    }

    private static func freeID(for path: [UInt8], usedIDs: inout Set<NodeID>) -> NodeID {
        var fingerprint = Fingerprint()
        fingerprint.add(path)
        while true {
            let id = NodeID.remoteDirectory(fingerprint: fingerprint.value)
            if usedIDs.insert(id).inserted { return id }
            fingerprint.add(CollectionOfOne(0))
        }
    }
}

/// Splits names before their extension.
enum FileEnding {
    /// The longest that counts as an extension rather than as words behind a dot.
    private static let longest = 5

    /// - Returns: The name up to its last dot, and the extension with its dot in lower case.
    static func split(_ name: String) -> (stem: String, ending: String) {
        let text = name.utf8
        guard let dot = text.lastIndex(of: UInt8(ascii: ".")), dot != text.startIndex else {
            return (name, "")
        }
        let ending = text[dot...]
        guard ending.count <= longest + 1, ending.dropFirst().allSatisfy(isLetterOrDigit) else {
            return (name, "")
        }
        return (String(name[..<dot]), name[dot...].lowercased())
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }
}
