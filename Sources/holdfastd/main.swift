// One binary under several names: processes that share their pages cost little together.
import ExecutorRuntime
import LinuxSystem
import MonitorRuntime
import OutputRuntime
import SupervisorRuntime
import UplinkRuntime

let arguments = ProcessArguments.current()
switch ProcessEnvironment.programName {
case "holdfast-output":
    SystemCall.exit(OutputRuntime.run())
case "holdfast-monitor":
    SystemCall.exit(MonitorRuntime.run())
case "holdfast-uplink":
    SystemCall.exit(UplinkRuntime.run())
case "holdfast-executor":
    SystemCall.exit(ExecutorRuntime.run())
default:
    SystemCall.exit(SupervisorRuntime.run(SupervisorCommandLine(arguments)))
}
