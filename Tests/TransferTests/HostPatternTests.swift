import Testing

@testable import Transfer

/// sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT".
@Suite struct HostPatternTests {
    @Test(arguments: [
        ("box.example", "box.example"), ("box.example", "*.example"), ("box.example", "*"),
        ("box.example", "b?x.e*e"), ("[127.0.0.1]:31777", "[127.0.0.*]:31777"), ("", "**"),
    ])
    func fits(_ name: String, _ pattern: String) {
        #expect(KnownHosts.matches(name, pattern))
    }

    @Test(arguments: [
        ("box.example", "box.exampl"), ("box.example", "ox.example"), ("box", "box?"),
        ("[127.0.0.1]:31778", "[127.0.0.*]:31777"), ("a", ""),
    ])
    func doesNotFit(_ name: String, _ pattern: String) {
        #expect(!KnownHosts.matches(name, pattern))
    }

    @Test func manyStarsTakeNoTime() {
        let pattern = String(repeating: "*a", count: 500) + "b"
        #expect(!KnownHosts.matches(String(repeating: "a", count: 2000), pattern))
    }
}
