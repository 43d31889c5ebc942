import FleetTransfer
import Delivery
import FleetAPI

/// What an answer means.
extension Link {
    typealias Answer = Result<HTTPAnswer, Transfer.Failure>

    /// What has become of a request, and why where it failed.
    func judge(_ result: Answer) -> Outcome {
        let outcome = outcome(result)
        switch outcome {
        case .succeeded: (lastFailure, refusal) = (nil, nil)
        case .unwanted, .refused, .pending, .failed, .throttled, .toBeSignedAgain: break
        }
        return outcome
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
