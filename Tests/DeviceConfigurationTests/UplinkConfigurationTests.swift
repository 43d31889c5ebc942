import Testing

@testable import DeviceConfiguration

@Suite struct UplinkConfigurationTests {
    private func configuration(_ text: String, variables: [(String, String)] = []) throws -> Configuration {
        let report = Configuration.read(text, variables: variables)
        #expect(report.problems.map(\.description) == [])
        return try #require(report.configuration)
    }

    @Test("without a word about it, telemetry is kept, and workers may send 1000 a second")
    func defaults() throws {
        let configuration = try configuration("[[worker]]\nname = \"a\"\ncommand = [\"/x\"]")
        let queue = UplinkSection.Queue(quota: 4 << 20, whenFull: .dropOldest)
        var readings = queue
        readings.quota = 64 << 20
        #expect(
            configuration.uplink
                == UplinkSection(
                    isEnabled: true, labels: [:], flushInterval: .seconds(1), metricsInterval: .seconds(1800),
                    events: queue, readings: readings))
        #expect(configuration.telemetry == ["a": WorkerTelemetry(source: .socket, rate: 1000)])
    }

    @Test("every key arrives, from files and from the environment")
    func values() throws {
        let configuration = try configuration(
            """
            [uplink]
            enabled = false
            central = "https://10.0.0.1:7443/"
            proxy = "socks5h://[::1]:1080"
            flush_interval = "250ms"
            metrics_interval = "off"
            labels = { site = "north" }
            [uplink.events]
            quota = "256K"
            when_full = "refuse"
            [uplink.readings]
            time_to_live = "7d"
            [[worker]]
            name = "a"
            command = ["/x"]
            telemetry = "stdout"
            telemetry_rate = 5
            """,
            variables: [
                ("HOLDFAST_CONFIG__UPLINK__LABELS__LINE", "4"), ("HOLDFAST_CONFIG__UPLINK__READINGS__QUOTA", "1M"),
            ])
        #expect(
            configuration.uplink
                == UplinkSection(
                    isEnabled: false, central: "https://10.0.0.1:7443", proxy: "socks5h://[::1]:1080",
                    labels: ["site": "north", "LINE": "4"], flushInterval: .milliseconds(250), metricsInterval: nil,
                    events: UplinkSection.Queue(quota: 262_144, whenFull: .refuse),
                    readings: UplinkSection.Queue(
                        quota: 1 << 20, whenFull: .dropOldest, timeToLive: .seconds(7 * 86_400))))
        #expect(configuration.telemetry == ["a": WorkerTelemetry(source: .stdout, rate: 5)])
    }

    @Test(
        "what is wrong is said with what is allowed",
        arguments: [
            (#"central = "http://10.0.0.1""#, #"central: "http://10.0.0.1" does not begin with"#),
            (#"central = "https://a/b""#, #"central: "https://a/b" is more, or less, than a host and a port"#),
            (#"central = "https://""#, "is more, or less, than a host and a port"),
            (#"proxy = "ftp://a""#, #"proxy: "ftp://a" does not begin with"#),
            (#"flush_interval = "1ms""#, "is too short"),
            ("labels = { site = 1 }", "labels.site: found"),
            (#"labels = { "a b" = "x" }"#, "is not a name"),
            (#"events = { quota = "255K" }"#, "uplink.events.quota: \"255K\" is too small"),
            (#"readings = { when_full = "drop" }"#, "uplink.readings.when_full"),
            (#"url = "https://a""#, "did you mean \"central\"?"),
        ])
    func problems(line: String, expected: String) {
        let report = Configuration.read("[uplink]\n\(line)")
        #expect(report.problems.count == 1)
        #expect(report.problems.first?.description.contains(expected) == true, "\(report.problems)")
    }
}
