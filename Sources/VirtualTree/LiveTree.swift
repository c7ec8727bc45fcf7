public import Primitives

/// The tree that is served now, with the control directory joined to its root.
///
/// Readers take the current tree under a lock that is held for a pointer's copy only. A new tree
/// replaces it in one step: a reader sees the old library or the new one, never a half.
public final class LiveTree: Sendable {
    private let current: Lock<Tree>
    private let control: any ControlTree
    private static let controlName = "control"

    public init(_ tree: Tree, control: any ControlTree) {
        current = Lock(tree)
        self.control = control
    }

    /// Serves `tree` from now on.
    ///
    /// - Returns: What the kernel must be told to forget.
    public func replace(with tree: Tree) -> [Invalidation] {
        let old = current.withLock { current in
            defer { current = tree }
            return current
        }
        return Invalidation.between(old, tree)
    }

    public var tree: Tree { current.withLock { $0 } }

    public func attributes(of id: NodeID) -> NodeAttributes? {
        if id.isControl { return control.attributes(of: id) }
        let tree = tree
        return tree[id].map { tree.attributes(of: $0) }
    }

    public func lookup(_ name: String, in directory: NodeID) -> NodeAttributes? {
        if directory.isControl {
            return control.entries(of: directory)?.first { $0.name == name }
                .flatMap { control.attributes(of: $0.id) }
        }
        if directory == .root, name == Self.controlName {
            return control.attributes(of: control.root)
        }
        let tree = tree
        return tree.child(name, of: directory).map { tree.attributes(of: $0) }
    }

    /// - Returns: The directory's entries and its parent, or nil when `id` is no directory.
    public func entries(of id: NodeID) -> (entries: [DirectoryEntry], parent: NodeID)? {
        if id.isControl {
            return control.entries(of: id).map { ($0, id == control.root ? .root : control.root) }
        }
        guard let node = tree[id], case .directory(var entries) = node.content else { return nil }
        if id == .root {
            entries.append(
                DirectoryEntry(name: Self.controlName, id: control.root, isDirectory: true)
            )
        }
        return (entries, node.parent)
    }

    /// - Returns: nil when `id` is no file of the library or the views.
    public func remoteFile(_ id: NodeID) -> RemoteFile? {
        guard let node = tree[id], case .file(let file) = node.content else { return nil }
        return file
    }

    /// - Returns: nil when `id` is no file of the control directory.
    public func openControl(_ id: NodeID) -> (any ControlSession)? {
        id.isControl ? control.open(id) : nil
    }
}

/// Something that the kernel may remember and that is no longer so.
public enum Invalidation: Hashable, Sendable {
    /// `name` in `directory` led elsewhere or nowhere, or is gone.
    case entry(directory: NodeID, name: String)
    /// Attributes, contents or the listing of the node changed.
    case node(NodeID)

    static func between(_ old: Tree, _ new: Tree) -> [Invalidation] {
        var result: [Invalidation] = []
        for (id, before) in old.nodes {
            let after = new[id]
            if after?.parent != before.parent || after?.name != before.name, id != .root {
                result.append(.entry(directory: before.parent, name: before.name))
            }
            if let after, changed(before, after) { result.append(.node(id)) }
        }
        // A name that was looked up in vain may be remembered as absent.
        for (id, after) in new.nodes where id != .root {
            let before = old[id]
            if before?.parent != after.parent || before?.name != after.name {
                result.append(.entry(directory: after.parent, name: after.name))
            }
        }
        return result
    }

    private static func changed(_ before: Node, _ after: Node) -> Bool {
        switch (before.content, after.content) {
        case (.file(let one), .file(let other)): one != other
        case (.directory, .directory): before.modifiedSeconds != after.modifiedSeconds
        case (.file, .directory), (.directory, .file): true
        }
    }
}
