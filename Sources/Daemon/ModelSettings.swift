import Foundation
public import LanguageModels

/// Which language model is asked, if any, and how.
public struct ModelSettings: Sendable {
    public var service: ModelService.Settings
    /// Where a user keeps prompts of his own.
    public var promptsDirectory: String?
    /// Questions in one run of the program.
    public var mostCalls: Int
    /// How sure the model must be; 0 to 1.
    public var confidence: Double

    /// Collects what `[LLM]` and the service's own section say; nil when no service is named or it
    /// lacks a key.
    ///
    /// - Parameters:
    ///   - values: All that was said.
    ///   - warnings: Gets one when the service cannot be used as it is configured: everything
    ///     else works without it.
    /// - Throws: ``Settings/Problem`` that says what, where and how to mend it.
    init?(_ values: SettingValues, warnings: inout [String]) throws(Settings.Problem) {
        guard let name = values["llm", "service"]?.lowercased(), name != "none" else { return nil }
        guard let kind = ModelService.Kind(rawValue: name) else {
            throw Settings.Problem(
                "[LLM] service = \(name): there are ollama, openai, anthropic and none"
            )
        }
        let key = try Self.key(name, values)
        guard key != nil || kind == .ollama else {
            warnings.append(
                "[LLM] service = \(name) wants a key: set [\(name)] api_key or api_key_file, or"
                    + " SYNC2NAS_\(name.uppercased())_API_KEY; until then no model is asked"
            )
            return nil
        }
        service = ModelService.Settings(
            kind,
            address: values[name, kind == .ollama ? "host" : "base_url"].map(Self.address),
            model: values[name, "model"],
            key: key,
            mostTokens: try values.number(name, "max_tokens", in: 64...65_536) ?? 2_048,
            context: try values.number(name, "num_ctx", in: 512...1_048_576) ?? 8_192,
            temperature: values[name, "temperature"].flatMap(Double.init) ?? 0,
            timeout: try values.duration(name, "timeout") ?? .seconds(60)
        )
        promptsDirectory = values["llm", "prompts"].map(Settings.absolute)
        let threshold =
            values["llm", "llm_confidence_threshold"]
            ?? values[name, "llm_confidence_threshold"]
        guard let number = Double(threshold ?? "0.7"), (0...1).contains(number) else {
            throw Settings.Problem(
                "[LLM] llm_confidence_threshold = \(threshold ?? ""): say a number from 0 to 1"
            )
        }
        confidence = number
        mostCalls = try values.number("llm", "max_calls", in: 1...100_000) ?? 100
    }

    /// People write a host's name alone, and a slash at the end.
    private static func address(_ text: String) -> String {
        let plain = text.hasSuffix("/") ? String(text.dropLast()) : text
        return plain.contains("://") ? plain : "http://" + plain
    }

    private static func key(
        _ section: String,
        _ values: SettingValues
    ) throws(Settings.Problem) -> String? {
        if let file = values[section, "api_key_file"].map(Settings.absolute) {
            return try Settings.firstLine(of: file)
        }
        return values[section, "api_key"]
    }
}
