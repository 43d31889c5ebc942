import ControlProtocol
import Foundation
import Testing

@testable import OperatorCLI

struct ProcessSamplerTests {
    private static func stat(name: String = "(camera)", cpu: Int, threads: Int = 3, start: Int, pages: Int = 100)
        -> String
    {
        "42 \(name) S 1 42 42 0 -1 4194560 100 0 0 0 \(cpu - 1) 1 0 0 20 0 \(threads) 0 \(start) 1000000 \(pages) 184467 1"
    }

    private func sampler(_ stat: @escaping (Int) -> String?, uptime: @escaping () -> Double) -> ProcessSampler {
        ProcessSampler(ProcessSampler.Source(stat: stat, uptime: uptime, clockTicksPerSecond: 100, pageSize: 4096))
    }

    @Test(arguments: ["(camera)", "(a b)", "(x) S 9 (y)", "())"])
    func `a process may have any name`(name: String) throws {
        let sample = try #require(ProcessSample(stat: Self.stat(name: name, cpu: 50, start: 1000)))
        #expect(sample.cpuTicks == 50)
        #expect(sample.threads == 3)
        #expect(sample.startTicks == 1000)
        #expect(sample.residentPages == 100)
    }

    @Test(arguments: ["", "42", "42 (x) S 1 2", "42 (x S 1 2 3"])
    func `what is no stat line is no sample`(text: String) {
        #expect(ProcessSample(stat: text) == nil)
    }

    @Test func `the first value is the average over the life, the next ones since the last look`() {
        var cpu = 500
        var uptime = 20.0
        var sampler = sampler({ _ in Self.stat(cpu: cpu, start: 1000) }, uptime: { uptime })
        let worker = Fixtures.worker("camera", "vision", "ready", pid: 42)
        #expect(
            sampler.rows(for: [worker])[0].usage
                == ProcessUsage(cpuPercent: 50, residentBytes: 409_600, threads: 3))
        (cpu, uptime) = (520, 21)
        #expect(sampler.rows(for: [worker])[0].usage?.cpuPercent == 20)
        (cpu, uptime) = (520, 22)
        #expect(sampler.rows(for: [worker])[0].usage?.cpuPercent == 0)
    }

    @Test func `a pid that was used again starts anew`() {
        var stat = Self.stat(cpu: 500, start: 1000)
        var uptime = 20.0
        var sampler = sampler({ _ in stat }, uptime: { uptime })
        let worker = Fixtures.worker("camera", "vision", "ready", pid: 42)
        _ = sampler.rows(for: [worker])
        (stat, uptime) = (Self.stat(cpu: 10, start: 2050), 21)
        #expect(sampler.rows(for: [worker])[0].usage?.cpuPercent == 20)
    }

    @Test func `a process that is gone or hidden has a row without numbers`() {
        var sampler = sampler({ _ in nil }, uptime: { 1 })
        let workers = [Fixtures.worker("a", "s", "ready", pid: 42), Fixtures.worker("b", "s", "stopped")]
        #expect(sampler.rows(for: workers).map(\.usage) == [nil, nil])
        #expect(
            sampler.rows(for: workers)[1].json.text
                == #"{"name":"b","state":"stopped","pid":null,"cpu_percent":null,"rss_bytes":null,"threads":null}"#)
    }

    @Test func `this machine's own numbers can be read`() throws {
        var sampler = ProcessSampler()
        let own = Fixtures.worker("self", "s", "ready", pid: Int(ProcessInfo.processInfo.processIdentifier))
        let usage = try #require(sampler.rows(for: [own])[0].usage)
        #expect(usage.residentBytes > 1 << 20)
        #expect(usage.threads >= 1)
    }
}
