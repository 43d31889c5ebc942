import HoldfastPlugin

/// Has workers serve models, lets go of them, and says which are kept (docs/models.md).
///
///     model.load    {"worker": "ears", "model": "speech", "sha256": "...", "length": 2327524,
///                    "tell": {"http": "http://127.0.0.1:8700"}, "warm_up": [{"path": "/v2/models/speech/infer", "body": {}}]}
///     model.unload  {"worker": "ears", "model": "speech", "tell": {"http": "http://127.0.0.1:8700"}}
///     model.pin     {"sha256": "...", "pinned": true, "priority": 5}
struct ModelLoad: Executor {
    static let plugin = PluginDescription(
        name: "model-load", version: "1.0.0", summary: "Has workers serve models.",
        kinds: [
            .init("model.load", [.repeatable, .cancellable], summary: "Has a worker serve a model."),
            .init("model.unload", [.repeatable, .cancellable], summary: "Has a worker serve a model no more."),
            .init("model.pin", [.repeatable, .cancellable], summary: "Says whether a model may be evicted."),
        ], grants: [.model, .network])

    func execute(_ command: Command, on host: Host) throws -> JSON {
        switch command.kind {
        case "model.load": try Load(command.payload, host).perform()
        case "model.unload": try unload(command.payload, host)
        default: try host.request("model.pin", command.payload).answer
        }
    }

    private func unload(_ payload: JSON, _ host: Host) throws -> JSON {
        let slot = try Slot(payload)
        let worker = try LoopbackHTTP(try Slot.url(payload), host: host)
        let answer = try worker.send("POST", "\(slot.path)/unload", [:], within: .seconds(60))
        guard answer.status == 200 else {
            throw PluginFailure("the worker does not unload it (\(answer.status)): \(answer.body.prefix(200))")
        }
        return try host.request("model.release", slot.json).answer
    }
}

/// A worker, and what it calls the model.
struct Slot {
    let worker: String
    let model: String

    init(_ payload: JSON) throws {
        guard let worker = payload["worker"]?.string, let model = payload["model"]?.string else {
            throw PluginFailure("the payload has to name a worker and a model")
        }
        self.worker = worker
        self.model = model
    }

    var json: JSON { ["worker": .string(worker), "model": .string(model)] }
    /// The host refuses names that would need escaping before it comes to a request.
    var path: String { "/v2/repository/models/\(model)" }

    static func url(_ payload: JSON) throws -> String {
        guard let url = payload["tell"]?["http"]?.string else {
            throw PluginFailure(
                #"the payload has to say how the worker is told: {"tell": {"http": "http://127.0.0.1:PORT"}}"#)
        }
        return url
    }
}

/// One model.load.
struct Load {
    private let host: Host
    private let payload: JSON
    private let slot: Slot
    private let sha256: String
    private let length: Int
    private let worker: LoopbackHTTP
    private let within: Duration

    /// To tell the worker of the former model, when the command's time is over.
    private static let timeToGoBack: Duration = .seconds(4)

    init(_ payload: JSON, _ host: Host) throws {
        self.host = host
        self.payload = payload
        slot = try Slot(payload)
        guard let sha256 = payload["sha256"]?.string, let length = payload["length"]?.int else {
            throw PluginFailure("the payload has to have the model's sha256 and its length")
        }
        self.sha256 = sha256
        self.length = length
        worker = try LoopbackHTTP(try Slot.url(payload), host: host)
        within = .seconds(payload["load_within_s"]?.double ?? 60)
    }

    func perform() throws -> JSON {
        let clock = ContinuousClock()
        var times: [String: JSON] = [:]
        var staged: JSON = nil
        times["fetch_s"] = seconds(try clock.measure { staged = try fetchAndStage() })
        let former = staged["serving"]?["sha256"]?.string
        do {
            host.progress(nil, "loading")
            times["load_s"] = seconds(
                try clock.measure { try tell(staged["path"]?.string ?? "", sha256, within: limited) })
            host.progress(nil, "warming up")
            let requests = payload["warm_up"]?.array ?? []
            for (index, request) in requests.enumerated() {
                let time = try clock.measure { try warmUp(request) }
                if index == 0 { times["first_answer_s"] = seconds(time) }
                times["warm_up_s"] = .double((times["warm_up_s"]?.double ?? 0) + (seconds(time).double ?? 0))
            }
            _ = try host.request("model.commit", slot.json)
        } catch {
            throw PluginFailure("\(error); \(goBack(staged["serving"]))")
        }
        report(times)
        times["sha256"] = .string(sha256)
        if let former { times["former"] = .string(former) }
        return .object(times)
    }

    /// What the cache finds damaged is fetched again, once.
    private func fetchAndStage() throws -> JSON {
        var stage = slot.json.object ?? [:]
        stage["sha256"] = .string(sha256)
        try fetch()
        do {
            return try host.request("model.stage", .object(stage)).answer
        } catch let error as HostError where error.description.contains("(damaged)") {
            host.log(.warning, "\(error.description): it is fetched again")
            try fetch()
            return try host.request("model.stage", .object(stage)).answer
        }
    }

    private func fetch() throws {
        var order: [String: JSON] = ["sha256": .string(sha256), "length": .int(length)]
        order["priority"] = payload["priority"]
        order["within_s"] = payload["download_within_s"]
        order["minimum_speed"] = payload["minimum_speed"]
        _ = try host.request("model.fetch", .object(order))
    }

    /// What is left for a request, so that there is time to go back.
    private var limited: Duration { max(.zero, min(within, host.timeLeft - Self.timeToGoBack)) }

    private func tell(_ path: String, _ digest: String, within: Duration, isLastWord: Bool = false) throws {
        let answer = try worker.send(
            "POST", "\(slot.path)/load", ["parameters": ["path": .string(path), "sha256": .string(digest)]],
            within: within, isLastWord: isLastWord)
        guard answer.status == 200 else {
            throw PluginFailure("the worker does not load it (\(answer.status)): \(answer.body.prefix(200))")
        }
    }

    private func warmUp(_ request: JSON) throws {
        guard let path = request["path"]?.string, path.hasPrefix("/") else {
            throw PluginFailure("a warm-up request has a path that begins with /")
        }
        let answer = try worker.send(
            request["method"]?.string ?? "POST", path, request["body"], within: limited)
        guard answer.status == 200 else {
            throw PluginFailure(
                "it has not warmed up: \(path) is answered with \(answer.status): \(answer.body.prefix(200))")
        }
    }

    /// - Returns: what has become of it, for the operator.
    private func goBack(_ former: JSON?) -> String {
        // Also where the host has told that it is to stop: the executor discards what is left staged.
        _ = try? host.request("model.discard", slot.json)
        guard let path = former?["path"]?.string, let digest = former?["sha256"]?.string else {
            return "no model was served before"
        }
        do {
            try tell(path, digest, within: Self.timeToGoBack, isLastWord: true)
            return "the worker serves the former model"
        } catch {
            return
                "the worker could not be told to serve the former model, which it does when it is restarted (\(error))"
        }
    }

    private func report(_ times: [String: JSON]) {
        var reading = times
        reading["worker"] = .string(slot.worker)
        reading["model"] = .string(slot.model)
        do { try host.emit(.object(reading)) } catch { host.log(.info, "the times are not reported: \(error)") }
    }

    private func seconds(_ time: Duration) -> JSON {
        .double(Double(time.components.seconds) + Double(time.components.attoseconds) * 1e-18)
    }
}

@_cdecl("hf_plugin_entry_v1")
public func entry() -> UnsafeRawPointer { PluginEntry.descriptor(of: ModelLoad.self) }
