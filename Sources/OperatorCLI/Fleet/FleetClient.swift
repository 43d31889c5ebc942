import ControlProtocol
import FleetAPI
import FleetTransfer
import LinuxSystem
import MonotonicTime

/// Asks central, one request after the other.
final class FleetClient {
    typealias Query = KeyValuePairs<String, String?>

    private let login: OperatorLogin
    private let loop: EventLoop
    let transfer: Transfer
    private let timeout: Duration
    let base: String

    private static let prefix = "/api/v1"
    private static let largestAnswer = 16 << 20

    init(_ login: OperatorLogin, timeout: Duration) throws(CommandError) {
        self.login = login
        self.timeout = timeout
        guard let address = CentralAddress(login.url) else {
            throw CommandError(code: .usage, message: "\(login.url) is no address of a central: log in again")
        }
        base = address.base
        if let problem = TransferLibraries.load() { throw CommandError(code: .failed, message: problem) }
        do {
            loop = try EventLoop()
            transfer = try Transfer(loop: loop, pins: login.pins, host: address.host, judgesDates: true)
        } catch {
            throw CommandError(code: .failed, message: "no connection can be made: \(error)")
        }
    }

    deinit { transfer.end() }

    func get(_ path: String, _ query: Query = [:]) throws(CommandError) -> JSONValue {
        try json(try answer("GET", path, query))
    }

    /// - Returns: null where there is no content.
    @discardableResult
    func send(_ method: String, _ path: String, _ body: JSONValue? = nil) throws(CommandError) -> JSONValue {
        let answer = try answer(method, path, [:], body)
        return answer.body.isEmpty ? .null : try json(answer)
    }

    func bytes(_ path: String) throws(CommandError) -> [UInt8] { try answer("GET", path, [:]).body }

    // MARK: One request

    private func answer(
        _ method: String, _ path: String, _ query: Query, _ body: JSONValue? = nil
    ) throws(CommandError) -> HTTPAnswer {
        try judge(try answer(of: try result(of: order(method, path, query, body))))
    }

    /// Waits for what becomes of a request.
    func result(of order: Transfer.Order) throws(CommandError) -> Result<HTTPAnswer, Transfer.Failure> {
        var result: Result<HTTPAnswer, Transfer.Failure>?
        transfer.begin(order) { result = $0 }
        while true {
            if let result { return result }
            try turn()
        }
    }

    func wait(for time: Duration) throws(CommandError) {
        var isOver = false
        loop.schedule(at: loop.now + time) { isOver = true }
        while !isOver { try turn() }
    }

    var now: MonotonicInstant { loop.now }

    func order(_ method: String, _ path: String, _ query: Query, _ body: JSONValue?) -> Transfer.Order {
        let given = query.compactMap { name, value in value.map { "\(name)=\(Self.escaped($0))" } }
        let url = base + Self.prefix + path + (given.isEmpty ? "" : "?" + given.joined(separator: "&"))
        var order = Transfer.Order(method: method, url: url)
        order.fields = ["Authorization: Bearer \(login.token)", "User-Agent: holdfast/\(HoldfastVersion.current)"]
        if let body {
            order.fields.append("Content-Type: application/json")
            order.body = body.serialised()
        }
        order.answerLimit = Self.largestAnswer
        order.timeout = timeout
        return order
    }

    /// Waits for what comes next.
    func turn() throws(CommandError) {
        do throws(SystemError) { try loop.runOnce(timeout: nil) } catch {
            throw CommandError(code: .failed, message: "\(error)")
        }
    }

    func answer(of result: Result<HTTPAnswer, Transfer.Failure>) throws(CommandError) -> HTTPAnswer {
        do throws(Transfer.Failure) { return try result.get() } catch {
            throw CommandError(code: .unreachable, message: "central at \(base) does not answer: \(error)")
        }
    }

    func judge(_ answer: HTTPAnswer) throws(CommandError) -> HTTPAnswer {
        guard answer.status >= 400 else { return answer }
        let problem = answer.problem
        let message = problem.map { $0.detail.isEmpty ? $0.title : $0.detail } ?? "it answers \(answer.status)"
        let code: CommandError.Code =
            switch answer.status {
            case 401: .notLoggedIn
            case 403: .notPermitted
            case 404: .notFound
            default: .failed
            }
        throw CommandError(code: code, message: "central: \(message.escapedForTerminal)")
    }

    func json(_ answer: HTTPAnswer) throws(CommandError) -> JSONValue {
        do throws(JSONError) {
            return try JSONValue.parse(answer.body, limits: .reply)
        } catch {
            throw CommandError(
                code: .protocolViolation, message: "what answers at \(base) is no central of Holdfast: \(error)")
        }
    }

    /// Names and versions go into a path as they are, with what a path may have besides (RFC 3986, section 3.3): central's
    /// router takes them apart as they came.
    static func pathPart(_ text: String) -> String {
        text.contains { !($0.isASCII && ($0.isLetter || $0.isNumber || "-._~@+".contains($0))) } ? escaped(text) : text
    }

    /// For a query (RFC 3986, section 2.3).
    static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.reduce(into: "") { result, byte in
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII,
                Character(scalar).isLetter || Character(scalar).isNumber || "-._~".contains(Character(scalar))
            {
                result.append(Character(scalar))
            } else {
                result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
    }

    /// A random UUID (RFC 9562, section 5.4): the request may be sent again when its answer was lost.
    static func newID() -> String {
        var bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { digits[$0].joined() }.joined(separator: "-")
    }
}
