import FleetTransfer
import Delivery
import FleetAPI
import LinuxSystem

/// What an answer means.
extension Link {
    typealias Answer = Result<HTTPAnswer, Transfer.Failure>

    /// What has become of a request, and why where it failed.
    func judge(_ result: Answer) -> Outcome {
        let outcome = outcome(result)
        switch outcome {
        case .succeeded:
            (lastFailure, refusal) = (nil, nil)
        case .unwanted, .refused, .pending, .failed, .throttled, .toBeSignedAgain: break
        }
        return outcome
    }

    /// Central knows the key that a request was signed with, or does not.
    func noteKey(_ key: SigningKey, _ result: Answer) {
        guard case .success(let answer) = result else { return }
        if answer.problem?.kind == .signature { return identity.refused(key) }
        guard (200..<300).contains(answer.status) else { return }
        do throws(SystemError) { try identity.confirm(key) } catch { onWarning("the key cannot be kept: \(error)") }
    }

    private func outcome(_ result: Answer) -> Outcome {
        let answer: HTTPAnswer
        switch result {
        case .success(let some): answer = some
        case .failure(let failure):
            lastFailure = failure.description
            return .failed
        }
        let problem = answer.problem
        let words = problem.map { $0.detail.isEmpty ? $0.title : $0.detail } ?? "status \(answer.status)"
        if !(200..<300).contains(answer.status) { lastFailure = "central answers: \(words)" }
        switch (answer.status, problem?.kind) {
        case (200..<300, _):
            return .succeeded
        case (401, .some(.clock)):
            guard let time = answer.time else { return .failed }
            clock.learn(time)
            return .toBeSignedAgain
        case (401, .some(.replayed)):
            return .toBeSignedAgain
        case (401, .some(.signature)) where identity.hasOtherKey:
            // The answer to a change of the key was lost: central may know the new one.
            return .toBeSignedAgain
        case (_, .some(.unknownDevice)), (_, .some(.revoked)):
            refusal = "central does not want this device (\(words)); enrol it again: holdfast enrol TOKEN"
            return .unwanted
        case (_, .some(.pending)):
            return .pending
        case (429, _), (503, _):
            if let wait = answer.retryAfter(now: clock.corrected) { return .throttled(wait) }
            return answer.status == 429 ? .throttled(.zero) : .failed
        case (400..<500, _):
            onWarning("central refuses a request with status \(answer.status): \(words); it is tried again later")
            return .refused
        default:
            // A redirect is not followed: nobody else has the pinned key.
            return .failed
        }
    }
}
