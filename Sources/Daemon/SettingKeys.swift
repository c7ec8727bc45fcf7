/// Every setting that there is, by section: ours, and those of the original program that are
/// accepted so that its file can be used as it is.
enum SettingKeys {
    static let all: [String: Set<String>] = [
        "sftp": [
            "host", "port", "username", "ssh_key_path", "paths", "known_hosts", "password_file",
            "password",
            "accept_new_host_key", "transport", "connections", "connect_timeout",
            "reply_timeout", "read_timeout", "rate_limit",
        ],
        "database": ["type", "journal_days", "journal_entries"],
        "sqlite": ["db_file"],
        "postgresql": [
            "host", "port", "database", "user", "password", "password_file", "sslmode",
            "sslrootcert",
        ],
        "milvus": [
            "host", "port", "user", "password", "password_file", "token", "database", "prefix",
            "tls",
            "ca_file",
        ],
        "tmdb": ["api_key", "base_url", "language"],
        "cache": ["directory", "max_size", "min_free", "finish_played"],
        "mount": ["allow_other", "options", "passthrough"],
        "scan": ["interval"],
        "library": ["prefer"],
        "transfers": ["incoming"],
        "routing": ["anime_tv_path", "tv_path"],
        "llm": ["service", "llm_confidence_threshold", "prompts", "max_calls"],
        "ollama": [
            "model", "host", "num_ctx", "timeout", "llm_confidence_threshold", "use_schema",
            "max_tokens", "temperature",
        ],
        "openai": hosted,
        "anthropic": hosted,
        "embedding": ["service", "model_dir", "model", "base_url", "api_key", "api_key_file"],
        "hashing": ["chunk_size_bytes", "chunk_size_mib"],
        "api": ["host", "port"],
        "gui": [],
    ]

    private static let hosted: Set<String> = [
        "model", "api_key", "api_key_file", "base_url", "max_tokens", "temperature", "timeout",
        "llm_confidence_threshold",
    ]

    /// Other names under which people know a setting.
    static let aliases: [String: [String: String]] = [
        "sftp": ["user": "username", "identity_file": "ssh_key_path", "path": "paths"],
        "sqlite": ["path": "db_file", "database": "db_file"],
        "tmdb": ["apikey": "api_key"],
    ]

    /// The section by its own name or another that people use.
    static func section(_ name: String) -> String {
        switch name {
        case "postgres": "postgresql"
        case "ssh": "sftp"
        default: name
        }
    }

    /// The nearest of `names` to a misspelt one; nil when none is near.
    static func nearest(to name: String, among names: some Sequence<String>) -> String? {
        names.map { ($0, distance(name, $0)) }
            .filter { $0.1 <= max(2, name.count / 3) }
            .min { ($0.1, $0.0) < ($1.1, $1.0) }?.0
    }

    /// Levenshtein's distance.
    private static func distance(_ one: String, _ other: String) -> Int {
        let other = Array(other)
        var row = Array(0...other.count)
        for (i, character) in one.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for j in other.indices {
                let above = row[j + 1]
                row[j + 1] = min(above + 1, row[j] + 1, diagonal + (character == other[j] ? 0 : 1))
                diagonal = above
            }
        }
        return row[other.count]
    }
}
