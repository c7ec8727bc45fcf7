import LanguageModels

extension Operations {
    /// Asks the language model for a shorter name of a folder or file.
    ///
    /// - Parameter text: The name, with the most bytes in front: "20 The Long Tale of a Harbour".
    /// - Returns: A name that is no longer, without characters that a path cannot hold.
    /// - Throws: ``OperationError``: `.invalid`, `.notConfigured`, `.unavailable`.
    public func suggestName(_ text: String) async throws(OperationError) -> String {
        let words = text.split(separator: " ", maxSplits: 1)
        guard words.count == 2, let length = Int(words[0]), (8...255).contains(length) else {
            throw OperationError(
                .invalid,
                "say the most bytes, from 8 to 255, and the name: '20 The Long Tale'"
            )
        }
        let models = try models()
        do throws(ModelError) {
            guard let short = try await models.shorten(String(words[1]), to: length) else {
                throw ModelError(.malformed, "\(models.label) gave no name of that length")
            }
            return short
        } catch {
            throw OperationError(.unavailable, "no shorter name was found", cause: error)
        }
    }
}
