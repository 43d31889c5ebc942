import ControlProtocol

/// What the device says of itself: in each heartbeat, and as readings of the worker "holdfast".
struct RuntimeState {
    let client: ControlClient

    /// The worker under whose name the runtime's own readings go.
    static let worker = "holdfast"
    private static let mostValues = 64

    private func ask(_ completion: @escaping (StatusReport?, HealthReport?) -> Void) {
        client.call(.status) { status in
            client.call(.health) { health in
                completion(Self.report(status), Self.report(health))
            }
        }
    }

    private static func report<Report: JSONConvertible>(
        _ result: Result<[JSONObject], ControlClient.Failure>
    ) -> Report? {
        guard case .success(let replies) = result, let reply = replies.first else { return nil }
        return try? Report(json: .object(reply))
    }

    /// For a heartbeat: `level`, and how many workers are in which state.
    func describe(_ completion: @escaping (JSONObject) -> Void) {
        ask { status, health in
            var state: JSONObject = [:]
            state["level"] = health.map { .string($0.level) }
            if let status {
                var workers: JSONObject = [:]
                for (name, count) in StateCounts(status.workers.map(\.state)).counts {
                    workers[name] = .int(Int64(count))
                }
                state["workers"] = .object(workers)
            }
            completion(state)
        }
    }

    /// As readings; empty when holdfastd does not answer.
    func measure(_ completion: @escaping ([(name: String, value: JSONValue)]) -> Void) {
        ask { status, health in
            var values: [(name: String, value: JSONValue)] = []
            if let status {
                values.append(("uptime", .double(status.runtime.uptime.rounded())))
                for (name, count) in StateCounts(status.workers.map(\.state)).counts {
                    values.append(("workers.\(name)", .int(Int64(count))))
                }
            }
            if let health {
                values.append(("level", .string(health.level)))
                for quantity in health.quantities {
                    if let value = quantity.value { values.append((quantity.name, .double(value))) }
                }
                for sensor in health.sensors {
                    if let value = sensor.value { values.append((sensor.name, .double(value))) }
                }
            }
            completion(Array(values.prefix(Self.mostValues)))
        }
    }
}
