import ControlProtocol
import MonotonicTime

extension CommandError {
    /// What a failed call means for the operator.
    init(_ error: ClientError) {
        switch error {
        case .unreachable(let path):
            self.init(code: .unreachable, message: "no runtime answers at \(path) (is holdfastd running?)")
        case .connectionNotPermitted(let path):
            self.init(
                code: .notPermitted,
                message: "you may not use \(path) (use sudo, or join the group holdfast to read)")
        case .timedOut(let path, let after):
            let seconds = DurationText.period(after.inSeconds)
            self.init(code: .timedOut, message: "the runtime at \(path) did not answer within \(seconds)")
        case .disconnected(let path):
            self.init(
                code: .disconnected, message: "the runtime at \(path) ended the connection too early")
        case .malformed(let path, let reason):
            self.init(
                code: .protocolViolation,
                message: "what answers at \(path) is no Holdfast runtime of this version: \(reason.escapedForTerminal)")
        case .system(let error):
            self.init(code: .failed, message: "\(error)")
        case .refused(let error):
            self.init(error)
        case .rejected(let error):
            self.init(error)
        case .unknown(let name):
            self.init(code: .failed, message: "the runtime answered with the error \(name.escapedForTerminal)")
        }
    }

    private init(_ error: RuntimeError) {
        switch error {
        case .noSuchWorker(let name):
            self.init(
                code: .noSuchWorker,
                message: "there is no worker named \(name.escapedForTerminal) (holdfast status lists them)")
        case .notPermitted(let message):
            self.init(code: .notPermitted, message: message.escapedForTerminal)
        case .configurationInvalid(let problems):
            let count = problems.count == 1 ? "1 problem" : "\(problems.count) problems"
            self.init(
                code: .configurationInvalid, message: "the configuration has \(count), and nothing was changed",
                details: problems.map(\.escapedForTerminal))
        case .outputUnavailable(let message):
            self.init(code: .outputUnavailable, message: message.escapedForTerminal)
        case .monitorUnavailable(let message):
            self.init(code: .monitorUnavailable, message: message.escapedForTerminal)
        case .uplinkUnavailable(let message):
            self.init(code: .uplinkUnavailable, message: message.escapedForTerminal)
        case .enrolmentRefused(let message):
            self.init(code: .enrolmentRefused, message: "not enrolled: \(message.escapedForTerminal)")
        case .upgradeRefused(let message):
            self.init(code: .upgradeRefused, message: "not upgraded: \(message.escapedForTerminal)")
        case .executionRefused(let message):
            self.init(code: .executionRefused, message: "not carried out: \(message.escapedForTerminal)")
        case .noSuchExecution(let id):
            self.init(
                code: .notFound,
                message: "there is no command \(id.escapedForTerminal), or nobody knows of it any more")
        case .deploymentRefused(let message):
            self.init(code: .deploymentRefused, message: "not deployed: \(message.escapedForTerminal)")
        case .noSuchDeployment(let id):
            self.init(code: .notFound, message: "there is no deployment \(id.escapedForTerminal) under way")
        case .unavailable(let message):
            self.init(code: .unavailable, message: message.escapedForTerminal)
        }
    }

    private init(_ error: VarlinkServiceError) {
        switch error {
        case .permissionDenied:
            self.init(code: .notPermitted, message: "the runtime does not permit this to you (use sudo)")
        case .invalidParameter(let name):
            self.init(code: .failed, message: "the runtime does not accept the parameter \(name.escapedForTerminal)")
        case .interfaceNotFound, .methodNotFound, .methodNotImplemented:
            self.init(
                code: .failed,
                message: "the runtime does not know this request (holdfast version compares the versions)")
        case .expectedMore:
            self.init(code: .protocolViolation, message: "the runtime expected a call for several replies")
        }
    }
}
