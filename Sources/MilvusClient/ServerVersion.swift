/// The first two numbers of a version.
struct ServerVersion: Comparable {
    /// Has upsert, `count(*)`, JSON fields, and codes in its answers.
    static let oldest = ServerVersion(major: 2, minor: 3)

    let major: Int
    let minor: Int

    private init(major: Int, minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// - Parameter words: The server's, such as "v2.5.1-dev" or "milvus_lite-3.2.2"; nil when there
    ///   is no version in them.
    init?(_ words: String) {
        guard let match = words.firstMatch(of: /(\d{1,4})\.(\d{1,4})/),
            let major = Int(match.1), let minor = Int(match.2)
        else { return nil }
        self.init(major: major, minor: minor)
    }

    static func < (one: ServerVersion, other: ServerVersion) -> Bool {
        (one.major, one.minor) < (other.major, other.minor)
    }
}
