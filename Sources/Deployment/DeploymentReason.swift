/// Why a deployment did not come to what was asked for: a code that is never renamed, and a sentence.
package struct DeploymentReason: Hashable, Sendable {
    package enum Code: String, CaseIterable, Sendable {
        case downloadFailed = "download-failed"
        case verificationFailed = "verification-failed"
        case unpackFailed = "unpack-failed"
        /// Files on disk are not what was unpacked.
        case treeDamaged = "tree-damaged"
        case storageFailed = "storage-failed"
        case switchFailed = "switch-failed"
        /// The supervisor refused its workers.
        case refusedByRuntime = "refused-by-runtime"
        case notReady = "not-ready"
        case unhealthy
        case crashLoop = "crash-loop"
        case selfTestFailed = "self-test-failed"
        case tooManyAttempts = "too-many-attempts"
        case cancelled, superseded, interrupted, barred
        case cannotGoBack = "cannot-go-back"
        case notKept = "not-kept"
        /// No version is left that works: none runs.
        case nothingLeft = "nothing-left"
    }

    package var code: Code
    package var text: String

    package init(_ code: Code, _ text: String) {
        self.code = code
        self.text = text
    }
}
