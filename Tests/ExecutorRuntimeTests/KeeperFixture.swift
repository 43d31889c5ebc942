import BundleFormat
import BundleStore
import ControlProtocol
import DownloadProtocol
import ExecutorProtocol
import LinuxSystem
import MonotonicTime
import TestSupport
import Testing
import Trust

@testable import ExecutorRuntime

/// A keeper of deployments with a real store and real signed bundles; the runtime and the uplink are played.
final class KeeperFixture {
    let loop: EventLoop
    let folder: TemporaryDirectory
    private(set) var keeper: DeploymentKeeper?
    private let rootKey: SigningKey
    private let targetsKey: SigningKey
    private var targets = TargetsMetadata(version: 0, expires: ExpiryTime(seconds: 4_000_000_000))
    private var archives: [String: [UInt8]] = [:]

    // What was heard.
    var reports: [DeploymentReport] = []
    var bundles: [String: BundleReport] = [:]
    var isReady = false
    var isIdle = false
    var warnings: [String] = []
    var applied = 0

    // How the runtime and the uplink behave.
    /// Answers `apply`; `nil` leaves it open.
    var apply: () -> String?? = { .some(nil) }
    var selfTest: ([String]) -> String? = { _ in nil }
    /// Of the workers of the current version.
    var state = "ready"
    var restarts = 0
    /// Every file that was fetched, with the offset.
    var fetched: [(name: String, offset: Int)] = []
    /// How long each fetch was to take at most.
    var limits: [Duration] = []
    /// So many bytes of the next archive come, then nothing.
    var breaksOffAfter: Int?
    /// In the place of the right ones.
    var servedTargets: [UInt8]?
    var served: ([UInt8]) -> [UInt8] = { $0 }

    private var questions: Questions?
    private var events: Questions?
    private var uplink: PacketChannel?

    init() throws {
        loop = try EventLoop()
        folder = try TemporaryDirectory()
        rootKey = try SigningKey.generate()
        targetsKey = try SigningKey.generate()
        let ids = (try rootKey.publicKey.keyID(), try targetsKey.publicKey.keyID())
        let root = RootMetadata(
            header: MetadataHeader(type: "root", version: 1, expires: ExpiryTime(seconds: 4_000_000_000)),
            keys: [ids.0: rootKey.publicKey, ids.1: targetsKey.publicKey],
            roles: [
                .root: RootMetadata.Role(keyIDs: [ids.0], threshold: 1),
                .targets: RootMetadata.Role(keyIDs: [ids.1], threshold: 1),
                .snapshot: RootMetadata.Role(keyIDs: [], threshold: 1),
                .timestamp: RootMetadata.Role(keyIDs: [], threshold: 1),
            ])
        var envelope = try SignedEnvelope(signing: root.json)
        try envelope.sign(by: rootKey, as: ids.0)
        try folder.write("root.json", envelope.bytes)
    }

    var settings: DeploymentSettings {
        DeploymentSettings(
            store: "\(folder.path)/store", trustedRoot: "\(folder.path)/root.json", hardware: nil, quota: nil,
            minimumSpeed: 1)
    }

    // MARK: Bundles

