/// Parts of filter expressions, in Milvus's own language.
public enum MilvusFilter {
    /// Rows with these primary keys.
    ///
    /// Always a list, also for one: for Milvus Lite 3 a list is a look-up, and `id == 1` a scan of
    /// every row.
    public static func ids(_ ids: [Int64]) -> String {
        "\(MilvusField.primaryKey) in [\(ids.map(String.init).joined(separator: ","))]"
    }

    /// A text literal.
    ///
    /// Milvus Lite finds no text with a line feed or a tab in this way, so look such fields up by a
    /// number made of them, and compare afterwards.
    public static func literal(_ text: String) -> String {
        var literal = "\""
        for character in text.unicodeScalars {
            // Any other escape is an error in one server or another.
            if character == "\\" || character == "\"" { literal.unicodeScalars.append("\\") }
            literal.unicodeScalars.append(character)
        }
        return literal + "\""
    }
}
