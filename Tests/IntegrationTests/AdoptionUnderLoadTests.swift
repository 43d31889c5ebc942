import ControlProtocol
import Foundation
import LinuxSystem
import SeededRandom
import TestSupport
import Testing

/// Kills of the daemon at random instants, while much is going on.
@Suite(.timeLimit(.minutes(5))) struct AdoptionUnderLoadTests {
    /// - Parameter outputToo: `holdfast-output` dies with it. It may then repeat lines, a turn of each at most.
    @Test(arguments: [false, true])
    func `of a thousand numbered lines a second none is lost or torn by twenty kills`(outputToo: Bool) throws {
        let seed = UInt64.random(in: 0...999_999)
        var chance = SeededGenerator(seed: seed)
        let daemon = try Daemon(
            """
            rate = "10M"
            burst = "10M"
            [[worker]]
            name = "counter"
            command = ["WORKER", "numbered", "2000"]
            ready = "notify"
            """)
        try daemon.await("counter", "ready")
        let pid = try daemon.pid("counter")
        for _ in 1...20 {
            let output = try daemon.await("holdfast-output", "ready")
            try daemon.pass(.milliseconds(Int.random(in: 0...100, using: &chance)))
            try daemon.replace {
                if outputToo, let pid = output.pid { kill(Int32(pid), SIGKILL) }
                try daemon.pass(.milliseconds(Int.random(in: 0...100, using: &chance)))
            }
        }
        #expect(try daemon.pid("counter") == pid, "seed \(seed): SIGPIPE, for example")
        #expect(try daemon.worker("counter").restarts == 0)
        try daemon.await("holdfast-output", "ready")
        try daemon.call(.stopWorker(name: "counter"))
        try daemon.await("counter", "stopped")
        daemon.stop()
        let lines = try daemon.logged("counter")
        let torn = lines.filter { $0.wholeMatch(of: /line \d+/) == nil }
        #expect(torn.isEmpty, "seed \(seed): torn: \(torn.prefix(5))")
        let numbers = lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }
        let last = try #require(numbers.last)
        #expect(last > 2000)
        #expect(Set(1...last).subtracting(numbers).isEmpty, "seed \(seed): lost")
        if !outputToo { #expect(numbers == Array(1...last), "seed \(seed): repeated, or out of order") }
    }

    @Test(arguments: Containment.available)
    func `a kill during the start of a hundred workers leaves none twice and none unknown`(
        containment: Containment
    ) throws {
        let seed = UInt64.random(in: 0...999_999)
        var chance = SeededGenerator(seed: seed)
        let names = (1...100).map { "w\($0)" }
        // Ready as soon as they run: what they say while nobody listens would be lost here.
        let tree = names.map { "[[worker]]\nname = \"\($0)\"\ncommand = [\"WORKER\", \"steady\"]" }
            .joined(separator: "\n")
        for round in 1...4 {
            let daemon = try Daemon(tree, containment: containment, isAwaited: false)
            for kill in 1...4 {
                // Early instants matter most: from the first on a thousandth to a second, evenly by magnitude.
                let wait = pow(10, Double.random(in: 0...3, using: &chance))
                _ = try daemon.process.wait(within: .microseconds(Int(wait * 1000)))
                try daemon.crash()
                let context = "seed \(seed), round \(round), kill \(kill), after \(wait) ms"
                try expectOneEach(daemon, context)
                try daemon.startAgain(isAwaited: false)
            }
            try daemon.awaitSocket()
            try daemon.awaitAll("ready")
            // Between the record and the byte that lets it go a child is known and has not run: that is no failure.
            let restarted = try daemon.status().workers.filter { $0.restarts > 0 }
            #expect(restarted.isEmpty, "seed \(seed), round \(round)")
            #expect(try expectOneEach(daemon, "seed \(seed), round \(round)") == 101)
            daemon.stop()
            #expect(daemon.survivors.isEmpty)
        }
    }

    /// No worker runs twice, and whoever runs is in the record.
    /// - Returns: how many there are.
    @discardableResult
    private func expectOneEach(_ daemon: Daemon, _ context: String) throws -> Int {
        var workers: [String: [Int32]] = [:]
        for pid in daemon.survivors {
            let environment = (try? String(contentsOfFile: "/proc/\(pid)/environ", encoding: .utf8)) ?? ""
            let name = environment.split(separator: "\0").first { $0.hasPrefix("HOLDFAST_WORKER=") }
            workers[name.map(String.init) ?? "?", default: []].append(pid)
        }
        let twice = workers.filter { $0.value.count > 1 }
        #expect(twice.isEmpty, "\(context): there twice: \(twice)")
        let recorded = try recordedPids(daemon)
        let unknown = workers.values.joined().filter { !recorded.contains($0) }
        #expect(unknown.isEmpty, "\(context): not recorded: \(unknown)")
        return workers.count
    }

    private func recordedPids(_ daemon: Daemon) throws -> Set<Int32> {
        let state = daemon.directory.appending(path: "run/state")
        guard let bytes = try? Data(contentsOf: state) else { return [] }
        var pids: Set<Int32> = []
        for line in Array(bytes).split(separator: UInt8(ascii: "\n")).dropFirst() {
            let limits = JSONLimits(maximumBytes: 1 << 24, maximumDepth: 8)
            guard let entry = try? JSONValue.parse(Array(line.dropFirst(9)), limits: limits) else { continue }
            for process in entry["processes"]?.arrayValue ?? [] {
                if let pid = process["pid"]?.intValue { pids.insert(Int32(pid)) }
            }
        }
        return pids
    }
}
