/// What the kernel has counted of one process (proc_pid_stat(5)), in its own units.
struct ProcessSample: Equatable {
    /// User and system time, in clock ticks.
    var cpuTicks: Int
    var threads: Int
    /// In clock ticks since boot. With the pid, it tells whether two samples are of the same process.
    var startTicks: Int
    var residentPages: Int

    /// - Parameter stat: the content of /proc/PID/stat. `nil` when it is something else.
    init?(stat: String) {
        // The second field is the name in parentheses, which may itself hold blanks and parentheses.
        guard let nameEnd = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: nameEnd)...].split(whereSeparator: \.isWhitespace)
        // The first of these is the third of proc_pid_stat(5), which counts from one.
        func field(_ number: Int) -> Int? { fields.count > number - 3 ? Int(fields[number - 3]) : nil }
        guard let user = field(14), let system = field(15), let threads = field(20), let start = field(22),
            let resident = field(24)
        else { return nil }
        cpuTicks = user &+ system
        self.threads = threads
        startTicks = start
        residentPages = resident
    }
}
