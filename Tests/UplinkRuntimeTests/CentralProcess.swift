import ControlProtocol
import FleetAPI
import LinuxSystem
import TestSupport
import Testing

/// central.py, as a child of the test, with what it says.
final class CentralProcess {
    private let loop: EventLoop
    private let child: ChildProcess
    private let input: Descriptor
    private let output: Descriptor
    private var registration: EventLoop.Registration?
    private var buffer: [UInt8] = []
    private(set) var port = 0
    private(set) var pin: [UInt8] = []
    private(set) var requests: [String] = []
    private(set) var heartbeats: [JSONValue] = []
    private(set) var attachments: [JSONValue] = []
    /// Hashes of content, by name.
    private(set) var stored: [String: String] = [:]
    /// What was asked for of which content, and how the request was answered.
    private(set) var asked: [(name: String, range: String?, fault: String)] = []
    private(set) var complaints: [String] = []
    private(set) var dump: JSONValue?
    private var ordered = 0
    private var taken = 0

    init(loop: EventLoop, folder: String, certificate: String = "good") throws {
        self.loop = loop
        try? SystemCall.makeDirectory(folder)
        let script = #filePath.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/central.py"
        let orders = try SystemCall.makePipe().shared()
        let news = try SystemCall.makePipe().shared()
        guard let orderEnd = orders.readEnd.rawValue, let newsEnd = news.writeEnd.rawValue,
            let input = orders.writeEnd.take(), let output = news.readEnd.take()
        else { throw SystemError(call: "pipe", errno: 0) }
        var request = SpawnRequest(
            executable: SpawnRequest.resolve("python3", path: "/usr/bin:/bin"),
            arguments: ["python3", script, folder, certificate], environment: ["PATH=/usr/bin:/bin"])
        request.inherited = [(source: orderEnd, target: 3)]
        request.output = .descriptors(output: newsEnd, error: 2)
        child = try ChildProcess.spawn(request)
        self.input = input
        self.output = output
        // Our end alone: central waits where we are slow.
        try SystemCall.setNonBlocking(self.output.rawValue)
        registration = try loop.register(self.output.rawValue, .readable) { [weak self] _ in self?.receive() }
        try loop.pump("central has made its certificates", within: .seconds(30)) { port != 0 }
    }

    deinit {
        if let registration { loop.unregister(registration) }
        try? child.signal(SignalNumber.kill)
    }

    var token: EnrolmentToken {
        EnrolmentToken(url: "https://localhost:\(port)", pins: [pin], secret: [UInt8](repeating: 7, count: 32))
    }

    /// Returns once it is carried out: what is asked of central next must not come before.
    func order(_ json: JSONValue) throws {
        _ = try SystemCall.write(input.rawValue, json.serialised() + [10])
        ordered += 1
        try loop.pump("central has taken an order", within: .seconds(30)) { taken == ordered }
    }

    func fault(_ path: String, _ names: [String]) throws {
        try order(["faults": .object(JSONObject([.init(key: path, value: .array(names.map { .string($0) }))]))])
    }

    /// Has it make content of so many bytes.
    /// - Returns: its hash.
    func store(_ name: String, _ size: Int) throws -> String {
        try order(["content": .object(JSONObject([.init(key: name, value: .int(Int64(size)))]))])
        try loop.pump("central has made \(name)", within: .seconds(30)) { stored[name] != nil }
        return stored[name] ?? ""
    }

    /// The records of a queue that it has, in order, by their member.
    func records(_ queue: String) throws -> [(number: Int, record: JSONValue)] {
        dump = nil
        try order(["dump": true])
        try loop.pump("central tells what it has") { dump != nil }
        #expect(dump?["repeated"]?.intValue == 0, "records were applied twice")
        let members = dump?["records"]?[queue]?.objectValue?.members ?? []
        return members.compactMap { member in Int(member.key).map { ($0, member.value) } }.sorted { $0.0 < $1.0 }
    }

    private func receive() {
        withUnsafeTemporaryAllocation(byteCount: 1 << 16, alignment: 1) { bytes in
            while case .done(let count)? = try? SystemCall.read(output.rawValue, into: bytes), count > 0 {
                buffer += bytes[..<count]
            }
        }
        while let end = buffer.firstIndex(of: 10) {
            let line = Array(buffer[..<end])
            buffer.removeSubrange(...end)
            guard let json = try? JSONValue.parse(line, limits: .reply) else {
                complaints.append("central says what nobody understands: \(String(decoding: line, as: UTF8.self))")
                continue
            }
            take(json)
        }
    }

    private func take(_ json: JSONValue) {
        if let port = json["port"]?.intValue {
            self.port = port
            pin = Base64.url.decode(json["pin"]?.stringValue ?? "") ?? []
        }
        if let request = json["request"]?.stringValue { requests.append(request) }
        if let heartbeat = json["heartbeat"] { heartbeats.append(heartbeat) }
        if let attachment = json["attachment"] { attachments.append(attachment) }
        if let name = json["stored"]?.stringValue { stored[name] = json["sha256"]?.stringValue }
        if let name = json["content"]?.stringValue {
            asked.append((name, json["range"]?.stringValue, json["fault"]?.stringValue ?? ""))
        }
        if let complaint = json["complaint"]?.stringValue { complaints.append(complaint) }
        if let dump = json["dump"] { self.dump = dump }
        if json["taken"] != nil { taken += 1 }
    }
}
