import Foundation
import Transfer

/// Settings as text, from the environment before the configuration file.
struct SettingValues {
    private let file: INIFile
    private let environment: [String: String]
    private(set) var warnings: [String] = []

    init(file path: String?, environment: [String: String]) throws(Settings.Problem) {
        self.environment = environment
        guard let path else {
            file = INIFile()
            return
        }
        let full = Settings.absolute(path)
        guard let text = try? String(contentsOfFile: full, encoding: .utf8) else {
            throw Settings.Problem("the configuration file '\(full)' cannot be read")
        }
        do {
            file = try INIFile(text, name: full)
        } catch {
            throw Settings.Problem(error.description)
        }
        warnings = Self.unknown(in: file, name: full)
    }

    /// - Returns: nil when nothing or nothing but space is said.
    subscript(section: String, key: String) -> String? {
        let names = [key] + (SettingKeys.aliases[section] ?? [:]).filter { $0.value == key }.keys
        let variable = environment["SYNC2NAS_\(section)_\(key)".uppercased()]
        let entry = file.entries.last {
            SettingKeys.section($0.section) == section && names.contains($0.key)
        }
        let text = (variable ?? entry?.value)?.trimmingCharacters(in: .whitespaces)
        return text.flatMap { $0.isEmpty ? nil : $0 }
    }

    func flag(
        _ section: String,
        _ key: String,
        unset: Bool = false
    ) throws(Settings.Problem) -> Bool {
        switch self[section, key]?.lowercased() {
        case nil: return unset
        case "false", "0", "no", "off": return false
        case "true", "1", "yes", "on": return true
        case let text?: throw Settings.Problem("[\(section)] \(key) = \(text): say yes or no")
        }
    }

    func number(
        _ section: String,
        _ key: String,
        in range: ClosedRange<Int>
    ) throws(Settings.Problem) -> Int? {
        guard let text = self[section, key] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw Settings.Problem(
                "[\(section)] \(key) = \(text): say a number from \(range.lowerBound) to"
                    + " \(range.upperBound)"
            )
        }
        return number
    }

    /// "30", "30s", "5m", "2h".
    func duration(_ section: String, _ key: String) throws(Settings.Problem) -> Duration? {
        guard let text = self[section, key] else { return nil }
        let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400]
        let unit = text.last.flatMap { units[$0] }
        guard let value = Double(unit == nil ? text[...] : text.dropLast()), value > 0,
            value < 1e8
        else {
            throw Settings.Problem("[\(section)] \(key) = \(text): say a time as 30s, 5m or 2h")
        }
        return .seconds(value * (unit ?? 1))
    }

    /// "500G", "1.5 TiB", "1000000".
    func bytes(_ section: String, _ key: String) throws(Settings.Problem) -> UInt64? {
        guard let text = self[section, key] else { return nil }
        guard let bytes = Self.bytes(text) else {
            throw Settings.Problem("[\(section)] \(key) = \(text): say a size as 500G or 2TiB")
        }
        return bytes
    }

    private static func bytes(_ text: String) -> UInt64? {
        let digits = text.prefix { $0.isNumber || $0 == "." }
        let unit = text.dropFirst(digits.count).trimmingCharacters(in: .whitespaces).lowercased()
        let units = ["": 0, "b": 0, "k": 10, "m": 20, "g": 30, "t": 40]
        let name =
            unit.hasSuffix("ib")
            ? String(unit.dropLast(2))
            : unit == "b" ? "" : unit.hasSuffix("b") ? String(unit.dropLast()) : unit
        guard let value = Double(digits), let power = units[name], value >= 0, value < 1e15 else {
            return nil
        }
        return UInt64(clamping: Int64(value * Double(UInt64(1) << power)))
    }

    /// "20M", or rclone's timetable of local times: "08:00,2M 23:00,off", "Mon-08:00,2M Sat-00:00,off".
    func rateSchedule(_ section: String, _ key: String) throws(Settings.Problem) -> RateSchedule? {
        guard let text = self[section, key] else { return nil }
        var changes: [RateSchedule.Change] = []
        for word in text.split(separator: " ") {
            guard let found = Self.rateChanges(String(word)) else {
                throw Settings.Problem(
                    "[\(section)] \(key) = \(text): say bytes per second as 20M, or by local time as"
                        + " '08:00,2M 23:00,off' or 'Mon-08:00,2M Sat-00:00,off'"
                )
            }
            changes += found
        }
        return RateSchedule(changes)
    }

    private static func rateChanges(_ word: String) -> [RateSchedule.Change]? {
        let parts = word.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard let last = parts.last, parts.count <= 2 else { return nil }
        let isOff = last.lowercased() == "off"
        guard let rate = isOff ? 0 : bytes(last), isOff || rate > 0 else { return nil }
        guard let minutes = parts.count == 2 ? minutes(parts[0]) : [0] else { return nil }
        return minutes.map { RateSchedule.Change(minute: $0, rate: isOff ? nil : rate) }
    }

    /// Minutes of the week that "08:00", each day, or "Mon-08:00" means.
    private static func minutes(_ text: String) -> [Int]? {
        let days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
        let parts = text.lowercased().split(separator: "-").map(String.init)
        guard let time = parts.last, parts.count <= 2 else { return nil }
        let clock = time.split(separator: ":").map { Int($0) }
        guard clock.count == 2, let hour = clock[0], let minute = clock[1],
            (0..<24).contains(hour), (0..<60).contains(minute)
        else { return nil }
        let day = parts.count == 2 ? days.firstIndex { parts[0].hasPrefix($0) } : nil
        guard parts.count == 1 || day != nil else { return nil }
        let chosen = day.map { [$0] } ?? Array(0..<7)
        return chosen.map { $0 * RateSchedule.minutesPerDay + hour * 60 + minute }
    }

    private static func unknown(in file: INIFile, name: String) -> [String] {
        file.entries.compactMap { entry in
            let section = SettingKeys.section(entry.section)
            let place = "\(name), line \(entry.line)"
            guard let keys = SettingKeys.all[section] else {
                let nearest = SettingKeys.nearest(to: section, among: SettingKeys.all.keys)
                let hint = nearest.map { "; did you mean [\($0)]?" } ?? ""
                return "\(place): there is no section [\(entry.section)]\(hint)"
            }
            let known = keys.union((SettingKeys.aliases[section] ?? [:]).keys)
            guard !known.contains(entry.key), section != "gui" else { return nil }
            let hint =
                SettingKeys.nearest(to: entry.key, among: known).map { "; did you mean \($0)?" }
                ?? ""
            return "\(place): [\(entry.section)] has no setting '\(entry.key)'\(hint)"
        }
    }
}
