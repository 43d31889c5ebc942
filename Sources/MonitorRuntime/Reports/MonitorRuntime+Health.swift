import ControlProtocol
import MonitorProtocol
import MonotonicTime
import Probing
import SelfPreservation

extension MonitorRuntime {
    /// Where things stand now.
    func healthReport() -> HealthReport {
        guard let settings, let status = core?.status else { return HealthReport(level: "normal", interval: 0) }
        let wording = PreservationWording(policy: settings.policy, status: status)
        return HealthReport(
            level: status.level.name, isThrottled: status.isThrottled, isBlind: status.isBlind,
            interval: settings.interval.inSeconds, sensors: sensorReports(status, settings.policy),
            quantities: status.gauges.map {
                QuantityReport(name: $0.quantity.name, value: $0.value, level: $0.level.name)
            },
            causes: status.causes.map { cause in
                CauseReport(
                    cause: cause.cause.rawValue, level: cause.level.name,
                    why: cause.level == .normal ? nil : wording.why(cause.cause), shed: cause.shed,
                    nextShed: secondsUntil(cause.nextShed), relief: secondsUntil(cause.relief),
                    nextRestore: secondsUntil(cause.nextRestore))
            },
            workers: workers.inOrder.map(report(of:)), warnings: warnings)
    }

    private func secondsUntil(_ instant: MonotonicInstant?) -> Double? {
        instant.map { max(0, now.duration(to: $0).inSeconds) }
    }

    private func sensorReports(_ status: PreservationStatus, _ policy: PreservationPolicy) -> [SensorReport] {
        let judged = Dictionary(status.sensors.map { ($0.name, $0) }) { first, _ in first }
        return survey.sensors.sorted { $0.name < $1.name }.map { sensor in
            guard sensor.kind == .temperature else {
                let isSilent = sensor.readAt.duration(to: now) >= policy.sensorTimeout
                let isImplausible = sensor.reading.map { !$0.isFinite } ?? false
                return SensorReport(
                    name: sensor.name, kind: sensor.kind.rawValue, value: isImplausible ? nil : sensor.reading,
                    limit: sensor.limit, fault: isSilent ? "silent" : isImplausible ? "implausible" : nil,
                    level: Level.normal.name)
            }
            let known = judged[sensor.name]
            return SensorReport(
                name: sensor.name, kind: sensor.kind.rawValue, value: known?.celsius, limit: sensor.limit,
                fault: known?.fault?.rawValue, level: (known?.level ?? .normal).name,
                forecast: known?.forecast.map {
                    ForecastReport(
                        value: $0.celsius, horizon: policy.forecast?.horizon.inSeconds ?? 0, meanError: $0.meanError,
                        isTrusted: $0.isTrusted)
                })
        }
    }

    private func report(of worker: WatchedWorker) -> WorkerUseReport {
        let usage = worker.usage
        return WorkerUseReport(
            name: worker.description.name, processorPercent: usage?.processorPercent,
            processorTime: usage?.processorTime, residentBytes: usage?.residentBytes, threads: usage?.threads,
            probes: worker.probes.map(report(of:)))
    }

    private func report(of runner: ProbeRunner) -> ProbeReport {
        let clock = runner.clock
        var state = "waiting"
        if !clock.isActive {
            state = "suspended"
        } else if clock.lastFailure != nil {
            state = "failing"
        } else if clock.hasSucceeded {
            state = "passing"
        }
        var kind = "tcp"
        if case .http = runner.probe.kind { kind = "http" }
        return ProbeReport(
            name: runner.probe.name, kind: kind, state: state, failures: clock.failures,
            lastFailure: clock.lastFailure)
    }
}
