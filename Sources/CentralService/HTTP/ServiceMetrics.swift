import Synchronization

/// What central counts of itself.
final class ServiceMetrics: Sendable {
    struct RequestKey: Hashable {
        var route: String
        var status: Int
    }

    struct Values {
        var requests: [RequestKey: Int] = [:]
        var seconds: [String: (sum: Double, count: Int)] = [:]
        var batches = 0
        var records = 0
        var repeatedBatches = 0
        var receivedBytes = 0
        var refusals: [String: Int] = [:]
    }

    private let values = Mutex(Values())

    var snapshot: Values { values.withLock { $0 } }

    func count(_ status: Int, route: String, took: Duration) {
        values.withLock { values in
            values.requests[RequestKey(route: route, status: status), default: 0] += 1
            let (sum, count) = values.seconds[route] ?? (0, 0)
            values.seconds[route] = (sum + took / .seconds(1), count + 1)
        }
    }

    func countBatch(records: Int, bytes: Int) {
        values.withLock { values in
            values.batches += 1
            values.records += records
            values.receivedBytes += bytes
            if records == 0 { values.repeatedBatches += 1 }
        }
    }

    func countRefusal(_ reason: String) { values.withLock { $0.refusals[reason, default: 0] += 1 } }
}
