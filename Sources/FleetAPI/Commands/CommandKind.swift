/// What a device does without any plugin. Kinds are open: central passes on any.
package enum CommandKind: String, CaseIterable, Sendable {
    case workerStart = "worker.start"
    case workerStop = "worker.stop"
    case workerRestart = "worker.restart"
    case workerPause = "worker.pause"
    case workerResume = "worker.resume"
    case workerLogs = "worker.logs"
    case runtimeReload = "runtime.reload"
    case runtimeStatus = "runtime.status"
    case runtimeHealth = "runtime.health"
    case runtimeIncidents = "runtime.incidents"
    case deviceLabels = "device.labels"
    case deviceRekey = "device.rekey"
    case diagnosticsCollect = "diagnostics.collect"
}