    /// Packs and signs a version.
    /// - Returns: the order to deploy it.
    func publish(
        _ release: Int, probation: String = "50ms", isReversible: Bool = true, selfTest: [String]? = nil,
        padding: Int = 0, id: String? = nil
    ) throws -> DeploymentOrder {
        let place = "\(folder.path)/v\(release)"
        try SystemCall.makeDirectory(place)
        var health: JSONObject = ["ready": "2s", "probation": .string(probation)]
        if let selfTest {
            health["self_test"] = ["command": .array(selfTest.map { .string($0) }), "timeout": "5s"]
        }
        let manifest: JSONValue = [
            "format": 1, "name": "vision", "version": .string("\(release).0"), "release": release.json,
            "workers": [["name": "camera", "command": ["{bundle}/bin/camera"]]], "health": .object(health),
            "data": ["format": 1, "reversible": .bool(isReversible)],
        ]
        try folder.write("v\(release)/manifest.json", manifest.serialised())
        try SystemCall.makeDirectory("\(place)/bin")
        try folder.write("v\(release)/bin/camera", "#!/bin/sh\n# \(release)\n", permissions: 0o755)
        if padding > 0 {
            var random = SystemRandomNumberGenerator()
            let bytes = (0..<padding).map { _ in UInt8.random(in: 0...255, using: &random) }
            try folder.write("v\(release)/data", bytes)
        }
        let file = try SystemCall.open("\(place).tar.zst", [.readWrite, .create, .truncate])
        try BundlePacker(folder: place).write(to: file.rawValue, .zstandard)
        let (packed, target) = try BundleManifest.target(for: file.rawValue)
        let name = "vision-\(release).tar.zst"
        targets.header.version += 1
        targets.set(name, target)
        archives[target.sha256.hex] = try SystemCall.readFile("\(place).tar.zst", limit: 1 << 26)
        return DeploymentOrder(
            id: id ?? "order-\(release)", bundle: "vision", .deploy, version: packed.identifier, file: name)
    }

    func signedTargets() throws -> [UInt8] {
        var envelope = try SignedEnvelope(signing: targets.json)
        try envelope.sign(by: targetsKey, as: try targetsKey.publicKey.keyID())
        return envelope.bytes
    }

    // MARK: The keeper

    /// Starts a keeper over what is on the disk.
    func start(hasUplink: Bool = true) throws {
        (isReady, isIdle) = (false, false)
        let keeper = try DeploymentKeeper(settings, loop: loop)
        keeper.onReport = { [unowned self] in hear($0) }
        keeper.onWarning = { [unowned self] in warnings.append($0) }
        self.keeper = keeper
        for isForEvents in [false, true] {
            let (ours, theirs) = try UnixStream.makeStreamPair()
            keeper.handle(.control, SharedDescriptor(try SystemCall.duplicate(theirs.rawValue)))
            let served = try Questions(loop: loop, ours) { [unowned self] in status }
            if isForEvents { events = served } else { questions = served }
        }
        if hasUplink { try connectUplink() }
        keeper.start()
        try loop.pump("the keeper is ready") { isReady }
    }

    /// As a power cut does, with what the disk has by now.
    func kill() {
        (keeper, questions, events, uplink) = (nil, nil, nil, nil)
    }

    func connectUplink() throws {
        let (ours, theirs) = try UnixStream.makePacketPair()
        keeper?.handle(.downloads, SharedDescriptor(try SystemCall.duplicate(theirs.rawValue)))
        let channel = PacketChannel(loop: loop, socket: ours, longestQueue: 100, packetsPerTurn: 10)
        channel.onPacket = { [unowned self] bytes, descriptor in serve(bytes, descriptor) }
        try channel.start()
        uplink = channel
    }

    func disconnectUplink() { uplink = nil }

    func order(_ order: DeploymentOrder) {
        // What was heard of an earlier one.
        reports.removeAll { $0.id == order.id }
        isIdle = false
        keeper?.handle(.deploy(order), nil)
    }

    /// Deploys, and waits for the end.
    @discardableResult
    func run(_ order: DeploymentOrder) throws -> DeploymentReport? {
        self.order(order)
        try loop.pump("the deployment ends") { end(of: order.id) != nil }
        return end(of: order.id)
    }

    func end(of id: String) -> DeploymentReport? { reports.last { $0.id == id && $0.state.isEnd } }

    func states(of id: String) -> [DeploymentReport.State] {
        var states: [DeploymentReport.State] = []
        for report in reports where report.id == id && states.last != report.state { states.append(report.state) }
        return states
    }

    var current: String? {
        (try? SystemCall.linkTarget("\(settings.store)/vision/current"))?.split(separator: "/").last.map(String.init)
    }

