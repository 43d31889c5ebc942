import Testing

@testable import DeviceConfiguration

/// One wrong text, and everything that must be said of it.
struct BadInput: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var text: String
    var messages: [String]

    init(_ description: String, _ text: String, _ messages: String...) {
        testDescription = description
        self.text = text
        self.messages = messages
    }
}

private let durationWords = #"a duration such as "250ms", "5s" or "1h30m", from"#

private let badInputs: [BadInput] = [
    // Syntax.
    BadInput(
        "broken TOML", "[runtime\n",
        #"t.toml:1:9: is not valid TOML: table header: expected ']', saw '\n'"#),
    BadInput(
        "an open quote", "[runtime]\nname = \"a\nstate_dir = \"/b\"\n",
        "t.toml:2:10: is not valid TOML: a text has no closing quote on its line"),
    BadInput(
        "an open quote and a carriage return", "[runtime]\r\nname = \"\u{fc}\r\n",
        "t.toml:2:10: is not valid TOML: a text has no closing quote on its line"),
    BadInput(
        "an open quote at the end", "[runtime]\nname = \"a",
        "t.toml:2:10: is not valid TOML: a text has no closing quote on its line"),
    BadInput(
        "a control character in a text", "[runtime]\nname = \"a\u{1}b\"\n",
        "t.toml:2:10: is not valid TOML: string: unescaped control characters other than TAB (U+0009) are explicitly prohibited"
    ),
    BadInput(
        "a text without quotes", "[runtime]\nname = a\n",
        #"t.toml:2:8: is not valid TOML: this is no value; a text needs quotes, such as "text""#),
    BadInput(
        "a text without quotes that begins like false", "[runtime]\nname = front\n",
        #"t.toml:2:9: is not valid TOML: this is no value; a text needs quotes, such as "text""#),
    BadInput(
        "a text without quotes that begins like inf", "[runtime]\nname = input\n",
        #"t.toml:2:10: is not valid TOML: this is no value; a text needs quotes, such as "text""#),
    BadInput(
        "a key twice", "[runtime]\nname = \"a\"\nname = \"b\"\n",
        "t.toml:3:8: is not valid TOML: key-value pair: cannot redefine existing string 'name'"),
    BadInput(
        "a key of 40 parts", Array(repeating: "a", count: 40).joined(separator: ".") + " = 1\n",
        "t.toml:1:64: is not valid TOML: a key has too many parts"),
    BadInput(
        "arrays in arrays", "a = " + String(repeating: "[", count: 100),
        "t.toml:1:37: is not valid TOML: value: exceeded maximum nested value depth of 32"),
    // Unknown keys.
    BadInput(
        "an unknown section with a near name", "[runtme]\nname = \"a\"\n",
        #"t.toml:1:2: runtme: is not known here (did you mean "runtime"?)"#),
    BadInput(
        "a section of nobody", "[gadgets]\ncount = 1\n",
        "t.toml:1:2: gadgets: is not known here; allowed: deployment, output, plugin, preservation, runtime, supervisor, uplink, worker, worker_defaults"
    ),
    BadInput(
        "an unknown key with a near name", "[runtime]\nstate_dri = \"/x\"\n",
        #"t.toml:2:1: runtime.state_dri: is not known here (did you mean "state_dir"?)"#),
    BadInput(
        "an unknown key with the name of another tool",
        "[[worker]]\nname = \"a\"\ncommand = [\"/bin/true\"]\ncwd = \"/\"\n",
        #"t.toml:4:1: worker.a.cwd: is not known here (did you mean "working_directory"?)"#),
    BadInput(
        "an unknown key of nobody", "[[supervisor]]\nname = \"a\"\nzzzzzzzzz = 1\n",
        "t.toml:3:1: supervisor.a.zzzzzzzzz: is not known here; allowed: max_restarts, name, on_intensity_exceeded, parent, retry_after, strategy, within"
    ),
    BadInput(
        "an unknown limit", "[[worker]]\nname = \"a\"\ncommand = [\"/bin/true\"]\n[worker.limits]\nnofile = 4\n",
        #"t.toml:5:1: worker.a.limits.nofile: is not known here (did you mean "open_files"?)"#),
    // Wrong types.
    BadInput(
        "a section that is a value", "runtime = 5\n",
        "t.toml:1:11: runtime: found the integer 5; allowed: the table [runtime]"),
    BadInput(
        "a section that is a list", "[[runtime]]\nname = \"a\"\n",
        "t.toml:1:1: runtime: found an array; allowed: the table [runtime]"),
    BadInput(
        "a list that is a section", "[worker]\nname = \"a\"\n",
        "t.toml:1:1: worker: found a table; allowed: one or more tables [[worker]]"),
    BadInput(
        "wrong types everywhere",
        """
        [[worker]]
        name = 5
        command = "run me"
        working_directory = ["/"]
        environment = "A=B"
        user = 0
        group = true
        supplementary_groups = "video"
        umask = 22
        nice = "low"
        oom_score_adj = 0.5
        essential = "yes"
        autostart = 1
        restart = true
        ready = 1979-05-27
        start_after = 07:32:00
        start_timeout = 5
        watchdog = 1979-05-27T07:32:00Z
        watchdog_signal = 6
        backoff_jitter = "much"
        max_attempts = "many"
        stop_plan = "SIGINT"
        limits = 5
        output = []
        """,
        #"t.toml:2:8: worker[1].name: found the integer 5; allowed: a name of 1 to 64 letters, digits, ".", "_" and "-", the first a letter or digit"#,
        #"t.toml:3:11: worker[1].command: found the string "run me", which no shell will split; allowed: an array of strings, the program first, such as ["/usr/bin/python3", "camera.py"]"#,
        "t.toml:4:21: worker[1].working_directory: found an array; allowed: an absolute path",
        #"t.toml:5:15: worker[1].environment: found the string "A=B"; allowed: a table of strings such as { LANG = "C.UTF-8" }"#,
        "t.toml:6:8: worker[1].user: found the integer 0; allowed: the name of a user",
        "t.toml:7:9: worker[1].group: found true; allowed: the name of a group",
        #"t.toml:8:24: worker[1].supplementary_groups: found the string "video"; allowed: an array of names of groups"#,
        #"t.toml:9:9: worker[1].umask: found the integer 22; allowed: a string of 3 or 4 octal digits such as "0027""#,
        #"t.toml:10:8: worker[1].nice: found the string "low"; allowed: a whole number from -20 to 19"#,
        "t.toml:11:17: worker[1].oom_score_adj: found the number 0.5; allowed: a whole number from -1000 to 1000",
        #"t.toml:12:13: worker[1].essential: found the string "yes"; allowed: true or false"#,
        "t.toml:13:13: worker[1].autostart: found the integer 1; allowed: true or false",
        #"t.toml:14:11: worker[1].restart: found true; allowed: "always", "on-failure" or "never""#,
        #"t.toml:15:9: worker[1].ready: found a date; allowed: "notify" or "started""#,
        #"t.toml:16:15: worker[1].start_after: found a time; allowed: "previous-started" or "previous-ready""#,
        #"t.toml:17:17: worker[1].start_timeout: found the integer 5; allowed: a duration such as "250ms", "5s" or "1h30m", from 10ms to 1d"#,
        #"t.toml:18:12: worker[1].watchdog: found a date with time; allowed: a duration such as "250ms", "5s" or "1h30m", from 10ms to 1d, or "off""#,
        #"t.toml:19:19: worker[1].watchdog_signal: found the integer 6; allowed: "SIGHUP", "SIGINT", "SIGQUIT", "SIGABRT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGTERM", "SIGWINCH" or "SIGPWR""#,
        #"t.toml:20:18: worker[1].backoff_jitter: found the string "much"; allowed: a number from 0.0 to 1.0"#,
        #"t.toml:21:16: worker[1].max_attempts: found the string "many"; allowed: a whole number from 1 to 1000000, or "unlimited""#,
        #"t.toml:22:13: worker[1].stop_plan: found the string "SIGINT"; allowed: an array of at most 8 steps such as [{ signal = "SIGINT", grace = "2s" }], 1h together"#,
        "t.toml:23:10: worker[1].limits: found the integer 5; allowed: the table [worker.limits]",
        "t.toml:24:10: worker[1].output: found an empty array; allowed: the table [worker.output]"),
    // Values.
    BadInput(
        "wrong durations",
        """
        [worker_defaults]
        start_timeout = "5"
        watchdog = "5x"
        backoff_initial = "-5s"
        backoff_max = "1s1h"
        stable_after = ""
        retry_after_giving_up = "99999999999999999999s"
        stop_timeout = "2h"
        kill_timeout = "1ms"
        """,
        #"t.toml:2:17: worker_defaults.start_timeout: "5" has a number without a unit; allowed: a duration such as "250ms", "5s" or "1h30m", from 10ms to 1d"#,
        #"t.toml:3:12: worker_defaults.watchdog: "5x" has the unknown unit "x"; allowed: a duration such as "250ms", "5s" or "1h30m", from 10ms to 1d, or "off""#,
        #"t.toml:4:19: worker_defaults.backoff_initial: "-5s" is negative; allowed: a duration such as "250ms", "5s" or "1h30m", from 1ms to 1d"#,
        #"t.toml:5:15: worker_defaults.backoff_max: "1s1h" has its units out of order, or one of them twice; allowed: a duration such as "250ms", "5s" or "1h30m", from 1ms to 1d"#,
        #"t.toml:6:16: worker_defaults.stable_after: "" is empty; allowed: a duration such as "250ms", "5s" or "1h30m", from 10ms to 1d"#,
        #"t.toml:7:25: worker_defaults.retry_after_giving_up: "99999999999999999999s" is too long; allowed: a duration such as "250ms", "5s" or "1h30m", from 1s to 7d, or "never""#,
        #"t.toml:8:16: worker_defaults.stop_timeout: "2h" is too long; allowed: a duration such as "250ms", "5s" or "1h30m", from 0s to 1h"#,
        #"t.toml:9:16: worker_defaults.kill_timeout: "1ms" is too short; allowed: a duration such as "250ms", "5s" or "1h30m", from 100ms to 10m"#
    ),
    BadInput(
        "wrong sizes",
        """
        [output]
        rate = "1X"
        burst = "-1"
        max_file = "99999999999T"
        pipe_size = "16M"
        files = 0
        journal = "yes"
        directory = "log"
        """,
        #"t.toml:2:8: output.rate: "1X" has the unknown unit "X"; allowed: a size such as "256K", "64M" or "1G", from 1K to 1G"#,
        #"t.toml:3:9: output.burst: "-1" is negative; allowed: a size such as "256K", "64M" or "1G", from 4K to 1G"#,
        #"t.toml:4:12: output.max_file: "99999999999T" is too large; allowed: a size such as "256K", "64M" or "1G", from 64K to 1T"#,
        #"t.toml:5:13: output.pipe_size: "16M" is too large; allowed: a size such as "256K", "64M" or "1G", from 4K to 1M"#,
        "t.toml:6:9: output.files: 0 is out of range; allowed: a whole number from 1 to 100",
        #"t.toml:7:11: output.journal: "yes" is not known; allowed: "auto", "on" or "off""#,
        #"t.toml:8:13: output.directory: "log" is not an absolute path; allowed: an absolute path"#),
    BadInput(
        "wrong words",
        """
        [[worker]]
        name = "-a"
        command = ["", 5]
        restart = "allways"
        ready = "soon"
        umask = "0999"
        nice = 20
        oom_score_adj = 1001
        backoff_jitter = 1.5
        max_attempts = 0
        stop_signal = "SIGKILL"
        watchdog_signal = "TERM"
        environment = { "A-B" = "x", NOTIFY_SOCKET = "y", C = 5 }
        supplementary_groups = ["video", 5]
        """,
        #"t.toml:2:8: worker[1].name: "-a" is not a name; allowed: a name of 1 to 64 letters, digits, ".", "_" and "-", the first a letter or digit"#,
        "t.toml:3:12: worker[1].command[1]: is empty; allowed: a string",
        "t.toml:3:16: worker[1].command[2]: found the integer 5; allowed: a string",
        #"t.toml:4:11: worker[1].restart: "allways" is not known (did you mean "always"?); allowed: "always", "on-failure" or "never""#,
        #"t.toml:5:9: worker[1].ready: "soon" is not known; allowed: "notify" or "started""#,
        #"t.toml:6:9: worker[1].umask: "0999" is not a file mode mask; allowed: a string of 3 or 4 octal digits such as "0027""#,
        "t.toml:7:8: worker[1].nice: 20 is out of range; allowed: a whole number from -20 to 19",
        "t.toml:8:17: worker[1].oom_score_adj: 1001 is out of range; allowed: a whole number from -1000 to 1000",
        "t.toml:9:18: worker[1].backoff_jitter: 1.5 is out of range; allowed: a number from 0.0 to 1.0",
        #"t.toml:10:16: worker[1].max_attempts: 0 is out of range; allowed: a whole number from 1 to 1000000, or "unlimited""#,
        #"t.toml:11:15: worker[1].stop_signal: "SIGKILL" is not known; allowed: "SIGHUP", "SIGINT", "SIGQUIT", "SIGABRT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGTERM", "SIGWINCH" or "SIGPWR""#,
        #"t.toml:12:19: worker[1].watchdog_signal: "TERM" is not known (did you mean "SIGTERM"?); allowed: "SIGHUP", "SIGINT", "SIGQUIT", "SIGABRT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGTERM", "SIGWINCH" or "SIGPWR""#,
        #"t.toml:13:17: worker[1].environment.A-B: is not a name of a variable; allowed: letters, digits and "_", the first no digit"#,
        "t.toml:13:30: worker[1].environment.NOTIFY_SOCKET: is set by the runtime; remove it",
        "t.toml:13:55: worker[1].environment.C: found the integer 5; allowed: a string",
        "t.toml:14:34: worker[1].supplementary_groups[2]: found the integer 5; allowed: the name of a group"),
    BadInput(
        "a NUL in a command", "[[worker]]\nname = \"a\"\ncommand = [\"/bin/true\", \"a\\u0000b\"]\n",
        "t.toml:3:25: worker.a.command[2]: contains a NUL character; allowed: a string"),
    BadInput(
        "a control character in a value", "[[worker]]\nname = \"a\\u001B[2J\\nb\"\ncommand = [\"/bin/true\"]\n",
        #"t.toml:2:8: worker[1].name: "a\u001B[2J\u000Ab" is not a name; allowed: a name of 1 to 64 letters, digits, ".", "_" and "-", the first a letter or digit"#
    ),
    // What is missing, and what excludes one another.
    BadInput(
        "nothing in a worker", "[[worker]]\n",
        #"t.toml:1:1: worker[1].name: is missing; allowed: a name of 1 to 64 letters, digits, ".", "_" and "-", the first a letter or digit"#,
        #"t.toml:1:1: worker[1].command: is missing; allowed: an array of strings, the program first, such as ["/usr/bin/python3", "camera.py"]"#
    ),
    BadInput(
        "an empty command", "[[worker]]\nname = \"a\"\ncommand = []\n",
        #"t.toml:3:11: worker.a.command: found an empty array; allowed: an array of strings, the program first, such as ["/usr/bin/python3", "camera.py"]"#
    ),
    BadInput(
        "a stop plan beside a stop signal",
        """
        [[worker]]
        name = "a"
        command = ["/bin/true"]
        stop_signal = "SIGINT"
        stop_plan = [{ signal = "SIGINT", grace = "1s" }]
        """,
        "t.toml:4:15: worker.a.stop_signal: cannot stand beside stop_plan; remove one of them"),
    BadInput(
        "a stop plan with mistakes",
        """
        [[worker]]
        name = "a"
        command = ["/bin/true"]
        stop_plan = [{ signal = "SIGSTOP", grace = "1s" }, { signal = "SIGINT", wait = "2s" }, 5]
        """,
        #"t.toml:4:25: worker.a.stop_plan[1].signal: "SIGSTOP" is not known; allowed: "SIGHUP", "SIGINT", "SIGQUIT", "SIGABRT", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGTERM", "SIGWINCH" or "SIGPWR""#,
        #"t.toml:4:52: worker.a.stop_plan[2].grace: is missing; allowed: a duration such as "250ms", "5s" or "1h30m", from 0s to 1h"#,
        #"t.toml:4:73: worker.a.stop_plan[2].wait: is not known here (did you mean "grace"?)"#,
        #"t.toml:4:88: worker.a.stop_plan[3]: found the integer 5; allowed: a table such as { signal = "SIGINT", grace = "2s" }"#
    ),
    BadInput(
        "a stop plan of hours",
        """
        [worker_defaults]
        stop_plan = [{ signal = "SIGINT", grace = "1h" }, { signal = "SIGTERM", grace = "1s" }]
        """,
        "t.toml:2:13: worker_defaults.stop_plan: takes up to 1h1s; allowed: at most 1h together"),
    BadInput(
        "a back-off upside down", "[worker_defaults]\nbackoff_max = \"50ms\"\n",
        #"t.toml:2:15: worker_defaults.backoff_max: backoff_initial is "100ms" and longer than backoff_max, "50ms"; allowed: backoff_initial at most backoff_max"#
    ),
    BadInput(
        "a retry time beside escalate",
        "[[supervisor]]\nname = \"a\"\non_intensity_exceeded = \"escalate\"\nretry_after = \"5m\"\n",
        #"t.toml:4:15: supervisor.a.retry_after: has no meaning when on_intensity_exceeded is "escalate"; remove it"#),
    // Names.
    BadInput(
        "a name twice",
        """
        [[worker]]
        name = "a"
        command = ["/bin/true"]
        [[supervisor]]
        name = "a"
        [[worker]]
        name = "a"
        command = ["/bin/true"]
        """,
        #"t.toml:5:8: supervisor.a.name: "a" is already the name of the worker at t.toml:2:8; allowed: a name that no other worker or supervisor has"#,
        #"t.toml:7:8: worker.a.name: "a" is already the name of the worker at t.toml:2:8; allowed: a name that no other worker or supervisor has"#
    ),
    BadInput(
        "reserved names",
        "[[supervisor]]\nname = \"root\"\n[[worker]]\nname = \"system\"\ncommand = [\"/bin/true\"]\n"
            + "[[worker]]\nname = \"holdfast-output\"\ncommand = [\"/bin/true\"]\n",
        #"t.toml:2:8: supervisor.root.name: "root" is reserved; allowed: any other name"#,
        #"t.toml:4:8: worker.system.name: "system" is reserved; allowed: any other name"#,
        #"t.toml:7:8: worker.holdfast-output.name: "holdfast-output" is reserved; allowed: any other name"#),
    BadInput(
        "an unknown supervisor with a near name",
        "[[supervisor]]\nname = \"vision\"\n[[worker]]\nname = \"a\"\nsupervisor = \"vison\"\ncommand = [\"/bin/true\"]\n",
        #"t.toml:5:14: worker.a.supervisor: there is no supervisor "vison" (did you mean "vision"?)"#),
    BadInput(
        "unknown supervisors",
        "[[supervisor]]\nname = \"vision\"\nparent = \"system\"\n[[supervisor]]\nname = \"b\"\nparent = \"nobody\"\n",
        #"t.toml:3:10: supervisor.vision.parent: "system" is for Holdfast's own processes; allowed: another supervisor"#,
        #"t.toml:6:10: supervisor.b.parent: there is no supervisor "nobody"; allowed: "root", "vision", "b""#),
    // Cycles.
    BadInput(
        "a supervisor below itself", "[[supervisor]]\nname = \"a\"\nparent = \"a\"\n",
        "t.toml:3:10: supervisor.a.parent: supervisors are in a cycle: a -> a; allowed: a parent that is not below its child"
    ),
    BadInput(
        "cycles of supervisors",
        """
        [[supervisor]]
        name = "b"
        parent = "c"
        [[supervisor]]
        name = "a"
        parent = "b"
        [[supervisor]]
        name = "c"
        parent = "a"
        [[supervisor]]
        name = "below"
        parent = "a"
        [[supervisor]]
        name = "x"
        parent = "y"
        [[supervisor]]
        name = "y"
        parent = "x"
        """,
        "t.toml:3:10: supervisor.b.parent: supervisors are in a cycle: b -> c -> a -> b; allowed: a parent that is not below its child",
        "t.toml:15:10: supervisor.x.parent: supervisors are in a cycle: x -> y -> x; allowed: a parent that is not below its child"
    ),
]

@Suite struct BadInputTests {
    @Test func aRuntimeDirectoryWithoutRoomForItsSocketsIsAProblem() {
        let long = "/" + String(repeating: "d", count: 90)
        let text = "[runtime]\nruntime_dir = \"\(long)\"\n[[worker]]\nname = \"a\"\ncommand = [\"/bin/true\"]\n"
        let report = Configuration.read(text)
        #expect(report.problems.map(\.key) == ["runtime.runtime_dir"])
    }

    @Test("every problem is told at once, with its place, its key and what is allowed", arguments: badInputs)
    func messages(input: BadInput) {
        let report = Configuration.read(input.text)
        #expect(report.problems.map(\.description) == input.messages)
        #expect(report.configuration == nil)
    }
}
