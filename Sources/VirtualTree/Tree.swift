public import Catalogue
import Primitives

/// The whole tree as of one state of the catalogue; immutable, so readers need no lock.
public struct Tree: Sendable {
    public private(set) var nodes: [NodeID: Node] = [:]
    /// Where each name of a directory leads, for lookups in constant time.
    private var index: [NodeID: [String: NodeID]] = [:]

    /// Bytes and files of the seedbox that the tree shows.
    public private(set) var totals: (bytes: UInt64, files: Int) = (0, 0)

    /// Two trees with the same one show the same names, numbers, sizes and times.
    public private(set) var fingerprint: UInt64 = 0

    /// Stamps that differ from those the tree was built with: to be kept for the next run.
    public private(set) var changedStamps: [UInt64: DirectoryStamp] = [:]
    /// Directories that had a stamp and are no more.
    public private(set) var removedStamps: [UInt64] = []

    /// Computes the tree.
    ///
    /// - Parameters:
    ///   - contents: The catalogue.
    ///   - roots: The seedbox directories that are mounted; unrouted files are shown by their
    ///     paths below them.
    ///   - preference: Which of several files of one episode comes first.
    ///   - stamps: What ``changedStamps`` was in all earlier runs, together.
    ///   - now: The time that directories get whose listing changed.
    public init(
        _ contents: CatalogueContents,
        roots: [RemoteRoot],
        preference: VersionPreference = VersionPreference(),
        stamps: [UInt64: DirectoryStamp],
        nowSeconds now: Int64
    ) {
        var root = Outline(id: .root)
        var views = Outline(id: .views)
        let unrouted = UnroutedLayout(roots: roots).outline(of: contents.files)
        views.add(.directory(unrouted), id: .unrouted, stem: "unrouted")
        root.add(
            .directory(LibraryLayout(contents, preference).outline()),
            id: .library,
            stem: "library"
        )
        root.add(.directory(views), id: .views, stem: "views")
        insert(root, name: "", parent: .root, stamps: stamps, now: now)
        removedStamps = stamps.keys.filter { nodes[NodeID(rawValue: $0)] == nil }
    }

    public subscript(id: NodeID) -> Node? { nodes[id] }

    public func child(_ name: String, of directory: NodeID) -> Node? {
        index[directory]?[name].flatMap { nodes[$0] }
    }

    public func attributes(of node: Node) -> NodeAttributes {
        switch node.content {
        case .file:
            NodeAttributes(
                id: node.id,
                isDirectory: false,
                size: node.size,
                modifiedSeconds: node.modifiedSeconds
            )
        case .directory(let entries):
            NodeAttributes(
                id: node.id,
                isDirectory: true,
                modifiedSeconds: node.modifiedSeconds,
                subdirectories: entries.lazy.filter(\.isDirectory).count
            )
        }
    }

    private mutating func insert(
        _ outline: Outline,
        name: String,
        parent: NodeID,
        stamps: [UInt64: DirectoryStamp],
        now: Int64
    ) {
        var listing = Fingerprint()
        var entries: [DirectoryEntry] = []
        var names: [String: NodeID] = [:]
        entries.reserveCapacity(outline.items.count)
        names.reserveCapacity(outline.items.count)
        for entry in outline.items.sorted(by: { $0.name < $1.name }) {
            listing.add(entry.name.utf8)
            listing.add(entry.id.rawValue)
            switch entry.item {
            case .directory(let inner):
                insert(inner, name: entry.name, parent: outline.id, stamps: stamps, now: now)
                entries.append(DirectoryEntry(name: entry.name, id: entry.id, isDirectory: true))
            case .file(let file):
                listing.add(file.size)
                listing.add(UInt64(bitPattern: file.modifiedSeconds))
                nodes[entry.id] = Node(
                    id: entry.id,
                    parent: outline.id,
                    name: entry.name,
                    content: .file(file),
                    modifiedSeconds: file.modifiedSeconds
                )
                entries.append(DirectoryEntry(name: entry.name, id: entry.id, isDirectory: false))
                totals.files += 1
                totals.bytes = totals.bytes.addingReportingOverflow(file.size).partialValue
            }
            names[entry.name] = entry.id
        }
        index[outline.id] = names
        let stamp = stamp(outline.id, listing.value, stamps, now)
        listing.add(outline.id.rawValue)
        listing.add(UInt64(bitPattern: stamp.modifiedSeconds))
        // A sum, because children come in before their parents.
        fingerprint &+= listing.value
        nodes[outline.id] = Node(
            id: outline.id,
            parent: parent,
            name: name,
            content: .directory(entries),
            modifiedSeconds: stamp.modifiedSeconds
        )
    }

    private mutating func stamp(
        _ id: NodeID,
        _ listing: UInt64,
        _ stamps: [UInt64: DirectoryStamp],
        _ now: Int64
    ) -> DirectoryStamp {
        if let known = stamps[id.rawValue], known.listing == listing { return known }
        let stamp = DirectoryStamp(listing: listing, modifiedSeconds: now)
        changedStamps[id.rawValue] = stamp
        return stamp
    }
}
