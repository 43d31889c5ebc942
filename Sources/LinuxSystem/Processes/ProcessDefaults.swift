import CLinux
import Glibc

/// What the runtime was started with and changes for itself, so that its children get it back: a worker that uses
/// select(2) must not see a descriptor limit raised for us, nor be as safe from the out-of-memory killer.
package struct ProcessDefaults: Hashable, Sendable {
    package var descriptorLimit: SpawnRequest.Limit
    /// -1000 to 1000; `nil` when /proc does not tell.
    package var oomScoreAdjustment: Int?

    /// Reads the settings. Call before anything is changed.
    package static func current() throws(SystemError) -> ProcessDefaults {
        var limit = SpawnRequest.Limit(resource: descriptorResource, soft: 0, hard: 0)
        try SystemCall.perform("prlimit") { hf_get_limit(descriptorResource, &limit.soft, &limit.hard) }
        let text = (try? SystemCall.readFile("/proc/self/oom_score_adj", limit: 16)) ?? []
        return ProcessDefaults(
            descriptorLimit: limit, oomScoreAdjustment: Int(String(decoding: text.dropLast(), as: UTF8.self)))
    }

    /// Raises our own limit on descriptors to what is allowed.
    package func raiseDescriptorLimit() throws(SystemError) {
        let limit = descriptorLimit
        try SystemCall.perform("prlimit") { hf_set_limit(limit.resource, limit.hard, limit.hard) }
    }

    /// Takes the raise back.
    package func restoreDescriptorLimit() throws(SystemError) {
        let limit = descriptorLimit
        try SystemCall.perform("prlimit") { hf_set_limit(limit.resource, limit.soft, limit.hard) }
    }

    /// Sets how likely the out-of-memory killer takes this process. Lowering needs privileges (CAP_SYS_RESOURCE).
    package func adjustOOMScore(to score: Int) throws(SystemError) {
        try SystemCall.writeFile("/proc/self/oom_score_adj", String(score))
    }

    /// Adds to a request what it does not set itself.
    package func restore(in request: inout SpawnRequest) {
        if !request.limits.contains(where: { $0.resource == descriptorLimit.resource }) {
            request.limits.append(descriptorLimit)
        }
        if request.oomScoreAdjustment == nil { request.oomScoreAdjustment = oomScoreAdjustment }
    }

    private static let descriptorResource = Int32(RLIMIT_NOFILE.rawValue)
}
