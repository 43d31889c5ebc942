import CentralStore
import ControlProtocol
import Hummingbird

extension Central {
    private static let hour: Int64 = 3_600_000

    /// `GET /devices/{id}/telemetry/latest`
    func latestTelemetry(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let query = QueryReader(request)
        let filter = SeriesFilter(
            device: try await device(context).identity.id, worker: try query.text("worker"),
            name: try query.text("name"), limit: try query.limit(standard: 1000, most: 10_000))
        let readings = try await store.latest(filter)
        return .json(JSONObject([.init(key: "readings", value: .array(readings.map(View.reading)))]))
    }

    /// `GET /devices/{id}/telemetry`
    func telemetry(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let query = QueryReader(request)
        let to = try query.number("to") ?? clock.now() + 1
        let from = try query.number("from") ?? to - Self.hour
        guard from < to else { throw Problem.invalid("from has to be earlier than to") }
        let limit = try query.limit(standard: 10_000, most: 100_000)
        let series = SeriesFilter(
            device: try await device(context).identity.id, worker: try query.text("worker"),
            name: try query.text("name"))
        if let step = try query.number("step_ms") {
            guard step > 0 else { throw Problem.invalid("step_ms has to be 1 at least") }
            let buckets = try await store.buckets(
                BucketsQuery(series: series, from: from, to: to, step: step, limit: limit))
            let points = buckets.map { bucket in
                (
                    bucket.series,
                    JSONValue.array([
                        .int(bucket.time), .double(bucket.minimum), .double(bucket.maximum), .double(bucket.average),
                        .int(Int64(bucket.count)),
                    ])
                )
            }
            return .json(Self.grouped(points, isTruncated: buckets.count == limit))
        }
        let readings = try await store.readings(ReadingsQuery(series: series, from: from, to: to, limit: limit))
        let points = readings.map { ($0.series, JSONValue.array([.int($0.time), View.value($0.value)])) }
        return .json(Self.grouped(points, isTruncated: readings.count == limit))
    }

    /// Points that follow each other by series.
    private static func grouped(_ points: [(SeriesName, JSONValue)], isTruncated: Bool) -> JSONObject {
        var groups: [(name: SeriesName, points: [JSONValue])] = []
        for (name, point) in points {
            if groups.last?.name != name { groups.append((name, [])) }
            groups[groups.count - 1].points.append(point)
        }
        let series = groups.map { group in
            JSONValue.object([
                "worker": .string(group.name.worker), "name": .string(group.name.name), "points": .array(group.points),
            ])
        }
        return ["series": .array(series), "truncated": .bool(isTruncated)]
    }

    /// `GET /devices/{id}/gaps`
    func listGaps(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let gaps = try await store.gaps(device: try await device(context).identity.id)
        return .json(JSONObject([.init(key: "gaps", value: .array(gaps.map(View.gap)))]))
    }

    /// `GET /events`
    func listEvents(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let filter = try Self.eventFilter(request)
        let events = try await store.events(filter)
        let next = events.count == filter.limit ? events.last.map { JSONValue.int($0.id) } : nil
        return .json(View.page("events", events.map(View.event), next: next ?? .null))
    }

    /// `GET /incidents`
    func listIncidents(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        let filter = try Self.eventFilter(request)
        let incidents = try await store.incidents(filter)
        let next = incidents.count == filter.limit ? incidents.last.map { JSONValue.int($0.id) } : nil
        return .json(View.page("incidents", incidents.map(View.incident), next: next ?? .null))
    }

    private static func eventFilter(_ request: Request) throws -> EventFilter {
        let query = QueryReader(request)
        return EventFilter(
            device: try query.text("device"), kind: try query.text("kind"), worker: try query.text("worker"),
            from: try query.number("from"), to: try query.number("to"), before: try query.number("before"),
            limit: try query.limit(standard: 100, most: 1000))
    }
}
