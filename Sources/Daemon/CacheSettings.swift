import Cache
public import Foundation

/// Where the cache lies and how much it may hold: all that is needed to look after it.
public struct CacheSettings: Sendable {
    public var directory: String
    /// Bytes; nil for no limit but the disk's.
    public var maximum: UInt64?
    /// Bytes of the disk that stay free for others.
    public var free: UInt64?

    /// Collects the settings of the cache alone; no seedbox need be known.
    ///
    /// - Parameters:
    ///   - arguments: What the command line said.
    ///   - environment: Variables `SYNC2NAS_CACHE_<KEY>`, and XDG's.
    /// - Throws: ``Settings/Problem`` that says what, where and how to mend it.
    public init(
        _ arguments: Settings.Arguments,
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(Settings.Problem) {
        let values = try SettingValues(file: arguments.configFile, environment: environment)
        try self.init(arguments, values, environment)
    }

    init(
        _ arguments: Settings.Arguments,
        _ values: SettingValues,
        _ environment: [String: String]
    ) throws(Settings.Problem) {
        directory = try Settings.directory(
            arguments.cacheDirectory ?? values["cache", "directory"],
            environment,
            xdg: "XDG_CACHE_HOME",
            standard: ".cache"
        )
        maximum = try values.bytes("cache", "max_size")
        free = try values.bytes("cache", "min_free")
    }

    var limits: CacheLimits { CacheLimits(maxBytes: maximum, freeBytes: free) }
}
