import ArgumentParser
import ControlProtocol
import LinuxSystem
import MonotonicTime

struct EmitCommand: OperatorCommand {
    /// Where a worker finds its socket.
    static let socketVariable = "HOLDFAST_TELEMETRY_SOCKET"

    static let configuration = CommandConfiguration(
        commandName: "emit",
        abstract: "Report readings, or an event, from a worker or a script of it.",
        discussion: """
            A value is a number, true or false where it reads as one, and a text otherwise; name='"5"' is the text 5. Without \
            --sync it returns once the runtime has it, which survives everything but a power cut; what is wrong with it, or \
            beyond telemetry_rate, is then told in holdfast events only.

            EXAMPLES
              holdfast emit temperature=21.5 door=open
              holdfast emit --event door-open by=Ada --sync
              sudo holdfast emit --worker camera fps=30

            EXIT STATUS
              0  taken, and with --sync on disk     3  nobody took it in time; try again
              1  not taken, and why                 4  not permitted
              2  wrong usage
            """)

    @Flag(name: .long, help: "Wait until it is on disk.")
    var sync = false

    @Option(name: .long, help: ArgumentHelp("An event of that name, not a reading.", valueName: "name"))
    var event: String?

    @Option(
        name: .long,
        help: ArgumentHelp("For this worker. (default: whose $\(socketVariable) is)", valueName: "name"),
        completion: WorkerNameCompletion.kind)
    var worker: String?

    @Option(
        name: .long, help: ArgumentHelp("When it was, if not now: as RFC 3339 has it.", valueName: "time"))
    var time: String?

    @Argument(help: ArgumentHelp("A name and its value, such as fps=30.", valueName: "key=value"))
    var values: [String] = []

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    static func asksForHelp(_ argument: String) -> Bool {
        ["--help", "-h", "--version", "--experimental-dump-help"].contains(argument)
    }

    func validate() throws {
        guard event != nil || !values.isEmpty else { throw ValidationError("There is nothing to emit.") }
    }

    func perform(on console: Console) throws {
        let line = try line().serialised()
        let socket = try connect(console)
        guard sync else { return try send(line, over: socket.rawValue, []) }
        let (answer, theirs) = try SystemCall.makePipe(nonBlocking: true).shared()
        try send(line, over: socket.rawValue, [theirs.rawValue ?? -1])
        theirs.close()
        try awaitAnswer(on: answer)
    }

    // MARK: What

    private func line() throws -> JSONValue {
        var object = JSONObject()
        if let event { object["event"] = .string(event) }
        if let time { object["time"] = .string(time) }
        for argument in values {
            guard let equals = argument.firstIndex(of: "="), equals != argument.startIndex else {
                throw CommandError(
                    code: .usage, message: "\(argument.escapedForTerminal) is no name and value, such as fps=30")
            }
            let name = String(argument[..<equals])
            guard object[name] == nil, name != "event", name != "time" else {
                throw CommandError(
                    code: .usage,
                    message: "\(name.escapedForTerminal) is given twice, or has an option of its own (--event, --time)")
            }
            object[name] = Self.value(String(argument[argument.index(after: equals)...]))
        }
        return .object(object)
    }

    private static func value(_ text: String) -> JSONValue {
        switch try? JSONValue.parse(Array(text.utf8)) {
        case .some(let value):
            switch value {
            case .bool, .int, .double, .string: return value
            case .null, .array, .object: return .string(text)
            }
        case nil: return .string(text)
        }
    }

    // MARK: Where

    private func path(_ console: Console) throws -> String {
        if let worker {
            guard !worker.contains("/"), !worker.hasPrefix(".") else {
                throw CommandError(
                    code: .noSuchWorker, message: "there is no worker named \(worker.escapedForTerminal)")
            }
            let control = connection.path(console)
            let folder = control.lastIndex(of: "/").map { String(control[..<$0]) } ?? "."
            return "\(folder)/telemetry/\(worker)"
        }
        guard let path = console.surroundings.environment[Self.socketVariable], !path.isEmpty else {
            throw CommandError(
                code: .unreachable,
                message: "$\(Self.socketVariable) is not set, so this is no worker's; say whose with --worker NAME")
        }
        return path
    }

    private func connect(_ console: Console) throws -> Descriptor {
        let path = try path(console)
        do throws(SystemError) {
            return try TelemetrySocket.connect(to: path)
        } catch {
            if error.isPermissionDenied {
                throw CommandError(
                    code: .notPermitted,
                    message: "you may not write to \(path.escapedForTerminal) (use sudo, or do it as the worker's user)"
                )
            }
            guard error.isNotFound || error.isConnectionRefused || error.isNotDirectory else { throw error }
            throw CommandError(
                code: .unreachable,
                message:
                    "nobody takes telemetry at \(path.escapedForTerminal) (does holdfastd run, with [uplink] enabled, and "
                    + "is the worker's telemetry not \"off\"?)")
        }
    }

    // MARK: Sending

    private func send(_ line: [UInt8], over socket: Int32, _ descriptors: [Int32]) throws {
        let deadline = MonotonicClock.now().advanced(by: .seconds(connection.timeout))
        while true {
            if try SystemCall.send(socket, line, descriptors: descriptors).value != nil { return }
            let left = MonotonicClock.now().duration(to: deadline)
            guard left > .zero, try SystemCall.wait(for: socket, .writable, timeout: left) else {
                throw CommandError(
                    code: .timedOut,
                    message: "the worker's telemetry socket is full, and nobody reads it (see holdfast status)")
            }
        }
    }

    private func awaitAnswer(on answer: SharedDescriptor) throws {
        guard let number = answer.rawValue,
            try SystemCall.wait(for: number, .readable, timeout: .seconds(connection.timeout))
        else {
            throw CommandError(
                code: .timedOut,
                message:
                    "it was sent, and nobody has said within \(DurationText.period(connection.timeout)) that it is on "
                    + "disk (see holdfast uplink)")
        }
        var buffer = [UInt8](repeating: 0, count: 1024)
        let count = try buffer.withUnsafeMutableBytes { try SystemCall.read(number, into: $0).value } ?? 0
        let text = String(decoding: buffer.prefix(count), as: UTF8.self)
        switch text {
        case "+": return
        case "":
            throw CommandError(
                code: .timedOut, message: "it was dropped unread, or holdfast-uplink ended too early to say: try again")
        default: throw CommandError(code: .notTaken, message: text.escapedForTerminal)
        }
    }
}
