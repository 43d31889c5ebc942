import ControlProtocol
import Testing

@testable import OperatorCLI

/// Golden texts: what an operator sees.
struct RenderingTests {
    private func text(_ lines: [String]) -> String { lines.joined(separator: "\n") }

    @Test func `status shows the runtime, a summary and a row for each worker`() {
        let view = StatusView(report: Fixtures.status, palette: .plain)
        #expect(
            text(view.lines) == """
                press-line-4  running for 3h12m  holdfast 0.1.0, pid 4711
                5 workers: 2 ready, 1 paused, 1 backing off, 1 failed

                WORKER           SUPERVISOR  STATE           UP   PID  RESTARTS  NOTES
                holdfast-output  system      ready        3h12m  4712         0
                camera           vision      ready        3m12s  4720         0  “30 frames/s”
                detector         vision      backing off                      4  next try in 4 s, 3 attempts left, \
                last: killed by SIGKILL
                batch            vision      paused       1m00s  4722         0  paused for heat and the operator
                logger           root        failed                          12  next try in 4m42s, \
                last: exited with status 3
                """)
    }

    @Test func `status wraps its notes on a narrow terminal`() {
        let view = StatusView(report: Fixtures.status, palette: .plain, width: 90)
        #expect(
            text(Array(view.lines.dropFirst(3))) == """
                WORKER           SUPERVISOR  STATE           UP   PID  RESTARTS  NOTES
                holdfast-output  system      ready        3h12m  4712         0
                camera           vision      ready        3m12s  4720         0  “30 frames/s”
                detector         vision      backing off                      4  next try in 4 s, 3
                                                                                 attempts left, last:
                                                                                 killed by SIGKILL
                batch            vision      paused       1m00s  4722         0  paused for heat and the
                                                                                 operator
                logger           root        failed                          12  next try in 4m42s, last:
                                                                                 exited with status 3
                """)
    }

    @Test func `status says what else needs attention`() {
        let report = StatusReport(
            runtime: RuntimeReport(
                version: "0.1.0", pid: 1, state: "stopping", uptime: 0.5, name: "dev", warnings: ["not root"]),
            supervisors: [
                Fixtures.supervisor("root", nil, ["vision"]),
                Fixtures.supervisor("vision", "root", [], state: "parked", next: 290.1),
            ], workers: [])
        #expect(
            text(StatusView(report: report, palette: .plain).lines) == """
                dev  stopping for 0s  holdfast 0.1.0, pid 1
                no workers (see holdfast check)
                warning: not root
                supervisor vision is parked, next try in 4m51s
                """)
    }

    @Test func `tree draws every supervisor with its intensity`() {
        let view = TreeView(report: Fixtures.status, palette: .plain, width: 84)
        #expect(
            text(view.lines) == """
                press-line-4  running for 3h12m  holdfast 0.1.0, pid 4711

                root                   one-for-one   0/10 in 1m
                ├─ system              one-for-one   0/10 in 1m
                │  └─ holdfast-output  ready         3h12m       essential
                ├─ vision              rest-for-one  2/5 in 30s
                │  ├─ camera           ready         3m12s       essential, “30 frames/s”
                │  ├─ detector         backing off               next try in 4 s, 3 attempts left,
                │  │                                             last: killed by SIGKILL
                │  └─ batch            paused        1m00s       paused for heat and the operator
                └─ logger              failed                    next try in 4m42s, last: exited
                                                                 with status 3
                """)
    }

    @Test func `tree shows everything once, whatever the report claims`() {
        let report = StatusReport(
            runtime: Fixtures.status.runtime,
            supervisors: [
                Fixtures.supervisor("a", "b", ["b", "w", "w", "missing"]), Fixtures.supervisor("b", "a", ["a"]),
            ], workers: [Fixtures.worker("w", "a", "novel"), Fixtures.worker("stray", "gone", "ready")])
        #expect(
            text(Array(TreeView(report: report, palette: .plain).lines.dropFirst(2))) == """
                a      one-for-one  0/10 in 1m
                ├─ b   one-for-one  0/10 in 1m
                └─ w   novel
                stray  ready
                """)
    }

    @Test(arguments: [
        (
            Fixtures.worker("w", "s", "ready", restarts: 1, left: 4, forgotten: 6.2, last: Fixtures.killed),
            "4 attempts left, failures forgotten in 7 s, last: killed by SIGKILL"
        ),
        (Fixtures.worker("w", "s", "ready", left: 5), ""),
        (Fixtures.worker("w", "s", "backing-off", next: 0, left: 1), "next try now, 1 attempt left"),
        (Fixtures.worker("w", "s", "failed"), "no further try (holdfast worker start w)"),
        (Fixtures.worker("w", "s", "held", heldFor: "heat"), "held for heat"),
        (Fixtures.worker("w", "s", "waiting", heldFor: "after camera"), "starts after camera"),
        (
            Fixtures.worker("w", "s", "waiting", heldFor: "supervisor p is parked", next: 60),
            "held: supervisor p is parked, next try in 1m00s"
        ),
        (
            Fixtures.worker("w", "root", "failed", heldFor: "the restart intensity of root is exceeded", next: 4),
            "the restart intensity of root is exceeded, next try in 4 s"
        ),
        (Fixtures.worker("w", "s", "paused", pausedFor: ["operator"]), "paused for the operator"),
        (Fixtures.worker("w", "s", "ready", status: "a\u{1b}[31mb"), #"“a\u{1b}[31mb”"#),
    ])
    func `notes say the schedule in words`(worker: WorkerReport, notes: String) {
        #expect(WorkerNotes.text(worker) == notes)
    }

    @Test(arguments: [
        (Fixtures.worker("w", "s", "paused", pausedFor: ["operator"]), "paused for the operator"),
        (
            Fixtures.worker("w", "s", "held", pausedFor: ["heat"], heldFor: "heat", next: 4),
            "held for heat, next try in 4 s"
        ),
        (Fixtures.worker("w", "s", "ready"), "ready"),
        (Fixtures.worker("w", "s", "backing-off", next: 4), "backing off, next try in 4 s"),
        (
            Fixtures.worker("w", "s", "waiting", heldFor: "supervisor p is parked"),
            "waiting, held: supervisor p is parked"
        ),
    ])
    func `a sentence about a worker says each word once`(worker: WorkerReport, sentence: String) {
        #expect(WorkerNotes.sentence(worker, .plain) == sentence)
    }

    @Test func `an incident of a program that was never executed tells of no run`() {
        let exit = ExitReport(status: "unknown", cause: "spawn-failed", message: "could not be executed")
        let incident = IncidentReport(
            id: 1, time: 1_700_000_000, worker: "w", supervisor: "s", pid: 9274, exit: exit, ranFor: 0.0011,
            action: "restarted-at-once", actionMessage: "restarted at once")
        let view = IncidentsView(incidents: [incident], now: 1_700_000_000, palette: .plain, isRaw: false)
        #expect(!text(view.lines).contains("ran for") && !text(view.lines).contains("9274"))
    }

    @Test func `incidents show cause, action, recovery and the last lines`() {
        let incidents = [
            IncidentReport(
                id: 6, time: 1_700_000_000, worker: "detector", supervisor: "vision", pid: 4720, exit: Fixtures.killed,
                ranFor: 192.4, action: "restarted-at-once", actionMessage: "restarted at once", recoveredAfter: 0.0021,
                lastOutput: ["frame 10", "\u{1b}]0;title\u{7}\tdone\u{202e}"]),
            IncidentReport(
                id: 7, time: 1_700_000_190, worker: "logger", supervisor: "root", exit: Fixtures.exited, ranFor: 0.25,
                action: "gave-up", actionMessage: "given up, next try in 5m"),
        ]
        let view = IncidentsView(incidents: incidents, now: 1_700_000_200, palette: .plain, isRaw: false)
        let first = ClockText.dateAndTime(1_700_000_000)
        let second = ClockText.dateAndTime(1_700_000_190)
        #expect(
            text(view.lines) == """
                #6 detector  \(first) (3m20s ago)
                  cause       killed by SIGKILL
                  ran for     3m12s as pid 4720
                  action      restarted at once
                  recovered   in 2.1 ms
                  last lines
                    │ frame 10
                    │ \\u{1b}]0;title\\u{7}\\tdone\\u{202e}

                #7 logger  \(second) (10s ago)
                  cause       exited with status 3
                  ran for     250 ms
                  action      given up, next try in 5m
                  recovered   not yet
                """)
        #expect(IncidentsView(incidents: [], now: 0, palette: .plain, isRaw: false).lines == ["no incidents"])
    }

    @Test func `raw incidents keep what the worker wrote`() {
        let incident = IncidentReport(
            id: 1, time: 0, worker: "w", supervisor: "s", exit: Fixtures.killed, ranFor: 1, action: "held",
            actionMessage: "held", lastOutput: ["\u{1b}[31mred"])
        let view = IncidentsView(incidents: [incident], now: 0, palette: .plain, isRaw: true)
        #expect(view.lines.last == "    │ \u{1b}[31mred")
    }

    @Test func `events are aligned`() {
        let event = EventReport(
            sequence: 812, time: 1_700_000_000, monotonic: 1, kind: "worker-failed", worker: "detector",
            supervisor: nil, message: "killed by SIGKILL after 3m12s")
        let parked = EventReport(
            sequence: 9, time: 1_700_000_000, monotonic: 1, kind: "intensity-exceeded", worker: nil,
            supervisor: "vision", message: "parked")
        let time = ClockText.time(1_700_000_000)
        #expect(
            EventLine(event: event, palette: .plain).text
                == "\(time)  #812    worker-failed       detector          killed by SIGKILL after 3m12s")
        #expect(
            EventLine(event: parked, palette: .plain).text
                == "\(time)  #9      intensity-exceeded  [vision]          parked")
    }

    @Test func `logs say how many lines were lost`() {
        let report = LogLineReport(time: 1_700_000_000, worker: "w", line: "a\u{8}b", lost: 3)
        let time = ClockText.time(1_700_000_000)
        #expect(
            LogLines(report: report, palette: .plain, isRaw: false).lines
                == ["          3 lines were lost here", "\(time)  a\\u{8}b"])
        #expect(LogLines(report: report, palette: .plain, isRaw: true).lines == ["a\u{8}b"])
    }

    @Test func `an upgrade tells which workers kept their process`() {
        var after = Fixtures.status
        after.runtime.version = "9.0.0"
        let same = UpgradeReport(before: Fixtures.status, after: after)
        #expect(same.lines.count == 1)
        #expect(same.lines[0].contains(" -> 9.0.0, pid \(after.runtime.pid): "))
        #expect(!same.lines[0].contains("started anew"))
        guard let index = after.workers.firstIndex(where: { $0.pid != nil && $0.supervisor != "system" }) else {
            Issue.record("no worker with a process")
            return
        }
        after.workers[index].pid = 99_999
        let other = UpgradeReport(before: Fixtures.status, after: after)
        #expect(other.lines[0].hasSuffix("started anew: \(after.workers[index].name)"))
        #expect(other.json["started"] == [.string(after.workers[index].name)])
    }

    @Test func `reload lists what changed`() {
        let report = ReloadReport(added: ["a", "b"], restarted: ["c"], unchanged: ["d", "e"])
        #expect(
            text(ReloadView(report: report, palette: .plain).lines) == """
                added: a, b
                restarted: c
                2 unchanged
                """)
        #expect(ReloadView(report: ReloadReport(), palette: .plain).lines == ["nothing changed (0 unchanged)"])
        #expect(
            ReloadView(report: ReloadReport(warnings: ["w"]), palette: .plain).lines
                == ["nothing changed (0 unchanged)", "warning: w"])
    }

    @Test func `top shows what each process uses`() {
        let rows = [
            TopRow(
                worker: Fixtures.status.workers[1],
                usage: ProcessUsage(cpuPercent: 12.34, residentBytes: 48 * 1024 * 1024, threads: 7)),
            TopRow(worker: Fixtures.status.workers[2]),
        ]
        let view = TopView(runtime: Fixtures.status.runtime, rows: rows, palette: .plain)
        #expect(
            text(view.lines) == """
                press-line-4  running for 3h12m  holdfast 0.1.0, pid 4711

                WORKER    STATE          CPU  MEMORY  THREADS     UP  RESTARTS   PID  NOTES
                camera    ready        12.3%     48M        7  3m12s         0  4720  “30 frames/s”
                detector  backing off                                        4        next try in 4 s, 3 attempts \
                left, last: killed by SIGKILL
                """)
    }

    @Test func `top tells how hot it is where that is known`() {
        let view = TopView(runtime: Fixtures.status.runtime, health: Fixtures.hot, rows: [], palette: .plain)
        #expect(view.lines[1] == "level shed  coretemp-isa-0000/Package id 0 77.0 °C  thermal_zone0/soc 51.5 °C")
    }

    @Test func `health tells what is done, why, and what comes next`() {
        #expect(
            text(HealthView(report: Fixtures.hot, palette: .plain).lines) == """
                level shed; workers get less of the processor (nice and SCHED_BATCH)
                heat: coretemp-isa-0000/Package id 0 is at 77.0 °C; the next is paused in 4 s unless it gets better
                  paused: training, upload
                memory: throttle; over in 12 s if it stays so
                  paused: training; training comes back in 22 s
                warning: there is no libsensors here

                SENSOR                               NOW     LIMIT   IN 30S  LEVEL     NOTES
                coretemp-isa-0000/Package id 0   77.0 °C  100.0 °C  79.1 °C  shed      forecast off by 0.4 °C
                nct6775/fan1                    1200 rpm
                nvme-pci-0100/Composite                -                     normal    says what cannot be
                thermal_zone0/soc                51.5 °C            90.0 °C  throttle  forecast off by 9.0 °C, so it \
                is ignored

                PRESSURE      NOW  LEVEL
                disk:/var  71.0 %  normal
                load         0.25  normal
                memory          -  normal

                WORKER  PROBE  KIND  STATE      NOTES
                web     page   http  failing    2 failures in a row: status 500
                web     port   tcp   passing
                web     self   exec  suspended
                """)
    }

    @Test func `a device at rest is told in a line, and its sensors`() {
        let report = HealthReport(
            level: "normal", interval: 5,
            sensors: [SensorReport(name: "cpu", kind: "temperature", value: -3.25, level: "normal")])
        #expect(
            text(HealthView(report: report, palette: .plain).lines) == """
                level normal

                SENSOR      NOW  LEVEL
                cpu     -3.3 °C  normal
                """)
    }

    @Test func `a sensor's name cannot speak to the terminal`() {
        let report = HealthReport(
            level: "normal", interval: 5,
            sensors: [SensorReport(name: "a\u{1b}[31m", kind: "voltage", value: 3.305, level: "normal")])
        let lines = HealthView(report: report, palette: .plain).lines
        #expect(lines.allSatisfy { !$0.contains("\u{1b}") })
        #expect(lines.last?.hasSuffix("3.31 V") == true)
    }

    @Test func `colour changes nothing but colour`() {
        let plain = StatusView(report: Fixtures.status, palette: .plain).lines
        let coloured = StatusView(report: Fixtures.status, palette: .coloured).lines
        #expect(coloured != plain)
        #expect(coloured.map { $0.replacing(#/\u{1b}\[[0-9]+m/#, with: "") } == plain)
        #expect(coloured.contains { $0.contains("\u{1b}[32mready\u{1b}[0m") })
        #expect(coloured.contains { $0.contains("\u{1b}[31mfailed\u{1b}[0m") })
    }
}
