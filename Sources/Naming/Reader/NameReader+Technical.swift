/// Resolution, source, codec, checksum.
extension NameReader {
    mutating func takeTechnical() {
        for index in words.indices where index < end {
            takeChecksum(index)
            if isStrong(index), index >= start || isTechnicalFront { technical[index] = true }
        }
        takeBareResolution()
        takeChannels()
        spreadBackwards()
        spreadForwards()
        for index in words.indices where index < end && technical[index] { note(index) }
    }

    /// "[1080p] Title": what stands in front is no group.
    private var isTechnicalFront: Bool {
        words.prefix(max(0, start)).contains {
            !$0.kinds.isDisjoint(with: [.resolution, .codec, .source]) && !$0.kinds.contains(.weak)
        }
    }

    private mutating func takeChecksum(_ index: Int) {
        let word = words[index]
        guard isHexadecimal(index), name.crc32 == nil else { return }
        let isAlone =
            word.bracket > 0
            || index + 1 == end && index > 1 && word.gap.contains(.dash)
                && low(index).contains { $0 > 57 } && low(index).contains { $0 <= 57 }
        // Eight digits may be a date; a checksum of digits only is one in forty.
        guard isAlone, DateForms.compact(word) == nil else { return }
        name.crc32 = string(index).uppercased()
        technical[index] = true
        claim(index, .crc32)
    }

    private func isStrong(_ index: Int) -> Bool {
        let kinds = words[index].kinds
        guard !kinds.isDisjoint(with: .technical) else { return false }
        return !kinds.contains(.weak) && !kinds.contains(.tail)
            && !(kinds.contains(.codec) && low(index).count == 1)
    }

    /// "_1080.BD", "2025 1080 (Deep61)".
    private mutating func takeBareResolution() {
        guard !words.contains(where: { $0.kinds.contains(.resolution) }) else { return }
        for index in words.indices where index > 1 && index < end {
            guard let number = words[index].number, [480, 720, 1080, 2160].contains(number),
                index + 1 == end || technical[index + 1]
                    || !words[index + 1].kinds.isDisjoint(with: .technical)
                    || words[index + 1].bracket != words[index].bracket
            else { continue }
            guard
                words.prefix(max(0, index)).contains(where: {
                    $0.number != nil || NumberForms.seasonEpisodes(text.low[$0.range]) != nil
                })
            else { continue }
            name.resolution = "\(number)p"
            technical[index] = true
            claim(index, .resolution)
            return
        }
    }

    /// "[5.1]", "[2-0]" in brackets of their own.
    private mutating func takeChannels() {
        for index in words.indices where index + 1 < end && words[index].isSquare {
            let next = words[index + 1]
            guard next.bracket == words[index].bracket, next.gap == .dot || next.gap == .dash,
                next.number == 0 || next.number == 1, next.digits == 1, isAlone(index),
                [1, 2, 5, 7].contains(words[index].number ?? 0), words[index].digits == 1,
                technical.contains(before: index)
            else { continue }
            technical[index] = true
            technical[index + 1] = true
        }
    }

    /// Words with more than one meaning are technical before technical ones, at the end and in
    /// brackets of their own.
    private mutating func spreadBackwards() {
        for index in words.indices.reversed()
        where index < end && index > 0 && !technical[index] && (index >= start || isTechnicalFront)
        {
            let word = words[index]
            // "BD-Rip", "BR Rip"
            if has(index, .source), has(index + 1, .tail), low(index + 1).count > 2,
                index + 2 >= end || technical[index + 2]
            {
                technical[index] = true
                technical[index + 1] = true
                continue
            }
            let isBeforeTechnical = index + 1 < end && technical[index + 1]
            guard word.kinds.contains(.weak), !word.kinds.isDisjoint(with: .technical) else {
                if isPartOfTechnical(index) { technical[index] = true }
                continue
            }
            let isInSquare = word.isSquare && index > 0
            let isCapital = isUpper(index) || low(index).count > 4
            if isBeforeTechnical && (isCapital || index > start + 1) || isInSquare
                || index + 1 == end && index > start + 1 && word.gap != .dash
                    && word.kinds.isDisjoint(with: [.language, .service])
                || isBeforeGroup(index) || isSourceBehindNumber(index)
            {
                technical[index] = true
            }
        }
    }

