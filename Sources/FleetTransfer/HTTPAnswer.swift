package import ControlProtocol
package import FleetAPI

/// What central has answered.
package struct HTTPAnswer {
    package var status: Int
    /// By name in lower case; of two of one name the first.
    package var fields: [String: String]
    package var body: [UInt8]

    /// Of a body.
    package static let limits = JSONLimits(maximumBytes: 4 << 20, maximumDepth: 16)

    /// - Parameter head: the status line and the fields as they came.
    package init(status: Int, head: String, body: [UInt8]) {
        self.status = status
        self.body = body
        fields = [:]
        for line in head.split(whereSeparator: \.isNewline).dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let name = line[..<colon].lowercased()
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            if fields[name] == nil { fields[name] = String(value) }
        }
    }

    /// `nil` when the body is none.
    package var json: JSONValue? { try? JSONValue.parse(body, limits: Self.limits) }

    /// `nil` when it is none of central's own errors.
    package var problem: ProblemDetails? {
        guard fields["content-type"]?.hasPrefix(ProblemDetails.contentType) ?? false, let json else { return nil }
        return try? ProblemDetails(json: json)
    }

    /// Central's clock, in milliseconds since 1970.
    package var time: Int64? {
        json?["time_ms"]?.intValue.map { Int64($0) }
            ?? fields["date"].flatMap { HTTPDate.seconds($0) }.map { $0 * 1000 }
    }

    /// How long to wait, as seconds or as a date (RFC 9110, section 10.2.3).
    /// - Parameter now: in seconds since 1970, where the answer does not say it.
    package func retryAfter(now: Int64) -> Duration? {
        guard let text = fields["retry-after"] else { return nil }
        if let seconds = Int64(text), seconds >= 0 { return .seconds(min(seconds, 1 << 30)) }
        guard let date = HTTPDate.seconds(text) else { return nil }
        return .seconds(max(0, date - (fields["date"].flatMap { HTTPDate.seconds($0) } ?? now)))
    }
}

/// A date in HTTP (RFC 9110, section 5.6.7), in the form that is sent today: `Sun, 06 Nov 1994 08:49:37 GMT`.
package enum HTTPDate {
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    /// In seconds since 1970; `nil` when it is none.
    package static func seconds(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int64(parts[1]), (1...31).contains(day),
            let month = months.firstIndex(of: String(parts[2])), let year = Int64(parts[3]),
            (1970...9999).contains(year)
        else { return nil }
        let clock = parts[4].split(separator: ":").compactMap { Int64($0) }
        guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]), (0...60).contains(clock[2])
        else { return nil }
        return days(year, Int64(month) + 1, day) * 86_400 + clock[0] * 3600 + clock[1] * 60 + clock[2]
    }

    /// Days since 1970 in the Gregorian calendar; the year begins in March, so that the leap day is its last.
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
