/// `[uplink]` and the tables in it.
enum UplinkSchema {
    static let enabled = Setting.optional(
        "enabled", .boolean, default: true,
        "Whether telemetry is taken in and kept for central; it needs no enrolment to begin with.",
        misnomers: ["enable", "active"])
    static let central = Setting.optional(
        "central", .httpsAddress, otherwise: "as the enrolment token says",
        "Where central is; replaces the token's address, not its pins.", misnomers: ["url", "server", "endpoint"])
    static let proxy = Setting.optional(
        "proxy", .proxyAddress, otherwise: "none", "What central is reached through.",
        misnomers: ["http_proxy", "https_proxy"])
    static let flushInterval = Setting.optional(
        "flush_interval", .duration(.milliseconds(10)...(.seconds(600))), default: .seconds(1),
        "Readings are on disk after this time at the latest; events are at once. Longer spares flash memory.",
        misnomers: ["flush", "sync_interval", "commit_interval"])
    static let metricsInterval = Setting.optional(
        "metrics_interval", .duration(.seconds(1)...(.seconds(86_400)), or: "off"), default: .seconds(1800),
        "Between two readings of the runtime itself (temperatures, pressure, workers' use).", misnomers: ["metrics"])

    static let table = TableSchema(
        "uplink",
        settings: [
            enabled.description, central.description, proxy.description, flushInterval.description,
            metricsInterval.description, labels.description,
        ],
        subtables: [UplinkQueueSchema.events.table, UplinkQueueSchema.readings.table])

    static let labels = Setting.optional(
        "labels", .labels, default: [:],
        "What the device is told apart by at central, such as { site = \"north\" }.", misnomers: ["tags"])
}

/// `[uplink.events]` and `[uplink.readings]`.
struct UplinkQueueSchema: Sendable {
    let quota: DefaultedSetting<Int64>
    let table: TableSchema

    static let whenFull = Setting.optional(
        "when_full", .choice(FullQueuePolicy.self), default: .dropOldest,
        "What gives way when the quota is used up: `drop-oldest` drops the oldest and reports a gap, `refuse` takes nothing "
            + "new.",
        misnomers: ["full", "policy", "overflow"])
    static let timeToLive = Setting.optional(
        "time_to_live", .duration(.seconds(60)...(.seconds(31_622_400)), or: "off"), default: nil,
        "What is older is dropped undelivered, and reported as a gap.", misnomers: ["ttl", "max_age", "expiry"])

    static let events = UplinkQueueSchema("uplink.events", of: "events", quota: 4 << 20)
    static let readings = UplinkQueueSchema("uplink.readings", of: "readings", quota: 64 << 20)

    private init(_ path: String, of name: String, quota bytes: Int64) {
        quota = Setting.optional(
            "quota", .size(262_144...1_099_511_627_776), default: bytes,
            "How much of the disk undelivered \(name) may take.", misnomers: ["size", "max_size", "limit"])
        table = TableSchema(
            path,
            settings: [
                quota.description, UplinkQueueSchema.whenFull.description, UplinkQueueSchema.timeToLive.description,
            ])
    }
}

extension SettingType<String> {
    /// Where central is.
    static let httpsAddress = address(schemes: ["https"], "\"https://central.example:7443\"")
    static let proxyAddress = address(
        schemes: ["http", "https", "socks5", "socks5h"], "\"http://proxy.example:3128\"")

    /// A URL of a host and nothing below it: what follows is for the program to say.
    private static func address(schemes: [String], _ example: String) -> SettingType {
        SettingType(allowed: "an address such as \(example)", write: { .string($0) }) { value throws(TextMistake) in
            let text = try value.text()
            guard text.utf8.count <= 512, text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
                throw TextMistake(reason: "\(text.quoted) is no address")
            }
            guard let end = text.firstRange(of: "://"), schemes.contains(String(text[..<end.lowerBound]).lowercased())
            else {
                throw TextMistake(
                    reason: "\(text.quoted) does not begin with \(schemes.map { "\($0)://" }.alternatives)")
            }
            var rest = text[end.upperBound...]
            if rest.hasSuffix("/") { rest = rest.dropLast() }
            guard !rest.isEmpty, !rest.contains(where: { "/?#".contains($0) }) else {
                throw TextMistake(reason: "\(text.quoted) is more, or less, than a host and a port")
            }
            return text.hasSuffix("/") ? String(text.dropLast()) : text
        }
    }
}

extension SettingType<[String: String]> {
    private static let mostLabels = 64
    private static let longestLabel = 256

    /// Texts by name.
    static let labels: SettingType = SettingType(
        allowed: "a table of at most \(mostLabels) texts by name, such as { site = \"north\" }", form: .table,
        write: { .table($0.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }) },
        read: { node, site, problems in
            guard case .table(let table) = node.value, table.entries.count <= mostLabels else {
                let found =
                    if case .table(let table) = node.value { "has \(table.entries.count) labels" } else {
                        "found \(node.value.inWords)"
                    }
                problems.add(site.place(node), site.key, found, allowed: labels.allowed)
                return nil
            }
            var result: [String: String] = [:]
            for entry in table.entries {
                let site = site.child(entry.key)
                guard ChildName.isWellFormed(entry.key) else {
                    problems.add(
                        SourcePlace(site.origin, entry.keyPosition), site.key, "is not a name",
                        allowed: ChildName.allowed)
                    continue
                }
                do throws(TextMistake) {
                    let text = try entry.node.value.text()
                    guard text.utf8.count <= longestLabel else {
                        throw TextMistake(reason: "has more than \(longestLabel) bytes")
                    }
                    result[entry.key] = text
                } catch {
                    problems.add(
                        site.place(entry.node), site.key, error.reason,
                        allowed: "a text of at most \(longestLabel) bytes")
                }
            }
            return result.count == table.entries.count ? result : nil
        })
}
