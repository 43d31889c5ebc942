import ControlProtocol
import MonitorProtocol
import SelfPreservation

extension MonitorRuntime {
    /// Everything that is known, for Prometheus.
    func metricsText() -> String {
        let health = healthReport()
        var metrics = MetricsText()
        writeLevels(health, to: &metrics)
        writeSensors(health.sensors, to: &metrics)
        writeQuantities(health.quantities, to: &metrics)
        writeWorkers(health, to: &metrics)
        return metrics.text
    }

    private func writeLevels(_ health: HealthReport, to metrics: inout MetricsText) {
        let scale = "0 normal, 1 throttle, 2 shed, 3 critical"
        metrics.family(
            "holdfast_level", .gauge, "How far the device goes to protect itself: \(scale).",
            [([], MonitorRuntime.number(ofLevel: health.level))])
        metrics.family(
            "holdfast_cause_level", .gauge, "What one cause asks for: \(scale).", health.causes,
            labels: { [("cause", $0.cause)] }, value: { MonitorRuntime.number(ofLevel: $0.level) })
        metrics.family(
            "holdfast_throttled", .gauge, "Whether workers get less of the processor.",
            [([], health.isThrottled ? 1 : 0)])
        metrics.family(
            "holdfast_sensors_lost", .gauge, "Whether no temperature sensor says anything plausible.",
            [([], health.isBlind ? 1 : 0)])
        metrics.family(
            "holdfast_worker_shed", .gauge, "Workers that are paused, and why.",
            health.causes.flatMap { cause in
                cause.shed.map { (labels: [("worker", $0), ("cause", cause.cause)], value: 1) }
            })
    }

    private func writeSensors(_ sensors: [SensorReport], to metrics: inout MetricsText) {
        let classes = [
            ("temperature", "temperature_celsius", "A temperature that is believed."),
            ("fan", "fan_rpm", "A fan's turns a minute."), ("voltage", "voltage_volts", "A voltage."),
            ("power", "power_watts", "What something draws."),
        ]
        for (kind, name, help) in classes {
            metrics.family(
                "holdfast_sensor_\(name)", .gauge, help, sensors.filter { $0.kind == kind },
                labels: { [("sensor", $0.name)] }, value: \.value)
        }
        let temperatures = sensors.filter { $0.kind == "temperature" }
        metrics.family(
            "holdfast_sensor_limit_celsius", .gauge, "What a chip or a zone calls its highest temperature.",
            temperatures, labels: { [("sensor", $0.name)] }, value: \.limit)
        metrics.family(
            "holdfast_sensor_faulty", .gauge, "Whether a sensor's values are not believed, or do not come.", sensors,
            labels: { [("sensor", $0.name)] }, value: { $0.fault == nil ? 0 : 1 })
        metrics.family(
            "holdfast_sensor_forecast_celsius", .gauge, "The temperature expected at the horizon.", temperatures,
            labels: { [("sensor", $0.name)] }, value: \.forecast?.value)
        metrics.family(
            "holdfast_sensor_forecast_error_celsius", .gauge, "By how much the forecasts of late were wrong.",
            temperatures, labels: { [("sensor", $0.name)] }, value: { $0.forecast?.meanError })
        metrics.family(
            "holdfast_sensor_forecast_trusted", .gauge, "Whether the forecast counts.", temperatures,
            labels: { [("sensor", $0.name)] }, value: { $0.forecast.map { $0.isTrusted ? 1 : 0 } })
    }

    private func writeQuantities(_ quantities: [QuantityReport], to metrics: inout MetricsText) {
        let disk = "disk:"
        metrics.family(
            "holdfast_pressure_ratio", .gauge, "The share of time in which some task waited, when last looked at.",
            quantities.filter { !$0.name.hasPrefix(disk) && $0.name != "load" },
            labels: { [("resource", $0.name)] }, value: { $0.value.map { $0 / 100 } })
        metrics.family(
            "holdfast_filesystem_used_ratio", .gauge, "How full a file system is.",
            quantities.filter { $0.name.hasPrefix(disk) },
            labels: { [("path", String($0.name.dropFirst(disk.count)))] }, value: { $0.value.map { $0 / 100 } })
        metrics.family(
            "holdfast_load_per_processor", .gauge, "Tasks that want to run, for each processor.",
            quantities.filter { $0.name == "load" }, labels: { _ in [] }, value: \.value)
    }

    private func writeWorkers(_ health: HealthReport, to metrics: inout MetricsText) {
        let known = workers.inOrder.map(\.description)
        metrics.family(
            "holdfast_worker_state", .gauge, "Always 1; the state is a label.", known,
            labels: { [("worker", $0.name), ("supervisor", $0.supervisor), ("state", $0.state)] }, value: { _ in 1 })
        metrics.family(
            "holdfast_worker_restarts_total", .counter, "Restarts after failures.", known,
            labels: { [("worker", $0.name)] }, value: { Double($0.restarts) })
        let uses = health.workers
        metrics.family(
            "holdfast_worker_cpu_seconds_total", .counter, "Processor time of the present process or its cgroup.",
            uses, labels: { [("worker", $0.name)] }, value: \.processorTime)
        metrics.family(
            "holdfast_worker_resident_memory_bytes", .gauge, "Memory of the main process that is in RAM.", uses,
            labels: { [("worker", $0.name)] }, value: { $0.residentBytes.map(Double.init) })
        metrics.family(
            "holdfast_worker_threads", .gauge, "Threads of the main process.", uses,
            labels: { [("worker", $0.name)] }, value: { $0.threads.map(Double.init) })
        let probes = uses.flatMap { use in use.probes.map { (use.name, $0) } }
        metrics.family(
            "holdfast_probe_success", .gauge, "Whether the last probe succeeded; absent while none counts.", probes,
            labels: { [("worker", $0.0), ("probe", $0.1.name)] },
            value: { $0.1.state == "passing" ? 1 : $0.1.state == "failing" ? 0 : nil })
        metrics.family(
            "holdfast_probe_consecutive_failures", .gauge, "Probes that have failed in a row.", probes,
            labels: { [("worker", $0.0), ("probe", $0.1.name)] }, value: { Double($0.1.failures) })
    }

    private static func number(ofLevel name: String) -> Double {
        Double((Level(name: name) ?? .normal).rawValue)
    }
}
