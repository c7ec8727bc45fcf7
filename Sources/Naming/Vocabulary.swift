/// Words with a meaning of their own in release names, all in lower case.
enum Vocabulary {
    static let containers: Set<String> = [
        "mkv", "mp4", "avi", "mov", "wmv", "flv", "webm", "m4v", "ts", "mts", "m2ts", "mpg", "mpeg",
        "ogm", "vob", "divx", "rmvb", "3gp", "iso", "strm", "nzb", "torrent", "nfo", "txt", "rar",
        "zip", "7z", "jpg", "png",
    ]
    static let subtitles: Set<String> = [
        "srt", "ass", "ssa", "sub", "vtt", "idx", "sup", "smi", "mks",
    ]

    static let sources: Set<String> = [
        "hdtv", "pdtv", "dsr", "dsrip", "tvrip", "hdtvrip", "satrip", "dvbrip", "dvb", "webrip",
        "webdl", "web", "webdlrip", "webhd", "webcap", "bluray", "bdrip", "brrip", "bdremux", "bd",
        "blu-ray", "bdmv", "uhd", "dvdrip", "dvd", "dvd9", "dvd5", "dvdscr", "hddvd", "vhsrip",
        "remux",
        "hdrip", "uhdtv", "ppv", "vodrip", "vod", "workprint", "sdtv", "ahdtv", "dvdr", "dvdmux",
        "webmux",
        "tvdl", "laserdisc",
    ]
    static let services: Set<String> = [
        "amzn", "nf", "dsnp", "hulu", "hmax", "atvp", "pcok", "pmtp", "stan", "crav", "cr", "funi",
        "hidive", "itunes", "dsny", "adn", "abema", "baha", "b-global", "bilibili", "ip", "iplayer",
        "viki",
    ]
    static let codecs: Set<String> = [
        "x264", "x265", "h264", "h265", "hevc", "avc", "xvid", "divx", "av1", "vp9", "mpeg2",
        "mpeg4",
        "h", "x", "10bit", "8bit", "hi10p", "hi10", "hi444pp", "10bits", "hevc10", "vc1", "264",
        "265",
        "12bit", "hevc-10bit",
    ]
    static let audio: Set<String> = [
        "aac", "aac2", "ac3", "eac3", "e-ac-3", "dd", "dd5", "ddp", "ddp5", "ddp2", "dd2", "dts",
        "dtsx", "dts-hd",
        "truehd", "atmos", "flac", "opus", "mp3", "ma", "lpcm", "pcm", "dual", "dual-audio",
        "multi", "dualaudio", "vorbis", "2ch", "6ch", "ddpa", "ddpa5", "eac-3",
    ]
    static let picture: Set<String> = [
        "hdr", "hdr10", "hdr10plus", "dv", "dovi", "sdr", "hlg", "uhd", "4k",
    ]
    /// Words that end a title wherever they stand behind a number or a year.
    static let edition: Set<String> = [
        "proper", "repack", "rerip", "real", "internal", "limited", "uncensored", "uncut", "dubbed",
        "subbed", "multisub", "multisubs", "multi-subs", "msubs", "esubs", "softsub", "hardsub",
        "extended",
        "remastered", "readnfo", "nfofix", "dirfix", "complete", "batch", "unrated", "convert",
        "hybrid",
        "dub", "raw", "engsub", "vostfr", "subfrench", "truefrench", "hdlight",
    ]
    static let languages: Set<String> = [
        "german", "french", "italian", "spanish", "english", "russian", "dutch", "swedish",
        "norwegian",
        "danish", "finnish", "nordic", "polish", "portuguese", "korean", "japanese", "chinese",
        "hindi", "turkish", "czech", "hungarian", "castellano", "latino", "vf", "vff", "vo", "ita",
        "eng", "rus",
        "jpn", "flemish", "hebrew", "arabic", "ukrainian", "greek", "truefrench", "swesub", "spa",
        "ger", "fre",
        "kor", "chi", "pldub", "plsub", "lektor",
    ]
    /// What is appended to a release's name when it is posted again.
    static let reposters: Set<String> = [
        "pre", "postbot", "xpost", "rakuv", "rakuvfinhel", "whiterev", "buymore", "asrequested",
        "alternativetorequested", "gerov", "z0ids3n", "chamele0n", "4p", "4planet", "altezachen",
        "repackpost", "scrambled", "obfuscated", "nzbgeek", "obfuscation",
    ]
    static let countries: [String: String] = [
        "us": "US", "usa": "US", "uk": "GB", "gb": "GB", "au": "AU", "nz": "NZ", "ca": "CA",
        "ie": "IE",
    ]

