import Foundation

/// What models are told to do; a user may put files of the same names into a directory of his own.
public struct ModelPrompts: Sendable {
    public var names: String
    public var choice: String
    public var short: String

    /// - Parameter directory: May hold `names.txt`, `choice.txt` and `short.txt`.
    public init(directory: String? = nil) {
        func text(_ name: String, _ standard: [UInt8]) -> String {
            let own = directory.flatMap {
                try? String(contentsOfFile: "\($0)/\(name).txt", encoding: .utf8)
            }
            return own ?? String(decoding: standard, as: UTF8.self)
        }
        names = text("names", PackageResources.names_txt)
        choice = text("choice", PackageResources.choice_txt)
        short = text("short", PackageResources.short_txt)
    }
}
