/// A parsed name in the flat form that programs read, one JSON object for each name.
public struct ParsedNameRecord: Encodable, Sendable {
    private enum Key: String, CodingKey {
        case name, title, season, seasons, episodes, absolute, decimal, date, year, group
        case resolution, crc32, full_season, special, version, confidence
    }

    public let name: String
    public let parsed: ParsedName

    public init(name: String, parsed: ParsedName) {
        self.name = name
        self.parsed = parsed
    }

    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: Key.self)
        try values.encode(name, forKey: .name)
        try values.encode(parsed.title, forKey: .title)
        try values.encode(parsed.season, forKey: .season)
        try values.encode(parsed.seasons, forKey: .seasons)
        try values.encode(parsed.episodes, forKey: .episodes)
        try values.encode(parsed.absolute, forKey: .absolute)
        try values.encode(parsed.decimal, forKey: .decimal)
        try values.encode(parsed.airDate?.description, forKey: .date)
        try values.encode(parsed.year, forKey: .year)
        try values.encode(parsed.group, forKey: .group)
        try values.encode(parsed.resolution, forKey: .resolution)
        try values.encode(parsed.crc32, forKey: .crc32)
        try values.encode(parsed.isFullSeason, forKey: .full_season)
        try values.encode(parsed.isSpecial, forKey: .special)
        try values.encode(parsed.version, forKey: .version)
        try values.encode(parsed.confidence, forKey: .confidence)
    }
}
