import ArgumentParser

/// An address to listen on, such as `0.0.0.0:7443` or `[::]:7443`.
struct Address: ExpressibleByArgument {
    let host: String
    let port: Int

    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":"), let port = Int(argument[argument.index(after: colon)...]),
            (0...65535).contains(port)
        else { return nil }
        var host = argument[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        (self.host, self.port) = (String(host), port)
    }

    var defaultValueDescription: String { "\(host):\(port)" }
}

extension Address {
    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }
}
