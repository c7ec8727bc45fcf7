/// Names that were made meaningless on purpose.
enum Obfuscation {
    /// Short names of letters and digits may be titles; a hash has at least this many.
    private static let shortest = 16

    static func isObfuscated(_ stem: Substring, _ tokens: [Token]) -> Bool {
        guard tokens.count <= 2 else { return false }
        let word = tokens.first?.text ?? ""
        if tokens.isEmpty || ["abc", "123", "b00bs", "abc.xyz"].contains(stem.lowercased()) {
            return true
        }
        guard tokens.count == 1, word.utf8.count >= shortest else { return false }
        guard
            word.utf8.allSatisfy({
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
            })
        else { return false }
        let digits = word.utf8.filter { (48...57).contains($0) }.count
        let isHexadecimal = word.lowercased().utf8.allSatisfy {
            (48...57).contains($0) || (97...102).contains($0)
        }
        if isHexadecimal, digits > 0 { return true }
        // Words have few changes between letters and digits, or between upper and lower case.
        return changes(word) * 4 >= word.utf8.count
    }

    private static func changes(_ word: String) -> Int {
        func kind(_ byte: UInt8) -> Int {
            (48...57).contains(byte) ? 0 : (65...90).contains(byte) ? 1 : 2
        }
        let kinds = word.utf8.map(kind)
        return zip(kinds, kinds.dropFirst()).count { $0 != $1 }
    }
}
