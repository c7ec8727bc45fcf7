/// How sure a reading is, by how plainly the name said what was read.
enum Confidence {
    /// - Parameters:
    ///   - name: Read with all its folders.
    ///   - numbers: How sure its numbers alone are.
    /// - Returns: From 0 to 1.
    static func of(_ name: ParsedName, numbers: Double) -> Double {
        guard name.exclusion == nil else { return 0 }
        guard let title = name.title else { return 0.1 }
        guard name.hasNumbers || name.isFullSeason else { return 0.2 }
        var confidence = numbers
        if title.utf8.count < 2 { confidence -= 0.2 }
        if name.episodes.count > 30 { confidence -= 0.3 }
        return max(0, confidence)
    }
}

extension NameReader {
    /// How sure the numbers are: what can be read in one way only is surest.
    var confidenceOfNumbers: Double {
        guard let numbering else { return 0.2 }
        let place = numbering.words.lowerBound
        switch numbering.form {
        case .seasonEpisode: return hasTechnicalFront ? 0.85 : 0.97
        case .seasonThenEpisode: return isPlainSecond(numbering.words) ? 0.8 : 0.95
        case .date: return place > start && words[place - 1].number != nil ? 0.7 : 0.93
        case .marked: return 0.9
        case .fansub: return confidenceOfFansub
        case .season: return 0.88
        case .range: return 0.8
        case .bare: return isOldCode(numbering.words) ? 0.85 : 0.7
        case .leading: return isInSeasonFolder ? 0.85 : 0.7
        case .special: return 0.6
        }
    }

    private var confidenceOfFansub: Double {
        let isFansub = words.first?.isSquare ?? false
        let isSigned = name.crc32 != nil || name.resolution != nil
        guard name.decimal.isEmpty else { return 0.8 }
        return isFansub && isSigned ? 0.94 : isFansub ? 0.88 : 0.75
    }

    private var hasTechnicalFront: Bool { start < end && technical[start] }

    /// "S01 04" may be a part of a season.
    private func isPlainSecond(_ range: Range<Int>) -> Bool {
        range.count == 2 && words[range.upperBound - 1].number != nil
            && !words[range.upperBound - 1].gap.contains(.dash)
            && !words[range.upperBound - 1].gap.contains(.bracket)
    }

    /// "Title.101.HDTV" with three digits, between a title and what is technical.
    private func isOldCode(_ range: Range<Int>) -> Bool {
        range.count == 1 && words[range.lowerBound].digits == 3 && range.upperBound < end
            && technical[range.upperBound]
    }
}
