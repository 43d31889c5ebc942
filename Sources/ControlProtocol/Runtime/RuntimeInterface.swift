/// The interface of the control socket. docs/io.holdfast.Runtime.varlink is the same text; a test compares them.
package enum RuntimeInterface {
    package static let name = "io.holdfast.Runtime"

    /// What `org.varlink.service.GetInterfaceDescription` answers.
    package static let definition = """
        # The supervisor tree of one device. Durations are seconds; a key that is null does not apply.
        interface io.holdfast.Runtime

        type Runtime (
          version: string,
          pid: int,
          # starting, running or stopping
          state: string,
          uptime_s: float,
          name: string,
          warnings: []string
        )

        type Supervisor (
          name: string,
          parent: ?string,
          # one-for-one, one-for-all or rest-for-one
          strategy: string,
          max_restarts: int,
          within_s: float,
          # of all children together; of root and system, which count for each child alone: of the child with the most
          restarts_in_window: int,
          # up, stopping, parked or down
          state: string,
          # of the supervisor itself when it is parked, or of the one above that took it down
          next_attempt_in_s: ?float,
          # names of workers and supervisors in start order
          children: []string
        )

        # How a process ended. status is exited, signaled or unknown; cause is why it counts as ended: exit, signal, unknown,
        # spawn-failed, start-timeout, watchdog, watchdog-trigger, checkpoint, unhealthy,
        # out-of-memory or requested.
        type Exit (
          status: string,
          code: ?int,
          signal: ?string,
          cause: string,
          message: string
        )

        type Worker (
          name: string,
          supervisor: string,
          # stopped, waiting, held, starting, running, ready, paused, stopping, backing-off, failed or finished
          state: string,
          pid: ?int,
          ready: bool,
          essential: bool,
          # restarts after failures, over the worker's whole life
          restarts: int,
          # operator, heat, memory, pressure
          pause_reasons: []string,
          # why it is not started: a pause reason, "after" a worker, what has happened to a supervisor
          held_for: ?string,
          next_attempt_in_s: ?float,
          attempts_left: ?int,
          failures_forgotten_in_s: ?float,
          last_exit: ?Exit,
          uptime_s: ?float,
          # what the worker last said with STATUS=
          status_text: ?string
        )

        type Event (
          sequence: int,
          # seconds since 1970, and since boot
          time: float,
          monotonic: float,
          # worker-changed, worker-failed, worker-recovered, group-restarted, intensity-exceeded, supervisor-retried,
          # incident-completed, group-abandoned, reloaded, output-lost, events-lost, notify-refused, runtime-started,
          # runtime-adopted, runtime-upgrading, runtime-stopping, level-changed, throttled, alert, worker-shed, worker-restored,
          # sensor-failed, sensor-recovered, probe-failed, probe-recovered, uplink-enrolled, uplink-refused, uplink-connected,
          # uplink-disconnected, telemetry-lost, command-ended, deployment-changed, warning
          kind: string,
          worker: ?string,
          supervisor: ?string,
          message: string,
          # of intensity-exceeded: child, max_restarts, within_s, and incident when the child is a worker with an open one; of
          # worker-failed and incident-completed: incident; of worker-recovered: incidents, those that it closes
          details: object
        )

        # One failure and what came of it.
        type Incident (
          id: int,
          time: float,
          worker: string,
          supervisor: string,
          pid: ?int,
          exit: Exit,
          ran_for_s: float,
          # restarted-at-once, restart-after, restarted-with-group, held, gave-up, supervisor-parked, supervisor-escalated, left-down
          # what was done; changes when a restart that was to come is refused for the restart intensity
          action: string,
          action_message: string,
          # from the failure until the worker was ready again; null until then
          recovered_after_s: ?float,
          last_output: []string
        )

        type LogLine (
          time: float,
          worker: string,
          line: string,
          # lines of this worker that were lost since the line before (rate limit, full disk)
          lost: int
        )

        # level: normal, throttle, shed or critical. kind: temperature (degrees Celsius), fan (turns a minute), voltage or power
        # (volts, watts). limit: what the chip or the zone gives itself. fault: implausible, frozen or silent.
        type Sensor (
          name: string,
          kind: string,
          value: ?float,
          limit: ?float,
          fault: ?string,
          level: string,
          forecast: ?Forecast
        )

        # mean_error: by how many degrees the forecasts of late were wrong; one that is not trusted is ignored
        type Forecast (
          value: float,
          horizon_s: float,
          mean_error: ?float,
          trusted: bool
        )

        # memory, cpu and io (pressure, percent of time), load (for each processor), disk:PATH (percent used)
        type Quantity (
          name: string,
          value: ?float,
          level: string
        )

        # cause: heat, memory or pressure. shed: in the order in which they went; the last one comes back first.
        type Cause (
          cause: string,
          level: string,
          why: ?string,
          shed: []string,
          # unless things get better
          next_shed_in_s: ?float,
          # if things stay as they are: when the level is left, and when the next comes back
          relief_in_s: ?float,
          next_restore_in_s: ?float
        )

        # cpu_s of all its processes where it has a cgroup, else of its main process; the others of its main process
        type WorkerUse (
          name: string,
          cpu_percent: ?float,
          cpu_s: ?float,
          resident_bytes: ?int,
          threads: ?int,
          probes: []Probe
        )

        # kind: exec, tcp or http. state: waiting (nothing is known yet), passing, failing or suspended (the worker does not run).
        type Probe (
          name: string,
          kind: string,
          state: string,
          failures: int,
          last_failure: ?string
        )

        # What waits for central: events or readings. acknowledged and written: the numbers of the last record that central has, and
        # of the last there is. dropped (for the quota), expired, lost (to damage): records over the life of the queue; refused: since
        # the uplink was started.
        type Queue (
          name: string,
          id: string,
          used: int,
          quota: int,
          acknowledged: int,
          written: int,
          dropped: int,
          expired: int,
          lost: int,
          refused: int
        )

        # A kind of commands, as the plugin declares it: several may run at once; done twice it does no harm; it ends when it is told to.
        type PluginKind (
          name: string,
          summary: ?string,
          parallel: bool,
          repeatable: bool,
          cancellable: bool
        )

        # state: unchecked (nobody has looked at the file yet), ready or refused (reason says why). version, summary and kinds are what
        # the plugin says of itself; missing_grants is what it would like to be granted, and is not. running and waiting: commands.
        type Plugin (
          name: string,
          file: string,
          state: string,
          reason: ?string,
          version: ?string,
          summary: ?string,
          kinds: []PluginKind,
          grants: []string,
          missing_grants: []string,
          running: int,
          waiting: int
        )

        # How a deployment stands. version: VERSION@HASH, as holdfast bundle list shows it. state: downloading, verifying, unpacking, staged,
        # activating, probation, committed, reverting, rolled_back or failed. code: why it came out otherwise, a stable word.
        type Deployment (
          id: string,
          bundle: string,
          version: string,
          state: string,
          percent: ?int,
          code: ?string,
          message: ?string
        )

        # current: what runs. good: versions that have proved themselves, the latest first. barred: those that have failed here.
        type Bundle (
          name: string,
          current: ?string,
          good: []string,
          barred: []string,
          deployment: ?Deployment
        )

        method Status() -> (runtime: Runtime, supervisors: []Supervisor, workers: []Worker)

        # want the worker, and forget its failures
        method StartWorker(name: string) -> ()
        method StopWorker(name: string) -> ()
        method RestartWorker(name: string) -> ()
        # hold the worker's processes still until it is resumed
        method PauseWorker(name: string) -> ()
        method ResumeWorker(name: string) -> ()

        # With more: the events kept since the sequence number, then (follow) each new one as it comes. first_available tells
        # whether older ones were already overwritten.
        method Events(since: ?int, follow: ?bool) -> (event: ?Event, first_available: int)

        # The latest, newest last. With since: the first ones with a higher id, up to the limit (20). Whoever follows Events hears of
        # each incident and of every change of one, and asks for it with since: id - 1, limit: 1. No id is ever given twice since the
        # machine was started.
        method Incidents(worker: ?string, limit: ?int, since: ?int) -> (incidents: []Incident)

        # With more: the last lines of a worker's output, then (follow) each new one. The connection is handed to the process
        # that keeps the output; it ends with the call.
        method Logs(worker: string, lines: ?int, follow: ?bool) -> (line: ?LogLine)

        # What the device feels, and does about it. throttled_by: by which means workers get less of the processor. blind: there were
        # sensors, and none says anything plausible any more.
        method Health() -> (level: string, throttled: bool, throttled_by: ?string, blind: bool, interval_s: float,
          sensors: []Sensor, quantities: []Quantity, causes: []Cause, workers: []WorkerUse, warnings: []string)

        # in the text format of Prometheus
        method Metrics() -> (text: string)

        # How the link to central stands. state: not-enrolled, enrolling, pending (an operator of central has to approve the device),
        # connected, offline or refused. clock_offset_s: to be added to the clock of this device for that of central.
        method Uplink() -> (state: string, reason: ?string, central: ?string, device: ?string, since_s: float,
          next_attempt_in_s: ?float, clock_offset_s: ?float, queues: []Queue, warnings: []string)

        # Makes the device known to central, with a token from there. Answered once the token is kept: what comes of it is told by
        # Uplink, and by the events uplink-enrolled and uplink-refused. The same token again changes nothing.
        method Enrol(token: string) -> ()

        # warnings: what this machine lacks for the new configuration, and which keys wait for the next start of the runtime
        method Reload() -> (added: []string, removed: []string, restarted: []string, adjusted: []string, unchanged: []string,
          warnings: []string)

        # Executes another binary in the runtime's place, with the same workers: the given one, or the file that it was started
        # from. The binary is asked first whether it can take over. On success there is no reply: the connection ends, and the
        # new runtime answers at the same place a moment later.
        method Upgrade(binary: ?string) -> ()

        # Has a plugin carry out a command. With more: how it stands, and at the end what became of it. state: queued (it waits for
        # another one), running, succeeded (with the result) or failed (with a code, a stable word, and a message). log: a line that the plugin
        # has logged; such a reply says nothing else. The same id again is the same command: whoever asks while it runs hears the rest, whoever
        # asks afterwards its end, as long as that is known. It goes on when the client goes away.
        method Execute(id: string, kind: string, payload: ?object, time_limit_s: ?float) -> (state: string, plugin: string,
          percent: ?int, message: ?string, log: ?string, code: ?string, result: ?object)

        # Ends a command. Answered once its plugin has been told; the command then fails with the code cancelled.
        method CancelExecution(id: string) -> ()

        # Answered when every plugin's file has been looked at.
        method Plugins() -> (plugins: []Plugin)

        # Brings a version of a bundle onto the device and runs it, or takes an earlier one back; intent: deploy or rollback. With more: how it
        # stands, and at the end (committed, rolled_back, failed) what became of it. The same id again is the same deployment. It goes on when the client goes
        # away, and after a power cut. file: what the archive is called at central; not needed for a version that is on the device.
        method Deploy(id: string, bundle: string, intent: string, version: ?string, file: ?string, force: ?bool,
          download_within_s: ?float) -> (id: string, bundle: string, version: string, state: string, percent: ?int, code: ?string,
          message: ?string)

        # Calls a deployment off. What has been switched to is taken back.
        method CancelDeployment(id: string) -> ()

        method Deployments() -> (bundles: []Bundle)

        error NoSuchWorker (name: string)
        error NotPermitted (message: string)
        # every problem as file:line:column: key: what is wrong
        error ConfigurationInvalid (problems: []string)
        error OutputUnavailable (message: string)
        # holdfast-monitor does not run, or does not answer
        error MonitorUnavailable (message: string)
        # holdfast-uplink does not run, or does not answer
        error UplinkUnavailable (message: string)
        # why the token cannot be used
        error EnrolmentRefused (message: string)
        # the new binary cannot take over, and why; the old one runs on
        error UpgradeRefused (message: string)
        # the command is not carried out, and why
        error ExecutionRefused (message: string)
        # there is no command with this id, or nobody knows of it any more
        error NoSuchExecution (id: string)
        # the deployment is not begun, and why
        error DeploymentRefused (message: string)
        # there is no deployment with this id under way
        error NoSuchDeployment (id: string)
        # the runtime is stopping, or has too many clients
        error Unavailable (message: string)

        """
}
