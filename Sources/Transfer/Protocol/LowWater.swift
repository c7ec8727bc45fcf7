/// How many bytes `ssh` lets come before it wakes (socket(7), SO_RCVLOWAT).
///
/// A pure value. The server sends 32 KiB at a time; where they come fast, to wake `ssh` for each,
/// and it us, takes more of the processors than to decrypt them (on loopback with two processors
/// 14 % of all that is used, sshd's part included). Whoever waits for the bytes waits as much as
/// two milliseconds longer.
struct LowWater {
    /// The longest wait for a mark that is not reached: the server may have begun to exchange keys.
    static let patience = Duration.milliseconds(8)
    /// What comes in so many seconds is worth waiting for.
    private static let wait = 0.002
    private static let least = 64 << 10
    private static let most = 256 << 10
    /// With fewer bytes asked for, the last of them might not reach the mark.
    private static let bulk = 1 << 20

    /// Bytes; 1 when it wakes for any.
    private(set) var mark = 1
    private var wanted = 1

    var isRaised: Bool { mark > 1 }

    /// - Parameter rate: At which bytes came of late, per second.
    mutating func measured(rate: Double) {
        let bytes = Int(min(rate * Self.wait, Double(Self.most)))
        wanted = bytes < Self.least ? 1 : bytes
    }

    /// The mark was not reached in time; it stays down until the rate is measured again.
    mutating func missed() { wanted = 1 }

    /// - Parameter outstanding: Bytes that were asked for and are not there.
    /// - Returns: Whether ``mark`` is another now.
    mutating func update(outstanding: Int) -> Bool {
        let old = mark
        mark = outstanding < Self.bulk ? 1 : wanted
        return mark != old
    }
}
