import Foundation
import Glibc

/// TLS before a plain server on loopback, by `Tests/tls-front` and a certificate made for it.
public final class TLSFront: Sendable {
    public let port: UInt16
    /// The certificate, which is its own authority, as a PEM file.
    public let certificate: String
    private let child: ChildProcess
    private let directory: URL

    /// - Parameters:
    ///   - target: The plain server's port.
    ///   - name: Whom the certificate is for, as OpenSSL writes it: "DNS:localhost".
    ///   - alpn: The one protocol it offers.
    /// - Throws: ``StandInError``.
    public init(to target: UInt16, name: String, alpn: String = "h2") async throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID())")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        certificate = directory.appending(path: "certificate.pem").path
        let key = directory.appending(path: "key.pem").path
        let made = try ChildProcess(
            "openssl",
            ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
                + ["-days", "2", "-subj", "/CN=stand-in", "-addext", "subjectAltName=\(name)"]
                + ["-keyout", key, "-out", certificate]
        )
        guard made.wait() == 0 else { throw StandInError("openssl makes no certificate") }
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "tls-front").path
        let output = directory.appending(path: "port").path
        child = try ChildProcess(
            script,
            [certificate, key, "\(target)", alpn],
            output: output,
            errors: directory.appending(path: "errors").path
        )
        port = try await Self.port(in: output, child)
    }

    private static func port(in file: String, _ child: ChildProcess) async throws -> UInt16 {
        let deadline = ContinuousClock.now + .seconds(20)
        while child.isRunning, .now < deadline {
            let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
            if text.hasSuffix("\n"), let port = UInt16(text.dropLast()) { return port }
            try await Task.sleep(for: .milliseconds(20))
        }
        throw StandInError("tls-front does not start")
    }

    public func stop() {
        kill(child.pid, SIGKILL)
        child.wait()
        try? FileManager.default.removeItem(at: directory)
    }
}
