import ControlProtocol

/// Readings of one device: the latest of each series, and its course.
struct FleetTelemetryView {
    struct Series {
        var worker: String
        var name: String
        /// `nil` when nothing came for as long as central keeps readings.
        var latest: JSONValue?
        /// In seconds since 1970.
        var time: Double?
        /// The mean of each step; `nil` where nothing came.
        var course: [Double?]
        var least: Double?
        var most: Double?
        var mean: Double?
    }

    private(set) var series: [Series] = []

    /// - Parameters:
    ///   - latest, course: as central answers, with steps of `step` milliseconds.
    ///   - width: how many steps are shown.
    init(latest: [JSONValue], course: [JSONValue], from: Int, to: Int, step: Int, width: Int) {
        for reading in latest {
            guard let worker = reading["worker"]?.stringValue, let name = reading["name"]?.stringValue else { continue }
            series.append(
                Series(
                    worker: worker, name: name, latest: reading["value"],
                    time: reading["time_ms"]?.doubleValue.map { $0 / 1000 },
                    course: Array(repeating: nil, count: width)))
        }
        for entry in course {
            guard
                let index = series.firstIndex(where: {
                    $0.worker == entry["worker"]?.stringValue && $0.name == entry["name"]?.stringValue
                })
            else { continue }
            series[index].follow(entry["points"]?.arrayValue ?? [], from: from, step: step)
        }
    }

    func table(now: Double) -> Table {
        var table = Table([
            Table.Column("WORKER"), Table.Column("SERIES"), Table.Column("LATEST", .right), Table.Column("AGE", .right),
            Table.Column("LOW", .right), Table.Column("MEAN", .right), Table.Column("HIGH", .right),
            Table.Column("COURSE"),
        ])
        for entry in series {
            table.add([
                Table.Cell(entry.worker.escapedForTerminal), Table.Cell(entry.name.escapedForTerminal),
                Table.Cell(Self.text(entry.latest), .heading),
                Table.Cell(entry.time.map { DurationText.compact(now - $0) } ?? "", .faint),
                Table.Cell(Self.text(number: entry.least)), Table.Cell(Self.text(number: entry.mean)),
                Table.Cell(Self.text(number: entry.most)),
                Table.Cell(Sparkline.text(entry.course), .active),
            ])
        }
        return table
    }

    private static func text(_ value: JSONValue?) -> String {
        switch value {
        case .string(let text)?: text.escapedForTerminal
        case .bool(let value)?: value ? "true" : "false"
        case .int(let value)?: "\(value)"
        case .double(let value)?: text(number: value)
        default: "-"
        }
    }

    /// With three digits or more, and no more than are of use.
    private static func text(number: Double?) -> String {
        guard let value = number else { return "-" }
        guard value.isFinite, abs(value) < 1e15 else { return "\(value)" }
        if value == value.rounded() { return "\(Int(value))" }
        let digits = abs(value) >= 100 ? 1 : abs(value) >= 1 ? 2 : 4
        let scale = digits == 1 ? 10.0 : digits == 2 ? 100 : 10_000
        return "\((value * scale).rounded() / scale)"
    }

    private enum Key: String { case worker, name, latest, time = "time_ms", low, mean, high, course }

    var json: JSONValue {
        .array(
            series.map { entry in
                .object([
                    Key.worker: entry.worker, .name: entry.name, .latest: entry.latest,
                    .time: entry.time.map { Int($0 * 1000) }, .low: entry.least, .mean: entry.mean, .high: entry.most,
                    .course: entry.course,
                ])
            })
    }
}

extension FleetTelemetryView.Series {
    /// - Parameter points: time, lowest, highest, mean and count of each step.
    fileprivate mutating func follow(_ points: [JSONValue], from: Int, step: Int) {
        var (sum, count) = (0.0, 0)
        for point in points {
            guard let fields = point.arrayValue, fields.count == 5, let time = fields[0].intValue,
                let low = fields[1].doubleValue, let high = fields[2].doubleValue, let average = fields[3].doubleValue,
                let number = fields[4].intValue, number > 0
            else { continue }
            least = min(least ?? low, low)
            most = max(most ?? high, high)
            (sum, count) = (sum + average * Double(number), count + number)
            // Steps begin at multiples, so the first one may begin before the time asked for.
            let place = min(max(0, (time - from + step - 1) / step), course.count - 1)
            course[place] = average
        }
        if count > 0 { mean = sum / Double(count) }
    }
}