    private func hear(_ report: ExecutorReport) {
        switch report {
        case .deployment(let report): reports.append(report)
        case .bundle(let report): bundles[report.name] = report
        case .ready: isReady = true
        case .idle: isIdle = true
        case .apply(let step):
            applied += 1
            guard let problem = apply() else { return }
            loop.schedule(at: loop.now) { [weak self] in
                self?.keeper?.handle(.stepEnded(step: step, problem: problem), nil)
            }
        case .selfTest(let step, _, let command, _):
            let problem = selfTest(command)
            loop.schedule(at: loop.now) { [weak self] in
                self?.keeper?.handle(.stepEnded(step: step, problem: problem), nil)
            }
        default: break
        }
    }

    // MARK: The runtime

    private var status: StatusReport {
        let worker = WorkerReport(
            name: "camera", supervisor: "vision", state: state, isReady: state == "ready", isEssential: false,
            restarts: restarts)
        let supervisor = SupervisorReport(
            name: "vision", parent: "root", strategy: "one-for-one", maxRestarts: 3, within: 5, restartsInWindow: 0,
            state: "up")
        return StatusReport(
            runtime: RuntimeReport(version: "0", pid: 1, state: "running", uptime: 1, name: "", warnings: []),
            supervisors: [supervisor], workers: current == nil ? [] : [worker])
    }

    /// Something has happened in the tree.
    func happen() {
        events?.push(EventsReply(event: nil, firstAvailable: 1))
    }

    // MARK: The uplink

    private func serve(_ bytes: UnsafeRawBufferPointer, _ descriptor: SharedDescriptor?) {
        guard let json = try? JSONValue.parse(bytes),
            case .fetch(let id, let order)? = try? DownloadRequest(json: json),
            let file = descriptor?.rawValue
        else { return }
        let content: [UInt8]?
        var limit = Int.max
        limits.append(order.within)
        switch order.source {
        case .metadata(let name, _):
            fetched.append((name, order.offset))
            content = servedTargets ?? (try? signedTargets())
        case .content(let hash, _):
            fetched.append((hash, order.offset))
            content = archives[hash].map(served)
            limit = breaksOffAfter ?? .max
        }
        guard let content else {
            return answer(.ended(id: id, DownloadFailure(.notFound, "central does not have it")))
        }
        let rest = content.dropFirst(order.offset).prefix(limit)
        var offset = Int64(order.offset)
        for start in stride(from: rest.startIndex, to: rest.endIndex, by: 4096) {
            let piece = Array(rest[start..<min(start + 4096, rest.endIndex)])
            let count = piece.withUnsafeBytes { try? SystemCall.write(file, $0, at: offset) }
            offset += Int64(count ?? 0)
        }
        answer(.progress(id: id, bytes: Int(offset)))
        if limit == .max { answer(.ended(id: id, nil)) }
    }

    private func answer(_ report: DownloadReport) { uplink?.send(report.json.serialised()) }
}

/// A server of Varlink that knows Status.
private final class Questions {
    private let stream: UnixStream
    private let loop: EventLoop
    private var registration: EventLoop.Registration?
    private var framer = MessageFramer()
    private let status: () -> StatusReport

    init(loop: EventLoop, _ stream: consuming UnixStream, _ status: @escaping () -> StatusReport) throws {
        self.loop = loop
        self.stream = stream
        self.status = status
        try SystemCall.setNonBlocking(self.stream.rawValue)
        registration = try loop.register(self.stream.rawValue, .readable) { [weak self] _ in self?.read() }
    }

    deinit {
        if let registration { loop.unregister(registration) }
    }

    private func read() {
        withUnsafeTemporaryAllocation(byteCount: 8192, alignment: 1) { buffer in
            guard case .done(let message)? = try? stream.receive(into: buffer), message.count > 0 else {
                if let registration { loop.unregister(registration) }
                registration = nil
                return
            }
            try? framer.append(UnsafeRawBufferPointer(rebasing: buffer[..<message.count]))
        }
        while let bytes = try? framer.next(), let json = try? JSONValue.parse(bytes),
            let call = try? VarlinkCall(json: json)
        {
            if call.method.hasSuffix(".Status") { send(VarlinkReply(status())) }
        }
    }

    func push(_ reply: some JSONConvertible) { send(VarlinkReply(reply, continues: true)) }

    private func send(_ reply: VarlinkReply) { _ = try? stream.send(MessageFramer.frame(reply)) }
}
