import ControlProtocol
import FleetAPI
import LinuxSystem
import MonotonicTime
import SystemProcess

/// Commands that plugins carry out, by way of holdfastd.
final class PluginCommands {
    private let loop: EventLoop
    private let client: ControlClient
    private let connections: ControlConnections
    private let table: CommandTable
    private var calls: [String: ExecuteCall] = [:]

    /// Every file is looked at before holdfastd answers.
    private static let longestLook: Duration = .seconds(30)

    init(loop: EventLoop, client: ControlClient, connections: ControlConnections, table: CommandTable) {
        self.loop = loop
        self.client = client
        self.connections = connections
        self.table = table
    }

    /// Asks which kinds there are. Without an answer those that were known stay.
    func refresh(_ done: @escaping () -> Void = {}) {
        client.call(.plugins, timeout: Self.longestLook) { [weak self] result in
            if let self, case .success(let replies) = result, let reply = replies.first,
                let plugins = try? PluginsReply(json: .object(reply)).plugins
            {
                take(plugins)
            }
            done()
        }
    }

    private func take(_ plugins: [PluginReport]) {
        var kinds: [String: CommandTable.Kind] = [:]
        for kind in plugins.flatMap(\.kinds) where kinds[kind.name] == nil {
            kinds[kind.name] = CommandTable.Kind(isRepeatable: kind.isRepeatable, isIndependent: true) {
                [weak self] in self?.execute($0, $1, $2)
            }
        }
        table.others = kinds
    }

    private func execute(
        _ order: CommandOrder, _ progress: @escaping (String) -> Void, _ done: @escaping (CommandEnd) -> Void
    ) {
        let call = ExecuteCall(
            ExecutionCall(id: order.id, kind: order.kind, payload: order.payload), loop: loop,
            connections: connections)
        call.onProgress = progress
        call.onEnd = { [weak self] end in
            self?.calls[order.id] = nil
            done(end)
        }
        calls[order.id] = call
        call.begin()
    }
}

/// One call of Execute, on a connection of its own. When the connection breaks, it is made again: the same id is the same command.
final class ExecuteCall {
    private let call: ExecutionCall
    private let loop: EventLoop
    private let connections: ControlConnections
    private var stream: VarlinkStream?
    private var opening: Int?
    private var timer: TimerID?
    private var tries = 0
    private var hasEnded = false

    var onProgress: (String) -> Void = { _ in }
    var onEnd: (CommandEnd) -> Void = { _ in }

    private static let mostTries = 5
    private static let pause: Duration = .seconds(1)
    /// For a connection.
    private static let patience: Duration = .seconds(20)

    init(_ call: ExecutionCall, loop: EventLoop, connections: ControlConnections) {
        self.call = call
        self.loop = loop
        self.connections = connections
    }

    deinit {
        if let timer { loop.cancel(timer) }
    }

    func begin() {
        tries += 1
        wait(Self.patience) { [weak self] in self?.retry("holdfastd gives no connection") }
        opening = connections.open { [weak self] in self?.connected($0) }
    }

    private func connected(_ socket: UnixStream) {
        opening = nil
        if let timer = timer.take() { loop.cancel(timer) }
        do throws(SystemError) {
            let stream = try VarlinkStream(loop: loop, stream: socket)
            stream.onReply = { [weak self] in self?.take($0) }
            stream.onClosed = { [weak self] in self?.retry($0) }
            self.stream = stream
            stream.send(RuntimeMethod.execute(call).call)
        } catch {
            retry("\(error)")
        }
    }

    private func take(_ reply: VarlinkReply) {
        if reply.error != nil {
            let words: String? =
                switch RuntimeError(reply) {
                case .executionRefused(let message)?, .unavailable(let message)?, .notPermitted(let message)?: message
                default: reply.error
                }
            return end(.failed(words ?? "holdfastd refuses it"))
        }
        guard let execution = try? ExecutionReply(json: .object(reply.parameters)) else {
            return end(.failed("holdfastd answers what nobody understands"))
        }
        switch execution.state {
        case .queued: break
        case .running:
            // Lines of its log stay on the device.
            guard execution.log == nil, execution.percent != nil || execution.message != nil else { return }
            let words = [execution.percent.map { "\($0) %" }, execution.message].compactMap { $0 }
            onProgress(words.filter { !$0.isEmpty }.joined(separator: ": "))
        case .succeeded: end(.succeeded(execution.result))
        case .failed:
            let code = execution.code.map { " (\($0))" } ?? ""
            end(.failed("\(execution.message ?? "it has failed")\(code)"))
        }
    }

    /// Should holdfastd itself have gone, this process goes as well, and the next one does what the journal says.
    private func retry(_ reason: String) {
        guard !hasEnded else { return }
        if let opening { connections.cancel(opening) }
        (stream, opening) = (nil, nil)
        guard tries < Self.mostTries else { return end(.failed("nobody knows what became of it: \(reason)")) }
        wait(Self.pause) { [weak self] in self?.begin() }
    }

    private func wait(_ time: Duration, _ body: @escaping () -> Void) {
        if let timer { loop.cancel(timer) }
        timer = loop.schedule(at: loop.now + time) { [weak self] in
            self?.timer = nil
            body()
        }
    }

    private func end(_ end: CommandEnd) {
        guard !hasEnded else { return }
        hasEnded = true
        if let timer = timer.take() { loop.cancel(timer) }
        // Not within the stream's own call.
        loop.schedule(at: loop.now) { [self] in
            stream = nil
            onEnd(end)
        }
    }
}
