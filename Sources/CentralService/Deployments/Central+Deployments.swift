import CentralStore
import ControlProtocol
import Crypto
import FleetAPI
import Foundation
import HTTPTypes
import Hummingbird
import Logging
import Rollout

extension Central {
    /// `POST /deployments`
    func createDeployment(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let limit = RequestLimits.operatorRequest
        let draft: DeploymentDraft = try await request.content(upTo: limit).decoded(
            limits: .init(maximumBytes: limit, maximumDepth: 16))
        let known = if let id = draft.id { try await store.deployment(id) } else { StoredDeployment?.none }
        if let known {
            // Sent again because the answer was lost. What was said of the version may be a part of it.
            guard known.kind == draft.kind, known.bundle == draft.bundle, known.limits == draft.limits,
                known.target == draft.target.words, known.expiresIn == draft.expiresIn,
                (known.payload["force"] == true) == draft.isForced,
                draft.version == known.version || known.version?.hasPrefix((draft.version ?? "") + "@") ?? false
            else {
                throw Problem(
                    .conflict, .conflict, "It cannot be so", "another deployment has the id \(known.id)")
            }
            return .json(try await view(known))
        }
        let archive: StoredBundle? =
            switch draft.kind {
            case .deploy: try await signedBundle(draft.bundle, draft.version ?? "")
            case .rollback: nil
            }
        let devices = try await resolve(draft.target)
        let deployment = StoredDeployment(
            id: draft.id ?? UUID().uuidString.lowercased(), kind: draft.kind, bundle: draft.bundle,
            version: archive?.version ?? draft.version, payload: draft.payload(archive), expiresIn: draft.expiresIn,
            limits: draft.limits, createdAt: clock.now(), createdBy: who.name, target: draft.target.words)
        let step = try await store.add(
            deployment, for: devices.map { ($0.id, Self.commandID(deployment.id, $0.id)) })
        tell(step)
        try await note(
            who, "deployment.create", deployment.id,
            [deployment.kind.rawValue, deployment.bundle, deployment.version, "for", deployment.target]
                .compactMap { $0 }.joined(separator: " "))
        return .json(try await view(try await store.deployment(deployment.id) ?? deployment), status: .created)
    }

    /// What devices would refuse is not sent to them.
    private func signedBundle(_ name: String, _ version: String) async throws -> StoredBundle {
        let bundle = try await bundle(name, version)
        let signing = Signing(bundle, try await shelf.entry(.targets))
        guard signing.isSigned else {
            throw Problem(.conflict, .conflict, "The bundle is not signed", signing.detail)
        }
        return bundle
    }

    /// The id of a device's command in a deployment: always the same, so that it is made once (a UUID of version 8,
    /// RFC 9562, section 5.8).
    static func commandID(_ deployment: String, _ device: String) -> String {
        var bytes = Array(SHA256.hash(data: Array("\(deployment)/\(device)".utf8)).prefix(16))
        bytes[6] = bytes[6] & 0x0f | 0x80
        bytes[8] = bytes[8] & 0x3f | 0x80
        let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { digits[$0].joined() }.joined(separator: "-")
    }

    /// `GET /deployments`
    func listDeployments(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let query = QueryReader(request)
        var filter = DeploymentFilter(
            bundle: try query.text("bundle"), device: try query.text("device"), before: try query.text("before"),
            limit: try query.limit(standard: 100, most: 1000))
        if let text = try query.text("state") {
            guard let state = Rollout.State(rawValue: text) else {
                let states = Rollout.State.allCases.map(\.rawValue).joined(separator: ", ")
                throw Problem.invalid("state has to be one of \(states)")
            }
            filter.states = [state]
        }
        let deployments = try await store.deployments(filter)
        let next = deployments.count == filter.limit ? deployments.last.map { JSONValue.string($0.id) } : nil
        return .json(View.page("deployments", deployments.map { View.deployment($0) }, next: next ?? .null))
    }

    private func deployment(_ context: CentralContext) async throws -> StoredDeployment {
        let id = try context.parameters.require("id")
        guard let deployment = try await store.deployment(id) else {
            throw Problem.notFound("there is no deployment \(id)")
        }
        return deployment
    }

    private func view(_ deployment: StoredDeployment) async throws -> JSONValue {
        View.deployment(deployment, devices: try await store.devices(of: deployment.id))
    }

    /// `GET /deployments/{id}`
    func showDeployment(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        .json(try await view(try await deployment(context)))
    }

    /// `POST /deployments/{id}/pause`
    func pauseDeployment(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        try await change(.pauseRequested, "deployment.pause", context, who)
    }

    /// `POST /deployments/{id}/resume`
    func resumeDeployment(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        try await change(.resumeRequested, "deployment.resume", context, who)
    }

    /// `POST /deployments/{id}/cancel`
    func cancelDeployment(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        try await change(.cancelRequested, "deployment.cancel", context, who)
    }

    private func change(
        _ event: Rollout.Event, _ action: String, _ context: CentralContext, _ who: Operator
    ) async throws -> Response {
        let id = try await deployment(context).id
        tell(try await store.handle(event, of: id, at: clock.now()))
        try await note(who, action, id)
        return .json(try await view(try await deployment(context)))
    }

    // MARK: Going on

    /// Devices have said something of these deployments' commands.
    func advance(_ deployments: Set<String>) async {
        for id in deployments { await advance(id, hasNews: true) }
    }

    /// Has every deployment go on that can: central has started, a device was deleted, a command has expired.
    package func advanceDeployments() async throws {
        for id in try await store.activeDeployments() { await advance(id, hasNews: false) }
    }

    /// What fails now is tried again by `Care`: neither central nor another deployment stands still for it.
    private func advance(_ id: String, hasNews: Bool) async {
        do {
            var step = try await store.handle(.looked, of: id, at: clock.now())
            if hasNews { step.changed.insert(id) }
            tell(step)
        } catch {
            logger.error(
                "cannot go on with a deployment; tried again later",
                metadata: ["deployment": "\(id)", "error": "\(error)"])
        }
    }

    private func tell(_ step: DeploymentStep) {
        if !step.sent.isEmpty { room.notify(step.sent) }
        news.publish {
            step.changed.sorted().map { News(topic: "deployment", device: nil, body: ["id": .string($0)]) }
        }
    }
}
