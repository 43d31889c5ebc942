import Testing

@testable import DeviceConfiguration

/// `memory_max`, `cpu_max` and `pids_max`.
@Suite struct GroupLimitTests {
    private static let text = """
        [worker_defaults.limits]
        memory_max = "256M"
        pids_max = 100
        [[worker]]
        name = "a"
        command = ["/bin/true"]
        [worker.limits]
        cpu_max = 150
        pids_max = "unlimited"
        open_files = 64
        [[worker]]
        name = "b"
        command = ["/bin/true"]

        """

    @Test func `a worker's own limits come before the defaults, and unlimited lifts them`() throws {
        let launches = try #require(Configuration.read(Self.text).configuration).launches
        #expect(launches["a"]?.groupLimits == GroupLimits(memory: 256 << 20, processorPercent: 150))
        #expect(launches["b"]?.groupLimits == GroupLimits(memory: 256 << 20, processes: 100))
        #expect(launches["a"]?.limits.map(\.resource) == [.openFiles])
        #expect(launches["a"]?.groupLimits.needed.map(\.controller) == ["memory", "cpu"])
    }

    @Test func `they take effect on the process that runs`() throws {
        let launches = try #require(Configuration.read(Self.text).configuration).launches
        let changed = try #require(Configuration.read(Self.text.replacing("256M", with: "512M")).configuration).launches
        #expect(launches["b"]?.groupLimits != changed["b"]?.groupLimits)
        #expect(launches["b"]?.fingerprint == changed["b"]?.fingerprint)
    }

    @Test(arguments: [
        ("memory_max = \"1K\"", "memory_max: \"1K\" is too small"),
        ("memory_max = 5", "memory_max: found the integer 5"),
        ("cpu_max = 0", "cpu_max: 0 is out of range"), ("pids_max = \"many\"", "pids_max: found the string"),
        ("cpu_quota = 50", "cpu_quota: is not known here (did you mean \"cpu_max\"?)"),
    ])
    func `what is no limit is told`(line: String, expected: String) {
        let problems = Configuration.read(Self.text + "[worker.limits]\n" + line).problems.map(\.description)
        #expect(problems.count == 1 && problems[0].contains(expected), "\(problems)")
    }
}
