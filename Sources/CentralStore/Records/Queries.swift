package import ControlProtocol

/// Which series; `nil` is any.
package struct SeriesFilter: Equatable, Sendable {
    package var device: String
    package var worker: String?
    package var name: String?
    package var limit: Int

    package init(device: String, worker: String? = nil, name: String? = nil, limit: Int = 1000) {
        self.device = device
        self.worker = worker
        self.name = name
        self.limit = limit
    }
}

/// Readings of one device.
package struct ReadingsQuery: Equatable, Sendable {
    package var series: SeriesFilter
    /// `from` included, `to` not.
    package var from: Int64
    package var to: Int64
    package var limit: Int

    package init(series: SeriesFilter, from: Int64, to: Int64, limit: Int) {
        self.series = series
        self.from = from
        self.to = to
        self.limit = limit
    }
}

/// Readings of one device, summed up by time.
package struct BucketsQuery: Equatable, Sendable {
    package var series: SeriesFilter
    package var from: Int64
    package var to: Int64
    /// In milliseconds.
    package var step: Int64
    package var limit: Int

    package init(series: SeriesFilter, from: Int64, to: Int64, step: Int64, limit: Int) {
        self.series = series
        self.from = from
        self.to = to
        self.step = step
        self.limit = limit
    }
}

package struct StoredReading: Equatable, Sendable {
    package var series: SeriesName
    package var time: Int64
    package var value: ReadingValue
    package var boot: String
    package var monotonic: Int64
    /// Central's clock less the device's when it was sent, in milliseconds.
    package var skew: Int64
    package var isRepeat: Bool

    package init(
        series: SeriesName, time: Int64, value: ReadingValue, boot: String, monotonic: Int64, skew: Int64,
        isRepeat: Bool
    ) {
        self.series = series
        self.time = time
        self.value = value
        self.boot = boot
        self.monotonic = monotonic
        self.skew = skew
        self.isRepeat = isRepeat
    }
}

package typealias LatestReading = StoredReading

/// The numbers of one step; booleans count as 0 and 1, texts are left out.
package struct ReadingsBucket: Equatable, Sendable {
    package var series: SeriesName
    /// When the step begins: a multiple of it.
    package var time: Int64
    package var count: Int
    package var minimum: Double
    package var maximum: Double
    package var average: Double

    package init(series: SeriesName, time: Int64, count: Int, minimum: Double, maximum: Double, average: Double) {
        self.series = series
        self.time = time
        self.count = count
        self.minimum = minimum
        self.maximum = maximum
        self.average = average
    }
}

/// Records that a device had to drop before central had them.
package struct StoredGap: Equatable, Sendable {
    package var queue: String
    package var spool: String
    package var first: UInt64
    package var last: UInt64
    package var receivedAt: Int64

    package init(queue: String, spool: String, first: UInt64, last: UInt64, receivedAt: Int64) {
        self.queue = queue
        self.spool = spool
        self.first = first
        self.last = last
        self.receivedAt = receivedAt
    }
}

/// Which events; `nil` is any.
package struct EventFilter: Equatable, Sendable {
    package var device: String?
    package var kind: String?
    package var worker: String?
    package var from: Int64?
    package var to: Int64?
    /// Those with a lower id.
    package var before: Int64?
    package var limit: Int

    package init(
        device: String? = nil, kind: String? = nil, worker: String? = nil, from: Int64? = nil, to: Int64? = nil,
        before: Int64? = nil, limit: Int = 100
    ) {
        self.device = device
        self.kind = kind
        self.worker = worker
        self.from = from
        self.to = to
        self.before = before
        self.limit = limit
    }
}

package struct StoredEvent: Equatable, Sendable {
    /// Counts up in the order in which events came.
    package var id: Int64
    package var device: String
    package var time: Int64
    package var receivedAt: Int64
    package var kind: String
    package var worker: String?
    package var isRepeat: Bool
    package var body: JSONObject

    package init(
        id: Int64, device: String, time: Int64, receivedAt: Int64, kind: String, worker: String?, isRepeat: Bool,
        body: JSONObject
    ) {
        self.id = id
        self.device = device
        self.time = time
        self.receivedAt = receivedAt
        self.kind = kind
        self.worker = worker
        self.isRepeat = isRepeat
        self.body = body
    }
}

package struct StoredIncident: Equatable, Sendable {
    package var id: Int64
    package var device: String
    package var time: Int64
    package var receivedAt: Int64
    package var worker: String
    /// As the device wrote it.
    package var body: JSONObject

    package init(id: Int64, device: String, time: Int64, receivedAt: Int64, worker: String, body: JSONObject) {
        self.id = id
        self.device = device
        self.time = time
        self.receivedAt = receivedAt
        self.worker = worker
        self.body = body
    }
}
