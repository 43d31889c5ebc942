/// Where central is, taken apart.
package struct CentralAddress: Equatable {
    /// Scheme, host and port, without a slash at the end.
    package var base: String
    /// A name or an address, without brackets.
    package var host: String

    /// `nil` when it is no https URL without a path.
    package init?(_ url: String) {
        let scheme = "https://"
        guard url.lowercased().hasPrefix(scheme) else { return nil }
        var rest = url.dropFirst(scheme.count)
        if rest.last == "/" { rest = rest.dropLast() }
        guard !rest.isEmpty, !rest.contains(where: { "/?#@ ".contains($0) }) else { return nil }
        base = scheme + rest
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return nil }
            host = String(rest[rest.index(after: rest.startIndex)..<end])
        } else {
            host = String(rest.prefix { $0 != ":" })
        }
        guard !host.isEmpty, host.utf8.count < 256 else { return nil }
    }
}
