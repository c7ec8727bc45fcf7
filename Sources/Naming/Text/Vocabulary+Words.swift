extension Vocabulary {
    /// All in lower case.
    static let words: [(Kinds, String)] = [
        (
            .source,
            """
            hdtv pdtv dsr dsrip tvrip hdtvrip satrip dvbrip dvb dvbs webrip webdl webdlrip webhd \
            webcap bluray bdrip brrip bdremux bdmv dvdrip dvd9 dvd5 dvdscr hddvd vhsrip hdrip \
            uhdtv vodrip workprint sdtv ahdtv dvdr dvdmux webmux tvdl laserdisc bdripmux brmux \
            bdmux dlmux uhdrip uhdbdrip hdcam camrip telesync screener dvdfull iptvrip hdtvmux \
            webdlmux webripmux microhd bdfull vhs hdtvs ppvrip webrips svcd vcd r2dvd r2j r1dvd \
            ldrip blurayrip cbs-dvd bdbox
            """
        ),
        (
            [.source, .weak],
            """
            web bd blu bluray- dvd remux ppv vod hd hq sd br dvdbox tv ld cam dtv tvb ab ep- vhs- \
            cd mux hdts nhk mbs tbs atx at-x bs11 mx
            """
        ),
        (
            .codec,
            """
            x264 x265 h264 h265 hevc avc xvid divx av1 vp9 mpeg2 mpeg4 10bit 8bit hi10p hi10 \
            hi444pp 10bits 12bit vc1 x262 h266 vvc svtav1 hevc10 hevc10bit x264-10bit hi422p 10b \
            8bits wmv hdx264 xvidhd divx5 h264p x264hi10p 264p h
            """
        ),
        ([.codec, .tail], "264 265 262 266 bit"),
        (
            .audio,
            """
            aac aac2 aac5 aac1 ac3 eac3 ddp dd5 dd2 dd1 ddp5 ddp2 ddp1 ddp7 dts dtsx dtshd truehd \
            truehd7 truehd5 atmos flac flac2 flac5 flac1 flacx2 opus opus2 opus5 mp3 lpcm pcm pcm2 \
            dualaudio vorbis 2ch 6ch 8ch ddpa ddpa5 eac3d aacx2 ac3x2 dts5 dtshr dolby ac35 \
            ddpatmos dualsub
            """
        ),
        ([.audio, .weak], "dd dual ma multi audio stereo ogg aac-lc"),
        (
            .picture,
            "hdr hdr10 hdr10p hdr10plus dovi sdr hlg fhd uhd 60fps 50fps 24fps 30fps 25fps 4k hfr"
        ),
        ([.picture, .weak], "dv vfr cfr ws"),
        ([.picture, .tail], "fps"),
        (
            .edition,
            """
            multisub multisubs msubs msub esub esubs softsub softsubs hardsub hardsubs hardsubbed \
            softsubbed readnfo nfofix dirfix engsub vostfr vosta vostsub subfrench truefrench \
            hdlight subbed dubbed multisubbed webisode bdvostfr hebsubs hebsub legendado \
            subtitulado dublado vose vosten subesp multi-subs fansub ensub chs cht big5 gb jap jp \
            gb_cn chs_jp cht_jp jpsc jptc 简体 繁体 繁體 简繁 简日双语字幕 繁日双语字幕 简日内嵌 繁日内嵌 \
            简体内嵌 繁体内嵌 简繁外挂 简繁内封 简日双语 繁日双语 内嵌 内封 繁中 简中 簡體 簡繁 典藏版 internal int preair
            """
        ),
        ([.edition, .proper], "proper repack rerip repack2 repack3 proper2"),
        (
            [.edition, .weak],
            """
            real limited uncensored uncut extended remastered unrated convert hybrid dub sub subs \
            restored dc se colorized theatrical ml dl subtitle subtitles multiple dubs sezon \
            uncropped widescreen sample fs bonus custom
            """
        ),
        ([.complete], "complete batch full integrale intégrale completa complet collection fin"),
        ([.complete], "komplett compleet completo всесерии"),
        (.final, "final end fin fine finale 完 完结 完結 last"),
        (
            .language,
            """
            castellano vff vf2 vfq vfi pldub plsub lektor swesub dublado dksubs norsub nlsubbed
            """
        ),
        (
            [.language, .weak],
            """
            german french italian spanish english russian dutch swedish norwegian danish finnish \
            nordic polish portuguese korean japanese chinese hindi turkish czech hungarian latino \
            vf vo ita eng rus jpn flemish hebrew arabic ukrainian greek spa ger fre kor chi deutsch \
            ukr esp en it fr de es ru latin tamil telugu ing por swe nor dan fin pol hun heb ara \
            subita subeng cc catalan romanian vlaams ned nl jap pt cz
            """
        ),
        (
            [.service, .weak],
            """
            amzn nf dsnp hulu hmax atvp pcok pmtp stan crav cr funi hidive itunes dsny adn abema \
            baha bilibili ip iplayer viki amazon netflix disney max it hbo atv pbs aptv tving \
            iqiyi youku wetv red nick cartoon all4 itv my5 syfy vudu vrv wakanim b-global starz \
            peacock paramount kcw bbc sho roku crkl dscp ae hist tou rte lionsgate friday catchplay \
            mytvsuper kktv viu cbc gplay tubi
            """
        ),
        (
            .reposter,
            """
            pre postbot xpost rakuv rakuvfinhel whiterev buymore asrequested \
            alternativetorequested gerov z0ids3n chamele0n 4p 4planet altezachen repackpost \
            scrambled obfuscated nzbgeek obfuscation obfuscate newznzb bujalive tgx ettv eztv rartv rarbg eztvx glodls ethd rp
            """
        ),
        (.country, "us usa uk gb au nz ca ie"),
        (
            .seasonWord,
            """
            season seasons saison saisons staffel temporada temporadas stagione stagioni series \
            sezon сезон сезоны сезона sæson säsong seizoen temp sesong kausi évad sezona tem seas \
            sez сез se temporadas- seizoenen staffeln sezonul seasom 시즌
            """
        ),
        (
            .episodeWord,
            """
            episode episodes ep eps epi e folge folgen episodio episodios episódio episódios \
            capitulo capítulo capitulos capítulos cap caap caps серия серии серий сер ser serya \
            odcinek bolum blm seria aflevering avsnitt afsnit epizoda bölüm puntata эпизод эп chapter afl серія \
            epizod jakso osa épisode épisodes episodul
            """
        ),
        (
            .special,
            """
            ova oav ona oad special specials ovas onas ncop nced pv op ed sp bonus ovd nced- oads spécial especial \
            创意 特典
            """
        ),
        (.until, "to thru through a à al bis по ao until t/m"),
        (.and, "& and und et y e i и"),
        (.of, "of из iz de von sur di"),
        (.part, "part pt parts parte teil partie"),
        (.tail, "ray rip rips 0 1 plus dl hd es x hr lc mux cap"),
        (.disc, "dvd cd disc disk"),
        (
            .extra,
            """
            extras extra featurette featurettes trailer trailers sample bonus bloopers gagreel \
            interview interviews making
            """
        ),
        (
            .tag,
            """
            国漫 新番 动画 動畫 一月新番 四月新番 七月新番 十月新番 1月新番 4月新番 7月新番 10月新番 ★ tv tvアニメ \
            简中 合集 1月 4月 7月 10月 月新番 donghua
            """
        ),
    ]

    /// Each text has the words for one value, from 1.
    static let numbers: [(Kinds, [String])] = [
        (
            .month,
            [
                "january jan januar janvier enero", "february feb februar", "march mar märz",
                "april apr", "may mai mayo", "june jun juni", "july jul juli", "august aug",
                "september sep sept", "october oct oktober okt", "november nov",
                "december dec dezember dez",
            ]
        ),
        (
            .ordinal,
            [
                "first 1st erste primera première", "second 2nd zweite", "third 3rd dritte",
                "fourth 4th vierte", "fifth 5th", "sixth 6th", "seventh 7th", "eighth 8th",
                "ninth 9th", "tenth 10th",
            ]
        ),
        (
            .numberWord,
            [
                "one eins une uno", "two zwei deux dos", "three drei trois tres",
                "four vier quatre", "five fünf cinq cinco", "six sechs seis",
                "seven sieben sept siete", "eight acht huit ocho", "nine neun neuf nueve",
                "ten zehn dix diez",
            ]
        ),
        (
            .roman,
            ["i ⅰ", "ii ⅱ", "iii ⅲ", "iv ⅳ", "v ⅴ", "vi ⅵ", "vii ⅶ", "viii ⅷ", "ix ⅸ", "x ⅹ"]
        ),
    ]

    // MARK: Files

    static let containers: Set<String> = [
        "mkv", "mp4", "avi", "mov", "wmv", "flv", "webm", "m4v", "ts", "mts", "m2ts", "mpg", "mpeg",
        "ogm", "vob", "divx", "rmvb", "3gp", "iso", "strm", "nzb", "torrent", "nfo", "txt", "rar",
        "zip", "7z", "jpg", "png", "ext", "par2", "srr", "sfv", "asf", "ogv",
    ]
    static let subtitles: Set<String> = [
        "srt", "ass", "ssa", "sub", "vtt", "idx", "sup", "smi", "mks",
    ]
}
