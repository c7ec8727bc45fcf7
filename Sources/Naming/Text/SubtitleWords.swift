/// What subtitle files' names say behind their last dots.
enum SubtitleWords {
    /// Languages by what subtitle files call them.
    static let languages: [String: String] = [
        "en": "en", "eng": "en", "english": "en", "de": "de", "ger": "de", "deu": "de",
        "german": "de", "fr": "fr", "fre": "fr", "fra": "fr", "french": "fr", "es": "es",
        "spa": "es", "spanish": "es", "it": "it", "ita": "it", "italian": "it", "pt": "pt",
        "por": "pt", "portuguese": "pt", "pt-br": "pt-BR", "ptbr": "pt-BR", "pob": "pt-BR",
        "nl": "nl",
        "dut": "nl", "nld": "nl", "dutch": "nl", "ru": "ru", "rus": "ru", "russian": "ru",
        "ja": "ja", "jpn": "ja", "japanese": "ja", "jp": "ja", "zh": "zh", "chi": "zh", "zho": "zh",
        "chinese": "zh", "zh-cn": "zh-CN", "zh-tw": "zh-TW", "zh-hans": "zh-Hans",
        "zh-hant": "zh-Hant", "chs": "zh-Hans", "cht": "zh-Hant", "sc": "zh-Hans", "tc": "zh-Hant",
        "ko": "ko", "kor": "ko",
        "korean": "ko", "sv": "sv",
        "swe": "sv", "swedish": "sv", "da": "da", "dan": "da", "danish": "da", "no": "no",
        "nor": "no", "norwegian": "no", "fi": "fi", "fin": "fi", "finnish": "fi", "pl": "pl",
        "pol": "pl", "polish": "pl", "cs": "cs", "cze": "cs", "ces": "cs", "czech": "cs",
        "hu": "hu",
        "hun": "hu", "hungarian": "hu", "tr": "tr", "tur": "tr", "turkish": "tr", "ar": "ar",
        "ara": "ar", "arabic": "ar", "he": "he", "heb": "he", "hebrew": "he", "el": "el",
        "gre": "el", "ell": "el", "greek": "el", "uk": "uk", "ukr": "uk", "ukrainian": "uk",
        "hin": "hi",
        "hindi": "hi", "th": "th", "tha": "th", "thai": "th", "vi": "vi", "vie": "vi",
        "vietnamese": "vi",
        "id": "id", "ind": "id", "indonesian": "id", "ro": "ro", "rum": "ro", "ron": "ro",
        "romanian": "ro",
    ]
    static let flags: [String: String] = [
        "forced": "forced", "foreign": "forced", "sdh": "sdh", "cc": "sdh", "hi": "sdh",
        "default": "default",
    ]
}
