import Foundation

/// A value that writes its JSON itself: for thousands of episodes or files JSONEncoder takes many
/// times as long as a database takes to keep them.
protocol DirectlyStored: Encodable {
    /// Appends the bytes that JSONEncoder would make.
    func store(in json: inout [UInt8]) throws
}

extension [String]: DirectlyStored {
    func store(in json: inout [UInt8]) throws { json.add("", self) }
}

extension [String: String]: DirectlyStored {
    func store(in json: inout [UInt8]) throws {
        // A show that only files name has none.
        json += isEmpty ? Data("{}".utf8) : try StoredJSON.encoder.encode(self)
    }
}

extension CatalogueEdits: DirectlyStored {
    func store(in json: inout [UInt8]) throws {
        // In the order of their names the episodes are the first.
        let start = #"{"episodes":["#
        var others = self
        others.episodes = []
        json += start.utf8
        for (index, episode) in episodes.enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            episode.store(in: &json)
        }
        json += try StoredJSON.encoder.encode(others).dropFirst(start.utf8.count)
    }
}

extension JournalEntry: DirectlyStored {
    func store(in json: inout [UInt8]) throws {
        let bare = JournalEntry(
            revision: revision,
            seconds: seconds,
            origin: origin,
            inverse: CatalogueEdits()
        )
        // In the order of their names the inverse is the first.
        let start = #"{"inverse":"#
        let empty = try StoredJSON.encoder.encode(bare.inverse)
        json += start.utf8
        try inverse.store(in: &json)
        json += try StoredJSON.encoder.encode(bare).dropFirst(start.utf8.count + empty.count)
    }
}

extension Episode {
    fileprivate func store(in json: inout [UInt8]) {
        json += "{".utf8
        if let absolute { json += "\"absolute\":\(absolute),".utf8 }
        if let airDate { json.add("\"airDate\":", airDate, ",") }
        json.add("\"name\":", name, ",\"number\":\(number),")
        json.add("\"overview\":", overview, ",\"season\":\(season),\"showTMDBID\":\(showTMDBID),")
        json.add("\"tmdbID\":\(tmdbID),\"type\":", type, "}")
    }
}

extension Decision: DirectlyStored {
    func store(in json: inout [UInt8]) throws {
        guard confidence == 0 || (0.001...1).contains(confidence) else {
            // JSONEncoder may refuse it, or write it with an exponent.
            json += try StoredJSON.encoder.encode(self)
            return
        }
        json += "{".utf8
        if let by { json.add("\"by\":", by.rawValue, ",") }
        json.add("\"candidates\":", candidates)
        let number = "\(confidence)"
        json += ",\"confidence\":".utf8
        json += (number.hasSuffix(".0") ? number.dropLast(2) : number[...]).utf8
        placement?.store(in: &json)
        json.add(",\"rule\":", rule)
        if let spans { json.add(",\"spans\":", spans.text) }
        traits.store(in: &json)
        json += "}".utf8
    }
}

extension Placement {
    fileprivate func store(in json: inout [UInt8]) {
        json += ",\"placement\":{".utf8
        if let airDate { json.add("\"airDate\":", airDate, ",") }
        let numbers = episodes.map { "\($0)" }.joined(separator: ",")
        json += "\"episodes\":[\(numbers)],\"season\":\(season),\"showID\":\(showID)}".utf8
    }
}

extension FileTraits {
    fileprivate func store(in json: inout [UInt8]) {
        json += ",\"traits\":{".utf8
        if let episodeTitle { json.add("\"episodeTitle\":", episodeTitle, ",") }
        json.add("\"flags\":", flags)
        if let group { json.add(",\"group\":", group) }
        if let isProper { json += ",\"isProper\":\(isProper)".utf8 }
        if let language { json.add(",\"language\":", language) }
        if let part { json += ",\"part\":\(part)".utf8 }
        if let resolution { json.add(",\"resolution\":", resolution) }
        if let source { json.add(",\"source\":", source) }
        json += ",\"version\":\(version)}".utf8
    }
}

extension [UInt8] {
    /// Appends `texts` as a list, and what stands before it.
    fileprivate mutating func add(_ before: String, _ texts: [String]) {
        self += before.utf8
        append(UInt8(ascii: "["))
        for (index, text) in texts.enumerated() { add(index > 0 ? "," : "", text) }
        append(UInt8(ascii: "]"))
    }

    /// Appends `text` between quotation marks, and what stands before and behind them.
    fileprivate mutating func add(_ before: String, _ text: String, _ after: String = "") {
        self += before.utf8
        append(Self.quote)
        if text.utf8.contains(where: { $0 < 0x20 || $0 == Self.quote || $0 == Self.backslash }) {
            for byte in text.utf8 { addEscaped(byte) }
        } else {
            self += text.utf8
        }
        append(Self.quote)
        self += after.utf8
    }

    private static let quote = UInt8(ascii: "\"")
    private static let backslash = UInt8(ascii: "\\")

    private mutating func addEscaped(_ byte: UInt8) {
        switch byte {
        case Self.quote, Self.backslash: self += [Self.backslash, byte]
        case 0x08: self += #"\b"#.utf8
        case 0x09: self += #"\t"#.utf8
        case 0x0A: self += #"\n"#.utf8
        case 0x0C: self += #"\f"#.utf8
        case 0x0D: self += #"\r"#.utf8
        case ..<0x20:
            self += ((byte < 0x10 ? #"\u000"# : #"\u00"#) + String(byte, radix: 16)).utf8
        default: append(byte)
        }
    }
}