    static let seasonWords: Set<String> = [
        "season", "seasons", "saison", "saisons", "staffel", "temporada", "temporadas", "stagione",
        "stagioni", "series", "sezon", "сезон", "сезоны", "сезона", "sæson", "säsong", "seizoen",
        "temp", "sesong",
        "kausi", "évad", "sezona", "tem",
    ]
    static let episodeWords: Set<String> = [
        "episode", "episodes", "ep", "eps", "epi", "e", "folge", "folgen", "episodio", "episodios",
        "episódio", "episódios",
        "capitulo", "capítulo",
        "cap", "серия", "серии", "серий", "odcinek", "aflevering", "avsnitt", "afsnit", "epizoda",
        "bölüm", "puntata", "эпизод", "chapter",
    ]
    static let specialWords: Set<String> = [
        "ova", "oav", "ona", "oad", "special", "specials", "sp", "ovas", "ncop", "nced", "pv",
    ]
    /// Between the first and last number of a range, beside the dash and the tilde.
    static let rangeWords: Set<String> = ["to", "thru", "through", "a", "à", "bis", "по"]

    /// "1080p", "1080i", "4k", "1920x1080" as the number of lines.
    static func resolution(_ word: String) -> String? {
        var scanner = Scanner(word)
        if let lines = scanner.number(digits: 3...4), scanner.take("p") || scanner.take("i"),
            [
                360, 368, 384, 400, 404, 432, 480, 486, 540, 544, 576, 720, 900, 960, 1080, 1440,
                2160, 4320,
            ]
            .contains(lines)
        {
            let isInterlaced =
                word.utf8.dropFirst(String(lines).utf8.count).first == UInt8(ascii: "i")
            return "\(lines)\(isInterlaced ? "i" : "p")"
        }
        scanner = Scanner(word)
        if let width = scanner.number(digits: 3...4), scanner.take("x") || scanner.take("×"),
            let lines = scanner.number(digits: 3...4), scanner.isAtEnd, width > lines
        {
            return "\(standardLines(width: width, lines: lines))p"
        }
        switch word {
        case "4k", "uhd": return "2160p"
        case "fhd": return "1080p"
        default: return nil
        }
    }

    private static func standardLines(width: Int, lines: Int) -> Int {
        switch width {
        case 3200...: 2160
        case 1800...: 1080
        case 1200...: 720
        default: lines
        }
    }

    /// Whether a word says something technical, so that a title cannot go beyond it.
    static func isTechnical(_ word: String) -> Bool {
        resolution(word) != nil || sources.contains(word) || codecs.contains(word) && word.count > 1
            || audio.contains(word) || picture.contains(word)
    }

    static let romanNumerals: [String: Int] = [
        "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10,
    ]
    static let ordinals: [String: Int] = [
        "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6,
    ]
    static let numberWords: [String: Int] = [
        "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
        "nine": 9, "ten": 10,
    ]

    /// Languages by what subtitle files call them.
    static let languageCodes: [String: String] = [
        "en": "en", "eng": "en", "english": "en", "de": "de", "ger": "de", "deu": "de",
        "german": "de", "fr": "fr", "fre": "fr", "fra": "fr", "french": "fr", "es": "es",
        "spa": "es", "spanish": "es", "it": "it", "ita": "it", "italian": "it", "pt": "pt",
        "por": "pt", "portuguese": "pt", "pt-br": "pt-BR", "ptbr": "pt-BR", "pob": "pt-BR",
        "nl": "nl",
        "dut": "nl", "nld": "nl", "dutch": "nl", "ru": "ru", "rus": "ru", "russian": "ru",
        "ja": "ja", "jpn": "ja", "japanese": "ja", "jp": "ja", "zh": "zh", "chi": "zh", "zho": "zh",
        "chinese": "zh", "zh-cn": "zh-CN", "zh-tw": "zh-TW", "ko": "ko", "kor": "ko",
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
    static let subtitleFlags: [String: String] = [
        "forced": "forced", "foreign": "forced", "sdh": "sdh", "cc": "sdh", "hi": "sdh",
        "default": "default",
    ]
}
