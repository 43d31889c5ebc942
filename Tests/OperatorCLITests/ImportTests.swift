import ControlProtocol
import DeviceConfiguration
import Foundation
import Supervision
import Testing

@testable import OperatorCLI

@Suite struct ImportTests {
    /// What holdfast check would say of a text, but for what it asks the machine.
    static func problems(of toml: String) -> [String] {
        let source = ConfigurationSource(file: "t.toml", bytes: Array(toml.utf8))
        return Configuration.read([source], hostName: "device").problems.map(\.description)
    }

    private func result(_ text: String, user: String? = nil, launcher: String? = "/usr/bin/holdfast-imunoedge")
        -> ImunoEdgeImport
    {
        ImunoEdgeImport(
            DotEnvFile(Array(text.utf8)),
            ImunoEdgeImport.Options(
                file: "/opt/imunoedge/.env", workingDirectory: "/opt/imunoedge", user: user, launcher: launcher))
    }

    private func configuration(_ result: ImunoEdgeImport) throws -> Configuration {
        #expect(result.problems == [])
        let source = ConfigurationSource(file: "t.toml", bytes: Array(result.toml.utf8))
        let report = Configuration.read([source], hostName: "device")
        #expect(report.problems.map(\.description) == [])
        return try #require(report.configuration)
    }

    private static let everything = """
        IMUNOEDGE_DEVICE_ID=press-4
        IMUNOEDGE_LOG_LEVEL=INFO
        IMUNOEDGE_TELEMETRY_ENDPOINT=https://iot.example.com/api/v1/telemetry
        IMUNOEDGE_FLUSH_INTERVAL=30.0
        IMUNOEDGE_HEARTBEAT_INTERVAL=60.0
        IMUNOEDGE_CIRCUIT_FAILURE_THRESHOLD=3
        IMUNOEDGE_CIRCUIT_TIMEOUT=60.0
        IMUNOEDGE_RETRY_MAX_ATTEMPTS=3
        IMUNOEDGE_RETRY_INITIAL_DELAY=2.0
        IMUNOEDGE_HEALTH_INTERVAL=10.0
        IMUNOEDGE_TEMP_THRESHOLD=75.0
        IMUNOEDGE_CPU_THRESHOLD=95.0
        IMUNOEDGE_MEMORY_THRESHOLD=90.0
        IMUNOEDGE_WATCHDOG_INTERVAL=5.0
        IMUNOEDGE_MAX_RESTARTS=12
        IMUNOEDGE_WORKERS=temp_sensor:python3 sensors/temp.py:true,aux_logger:python3 sensors/log.py:false
        """

    @Test func `workers keep their commands, order and importance, and run from the same folder`() throws {
        let result = result(Self.everything, user: "imunoedge")
        let configuration = try configuration(result)
        #expect(configuration.runtime.name == "press-4")
        let names = configuration.children.map { child in
            if case .worker(let worker) = child { worker.name } else { "" }
        }
        #expect(names == ["temp_sensor", "aux_logger"])
        let launch = try #require(configuration.launches["temp_sensor"])
        #expect(launch.command == ["holdfast-imunoedge", "python3", "sensors/temp.py"])
        #expect(launch.workingDirectory == "/opt/imunoedge")
        #expect(launch.user == "imunoedge")
        #expect(launch.environment == ["IMUNOEDGE_DEVICE_ID": "press-4"])
        #expect(launch.watchdog == .seconds(35))
        let essential = configuration.children.map { child in
            if case .worker(let worker) = child { worker.isEssential } else { false }
        }
        #expect(essential == [true, false])
        guard case .worker(let worker) = configuration.children[0] else { return }
        #expect(worker.attempts.maximum == 12)
        #expect(worker.stopPlan.steps.map(\.signal.rawValue) == [28, 15])
    }

