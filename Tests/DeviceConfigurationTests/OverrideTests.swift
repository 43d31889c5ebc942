import LinuxSystem
import Supervision
import Testing

@testable import DeviceConfiguration

private let prefix = "HOLDFAST_CONFIG__"

private let files = """
    [runtime]
    name = "line"
    [worker_defaults]
    watchdog = "1m"
    [[supervisor]]
    name = "vision"
    [[worker]]
    name = "cam-era.1"
    supervisor = "vision"
    command = ["/bin/a"]
    environment = { LANG = "C", TZ = "UTC" }
    [worker.limits]
    open_files = 100
    [[worker]]
    name = "logger"
    command = ["/bin/b"]

    """

/// One variable, and the effective setting that it must become.
struct Override: Sendable, CustomTestStringConvertible {
    var name: String
    var value: String
    var path: String
    var toml: String

    init(_ name: String, _ value: String, _ path: String, _ toml: String) {
        (self.name, self.value, self.path, self.toml) = (name, value, path, toml)
    }

    var testDescription: String { "\(name)=\(value)" }
}

private let overrides: [Override] = [
    // Every form of value.
    Override("RUNTIME__NAME", "other", "runtime.name", #""other""#),
    Override("RUNTIME__STATE_DIR", "/srv/a b", "runtime.state_dir", #""/srv/a b""#),
    Override("RUNTIME__EVENT_BUFFER", "2048", "runtime.event_buffer", "2048"),
    Override("RUNTIME__EVENT_BUFFER", " 2_048 ", "runtime.event_buffer", "2048"),
    Override("RUNTIME__WORKERS_CGROUP", "off", "runtime.workers_cgroup", #""off""#),
    Override("OUTPUT__JOURNAL", "off", "output.journal", #""off""#),
    Override("OUTPUT__RATE", "128K", "output.rate", #""128K""#),
    Override("OUTPUT__FILES", "3", "output.files", "3"),
    Override("WORKER_DEFAULTS__STOP_TIMEOUT", "1m30s", "worker_defaults.stop_timeout", #""1m30s""#),
    Override("WORKER_DEFAULTS__BACKOFF_JITTER", "0.5", "worker_defaults.backoff_jitter", "0.5"),
    Override("WORKER_DEFAULTS__BACKOFF_JITTER", "1", "worker_defaults.backoff_jitter", "1.0"),
    Override("WORKER_DEFAULTS__MAX_ATTEMPTS", "7", "worker_defaults.max_attempts", "7"),
    Override("WORKER_DEFAULTS__MAX_ATTEMPTS", "unlimited", "worker_defaults.max_attempts", #""unlimited""#),
    Override("WORKER_DEFAULTS__STOP_SIGNAL", "SIGINT", "worker_defaults.stop_signal", #""SIGINT""#),
    Override(
        "WORKER_DEFAULTS__STOP_PLAN", #"[{ signal = "SIGINT", grace = "2s" }]"#, "worker_defaults.stop_plan",
        #"[{ signal = "SIGINT", grace = "2s" }]"#),
    Override("WORKER_DEFAULTS__LIMITS__OPEN_FILES", "64", "worker_defaults.limits.open_files", "64"),
    Override("WORKER_DEFAULTS__LIMITS__CORE_SIZE", "1M", "worker_defaults.limits.core_size", #""1M""#),
    Override("WORKER_DEFAULTS__LIMITS__CPU_TIME", "90s", "worker_defaults.limits.cpu_time", #""1m30s""#),
    // Children, by any writing of their names.
    Override("SUPERVISOR__VISION__STRATEGY", "rest-for-one", "supervisor.vision.strategy", #""rest-for-one""#),
    Override("WORKER__CAM_ERA_1__ESSENTIAL", "true", "worker.cam-era.1.essential", "true"),
    Override("worker__cam_era_1__essential", "true", "worker.cam-era.1.essential", "true"),
    Override("WORKER__CAM_ERA_1__UMASK", "0077", "worker.cam-era.1.umask", #""0077""#),
    Override("WORKER__CAM_ERA_1__LIMITS__OPEN_FILES", "200", "worker.cam-era.1.limits.open_files", "200"),
    Override("WORKER__CAM_ERA_1__OUTPUT__BURST", "8K", "worker.cam-era.1.output.burst", #""8K""#),
    Override("WORKER__LOGGER__WATCHDOG", "off", "worker.logger.watchdog", #""off""#),
    // Lists and tables.
    Override("WORKER__LOGGER__COMMAND", "/bin/c, -x ,1,", "worker.logger.command", #"["/bin/c", "-x", "1", ""]"#),
    Override(
        "WORKER__LOGGER__COMMAND", #" ["/bin/c", "a, b"] "#, "worker.logger.command", #"["/bin/c", "a, b"]"#),
    Override(
        "WORKER__LOGGER__SUPPLEMENTARY_GROUPS", "video,audio", "worker.logger.supplementary_groups",
        #"["video", "audio"]"#),
    Override("WORKER__LOGGER__SUPPLEMENTARY_GROUPS", "", "worker.logger.supplementary_groups", "[]"),
    Override("WORKER__LOGGER__ENVIRONMENT", #"{ A = "1" }"#, "worker.logger.environment.A", #""1""#),
    Override("WORKER__LOGGER__ENVIRONMENT__a__B", "x=\"y\"", "worker.logger.environment.a__B", #""x=\"y\"""#),
    Override("WORKER__CAM_ERA_1__ENVIRONMENT__TZ", "", "worker.cam-era.1.environment.TZ", #""""#),
]

@Suite struct OverrideTests {
    private func rows(_ report: ConfigurationReport) -> [String: EffectiveSetting] {
        var rows: [String: EffectiveSetting] = [:]
        for section in report.effective {
            for setting in section.settings { rows["\(section.path).\(setting.key)"] = setting }
        }
        return rows
    }

    @Test("a variable sets what it names, and nothing else changes", arguments: overrides)
    func override(_ override: Override) throws {
        let before = Configuration.read(files, explains: true)
        let report = Configuration.read(files, variables: [(prefix + override.name, override.value)], explains: true)
        #expect(report.problems.map(\.description) == [])
        let rows = rows(report)
        let row = try #require(rows[override.path])
        #expect(row.value.map(TOMLText.value) == override.toml)
        #expect(row.source == .given(SourcePlace(variable: prefix + override.name)))
        // A default of other tables changes these, too; a plan takes the place of one signal.
        let inherited = override.name.hasPrefix("WORKER_DEFAULTS") || override.name.hasPrefix("OUTPUT")
        let derived = override.path == "runtime.state_dir" ? ["output.directory"] : []
        let changed = rows.filter { self.rows(before)[$0.key] != $0.value }.map(\.key)
        if !inherited { #expect(Set(changed) == Set([override.path] + derived)) }
    }

    @Test("what has an override need not stand in a file; the rest of a table of variables stays")
    func combination() throws {
        let report = Configuration.read(
            "[[worker]]\nname = \"a\"\nenvironment = { A = \"1\", B = \"2\" }\n",
            variables: [
                (prefix + "WORKER__A__COMMAND", "/bin/true"), (prefix + "WORKER__A__ENVIRONMENT__B", "3"),
                (prefix + "WORKER__A__ENVIRONMENT__C", "4"),
            ])
        #expect(report.problems.map(\.description) == [])
        let launch = try #require(report.configuration?.launches["a"])
        #expect(launch.command == ["/bin/true"])
        #expect(launch.environment == ["A": "1", "B": "3", "C": "4"])
    }

    @Test("an override of a default reaches the workers that do not set it themselves")
    func defaults() throws {
        let report = Configuration.read(
            files + "watchdog = \"5s\"\n", variables: [(prefix + "WORKER_DEFAULTS__WATCHDOG", "2s")])
        let launches = try #require(report.configuration?.launches)
        #expect(launches["cam-era.1"]?.watchdog == .seconds(2))
        #expect(launches["logger"]?.watchdog == .seconds(5))
    }

    @Test("a name that could end in two places is taken where it leads to a setting; where both do, both are told")
    func ambiguity() throws {
        let two = """
            [[worker]]
            name = "a"
            command = ["/bin/a"]
            [[worker]]
            name = "a__limits"
            command = ["/bin/b"]
            [[worker]]
            name = "x-y"
            command = ["/bin/b"]
            [[worker]]
            name = "x.y"
            command = ["/bin/b"]
            """
        let clear = Configuration.read(
            two,
            variables: [
                (prefix + "WORKER__A__LIMITS__OPEN_FILES", "64"), (prefix + "WORKER__A__LIMITS__NICE", "1"),
            ])
        #expect(clear.problems.map(\.description) == [])
        #expect(clear.configuration?.launches["a"]?.limits == [ResourceLimit(resource: .openFiles, value: .atMost(64))])
        #expect(clear.configuration?.launches["a__limits"]?.nice == 1)
        let unclear = Configuration.read(two, variables: [(prefix + "WORKER__X_Y__NICE", "1")])
        #expect(
            unclear.problems.map(\.description) == [
                #"environment: HOLDFAST_CONFIG__WORKER__X_Y__NICE: could mean the workers "x-y" and "x.y"; set it in a file, or rename one of them"#
            ])
    }

    @Test("all that is wrong with variables is told at once, after what is wrong with the files")
    func problems() {
        let report = Configuration.read(
            files + "wachdog = 1\n",
            variables: [
                ("HOLDFAST_CONFIG_NAME", "x"),
                ("HOLDFAST_CONFIG_RUNTIME__NAME", "x"),
                (prefix, "x"),
                (prefix + "OUTPUT__FILES", "0"),
                (prefix + "OUTPUT__RATE", "much"),
                (prefix + "RUNTIME", "x"),
                (prefix + "RUNTIME_NAME", "x"),
                (prefix + "RUNTIME__DATA_DIR", "/x"),
                (prefix + "RUNTIME__EVENT_BUFFER", "2048\nname = 1"),
                (prefix + "RUNTIME__NAME", "a b"),
                (prefix + "RUNTIME__NAME__X", "a"),
                (prefix + "RUNTIME__ZZZZZZZZZZZZ", "x"),
                (prefix + "RUNTME__NAME", "x"),
                (prefix + "SUPERVISOR__VISION__PARENT", "nobody"),
                (prefix + "WORKER_DEFAULTS__STOP_PLAN", "SIGINT"),
                (prefix + "WORKER__CAM_ERA_1", "x"),
                (prefix + "WORKER__CAM_ERA_1__ENVIRONMENT__NOTIFY_SOCKET", "x"),
                (prefix + "WORKER__CAM_ERA_1__ESSENTIAL", "yes"),
                (prefix + "WORKER__LOGGER__COMMAND", "[1,"),
                (prefix + "WORKER__LOGGER__LIMITS", "1"),
                (prefix + "WORKER__LOGGR__NICE", "1"),
                (prefix + "WORKER__SOMETHING__NICE", "1"),
                (prefix + "runtime__nmae", "x"),
                (prefix + "worker__logger__COMMAND", "x"),
            ])
        let messages = report.problems.map { $0.description.replacing("environment: \(prefix)", with: "env: ") }
        #expect(
            messages == [
                #"t.toml:17:1: worker.logger.wachdog: is not known here (did you mean "watchdog"?)"#,
                "environment: HOLDFAST_CONFIG_NAME: is not a setting; allowed: HOLDFAST_CONFIG__<SECTION>__<KEY>",
                "environment: HOLDFAST_CONFIG_RUNTIME__NAME: is not a setting (did you mean HOLDFAST_CONFIG__RUNTIME__NAME?)",
                "env: : is not a setting; allowed: HOLDFAST_CONFIG__<KEY>, one of DEPLOYMENT, OUTPUT, PLUGIN, PRESERVATION, RUNTIME, SUPERVISOR, UPLINK, WORKER, WORKER_DEFAULTS",
                "env: OUTPUT__FILES: output.files: 0 is out of range; allowed: a whole number from 1 to 100",
                #"env: OUTPUT__RATE: output.rate: "much" is not a size; allowed: a size such as "256K", "64M" or "1G", from 1K to 1G"#,
                "env: RUNTIME: names a section, not a setting; allowed: HOLDFAST_CONFIG__RUNTIME__<KEY>",
                "env: RUNTIME_NAME: is not a setting (did you mean HOLDFAST_CONFIG__RUNTIME__NAME?)",
                "env: RUNTIME__DATA_DIR: is not a setting (did you mean HOLDFAST_CONFIG__RUNTIME__STATE_DIR?)",
                #"env: RUNTIME__EVENT_BUFFER: runtime.event_buffer: found the string "2048\u000Aname = 1"; allowed: a whole number from 16 to 65536"#,
                #"env: RUNTIME__NAME: runtime.name: "a b" is not a name; allowed: a name of 1 to 64 letters, digits, ".", "_" and "-", the first a letter or digit"#,
                "env: RUNTIME__NAME__X: has nothing below the setting name",
                "env: RUNTIME__ZZZZZZZZZZZZ: is not a setting; allowed: HOLDFAST_CONFIG__RUNTIME__<KEY>, one of CONTROL_GROUP, DEFAULT_USER, EVENT_BUFFER, INCIDENT_BUFFER, NAME, RUNTIME_DIR, STATE_DIR, WORKERS_CGROUP",
                "env: RUNTME__NAME: is not a setting (did you mean HOLDFAST_CONFIG__RUNTIME__NAME?)",
                #"env: SUPERVISOR__VISION__PARENT: supervisor.vision.parent: there is no supervisor "nobody"; allowed: "root", "vision""#,
                #"env: WORKER_DEFAULTS__STOP_PLAN: worker_defaults.stop_plan: found the string "SIGINT"; allowed: an array of at most 8 steps such as [{ signal = "SIGINT", grace = "2s" }], 1h together"#,
                "env: WORKER__CAM_ERA_1: names a worker, not a setting; allowed: HOLDFAST_CONFIG__WORKER__CAM_ERA_1__<KEY>",
                "env: WORKER__CAM_ERA_1__ENVIRONMENT__NOTIFY_SOCKET: worker.cam-era.1.environment.NOTIFY_SOCKET: is set by the runtime; remove it",
                #"env: WORKER__CAM_ERA_1__ESSENTIAL: worker.cam-era.1.essential: found the string "yes"; allowed: true or false"#,
                #"env: WORKER__LOGGER__COMMAND: worker.logger.command: is not valid TOML: array: encountered end-of-file; allowed: an array of strings, the program first, such as ["/usr/bin/python3", "camera.py"]"#,
                "env: WORKER__LOGGER__LIMITS: names a section, not a setting; allowed: HOLDFAST_CONFIG__WORKER__LOGGER__LIMITS__<KEY>",
                "env: WORKER__LOGGR__NICE: there is no worker LOGGR (did you mean HOLDFAST_CONFIG__WORKER__LOGGER__NICE?)",
                "env: WORKER__SOMETHING__NICE: there is no worker SOMETHING; allowed: CAM_ERA_1, LOGGER",
                "env: runtime__nmae: is not a setting (did you mean HOLDFAST_CONFIG__runtime__NAME?)",
            ])
    }

    @Test("two variables for one setting are a problem of the second")
    func twice() {
        let report = Configuration.read(
            files,
            variables: [
                (prefix + "RUNTIME__NAME", "a"), (prefix + "WORKER__LOGGER__ENVIRONMENT__A", "1"),
                (prefix + "runtime__NAME", "b"), (prefix + "worker__LOGGER__ENVIRONMENT__A", "2"),
            ])
        #expect(
            report.problems.map(\.description) == [
                "environment: HOLDFAST_CONFIG__runtime__NAME: sets runtime.name, as HOLDFAST_CONFIG__RUNTIME__NAME does; remove one of them",
                "environment: HOLDFAST_CONFIG__worker__LOGGER__ENVIRONMENT__A: sets worker.logger.environment.A, as HOLDFAST_CONFIG__WORKER__LOGGER__ENVIRONMENT__A does; remove one of them",
            ])
    }

    @Test("an override does not hide what is wrong with the file, nor what the two make together")
    func filesAreJudged() {
        let report = Configuration.read(
            "[runtime]\nevent_buffer = 1\n[worker_defaults]\nstop_plan = []\nbackoff_max = \"1s\"\n",
            variables: [
                (prefix + "RUNTIME__EVENT_BUFFER", "16"), (prefix + "WORKER_DEFAULTS__BACKOFF_INITIAL", "2s"),
                (prefix + "WORKER_DEFAULTS__STOP_SIGNAL", "SIGINT"),
            ])
        #expect(
            report.problems.map(\.description) == [
                "t.toml:2:16: runtime.event_buffer: 1 is out of range; allowed: a whole number from 16 to 65536",
                #"environment: HOLDFAST_CONFIG__WORKER_DEFAULTS__BACKOFF_INITIAL: worker_defaults.backoff_initial: backoff_initial is "2s" and longer than backoff_max, "1s"; allowed: backoff_initial at most backoff_max"#,
                "environment: HOLDFAST_CONFIG__WORKER_DEFAULTS__STOP_SIGNAL: worker_defaults.stop_signal: cannot stand beside stop_plan; remove one of them",
            ])
    }

    @Test("every value is told with its place, its table's, or as a default, in the order of the reference")
    func sources() throws {
        let report = Configuration.read(
            files + "output = { files = 4 }\n", variables: [(prefix + "OUTPUT__RATE", "8K")], explains: true)
        let rows = rows(report)
        func source(_ path: String) -> String? {
            rows[path].map { row in
                if case .given(let place) = row.source { "\(place)" } else { "default" }
            }
        }
        #expect(source("runtime.name") == "t.toml:2:8")
        #expect(source("runtime.state_dir") == "default")
        #expect(rows["output.directory"]?.value == .string("/var/lib/holdfast/log"))
        #expect(source("worker.logger.watchdog") == "t.toml:4:12")
        #expect(source("worker.logger.user") == "default")
        #expect(rows["worker.logger.user"]?.value == .string("nobody"))
        #expect(rows["worker.logger.group"]?.value == nil)
        #expect(rows["worker.logger.group"]?.otherwise == "the user's own")
        #expect(source("worker.logger.output.rate") == "environment: HOLDFAST_CONFIG__OUTPUT__RATE")
        #expect(source("worker.logger.output.files") == "t.toml:17:20")
        #expect(source("worker.cam-era.1.environment.TZ") == "t.toml:11:29")
        #expect(source("worker.cam-era.1.limits.open_files") == "t.toml:13:14")
        #expect(rows["worker.logger.stop_plan"] == nil)
        #expect(
            report.effective.map(\.path) == [
                "runtime", "output", "preservation", "preservation.memory", "preservation.cpu", "preservation.io",
                "preservation.load", "uplink", "uplink.events", "uplink.readings", "deployment", "worker_defaults",
                "worker_defaults.limits", "supervisor.vision",
                "worker.cam-era.1", "worker.cam-era.1.limits", "worker.cam-era.1.sandbox", "worker.cam-era.1.output",
                "worker.logger", "worker.logger.limits", "worker.logger.sandbox", "worker.logger.output",
            ])
        let last = try #require(report.effective.last)
        #expect((last.table, last.header, last.name) == ("worker.output", "[worker.output]", "logger"))
        for section in report.effective {
            let schema = try #require(ConfigurationSchema.tables.first { $0.path == section.table })
            let order = section.settings.map { $0.key.split(separator: ".")[0] }
            let shown = schema.settings.map(\.name).filter { order.contains(Substring($0)) }
            #expect(order.reduce(into: []) { if $0.last != $1 { $0.append($1) } } == shown.map { Substring($0) })
            // All but what another setting rules out.
            #expect(Set(schema.settings.map(\.name)).subtracting(shown).isSubset(of: ["stop_plan"]))
        }
        #expect(Configuration.read(files).effective.isEmpty)
    }

    @Test("where a file cannot be read, nobody is told that its workers do not exist")
    func unreadFiles() {
        let report = Configuration.read("[[worker]\n", variables: [(prefix + "WORKER__A__NICE", "1")])
        #expect(report.problems.map(\.kind) == [.syntax])
    }

    @Test("a value that is not UTF-8 is a problem")
    func bytes() {
        let report = Configuration.read(
            [], variables: [ConfigurationVariable(name: prefix + "RUNTIME__NAME", value: [0x61, 0xFF])], hostName: "h")
        #expect(
            report.problems.map(\.description) == [
                "environment: HOLDFAST_CONFIG__RUNTIME__NAME: is not UTF-8 text"
            ])
    }

    @Test("every setting of the reference has a variable, but for tables that have only a number")
    func completeness() {
        /// Of those that have only a number nobody can say which is meant.
        func hasNameOrNeedsNone(_ schema: TableSchema) -> Bool {
            schema.occurrence == .once || schema.settings.contains { $0.name == "name" }
        }
        func names(_ schema: TableSchema) -> [String] {
            let child = schema.occurrence == .repeated ? "__LOGGER" : ""
            let own = schema.name.uppercased() + child
            return schema.settings.map { "\(own)__\($0.name.uppercased())" }
                + schema.subtables.filter(hasNameOrNeedsNone).flatMap(names).map { "\(own)__\($0)" }
        }
        let probed = files.replacing(
            "name = \"logger\"\ncommand",
            with: "name = \"logger\"\nprobe = [{ name = \"logger\", type = \"tcp\", port = 1 }]\ncommand")
        let supervisors =
            probed.replacing("name = \"vision\"", with: "name = \"logger\"")
            .replacing("supervisor = \"vision\"", with: "").replacing(
                "name = \"logger\"\nprobe", with: "name = \"LOGGER\"\nprobe") + "[[plugin]]\nname = \"logger\"\n"
        for name in ConfigurationSchema.document.subtables.flatMap(names) {
            // A text that nothing takes: only the value is wrong then.
            let report = Configuration.read(supervisors, variables: [(prefix + name, "\u{7}")])
            let problems = report.problems.filter { $0.origin == .variable(prefix + name) }
            #expect(problems.allSatisfy { $0.key != nil }, "\(name): \(problems)")
        }
    }

    @Test("this process's variables are found by their prefix, values as bytes")
    func ofProcess() {
        #expect(ConfigurationVariable.ofProcess().allSatisfy { $0.name.hasPrefix("HOLDFAST_CONFIG_") })
        let path = ProcessEnvironment.variables(withPrefix: "PATH").first { $0.name == "PATH" }
        #expect(path.map { String(decoding: $0.value, as: UTF8.self) } == ProcessEnvironment.value("PATH"))
    }
}
