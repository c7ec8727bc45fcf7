import Catalogue

/// Which of several files of one episode comes first.
///
/// All are shown; the preferred one bears the episode's plain name.
public struct VersionPreference: Sendable {
    /// What is compared.
    public enum Trait: String, Sendable, CaseIterable {
        /// More lines are better.
        case resolution
        /// Discs before streams before broadcasts.
        case source
        /// A mended release before the broken one.
        case proper
        /// "v2" before "v1".
        case version
    }

    /// The most important first; what is left out does not count.
    public var order: [Trait]

    public init(_ order: [Trait] = Trait.allCases) { self.order = order }

    /// Whether `one` comes before `other`; files that are as good stay in their order.
    func prefers(_ one: FileTraits, to other: FileTraits) -> Bool {
        for trait in order {
            let (mine, theirs) = (Self.rank(of: one, trait), Self.rank(of: other, trait))
            if mine != theirs { return mine > theirs }
        }
        return false
    }

    private static func rank(of traits: FileTraits, _ trait: Trait) -> Int {
        switch trait {
        case .resolution: Int(traits.resolution?.prefix { $0.isNumber } ?? "0") ?? 0
        case .source: rank(ofSource: traits.source?.lowercased() ?? "")
        case .proper: traits.isProper == true ? 1 : 0
        case .version: traits.version
        }
    }

    private static func rank(ofSource source: String) -> Int {
        let ranked = [
            ["remux"], ["blu", "bd", "br"], ["web-dl", "webdl", "web"], ["hdtv", "uhdtv", "hdrip"],
            ["dvd"], ["tv", "dsr", "pdtv", "sat"],
        ]
        // "WEBRip" is a recording of what "WEB-DL" is a copy of.
        if source.hasPrefix("webrip") || source.hasPrefix("webcap") { return 75 }
        let place = ranked.firstIndex { $0.contains { source.hasPrefix($0) } }
        return place.map { 100 - 10 * $0 } ?? 0
    }
}
