/// How sure a reading is, by how plainly the name said what was read.
enum Confidence {
    static func of(_ name: ParsedName) -> Double {
        guard name.exclusion == nil else { return 0 }
        guard let title = name.title else { return 0.1 }
        var confidence: Double
        if !name.episodes.isEmpty {
            confidence = name.season != nil ? 0.96 : 0.8
        } else if name.airDate != nil {
            confidence = 0.92
        } else if !name.absolute.isEmpty {
            confidence =
                name.group != nil && name.crc32 != nil ? 0.92 : name.group != nil ? 0.85 : 0.65
        } else if name.isFullSeason {
            confidence = 0.85
        } else {
            return 0.2
        }
        if title.utf8.count < 2 { confidence -= 0.2 }
        if name.episodes.count > 30 { confidence -= 0.3 }
        return max(0, confidence)
    }
}