    /// "05.DVD(H.264)".
    private func isSourceBehindNumber(_ index: Int) -> Bool {
        words[index].kinds.contains(.source) && words[index - 1].number != nil
            && (index + 1 >= end || words[index + 1].bracket != words[index].bracket)
    }

    /// "…WEB-GROUP".
    private func isBeforeGroup(_ index: Int) -> Bool {
        index + 2 == end && words[index + 1].isTightDash && index > start
            && words[index].kinds.contains(.source)
    }

    /// The rest of "H.264", "5.1", "WEB-DL", "10-bit".
    private func isPartOfTechnical(_ index: Int) -> Bool {
        let isBefore = index + 1 < end && technical[index + 1]
        if words[index].number != nil, index + 1 < end, has(index + 1, .tail),
            low(index + 1).count > 1
        {
            return [8, 10, 12, 24, 25, 30, 50, 60].contains(words[index].number ?? 0)
                && words[index + 1].kinds.contains(.codec)
        }
        return isBefore && has(index, .codec) && low(index).count == 1
    }

    /// Behind technical words everything short is technical, too.
    private mutating func spreadForwards() {
        for index in words.indices.dropFirst() where index < end && !technical[index] {
            let word = words[index]
            let isLetter = low(index - 1).count == 1 && has(index - 1, .codec)
            if isLetter, has(index, .codec), word.number != nil {
                technical[index - 1] = true
                technical[index] = true
                continue
            }
            guard technical[index - 1] else { continue }
            if word.kinds.contains(.tail),
                word.gap == .dash || word.gap == .dot || word.gap == .space
            {
                technical[index] = true
            } else if let number = word.number, number <= 9, word.digits == 1,
                word.gap == .dot || word.gap == .space,
                has(index - 1, .audio)
                    || index > 1 && words[index - 1].digits == 1
                        && technical[index - 1] && words[index - 1].number != nil
            {
                technical[index] = true
            } else if word.kinds.contains(.weak), !word.kinds.isDisjoint(with: .technical),
                word.gap != .dash || index + 1 < end && word.kinds.isDisjoint(with: .service)
            {
                technical[index] = true
            }
        }
    }

    private mutating func note(_ index: Int) {
        let kinds = words[index].kinds
        if kinds.contains(.resolution) {
            let value = words[index].entry.value
            let isInterlaced = low(index).contains(UInt8(ascii: "i")) && !low(index).contains(112)
            if name.resolution == nil { name.resolution = "\(value)\(isInterlaced ? "i" : "p")" }
            claim(index, .resolution)
        } else if kinds.contains(.source) {
            if name.source == nil { name.source = source(index) }
            claim(index, .source)
        } else if kinds.contains(.codec), name.codec == nil, low(index).count > 1 {
            name.codec = string(index)
            claim(index, .codec)
        } else if kinds.contains(.proper) {
            name.isProper = true
        }
        if has(index, .picture) { noteLines(index) }
    }

    /// "4K" and the like, where no number of lines is written.
    private mutating func noteLines(_ index: Int) {
        guard name.resolution == nil, !words.contains(where: { $0.kinds.contains(.resolution) })
        else { return }
        switch String(decoding: low(index), as: UTF8.self) {
        case "4k", "uhd": name.resolution = "2160p"
        case "fhd": name.resolution = "1080p"
        default: break
        }
    }

    /// "WEB-DL" as one.
    private func source(_ index: Int) -> String {
        let next = index + 1
        guard next < end, technical[next], words[next].isTightDash || words[next].gap == .space,
            has(next, .tail), words[next].number == nil
        else { return string(index) }
        return string(index) + "-" + string(next)
    }
}
