import Catalogue
import Foundation
public import Primitives

/// Which machine mounts which directories of the seedbox from one catalogue.
///
/// A file outside of one's own directories may be in another's, and is no business of one's scan.
extension Library {
    private struct Mounts: Codable {
        var roots: [String]
        /// When it last scanned, since 1970, UTC.
        var seconds: Int64
    }

    private static let source = "machines"
    private static let question = "roots"
    /// A machine that has not scanned for so long is gone for good.
    private static let lifetime: Int64 = 30 * 86_400

    /// Notes that a machine mounts this library's directories.
    ///
    /// - Parameter machine: What tells it from others.
    /// - Returns: The directories that others mount; none when the catalogue cannot be asked.
    public func mountedByOthers(than machine: String) async -> [RemotePath] {
        do throws(CatalogueError) {
            let kept = try await store.keptAnswer(of: Self.source, to: Self.question)
            let known = kept.flatMap {
                try? JSONDecoder().decode([String: Mounts].self, from: Data($0.answer))
            }
            let own = Mounts(roots: roots.map(\.text), seconds: now())
            var all = (known ?? [:]).filter { now() - $0.value.seconds < Self.lifetime }
            let isNews =
                all[machine]?.roots != own.roots || now() - (all[machine]?.seconds ?? 0) > 86_400
            all[machine] = own
            if isNews, let answer = try? JSONEncoder().encode(all) {
                try await store.keep(
                    KeptAnswer(source: Self.source, question: Self.question, answer: Array(answer))
                )
            }
            return all.filter { $0.key != machine }.values.flatMap(\.roots).map { RemotePath($0) }
        } catch {
            // The scan will not be recorded either.
            return []
        }
    }
}
