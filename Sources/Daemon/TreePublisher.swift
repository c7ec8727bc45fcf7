import Catalogue
import Foundation
import FuseBridge
import Ingest
import Logging
import Operations
import Synchronization
import VirtualTree

/// Computes a new tree from each state of the catalogue and puts it in place of the old one.
actor TreePublisher {
    private let store: any CatalogueStore
    private let lastKnown: LastKnownLibrary?
    private let roots: [RemoteRoot]
    private let preference: VersionPreference
    private let log: Logger
    private var stamps: [UInt64: DirectoryStamp] = [:]
    private var hasStamps = false
    private var tree: Tree
    private var live: LiveTree?
    private var server: FuseServer?
    private nonisolated let operations = Mutex<Operations?>(nil)

    init(
        store: any CatalogueStore,
        lastKnown: LastKnownLibrary?,
        roots: [RemoteRoot],
        preference: VersionPreference,
        log: Logger
    ) {
        self.store = store
        self.lastKnown = lastKnown
        self.preference = preference
        self.roots = roots
        self.log = log
        tree = Tree(CatalogueContents(), roots: roots, stamps: [:], nowSeconds: 0)
    }

    /// Computes the tree of a state that is not to be seen yet.
    ///
    /// - Returns: What puts it in the old one's place.
    func prepare(_ contents: CatalogueContents) async -> Library.Publication {
        if !hasStamps {
            // Without its stamps every directory would look changed to media servers.
            do throws(CatalogueError) {
                stamps = try await store.directoryStamps()
                hasStamps = true
            } catch {
                if let known = await lastKnown?.stamps {
                    stamps = known
                } else {
                    log.warning("directories get new times: \(error)")
                }
            }
        }
        let tree = Tree(
            contents,
            roots: roots,
            preference: preference,
            stamps: stamps,
            nowSeconds: Int64(Date().timeIntervalSince1970)
        )
        return { await self.publish(tree, contents) }
    }

    private func publish(_ new: Tree, _ contents: CatalogueContents) async {
        operations.withLock { $0 }?.count(contents)
        tree = new
        stamps.merge(tree.changedStamps) { _, new in new }
        for node in tree.removedStamps { stamps[node] = nil }
        if let live {
            let invalidations = live.replace(with: tree)
            server?.forget(invalidations)
        }
        do throws(CatalogueError) {
            try await store.saveDirectoryStamps(tree.changedStamps, removed: tree.removedStamps)
        } catch {
            log.warning("directory times are not kept: \(error)")
        }
        if hasStamps { await lastKnown?.note(contents, stamps) }
    }

    /// From now on every new tree is served.
    func serve(_ make: @Sendable (Tree) -> (LiveTree, FuseServer)) -> FuseServer {
        let (live, server) = make(tree)
        self.live = live
        self.server = server
        return server
    }

    /// Has `operations` told of every new state.
    nonisolated func count(for operations: Operations) {
        self.operations.withLock { $0 = operations }
    }
}
