import Delivery
import DownloadProtocol
import FleetAPI
import FleetTransfer

/// What downloads need to know of central.
extension Link {
    /// Why nothing can be fetched, for a person; `nil` when it can be tried.
    var downloadObstacle: (reason: String, mayPass: Bool)? {
        switch machine.stage {
        case .enrolled: nil
        case .enrolling: ("the device is not enrolled yet", true)
        case .idle: (refusal ?? "the device is not enrolled", false)
        }
    }

    /// The request for what is missing; `nil` when there is no central.
    func downloadOrder(_ source: DownloadOrder.Source, from offset: Int) -> Transfer.Order? {
        switch source {
        case .metadata(let name, _):
            return order("GET", "/device/metadata/\(name)")
        case .content(let sha256, _):
            var order = order("GET", "/content/\(sha256)", isSigned: false)
            if offset > 0 { order?.fields += ["Range: bytes=\(offset)-", "If-Range: \"\(sha256)\""] }
            return order
        }
    }

    /// - Returns: what an answer to such a request says. Central's time is learnt from it where a signature was refused for it.
    func downloadAnswer(_ answer: HTTPAnswer) -> DownloadAnswer {
        DownloadAnswer(answer, now: clock.corrected, isToBeSignedAgain: isToBeSignedAgain(answer))
    }

    private func isToBeSignedAgain(_ answer: HTTPAnswer) -> Bool {
        guard answer.status == 401 else { return false }
        switch answer.problem?.kind {
        case .some(.clock):
            guard let time = answer.time else { return false }
            clock.learn(time)
            return true
        case .some(.replayed): return true
        case .some(.signature): return identity.hasOtherKey
        default: return false
        }
    }
}

extension DownloadOrder.Source {
    /// Whether central has to know who asks.
    var isSigned: Bool {
        switch self {
        case .content: false
        case .metadata: true
        }
    }
}
