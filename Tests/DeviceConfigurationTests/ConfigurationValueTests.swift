import MonotonicTime
import Supervision
import Testing

@testable import DeviceConfiguration

@Suite struct ConfigurationValueTests {
    private func good() throws -> Configuration {
        let report = Configuration.read(goodConfiguration)
        #expect(report.problems.map(\.description) == [])
        return try #require(report.configuration)
    }

    @Test("a good configuration has no problems, and every value arrives")
    func runtime() throws {
        let configuration = try good()
        #expect(
            configuration.runtime
                == RuntimeSettings(
                    name: "press-line-4", stateDirectory: "/var/lib/holdfast", runtimeDirectory: "/run/holdfast",
                    workersCgroup: .off, defaultUser: "root", controlGroup: "root", controlGroupID: nil,
                    eventBuffer: 2048, incidentBuffer: 64))
        #expect(
            configuration.output
                == OutputSettings(
                    journal: .off, directory: "/var/log/holdfast", pipeSize: 131_072,
                    perWorker: WorkerOutput(
                        bytesPerSecond: 131_072, burstBytes: 2_097_152, maxFileBytes: 5_242_880, files: 3)))
    }

    @Test("children stand in the order of the text, workers and supervisors mixed")
    func order() throws {
        let tree = try good().tree(system: SupervisorSpecification(name: "system"))
        #expect(outline(.supervisor(tree)) == "root(system() before vision(camera inner(deep)) after)")
    }

    @Test("the root lets each child fail alone")
    func root() throws {
        let root = try good().tree()
        #expect(root.name == SupervisorSpecification.rootName)
        #expect(root.strategy == .oneForOne)
        #expect(root.intensity.scope == .perChild)
        #expect(outline(.supervisor(root)) == "root(before vision(camera inner(deep)) after)")
    }

    @Test("a supervisor gets its strategy, intensity and reaction")
    func supervisor() throws {
        guard case .supervisor(let vision) = try good().children[1],
            case .supervisor(let inner) = vision.children[1]
        else {
            Issue.record("the second child is the supervisor, and its second child is one too")
            return
        }
        #expect(vision.strategy == .restForOne)
        #expect(vision.intensity == RestartIntensity(maxRestarts: 5, within: .seconds(30), scope: .shared))
        #expect(vision.onIntensityExceeded == .escalate)
        #expect(inner.onIntensityExceeded == .park(retryAfter: nil))
    }

    @Test("a worker gets its policy")
    func policy() throws {
        guard case .supervisor(let vision) = try good().children[1], case .worker(let camera) = vision.children[0]
        else {
            Issue.record("the camera is the first child of vision")
            return
        }
        var expected = WorkerSpecification(
            name: "camera", restart: .always, isEssential: true, readiness: .notify, startGate: .previousReady,
            startTimeout: .seconds(90), watchdog: .seconds(10),
            checkpoints: ["frame": .seconds(5), "upload": .seconds(120)], watchdogSignal: .kill,
            backoff: Backoff(
                initial: .milliseconds(50), maximum: .seconds(20), jitter: 0.5, stableAfter: .seconds(15)),
            attempts: AttemptLimit(maximum: 7, retryAfterGivingUp: nil),
            stopPlan: StopPlan(
                steps: [
                    StopPlan.Step(signal: .interrupt, grace: .seconds(2)),
                    StopPlan.Step(signal: .terminate, grace: .seconds(1)),
                ], killGrace: .seconds(4)),
            startsAutomatically: false)
        expected.launch = camera.launch
        #expect(camera == expected)
    }

    @Test("a worker without keys of its own gets the defaults of the file, then those of the core")
    func defaults() throws {
        guard case .worker(let before) = try good().children[0] else {
            Issue.record("the first child is a worker")
            return
        }
        var expected = WorkerSpecification(
            name: "before", restart: .onFailure, watchdog: .seconds(60),
            backoff: Backoff(initial: .milliseconds(200)),
            stopPlan: StopPlan(steps: [StopPlan.Step(signal: .interrupt, grace: .seconds(3))]))
        expected.launch = before.launch
        #expect(before == expected)

        let bare = try #require(Configuration.read("[[worker]]\nname = \"a\"\ncommand = [\"/x\"]").configuration)
        guard case .worker(let worker) = bare.children.first else {
            Issue.record("the first child is a worker")
            return
        }
        var standard = WorkerSpecification(name: "a")
        standard.launch = worker.launch
        #expect(worker == standard)
    }

    @Test("a worker's launch and output carry its own keys and the defaults")
    func launch() throws {
        let configuration = try good()
        let camera = try #require(configuration.launches["camera"])
        #expect(
            camera
                == WorkerLaunch(
                    name: "camera", command: ["/usr/bin/env", "python3", "caméra \"1\".py"],
                    workingDirectory: "/tmp", environment: ["LANG": "C.UTF-8", "MODE": "a=b"], user: "root",
                    group: "root", supplementaryGroups: ["root"], umask: 0o027, nice: 5, oomScoreAdjustment: -100,
                    limits: [
                        ResourceLimit(resource: .cpuTime, value: .atMost(3600)),
                        ResourceLimit(resource: .coreSize, value: .atMost(0)),
                        ResourceLimit(resource: .openFiles, value: .atMost(1024)),
                        ResourceLimit(resource: .lockedMemory, value: .unlimited),
                        ResourceLimit(resource: .addressSpace, value: .atMost(1 << 30)),
                    ], watchdog: .seconds(10), identity: nil))
        #expect(
            configuration.outputs["camera"]
                == WorkerOutput(bytesPerSecond: 16_384, burstBytes: 2_097_152, maxFileBytes: 5_242_880, files: 1))
        #expect(configuration.outputs["before"] == configuration.output.perWorker)
        #expect(configuration.launches.count == 4)
    }

    @Test("an empty file is a valid configuration")
    func empty() throws {
        let configuration = try #require(Configuration.read("").configuration)
        #expect(configuration.runtime.name == "device")
        #expect(configuration.output.directory == "/var/lib/holdfast/log")
        #expect(configuration.children.isEmpty)
    }

    @Test("a host name that is no name does not become the runtime's")
    func hostName() {
        let report = Configuration.read([], hostName: "not a name")
        #expect(report.configuration?.runtime.name == "holdfast")
    }

    @Test("a worker's own stop signal comes before a plan of the defaults, and its own plan before theirs")
    func stopPlans() throws {
        let text = """
            [worker_defaults]
            stop_plan = [{ signal = "SIGINT", grace = "1s" }, { signal = "SIGQUIT", grace = "2s" }]
            [[worker]]
            name = "a"
            command = ["/x"]
            stop_signal = "SIGHUP"
            [[worker]]
            name = "b"
            command = ["/x"]
            stop_plan = []
            [[worker]]
            name = "c"
            command = ["/x"]
            """
        let configuration = try #require(Configuration.read(text).configuration)
        let plans: [[StopPlan.Step]] = configuration.children.map { child in
            if case .worker(let worker) = child { worker.stopPlan.steps } else { [] }
        }
        #expect(
            plans == [
                [StopPlan.Step(signal: .hangUp, grace: .seconds(10))],
                [],
                [
                    StopPlan.Step(signal: .interrupt, grace: .seconds(1)),
                    StopPlan.Step(signal: .quit, grace: .seconds(2)),
                ],
            ])
    }

    private func outline(_ child: ChildSpecification) -> String {
        switch child {
        case .worker(let worker): worker.name
        case .supervisor(let supervisor):
            "\(supervisor.name)(" + supervisor.children.map(outline).joined(separator: " ") + ")"
        }
    }
}