    @Test func `every setting is either imported or a comment with its value, and none is lost`() throws {
        let result = result(Self.everything)
        let names = DotEnvFile(Array(Self.everything.utf8)).assignments
        #expect(Set(result.imported + result.withoutCounterpart.map(\.name)) == Set(names.map(\.name)))
        #expect(Set(result.imported).isDisjoint(with: result.withoutCounterpart.map(\.name)))
        for setting in result.withoutCounterpart {
            #expect(result.toml.contains("#   \(setting.name) = \"\(setting.value)\" "), "\(setting.name)")
        }
        #expect(result.warnings == [])
        #expect(result.unknown == [])
    }

    @Test func `the page on migrating names every setting`() throws {
        let page = try String(
            contentsOf: URL(filePath: #filePath).appending(path: "../../../docs/migrating-from-imunoedge.md")
                .standardized,
            encoding: .utf8)
        for setting in ImunoEdgeSetting.all { #expect(page.contains("| `\(setting.name)` |"), "\(setting.name)") }
    }

    @Test func `the whole text is as a person would write it`() {
        let result = result(
            """
            IMUNOEDGE_DEVICE_ID='press 4'
            IMUNOEDGE_TEMP_THRESHOLD=75.0
            IMUNOEDGE_WORKERS=a:python3 a.py:true,b c:cat $HOME/x | sort:false
            IMUNOEDGE_PORT=/dev/ttyUSB0
            TZ=UTC
            HOLDFAST_X=1
            IMUNOEDGE_CPU_THRESHOLD=95.0
            """, launcher: "/opt/holdfast/bin/holdfast-imunoedge")
        let expected = """
            # Made from /opt/imunoedge/.env by holdfast \(HoldfastVersion.current): settings and workers of ImunoEdge.
            # What every key means is in configuration.md, what became of which setting in migrating-from-imunoedge.md.

            [runtime]
            name = "press-4"  # IMUNOEDGE_DEVICE_ID

            [preservation]
            pause_at = 75.0  # IMUNOEDGE_TEMP_THRESHOLD

            # holdfast-imunoedge makes a worker's heartbeat file its watchdog, from the first touch on: 35s are the 30s that
            # ImunoEdge allows, and the 5s until it looks again. SIGWINCH makes the stop file appear. A worker that knows neither
            # file needs neither holdfast-imunoedge, watchdog nor the first step of stop_plan.

            [[worker]]
            name = "a"
            command = ["/opt/holdfast/bin/holdfast-imunoedge", "python3", "a.py"]
            working_directory = "/opt/imunoedge"
            essential = true
            max_attempts = 10
            watchdog = "35s"
            stop_plan = [{ signal = "SIGWINCH", grace = "5s" }, { signal = "SIGTERM", grace = "5s" }]

            [worker.environment]
            IMUNOEDGE_DEVICE_ID = "press 4"
            IMUNOEDGE_PORT = "/dev/ttyUSB0"
            TZ = "UTC"

            # ImunoEdge called it "b c".
            # No shell runs this command, as none did under ImunoEdge: its $HOME | are plain text. If a shell was meant:
            # command = ["/opt/holdfast/bin/holdfast-imunoedge", "/bin/sh", "-c", "cat $HOME/x | sort"]
            [[worker]]
            name = "b-c"
            command = ["/opt/holdfast/bin/holdfast-imunoedge", "cat", "$HOME/x", "|", "sort"]
            working_directory = "/opt/imunoedge"
            essential = false
            max_attempts = 10
            watchdog = "35s"
            stop_plan = [{ signal = "SIGWINCH", grace = "5s" }, { signal = "SIGTERM", grace = "5s" }]

            [worker.environment]
            IMUNOEDGE_DEVICE_ID = "press 4"
            IMUNOEDGE_PORT = "/dev/ttyUSB0"
            TZ = "UTC"

            # Settings of ImunoEdge without a counterpart, with their values:
            #   IMUNOEDGE_CPU_THRESHOLD = "95.0"  percent of CPU above which it warned

            # No settings of ImunoEdge; the workers have them in their environment:
            #   IMUNOEDGE_PORT = "/dev/ttyUSB0"  perhaps a worker's own

            # Not given to the workers:
            #   HOLDFAST_X = "1"  the runtime sets it for every worker

            """
        #expect(result.toml == expected)
        #expect(
            result.warnings == [
                ImportProblem(
                    line: 1, message: #"IMUNOEDGE_DEVICE_ID is "press 4", which is no name here: press-4 is"#),
                ImportProblem(line: 3, message: #"the worker "b c" is called b-c here"#),
                ImportProblem(
                    line: 3,
                    message:
                        "the worker b-c gets $HOME | as plain text, for neither ImunoEdge nor Holdfast runs commands by a shell"
                ),
                ImportProblem(line: 4, message: "IMUNOEDGE_PORT is no setting of ImunoEdge (perhaps a worker's own)"),
                ImportProblem(
                    line: 6, message: "HOLDFAST_X is not given to the workers: the runtime sets it for every worker"),
            ])
    }

    @Test func `all that is wrong is told at once, by lines`() {
        let result = result(
            """
            IMUNOEDGE_MAX_RESTARTS=many
            IMUNOEDGE_TEMP_THRESHOLD=-300
            NONSENSE
            IMUNOEDGE_CPU_THRESHOLD=101
            IMUNOEDGE_LOG_LEVEL=LOUD
            IMUNOEDGE_TELEMETRY_ENDPOINT=ftp://x
            IMUNOEDGE_FLUSH_INTERVAL=
            IMUNOEDGE_CIRCUIT_TIMEOUT=nan
            IMUNOEDGE_HEALTH_INTERVAL=10s
            IMUNOEDGE_RETRY_MAX_ATTEMPTS=2.5
            IMUNOEDGE_DEVICE_ID=---
            IMUNOEDGE_WORKERS="a,b:,c:x:maybe,:x:true,d:'y:true,e:z:true,e:w:true, *:v:true,f:g --at 1.2.3.4:80"
            """)
        #expect(
            result.problems.map { "\($0.line ?? 0): \($0.message)" } == [
                #"1: IMUNOEDGE_MAX_RESTARTS "many" is no such number; allowed: a whole number from 0 to 1000000"#,
                #"2: IMUNOEDGE_TEMP_THRESHOLD "-300" is no such number; allowed: degrees Celsius such as 75.0"#,
                #"3: "NONSENSE" is no assignment; allowed: NAME=value"#,
                #"4: IMUNOEDGE_CPU_THRESHOLD "101" is no such number; allowed: a number from 0 to 100"#,
                #"5: IMUNOEDGE_LOG_LEVEL "LOUD" is not known; allowed: DEBUG, INFO, WARNING, ERROR or CRITICAL"#,
                #"6: IMUNOEDGE_TELEMETRY_ENDPOINT "ftp://x" is no address; allowed: an address that begins with http:// or https://"#,
                "7: IMUNOEDGE_FLUSH_INTERVAL is empty; allowed: seconds such as 2.5, at most a year",
                #"8: IMUNOEDGE_CIRCUIT_TIMEOUT "nan" is no such number; allowed: seconds such as 2.5, at most a year"#,
                #"9: IMUNOEDGE_HEALTH_INTERVAL "10s" is no such number; allowed: seconds such as 2.5, at most a year"#,
                #"10: IMUNOEDGE_RETRY_MAX_ATTEMPTS "2.5" is no such number; allowed: a whole number from 0 to 1000000"#,
                #"11: IMUNOEDGE_DEVICE_ID "---" cannot be a name; allowed: a name of 1 to 64 letters, digits, ".", "_" and "-", the first a letter or digit"#,
                #"12: IMUNOEDGE_WORKERS: worker 1, "a", has no command; allowed: name:command:essential"#,
                #"12: IMUNOEDGE_WORKERS: worker "b" has no command; allowed: name:command:essential"#,
                #"12: IMUNOEDGE_WORKERS: worker "c" is "maybe" where it says whether it is essential (a colon of the command goes into quotes); allowed: true or false"#,
                "12: IMUNOEDGE_WORKERS: worker 4 has no name; allowed: a name of 1 to 64 letters, digits, \".\", \"_\" and \"-\", the first a letter or digit",
                #"12: IMUNOEDGE_WORKERS: worker "d": the quote ' of its command is not closed"#,
                #"12: IMUNOEDGE_WORKERS: worker 7 is called "e", as is the one that runs "z"; allowed: a name for each"#,
                #"12: IMUNOEDGE_WORKERS: worker 8 cannot be called "*"; allowed: a name of 1 to 64 letters, digits, ".", "_" and "-", the first a letter or digit"#,
                #"12: IMUNOEDGE_WORKERS: worker "f" is "80" where it says whether it is essential (a colon of the command goes into quotes); allowed: true or false"#,
            ])
    }

    /// A list, and each worker as its name, words and "true" or "false".
    @Test(arguments: [
        ("a:b:true", [["a", "b", "true"]]),
        ("a:b:True , c:d e", [["a", "b", "true"], ["c", "d", "e", "false"]]),
        ("a:b:FALSE,,", [["a", "b", "false"]]),
        (#"a:sh -c "x, y: z":true"#, [["a", "sh", "-c", "x, y: z", "true"]]),
        (#"a:b\,c '1:2':false"#, [["a", "b,c", "1:2", "false"]]),
        ("a:x --at 1.2.3.4:80:true", [["a", "x", "--at", "1.2.3.4:80", "true"]]),
        (
            "root:b:true,holdfast-x:c:true,größe:d:true",
            [["worker-root", "b", "true"], ["worker-holdfast-x", "c", "true"], ["gr-e", "d", "true"]]
        ),
        (" a.b-c_1 : d : true ", [["a.b-c_1", "d", "true"]]),
        ("", []),
    ])
    func `a list of workers is split at commas and colons outside of quotes`(list: String, workers: [[String]]) {
        let result = ImunoEdgeWorker.list(list)
        #expect(result.mistakes == [])
        #expect(result.workers.map { [$0.name] + $0.words.words + ["\($0.isEssential)"] } == workers)
    }

    @Test func `a worker that ImunoEdge never restarted is not restarted`() throws {
        let configuration = try configuration(result("IMUNOEDGE_MAX_RESTARTS=0\nIMUNOEDGE_WORKERS=a:b:true\n"))
        guard case .worker(let worker) = configuration.children[0] else { return }
        #expect(worker.restart == .never)
    }

    @Test func `the watchdog allows what ImunoEdge can have let pass`() throws {
        let result = result("IMUNOEDGE_WATCHDOG_INTERVAL=0.25\nIMUNOEDGE_WORKERS=a:b:true\n")
        #expect(try configuration(result).launches["a"]?.watchdog == .milliseconds(30_250))
    }

    @Test func `the last of several assignments counts, and no workers at all are worth a word`() {
        let result = result("IMUNOEDGE_WORKERS=a:b:true\nIMUNOEDGE_WORKERS=\n")
        #expect(
            result.warnings == [
                ImportProblem(line: 1, message: "IMUNOEDGE_WORKERS is set again on line 2, and that counts"),
                ImportProblem(
                    message: "there are no workers (ImunoEdge would run its demonstration, sensor_reader.py)"),
            ])
        #expect(Self.problems(of: result.toml) == [])
    }

    @Test func `the launcher is called by its path unless the workers find it by its name`() {
        let workers = "IMUNOEDGE_WORKERS=a:b:true\n"
        #expect(result(workers).launcher == "holdfast-imunoedge")
        #expect(result(workers + "PATH=/opt/bin:/bin\n").launcher == "/usr/bin/holdfast-imunoedge")
        #expect(result(workers, launcher: "/opt/holdfast-imunoedge").launcher == "/opt/holdfast-imunoedge")
        let missing = result(workers, launcher: nil)
        #expect(missing.launcher == "holdfast-imunoedge")
        #expect(missing.warnings.count == 1)
    }
}
