import CentralStore
import ControlProtocol
import FleetAPI
import HTTPTypes
import Hummingbird
import NIOCore

extension Central {
    /// `GET /healthz`: the process answers.
    func health(_ request: Request, _ context: CentralContext) async throws -> Response { Self.plain("ok\n") }

    /// `GET /readyz`: the store answers too.
    func readiness(_ request: Request, _ context: CentralContext) async throws -> Response {
        try admitStranger(request, context)
        do {
            try await store.check()
        } catch {
            throw Problem(
                .unavailable, .serviceUnavailable, "Central is not ready", "the store does not answer", retryAfter: 5)
        }
        return Self.plain("ready\n")
    }

    /// `GET /metrics`: for Prometheus, text format 0.0.4.
    func showMetrics(_ request: Request, _ context: CentralContext, _ who: Operator) async throws -> Response {
        var text = MetricsText()
        let values = metrics.snapshot
        text.add("build_info", .gauge, "Always 1; the version is a label.", [(["version": HoldfastVersion.current], 1)])
        text.add("start_time_seconds", .gauge, "When central began, since 1970.", [([:], Double(startedAt))])
        text.add(
            "devices", .gauge, "Devices, by state.",
            try await store.countDevices().map { (["state": $0.key.rawValue], Double($0.value)) })
        text.add("waiting_devices", .gauge, "Devices that wait for commands now.", [([:], Double(room.count))])
        text.add("database_bytes", .gauge, "What the database holds.", [([:], Double(try await store.size()))])
        text.add(
            "requests_total", .counter, "Answered requests.",
            values.requests.map { (["route": $0.key.route, "status": String($0.key.status)], Double($0.value)) })
        text.add(
            "request_seconds", .summary, "How long they took; those for commands wait.",
            values.seconds.flatMap { route, value in
                [(["route": route, "": "sum"], value.sum), (["route": route, "": "count"], Double(value.count))]
            })
        text.add("batches_total", .counter, "Batches of telemetry.", [([:], Double(values.batches))])
        text.add(
            "repeated_batches_total", .counter, "Those in which nothing was new.",
            [([:], Double(values.repeatedBatches))])
        text.add(
            "records_total", .counter, "Readings' values and events that were stored.", [([:], Double(values.records))])
        text.add("received_bytes_total", .counter, "Compressed telemetry.", [([:], Double(values.receivedBytes))])
        text.add(
            "refusals_total", .counter, "Requests refused for who sent them, or how.",
            values.refusals.map { (["reason": $0.key], Double($0.value)) })
        return Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: text.text)))
    }

    private static func plain(_ text: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}

/// Prometheus' text format.
private struct MetricsText {
    enum Kind: String { case counter, gauge, summary }

    private(set) var text = ""

    /// - Parameter samples: labels and value; the label "" is a suffix of the name.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [([String: String], Double)]) {
        guard !samples.isEmpty else { return }
        let name = "holdfast_central_" + name
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
        for (labels, value) in samples.sorted(by: { Self.words($0.0) < Self.words($1.0) }) {
            let suffix = labels[""].map { "_" + $0 } ?? ""
            let words = Self.words(labels)
            let number = Int64(exactly: value).map { String($0) } ?? String(value)
            text += "\(name)\(suffix)\(words.isEmpty ? "" : "{\(words)}") \(number)\n"
        }
    }

    private static func words(_ labels: [String: String]) -> String {
        labels.filter { !$0.key.isEmpty }.sorted { $0.key < $1.key }.map { "\($0.key)=\"\($0.value)\"" }
            .joined(separator: ",")
    }
}
