/// Reads one name without folders.
///
/// First what can be nothing else is claimed: checksum, resolution, source. Then the numbers, by
/// the surest way of writing them that the name holds. The title is what stands before, the
/// episode's title what stands between, the group at either end.
struct NameReader {
    /// Where the numbers stand, and how they are written.
    struct Numbering {
        /// How much a way of writing numbers can be trusted.
        enum Form {
            case seasonEpisode, seasonThenEpisode, date, marked, fansub, season, range, leading
            case bare, special
        }

        let form: Form
        var words: Range<Int>
    }

    let text: NameText
    let isInSeasonFolder: Bool
    /// Folders bear a show's title, and numbers only where a release's name goes on behind them.
    let isFolder: Bool
    var name = ParsedName()
    var words: Words
    /// Words that say something other than the title, one way or the other.
    var claimed = Marks()
    /// Words that stand among technical ones.
    var technical = Marks()
    var numbering: Numbering?
    /// How neighbours write days; nil when nothing is known of that.
    var dateOrder: DateForms.Order?
    /// A word like "OVA2", for when nothing surer says the episode.
    var pendingSpecial: Int?
    /// Words behind the group, the site and other things that stand in front.
    var start = 0
    /// Behind the last word that belongs to the release.
    var end: Int

    /// - Parameters:
    ///   - text: A file's or a folder's name.
    ///   - isInSeasonFolder: Whether a folder says the season, so that a number in front is an
    ///     episode's.
    ///   - isFolder: Whether it is a folder's name.
    init(_ text: Substring, isInSeasonFolder: Bool = false, isFolder: Bool = false) {
        self.isInSeasonFolder = isInSeasonFolder
        self.isFolder = isFolder
        self.text = NameText(text)
        words = []
        end = 0
    }

    mutating func read() -> ParsedName {
        let stem = takeExtension()
        cut(stem)
        if Obfuscation.isObfuscated(text, stem, words) {
            name.exclusion = .obfuscated
            return name
        }
        if takeAbbreviation(stem) {
            name.confidence = 0.7
            return name
        }
        takeExclusion()
        takeEnd()
        takeStart()
        takeTechnical()
        takeNumbers()
        takeGroup()
        takeTitle()
        name.confidence = confidenceOfNumbers
        return name
    }

    private mutating func cut(_ stem: Range<Int>) {
        words = WordCutter.words(of: text, in: stem)
        technical = Marks(count: words.count)
        claimed = technical
        end = words.count
    }

    // MARK: What rules ask for

    func low(_ index: Int) -> ArraySlice<UInt8> { text.low[words[index].range] }

    func string(_ index: Int) -> String { text.string(words[index].range) }

    func isFree(_ index: Int) -> Bool { !claimed[index] }

    func has(_ index: Int, _ kinds: Vocabulary.Kinds) -> Bool {
        words.indices.contains(index) && !words[index].kinds.isDisjoint(with: kinds)
    }

    func isUpper(_ index: Int) -> Bool {
        let bytes = text.raw[words[index].range]
        return bytes.elementsEqual(bytes.map { (97...122).contains($0) ? $0 - 32 : $0 })
    }

    func isYear(_ index: Int) -> Bool {
        words[index].digits == 4 && (1920...2079).contains(words[index].number ?? 0)
    }

    mutating func claim(_ range: Range<Int>, _ fact: Evidence.Fact) {
        for index in range { claimed[index] = true }
        let bytes = bytes(of: range)
        guard !bytes.isEmpty else { return }
        name.evidence.append(Evidence(fact: fact, bytes: text.origin(bytes)))
    }

    /// The bytes of the text from the first of some words to the last.
    func bytes(of range: Range<Int>) -> Range<Int> {
        guard let first = range.first, let last = range.last else { return 0..<0 }
        let (lower, upper) = (words[first].range.lowerBound, words[last].range.upperBound)
        return lower <= upper ? lower..<upper : 0..<0
    }

    mutating func claim(_ index: Int, _ fact: Evidence.Fact) { claim(index..<(index + 1), fact) }

    mutating func number(_ form: Numbering.Form, _ range: Range<Int>, _ fact: Evidence.Fact) {
        claim(range, fact)
        numbering = Numbering(form: form, words: range)
    }
}
