import ControlProtocol
import DeviceConfiguration
import ExecutorProtocol
import LinuxSystem
import Supervision

/// The runtime's side of deployments: what the keeper asks for is done here, and what happens to bundles is told to it.
extension SupervisorRuntime {
    /// What a keeper may ask on its control connection: how the workers of a new version fare.
    private static var keeperMethods: Set<RuntimeMethod.Name> { [.status, .events, .health] }
    /// Those of a keeper that has just died may still be there.
    private static var mostKeeperConnections: Int { 4 }

    func makeDeployments() -> DeploymentService {
        DeploymentService(
            loop: loop,
            keeper: KeeperProcess(loop: loop, settings: deploymentSettings) {
                [unowned self] channel, onEnd throws(KeeperObstacle) in try startKeeper(channel, onEnd)
            },
            startTest: { [unowned self] order, onEnd throws(SystemError) in try startTest(order, onEnd) })
    }

    func connectDeployments() {
        deployments.keeper.openControl = { [unowned self] in
            openControl(Self.keeperMethods, atMost: Self.mostKeeperConnections, for: "the keeper of deployments")
        }
        deployments.keeper.offerDownloads = { [unowned self] in uplinkLink.handOverDownloads($0) }
        deployments.apply = { [unowned self] in applyBundles() }
        deployments.findBundles = { [unowned self] in
            let folder = BundleFolder.path(in: configuration.runtime.stateDirectory)
            let names = (try? BundleFolder.bundles(in: folder)) ?? []
            return Dictionary(
                names.map { ($0, BundleFolder.current(of: $0, in: folder)) }, uniquingKeysWith: { first, _ in first })
        }
        deployments.onChange = { [unowned self] in record($0) }
        deployments.onLog = { [unowned self] in log.write($0.severity, "deployments: \($1)") }
        deployments.keeper.onTrouble = { [unowned self] in
            chronicle.record(.warning, $0)
            log.write(.warning, $0)
        }
        for bundle in texts.leftOut { warn(of: bundle) }
        deployments.begin()
    }

    /// After a reload.
    func configureDeployments() {
        deployments.configure(deploymentSettings)
    }

    private var deploymentSettings: DeploymentSettings {
        let section = configuration.deployment
        return DeploymentSettings(
            store: BundleFolder.path(in: configuration.runtime.stateDirectory), trustedRoot: section.trustedRoot,
            hardware: section.hardware, quota: section.quota.map { Int($0) }, minimumSpeed: Int(section.minimumSpeed))
    }

    private func startKeeper(
        _ channel: UnixStream, _ onEnd: @escaping (TransientProcess.End) -> Void
    ) throws(KeeperObstacle) -> TransientProcess {
        let setup = KeeperSetup(configuration)
        if let obstacle = setup.obstacle { throw KeeperObstacle(obstacle) }
        do throws(SystemError) {
            let launcher = executions.launcher
            return try launcher.startKeeper(setup, mark: launcher.nextMark(), channel: channel, onEnd)
        } catch {
            throw KeeperObstacle(error)
        }
    }

    // MARK: Events

    private func record(_ report: DeploymentReport) {
        let progress = report.percent.map { " \($0) %" } ?? ""
        let why = [report.code, report.message].compactMap { $0 }.joined(separator: ": ")
        chronicle.record(
            .deploymentChanged,
            "\(report.bundle) \(report.version): \(report.state.rawValue)\(progress)\(why.isEmpty ? "" : ": \(why)")",
            details: report.json.objectValue ?? [:])
    }

    // MARK: Bundles in the configuration

    /// Takes over what the bundles bring now, on top of the files as they were read last: one that is being edited has no say in
    /// it.
    /// - Returns: why nothing was changed, or `nil`.
    private func applyBundles() -> String? {
        guard !isStopping else { return "the runtime is stopping" }
        let underWay = deployments.bundlesUnderWay
        let report = Configuration.load(keeping: texts, changing: underWay)
        guard let new = report.configuration else { return Self.sentence(report.problems) }
        // Those that were left out before are nobody's business here.
        let wrong = report.leftOut.filter { bundle in
            underWay.contains(bundle.name)
                || !texts.leftOut.contains { $0.name == bundle.name && $0.version == bundle.version }
        }
        guard wrong.isEmpty else { return Self.sentence(wrong.flatMap(\.problems)) }
        let changes = take(new, report).changes
        commit()
        log.write(.notice, "the bundles were read anew: \(changes)")
        return nil
    }

    private static func sentence(_ problems: [ConfigurationProblem]) -> String {
        problems.map(\.description).joined(separator: "; ")
    }

    /// In the log and as an event; `holdfast status` shows it as long as it is so.
    private func warn(of bundle: LeftOutBundle) {
        let warning = Self.warning(bundle)
        chronicle.record(.warning, warning, details: ["bundle": .string(bundle.name)])
        for problem in bundle.problems.dropFirst() { log.write(.warning, problem.description) }
    }

    private static func warning(_ bundle: LeftOutBundle) -> String {
        "the bundle \(bundle.name) is left out, and nothing of it runs: \(bundle.problems.first?.description ?? "")"
    }

    var leftOutWarnings: [String] { texts.leftOut.map(Self.warning) }

    // MARK: Self-tests

    private func startTest(
        _ order: SelfTestOrder, _ onEnd: @escaping (String?) -> Void
    ) throws(SystemError) -> SelfTest {
        let identity = configuration.preservation.commandIdentity
        guard !runsAsRoot || identity != nil else {
            throw SystemError(call: Self.unknownUserStep, errno: SystemError.noSuchEntry)
        }
        let store = BundleFolder.path(in: configuration.runtime.stateDirectory)
        let folder = BundleFolder.files(of: order.bundle, in: store)
        let command = order.command.map { $0.replacing(BundleFolder.placeholder, with: folder) }
        guard let program = command.first else {
            throw SystemError(call: "exec", errno: SystemError.noSuchEntry)
        }
        let mark = "\(executions.launcher.nextMark()).self-test"
        var request = SpawnRequest(
            executable: SpawnRequest.resolve(program, path: WorkerLaunch.defaultSearchPath), arguments: command,
            environment: executions.launcher.environment(mark: mark, "self-test"))
        request.workingDirectory = folder
        request.identity = runsAsRoot ? identity : nil
        defaults.restore(in: &request)
        return try SelfTest(
            request, mark: mark, cgroup: cgroups.make(for: "holdfast-self-test", number: mark), limit: order.timeLimit,
            loop: loop, processes: processes, cgroups: cgroups, onEnd: onEnd)
    }

    // MARK: Crash loops

    /// Tells the keeper when something of a bundle has failed for good: a version that was good once may be left for that.
    func noteCrashLoop(_ report: Report) {
        guard !configuration.bundles.isEmpty else { return }
        switch report {
        case .workerFailed(let worker, _, let cause, _, let ranFor, let consequence):
            guard case .gaveUp = consequence else { return }
            let name = name(of: worker)
            guard let bundle = configuration.bundles[name] else { return }
            deployments.crashLooped(
                bundle,
                "\(name): \(Wording.sentence(cause, after: ranFor)); \(Wording.action(consequence).sentence)")
        case .intensityExceeded(let supervisor, let refused, let reaction):
            // The root parks its children one by one.
            let parked = refused.intensity.scope == .perChild ? refused.child : supervisor
            guard let bundle = configuration.bundles[parked] else { return }
            deployments.crashLooped(bundle, Wording.sentence(refused, by: supervisor, reaction))
        case .workerChanged, .workerRecovered, .groupRestarted, .supervisorRetried, .groupAbandoned, .reloaded: break
        }
    }
}
