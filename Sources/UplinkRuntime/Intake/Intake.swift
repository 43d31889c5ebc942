package import ControlProtocol
package import LinuxSystem
import MonotonicTime
import Spool
package import UplinkProtocol

/// Holds the workers' sockets, and takes the runtime's own readings.
package final class Intake {
    private let loop: EventLoop
    private let readings: QueueSpool
    private let boot: BootClock
    private var sockets: [String: SharedDescriptor] = [:]
    package var onLoss: (String) -> Void = { _ in }

    package init(loop: EventLoop, events: QueueSpool, readings: QueueSpool, bootID: String) {
        self.loop = loop
        self.readings = readings
        boot = BootClock(bootID: bootID)
    }

    package func attach(_ socket: SharedDescriptor, of worker: String, _ limits: TelemetryLimits) {
        sockets[worker] = socket
    }

    package func forget(_ worker: String) { sockets[worker] = nil }

    package func take(_ values: [(name: String, value: JSONValue)], of worker: String) {
        let object = JSONObject(values.map { JSONObject.Member(key: $0.name, value: $0.value) })
        let record: JSONValue = [
            "w": .string(worker), "t": .int(WallClock.microseconds() / 1000), "b": .string(boot.shortID),
            "m": .int(loop.now.nanoseconds / 1_000_000), "v": .object(object),
        ]
        do throws(SpoolError) { try readings.append([record.serialised()]) } catch { onLoss("\(error)") }
    }
}
