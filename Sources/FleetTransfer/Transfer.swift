import CTransfer
package import LinuxSystem
import MonotonicTime

/// HTTPS to one central, by libcurl on the event loop. The libraries have to be loaded. End it by `end`, not within one of
/// its completions.
package final class Transfer {
    package struct Order {
        package var method: String
        package var url: String
        /// "Name: value".
        package var fields: [String] = []
        package var body: [UInt8]?
        package var answerLimit = 1 << 20
        package var proxy: String?
        /// Of everything; `nil` for none.
        package var timeout: Duration?
        /// Bytes a second, and for how long fewer are borne; `nil` for a request that waits.
        package var slowest: (bytesPerSecond: Int, time: Duration)?
        /// Takes the content of a good answer as it comes, which then has none itself. Begins no request.
        package var onData: (([UInt8]) -> Void)?
        /// Takes a good answer, still without content, before the first piece of it. Begins no request.
        package var onHead: ((HTTPAnswer) -> Void)?
        /// How many bytes of it may come in one turn of the loop; `nil` for no limit.
        package var bytesPerTurn: Int?

        package init(method: String, url: String) {
            self.method = method
            self.url = url
        }
    }

    package struct Failure: Error, CustomStringConvertible {
        package var description: String

        package init(description: String) { self.description = description }
    }

    package typealias Completion = (Result<HTTPAnswer, Failure>) -> Void

    /// A request, also when it is over.
    package struct RequestID: Hashable {
        fileprivate let pointer: OpaquePointer
        fileprivate let number: Int
    }

    private struct Request {
        let number: Int
        let completion: Completion
        let onHead: ((HTTPAnswer) -> Void)?
        let onData: (([UInt8]) -> Void)?
    }

    private static let connectTimeout: Duration = .seconds(30)

    private let loop: EventLoop
    private let deadman: DeadmanAlarm?
    private var handle: OpaquePointer?
    private var sockets: [Int32: EventLoop.Registration] = [:]
    private var timer: TimerID?
    private var requests: [OpaquePointer: Request] = [:]
    private var lastNumber = 0
    private var unwanted: Set<OpaquePointer> = []
    private var cleaning: TimerID?
    private var resuming: TimerID?
    /// Bytes of HTTP, since it was made.
    package private(set) var sent: Int64 = 0
    package private(set) var received: Int64 = 0

    /// - Parameters:
    ///   - deadman: ends the process when a library hangs; `nil` where a person can.
    ///   - pins: SHA-256 of keys, one of which has to be in the chain that central presents.
    ///   - judgesDates: whether certificates have to be valid now.
    package init(
        loop: EventLoop, deadman: DeadmanAlarm? = nil, pins: [[UInt8]], host: String, judgesDates: Bool
    ) throws(Failure) {
        self.loop = loop
        self.deadman = deadman
        var trust = hf_trust()
        trust.judges_dates = judgesDates ? 1 : 0
        let used = pins.prefix(Int(HF_PINS_MAX))
        trust.pin_count = Int32(used.count)
        withUnsafeMutableBytes(of: &trust.pins) { bytes in
            for (index, pin) in used.enumerated() where pin.count == 32 {
                UnsafeMutableRawBufferPointer(rebasing: bytes[index * 32..<index * 32 + 32]).copyBytes(from: pin)
            }
        }
        withUnsafeMutableBytes(of: &trust.host) { $0.copyBytes(from: host.utf8.prefix(255)) }
        let callbacks = hf_callbacks(
            context: Unmanaged.passUnretained(self).toOpaque(),
            watch: { context, descriptor, interest in Transfer.from(context)?.watch(descriptor, interest) },
            timer: { context, milliseconds in Transfer.from(context)?.schedule(milliseconds) },
            done: { context, request, answer in Transfer.from(context)?.finish(request, answer.pointee) },
            head: { context, request, answer in
                Transfer.from(context)?.requests[request]?.onHead?(HTTPAnswer(answer.pointee))
            },
            data: { context, request, bytes, count in
                let piece = Array(UnsafeBufferPointer(start: bytes, count: count))
                Transfer.from(context)?.requests[request]?.onData?(piece)
            })
        guard let handle = hf_transfer_create(callbacks, &trust) else {
            throw Failure(description: "there is no memory for a connection")
        }
        self.handle = handle
    }

    deinit { end() }

    private static func from(_ context: UnsafeMutableRawPointer?) -> Transfer? {
        context.map { Unmanaged<Transfer>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Ends everything that is under way; no completion follows.
    package func end() {
        requests = [:]
        unwanted = []
        if let handle { hf_transfer_destroy(handle) }
        handle = nil
        for registration in sockets.values { loop.unregister(registration) }
        sockets = [:]
        for timer in [timer, cleaning, resuming] {
            if let timer { loop.cancel(timer) }
        }
        (timer, cleaning, resuming) = (nil, nil, nil)
    }

    package func judgeDates(_ judges: Bool) {
        if let handle { hf_transfer_judge_dates(handle, judges ? 1 : 0) }
    }

    /// - Parameter completion: called once, later.
    @discardableResult
    package func begin(_ order: Order, _ completion: @escaping Completion) -> RequestID? {
        guard let handle else { return nil }
        var problem = [CChar](repeating: 0, count: 256)
        let request = withOrder(order) { hf_transfer_begin(handle, $0, &problem, problem.count) }
        if let request {
            lastNumber += 1
            requests[request] = Request(
                number: lastNumber, completion: completion, onHead: order.onHead, onData: order.onData)
            return RequestID(pointer: request, number: lastNumber)
        }
        let text = String(decoding: problem.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        loop.schedule(at: loop.now) { completion(.failure(Failure(description: text))) }
        return nil
    }

    /// Ends a request, from wherever; nothing of it follows.
    /// - Returns: false when it was over.
    @discardableResult
    package func cancel(_ request: RequestID) -> Bool {
        guard requests[request.pointer]?.number == request.number else { return false }
        requests[request.pointer] = nil
        unwanted.insert(request.pointer)
        cleanLater()
        return true
    }

    private func cleanLater() {
        guard cleaning == nil else { return }
        // Not at once: this may be within a callback of libcurl.
        cleaning = loop.schedule(at: loop.now) { [weak self] in
            guard let self, let handle else { return }
            cleaning = nil
            guarded { for request in self.unwanted { hf_transfer_cancel(handle, request) } }
            unwanted = []
        }
    }

    private func withOrder<Value>(_ order: Order, _ body: (UnsafePointer<hf_order>) -> Value) -> Value {
        let fields = (order.fields + ["Expect:", "Accept:"]).joined(separator: "\n")
        return order.method.withCString { method in
            order.url.withCString { url in
                fields.withCString { fields in
                    (order.body ?? []).withUnsafeBufferPointer { bytes in
                        withOptionalCString(order.proxy) { proxy in
                            var raw = hf_order(
                                method: method, url: url, headers: fields,
                                body: order.body == nil ? nil : bytes.baseAddress ?? UnsafePointer(bitPattern: 1),
                                body_size: bytes.count, answer_limit: order.answerLimit,
                                streams: order.onData == nil ? 0 : 1, turn_limit: order.bytesPerTurn ?? 0, proxy: proxy,
                                connect_timeout: Self.connectTimeout.milliseconds,
                                total_timeout: order.timeout?.milliseconds ?? 0,
                                slowest: order.slowest?.bytesPerSecond ?? 0,
                                slow_time: Int(order.slowest?.time.components.seconds ?? 0))
                            return body(&raw)
                        }
                    }
                }
            }
        }
    }

    // MARK: As libcurl asks

    private func watch(_ descriptor: Int32, _ interest: Int32) {
        var wanted: EventLoop.Interest = []
        if interest & Int32(HF_READABLE.rawValue) != 0 { wanted.insert(.readable) }
        if interest & Int32(HF_WRITABLE.rawValue) != 0 { wanted.insert(.writable) }
        if let known = sockets[descriptor], !wanted.isEmpty, (try? loop.modify(known, wanted)) != nil { return }
        if let known = sockets.removeValue(forKey: descriptor) { loop.unregister(known) }
        guard !wanted.isEmpty else { return }
        sockets[descriptor] = try? loop.register(descriptor, wanted) { [weak self] readiness in
            self?.ready(descriptor, readiness)
        }
    }

    private func ready(_ descriptor: Int32, _ readiness: EventLoop.Readiness) {
        guard let handle else { return }
        var bits: Int32 = 0
        if readiness.contains(.readable) || readiness.contains(.hangUp) { bits |= Int32(HF_READABLE.rawValue) }
        if readiness.contains(.writable) { bits |= Int32(HF_WRITABLE.rawValue) }
        guarded { if hf_transfer_ready(handle, descriptor, bits) != 0 { resumeLater() } }
    }

    private func schedule(_ milliseconds: Int) {
        if let timer { loop.cancel(timer) }
        timer = nil
        guard milliseconds >= 0 else { return }
        timer = loop.schedule(at: loop.now + .milliseconds(milliseconds)) { [weak self] in
            guard let self, let handle else { return }
            timer = nil
            guarded { if hf_transfer_timeout(handle) != 0 { self.resumeLater() } }
        }
    }

    private func resumeLater() {
        guard resuming == nil else { return }
        resuming = loop.schedule(at: loop.now) { [weak self] in
            guard let self, let handle else { return }
            resuming = nil
            guarded { hf_transfer_resume(handle) }
        }
    }

    private func guarded(_ body: () -> Void) {
        if let deadman { deadman.during(body) } else { body() }
    }

    private func finish(_ request: OpaquePointer, _ answer: hf_answer) {
        sent += answer.sent
        received += answer.received
        unwanted.remove(request)
        guard let completion = requests.removeValue(forKey: request)?.completion else { return }
        if answer.failure != 0 {
            let text = answer.failure_text.map { String(cString: $0) } ?? "failure \(answer.failure) of libcurl"
            return completion(.failure(Failure(description: text)))
        }
        completion(.success(HTTPAnswer(answer)))
    }
}

extension HTTPAnswer {
    fileprivate init(_ answer: hf_answer) {
        let head = UnsafeRawBufferPointer(start: answer.head, count: answer.head_size)
        let body = UnsafeBufferPointer(start: answer.body, count: answer.body_size)
        self.init(status: Int(answer.status), head: String(decoding: head, as: UTF8.self), body: Array(body))
    }
}

private func withOptionalCString<Value>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Value) -> Value {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}

extension Duration {
    fileprivate var milliseconds: Int {
        Int(clamping: components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
    }
}
