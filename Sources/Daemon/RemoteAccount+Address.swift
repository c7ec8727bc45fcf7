public import Transfer

extension RemoteAccount {
    /// "sftp://user@host:port", without secrets.
    public var address: String {
        let shown = host.contains(":") ? "[\(host)]" : host
        let login = user.map { "\($0)@" } ?? ""
        let place = port.map { $0 == 22 ? "" : ":\($0)" } ?? ""
        return "sftp://\(login)\(shown)\(place)"
    }
}
