import ControlProtocol
import Testing

struct ControlRequestTests {
    @Test(arguments: [
        RuntimeMethod.status, .startWorker(name: "a"), .stopWorker(name: "a"), .restartWorker(name: "a"),
        .pauseWorker(name: "a"), .resumeWorker(name: "a"), .events(since: nil, follow: false),
        .events(since: 12, follow: true), .incidents(worker: nil, limit: nil), .incidents(worker: "a", limit: 3),
        .logs(worker: "a", lines: nil, follow: false), .logs(worker: "a", lines: 0, follow: true), .reload,
        .deploy(DeploymentOrder(id: "d-1", bundle: "vision", .rollback)),
        .deploy(
            DeploymentOrder(
                id: "d-1", bundle: "vision", .deploy, version: "1@a", file: "vision.tar.zst", isForced: true,
                downloadWithin: .milliseconds(2500))), .cancelDeployment(id: "d-1"), .deployments,
    ])
    func `a method is recognised from its own call`(method: RuntimeMethod) throws {
        #expect(try ControlRequest(method.call) == .runtime(method))
    }

    @Test(arguments: [VarlinkServiceMethod.getInfo, .getInterfaceDescription(interface: "a.b")])
    func `introspection is recognised from its own call`(method: VarlinkServiceMethod) throws {
        #expect(try ControlRequest(method.call) == .service(method))
    }

    @Test(
        arguments: [
            (VarlinkCall(method: "Status"), VarlinkServiceError.interfaceNotFound("Status")),
            (VarlinkCall(method: ""), .interfaceNotFound("")),
            (VarlinkCall(method: "io.example.Status"), .interfaceNotFound("io.example")),
            (VarlinkCall(method: "io.holdfast.Runtime.Explode"), .methodNotFound("io.holdfast.Runtime.Explode")),
            (VarlinkCall(method: "io.holdfast.Runtime."), .methodNotFound("io.holdfast.Runtime.")),
            (VarlinkCall(method: "org.varlink.service.Nothing"), .methodNotFound("org.varlink.service.Nothing")),
            (
                VarlinkCall(method: "io.holdfast.Runtime.Status", upgrade: true),
                .methodNotImplemented("io.holdfast.Runtime.Status")
            ),
            (VarlinkCall(method: "io.holdfast.Runtime.StopWorker"), .invalidParameter("name")),
            (VarlinkCall(method: "io.holdfast.Runtime.StopWorker", parameters: ["name": 7]), .invalidParameter("name")),
            (
                VarlinkCall(method: "io.holdfast.Runtime.StopWorker", parameters: ["name": nil]),
                .invalidParameter("name")
            ),
            (
                VarlinkCall(method: "io.holdfast.Runtime.StopWorker", parameters: ["name": "a", "nmae": "b"]),
                .invalidParameter("nmae")
            ),
            (
                VarlinkCall(method: "io.holdfast.Runtime.Status", parameters: ["verbose": true]),
                .invalidParameter("verbose")
            ),
            (
                VarlinkCall(method: "io.holdfast.Runtime.Incidents", parameters: ["limit": -1]),
                .invalidParameter("limit")
            ),
            (VarlinkCall(method: "io.holdfast.Runtime.Events"), .expectedMore),
            (
                VarlinkCall(method: "io.holdfast.Runtime.Execute", parameters: ["id": "a b", "kind": "k"], more: true),
                .invalidParameter("id")
            ),
            (
                VarlinkCall(
                    method: "io.holdfast.Runtime.Execute", parameters: ["id": "a", "kind": "k", "time_limit_s": 0],
                    more: true), .invalidParameter("time_limit_s")
            ),
            (
                VarlinkCall(
                    method: "io.holdfast.Runtime.Execute", parameters: ["id": "a", "kind": "k", "payload": "x"],
                    more: true), .invalidParameter("payload")
            ),
            (deploy([:]), .expectedMore),
            (deploy(["id": "a b"], more: true), .invalidParameter("id")),
            (deploy(["bundle": ""], more: true), .invalidParameter("bundle")),
            (deploy(["intent": "destroy"], more: true), .invalidParameter("intent")),
            (deploy(["version": nil], more: true), .invalidParameter("version")),
            (deploy(["download_within_s": 0], more: true), .invalidParameter("download_within_s")),
            (deploy(["forced": true], more: true), .invalidParameter("forced")),
        ] as [(VarlinkCall, VarlinkServiceError)])
    func `a call for what does not exist is answered by the standard error`(
        call: VarlinkCall, error: VarlinkServiceError
    ) {
        #expect(throws: error) { try ControlRequest(call) }
    }

    private static func deploy(_ other: JSONObject, more: Bool = false) -> VarlinkCall {
        var parameters: JSONObject = ["id": "d-1", "bundle": "vision", "intent": "deploy", "version": "1@a"]
        for member in other.members { parameters[member.key] = member.value }
        return VarlinkCall(method: "io.holdfast.Runtime.Deploy", parameters: parameters, more: more)
    }

    @Test func `only the methods that steer workers change anything`() {
        let reading: [RuntimeMethod] = [
            .status, .events(since: nil, follow: true), .incidents(worker: nil, limit: nil),
            .logs(worker: "a", lines: nil, follow: false), .health, .metrics, .uplink, .plugins,
            .deployments,
        ]
        let changing: [RuntimeMethod] = [
            .startWorker(name: "a"), .stopWorker(name: "a"), .restartWorker(name: "a"), .pauseWorker(name: "a"),
            .resumeWorker(name: "a"), .reload, .upgrade(binary: nil),
            .enrol(token: "t"), .execute(ExecutionCall(id: "1", kind: "a.b")), .cancelExecution(id: "1"),
            .deploy(DeploymentOrder(id: "1", bundle: "b", .rollback)), .cancelDeployment(id: "1"),
        ]
        #expect(reading.allSatisfy { !$0.changesState })
        #expect(changing.allSatisfy { $0.changesState })
        #expect(Set((reading + changing).map(\.name)) == Set(RuntimeMethod.Name.allCases))
    }
}
