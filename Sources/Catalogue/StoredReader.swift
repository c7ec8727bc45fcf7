import Foundation

/// A value that reads its JSON itself where that is just as ``DirectlyStored`` writes it: a library
/// of thousands of files is there several times as soon as by JSONDecoder.
protocol DirectlyRead: Decodable {
    /// - Parameter reader: Stands before the value, then behind it; or it has failed.
    init(from reader: inout StoredReader)
}

/// Goes through JSON that was written without spaces, its names in their order.
///
/// Whatever is not as expected, as a text with escapes, makes it fail; it then gives values without
/// meaning, and says so at the end.
struct StoredReader {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0
    private var hasFailed = false

    /// - Returns: nil for JSON of another form, which JSONDecoder may read all the same.
    static func read<Value: DirectlyRead>(_ type: Value.Type, from json: Data) -> Value? {
        json.withUnsafeBytes { bytes in
            var reader = StoredReader(bytes: bytes)
            let value = Value(from: &reader)
            return reader.hasFailed || reader.place < bytes.count ? nil : value
        }
    }

    private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func fail() { hasFailed = true }

    /// Goes behind `text` if that is what comes.
    mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard let start = bytes.baseAddress, bytes.count - place >= count,
            memcmp(start + place, text.utf8Start, count) == 0
        else { return false }
        place += count
        return true
    }

    mutating func expect(_ text: StaticString) {
        if !take(text) { fail() }
    }

    mutating func string() -> String {
        expect("\"")
        let start = place
        while place < bytes.count, bytes[place] != UInt8(ascii: "\"") {
            if bytes[place] == UInt8(ascii: "\\") || bytes[place] < 0x20 { fail() }
            place += 1
        }
        let text = String(validating: bytes[start..<place], as: UTF8.self)
        expect("\"")
        if text == nil { fail() }
        return text ?? ""
    }

    /// The text behind `name` if that comes, and the comma behind it.
    mutating func leadingString(_ name: StaticString) -> String? {
        guard take(name) else { return nil }
        defer { expect(",") }
        return string()
    }

    mutating func strings() -> [String] { list { $0.string() } }

    mutating func integer() -> Int {
        let isNegative = take("-")
        let digits = self.digits()
        var number = 0
        for digit in bytes[digits] {
            let (tens, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, isOver) = tens.addingReportingOverflow(Int(digit - UInt8(ascii: "0")))
            if isTooLarge || isOver { fail() }
            number = sum
        }
        // The least number has no opposite; as it is too large, it is not what counts.
        return isNegative ? 0 &- number : number
    }

    /// Without an exponent.
    mutating func double() -> Double {
        let start = place
        _ = take("-")
        _ = digits()
        if take(".") { _ = digits(mayBeginWithZero: true) }
        return Double(String(decoding: bytes[start..<place], as: UTF8.self)) ?? 0
    }

    private mutating func digits(mayBeginWithZero: Bool = false) -> Range<Int> {
        let start = place
        while place < bytes.count,
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[place])
        {
            place += 1
        }
        let beginsWithZero = place - start > 1 && bytes[start] == UInt8(ascii: "0")
        if place == start || beginsWithZero && !mayBeginWithZero { fail() }
        return start..<place
    }

    mutating func list<Element>(_ element: (inout StoredReader) -> Element) -> [Element] {
        var elements: [Element] = []
        expect("[")
        while !hasFailed, !take("]") {
            if !elements.isEmpty { expect(",") }
            elements.append(element(&self))
        }
        return elements
    }
}

extension Decision: DirectlyRead {
    init(from reader: inout StoredReader) {
        reader.expect("{")
        let decider = reader.leadingString("\"by\":")
        by = decider.flatMap(Decider.init)
        if by == nil, decider != nil { reader.fail() }
        reader.expect("\"candidates\":")
        candidates = reader.strings()
        reader.expect(",\"confidence\":")
        confidence = reader.double()
        placement = reader.take(",\"placement\":") ? Placement(from: &reader) : nil
        reader.expect(",\"rule\":")
        rule = reader.string()
        spans = reader.take(",\"spans\":") ? Spans(text: reader.string()) : nil
        reader.expect(",\"traits\":")
        traits = FileTraits(from: &reader)
        reader.expect("}")
    }
}

extension Placement {
    fileprivate init(from reader: inout StoredReader) {
        reader.expect("{")
        airDate = reader.leadingString("\"airDate\":")
        reader.expect("\"episodes\":")
        episodes = reader.list { $0.integer() }
        reader.expect(",\"season\":")
        season = reader.integer()
        reader.expect(",\"showID\":")
        showID = Int64(reader.integer())
        reader.expect("}")
    }
}

extension FileTraits {
    fileprivate init(from reader: inout StoredReader) {
        reader.expect("{")
        episodeTitle = reader.leadingString("\"episodeTitle\":")
        reader.expect("\"flags\":")
        flags = reader.strings()
        group = reader.take(",\"group\":") ? reader.string() : nil
        isProper = nil
        if reader.take(",\"isProper\":") {
            isProper = reader.take("true")
            if isProper == false { reader.expect("false") }
        }
        language = reader.take(",\"language\":") ? reader.string() : nil
        part = reader.take(",\"part\":") ? reader.integer() : nil
        resolution = reader.take(",\"resolution\":") ? reader.string() : nil
        source = reader.take(",\"source\":") ? reader.string() : nil
        reader.expect(",\"version\":")
        version = reader.integer()
        reader.expect("}")
    }
}

extension [String]: DirectlyRead {
    init(from reader: inout StoredReader) { self = reader.strings() }
}
